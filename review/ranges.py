"""Byte ranges of a request (RFC 9110, section 14): one range is served, and what is no range is as if it were not there."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class UnsatisfiableError(ValueError):
    """A range that lies beyond the end."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for all bytes.

    Several ranges at once count as none (section 14.2 allows it): no player of audio asks for them.

    >>> byte_range("bytes=2-3", 10), byte_range("bytes=-4", 10), byte_range("bytes=8-99", 10), byte_range("lines=1-2", 10)
    ((2, 4), (6, 10), (8, 10), None)
    """
    found = _ONE.fullmatch((header or "").replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        if found[2] and int(found[2]) < int(found[1]):
            return None
    if start >= end:
        raise UnsatisfiableError(f"bytes {found[1]}-{found[2]} of {size}")
    return start, end
