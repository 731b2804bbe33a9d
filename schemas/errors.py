"""The two ways something can go wrong that a user can mend.

`CatalogueError` stops a command before anything is rendered (a wrong manifest or profile); `TrackError` concerns one
track and becomes a `Rejected` record: it never stops the run.
"""

from __future__ import annotations


class CatalogueError(ValueError):
    """What the user gave cannot be used: a stable code and sentences that say where and what to do."""

    def __init__(self, code: str, problems: str | list[str]) -> None:
        self.code = code
        self.problems = [problems] if isinstance(problems, str) else problems
        super().__init__("\n".join(self.problems))


class TrackError(Exception):
    """One track cannot be mastered: a code of `schemas.codes`, what was found, and what to do about it."""

    def __init__(self, code: str, text: str, hint: str = "") -> None:
        self.code = code
        self.text = text
        self.hint = hint
        super().__init__(code, text, hint)

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"
