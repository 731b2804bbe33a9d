"""The few pages that the server itself makes: signed in, not let in, no report yet. The report is made elsewhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{more}</head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""
_AGAIN = 'location.replace("/?again" + location.hash)'
_AGAIN_HASH = b64encode(sha256(_AGAIN.encode()).digest()).decode()
# Nothing but the text and that one line: no style, no picture; and no frame around it.
POLICY = f"default-src 'none'; script-src 'sha256-{_AGAIN_HASH}'; frame-ancestors 'none'"


def page(title: str, text: str, status: int = 200, *, leads_to: str = "") -> HTMLResponse:
    """A page of one sentence, which may lead on by itself."""
    link = f' <a href="{escape(leads_to)}">Go on</a>' if leads_to else ""
    more = f'<meta http-equiv="refresh" content="0; url={escape(leads_to)}">' if leads_to else ""
    return _answer(title, escape(text) + link, more, status)


def asked_again(title: str, text: str, status: int) -> HTMLResponse:
    """A page that asks for the report itself, and keeps what stands after # in the address."""
    return _answer(title, escape(text), f"<script>{_AGAIN}</script>", status)


def _answer(title: str, text: str, more: str, status: int) -> HTMLResponse:
    content = _PAGE.format(title=escape(title), text=text, more=more)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(content, status_code=status, headers=headers)
