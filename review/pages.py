"""The few pages that the server itself makes: signed in, not let in, no report yet. The report is made elsewhere."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

# Nothing but the text: no script, no style, no picture; and no frame around it.
POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{more}</head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""


def page(title: str, text: str, status: int = 200, *, leads_to: str = "") -> HTMLResponse:
    """A page of one sentence, which may lead on by itself."""
    more = f'<meta http-equiv="refresh" content="0; url={escape(leads_to)}">' if leads_to else ""
    link = f' <a href="{escape(leads_to)}">Go on</a>' if leads_to else ""
    content = _PAGE.format(title=escape(title), text=escape(text) + link, more=more)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(content, status_code=status, headers=headers)
