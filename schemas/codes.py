"""The one table of codes: what each means, how it was measured, how to mend it, and when to leave it.

`lathe explain`, the summary of a run and docs/codes.md read it (`python -m schemas.codes > docs/codes.md` writes that page);
codes are stable, words may improve.
"""

from __future__ import annotations

from schemas.error_codes import ERROR_CODES
from schemas.finding_codes import FINDING_CODES
from schemas.mix_codes import MIX_CODES
from schemas.wording import Severity as Severity
from schemas.wording import Words as Words

CODES: dict[str, Words] = {**ERROR_CODES, **FINDING_CODES, **MIX_CODES}

_GROUPS: dict[tuple[Severity, ...], str] = {
    (
        "fail",
        "warn",
        "info",
    ): "Findings\n\nWhat quality control says of a source or a master. The severity here is the usual one: limits in"
    " a profile\nmay set another. `fail`: do not deliver; `warn`: listen first; `info`: good to know.",
    ("rejected",): "Rejected tracks\n\nNo master was made of the track; the run went on.",
    ("refused",): "Refused commands\n\nThe command did not start; nothing was rendered.",
}


def codes_page() -> str:
    """The page docs/codes.md."""
    parts = ["# Codes\n\nWritten by `python -m schemas.codes`; `lathe explain CODE` says the same."]
    for severities, title in _GROUPS.items():
        parts.append(f"## {title}")
        parts += [_entry(code, words) for code, words in CODES.items() if words.severity in severities]
    return "\n\n".join(parts) + "\n"


def _entry(code: str, words: Words) -> str:
    lines = [
        f"### {code}\n",
        f"**{words.title}** ({words.severity}). {words.meaning}\n",
        f"- How it was seen: {words.measured}",
        f"- What to do: {words.mend}",
        f"- When to leave it: {words.ignore}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(codes_page(), end="")
