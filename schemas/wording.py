"""What there is to say about a code: the record of the tables in `error_codes.py` and `finding_codes.py`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["refused", "rejected", "fail", "warn", "info"]
"""refused: the command did not start; rejected: no master was made; fail, warn, info: findings about a master."""


class Words(Struct, frozen=True):
    """What there is to say about a code."""

    severity: Severity
    """Of a finding the usual one: a limit in a profile may set another."""
    title: str
    meaning: str
    measured: str
    mend: str
    ignore: str


NEVER = "Never."
