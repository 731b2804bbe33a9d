"""Writes what reviewers ask of the next run: `OUTPUT/review/overrides.json`."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from media import store
from review.state import overrides
from schemas.signoff import SignOff


def write_overrides(output: str, decisions: Iterable[SignOff]) -> bool:
    """Writes the revisions in force, in one step; returns whether they had changed. Writers take turns, see `Decisions.alone`."""
    found = overrides(decisions)
    content = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    uri = store.join(output, "review", "overrides.json")
    try:
        before = store.read_bytes(uri)
    except FileNotFoundError:
        before = None
    if content == before or (before is None and not found.overrides):
        return False
    store.write_bytes(uri, content)
    return True
