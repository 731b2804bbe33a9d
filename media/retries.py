"""Counts requests to a store that were repeated, for whoever made them: the store itself knows neither track nor Beam."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Tally:
    """What was repeated so far."""

    def __init__(self) -> None:
        self.retries = 0


_OPEN: ContextVar[Tally | None] = ContextVar("retries", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Counts what this thread has to repeat within the block."""
    tally = Tally()
    token = _OPEN.set(tally)
    try:
        yield tally
    finally:
        _OPEN.reset(token)


def note_retry(error: Exception) -> None:
    """A request failed with an error that may pass, and is made again."""
    tally = _OPEN.get()
    if tally is not None:
        tally.retries += 1
