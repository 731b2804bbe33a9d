"""Writes what reviewers ask of the next run: `OUTPUT/review/overrides.json`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from media import store
from pipeline.overrides import PLACE
from review.state import overrides
from schemas.errors import CatalogueError
from schemas.safe_names import quoted
from schemas.signoff import Overrides, SignOff


def check_overrides(output: str, decisions: Iterable[SignOff]) -> None:
    """Raises CatalogueError where a run is asked for what none of these decisions asks: another database has it."""
    asked = {(one.at, one.reviewer, one.scope) for one in decisions}
    told = Overrides()
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):  # a file that is broken is written anew
        told = msgspec.json.decode(_written(output) or b"{}", type=Overrides)
    foreign = [one for one in told.overrides if (one.at, one.reviewer, one.scope) not in asked]
    if foreign:
        text = (
            f"{_place(output)} tells of decisions that are not in this database, the first by {quoted(foreign[0].reviewer)} at "
            f"{foreign[0].at}: name the database that holds them with --database, or remove the file to ask for nothing"
        )
        raise CatalogueError("DATABASE_UNUSABLE", text)


def write_overrides(output: str, decisions: Iterable[SignOff]) -> bool:
    """Writes the revisions in force, in one step; returns whether they had changed. Writers take turns, see `Decisions.alone`."""
    found = overrides(decisions)
    content = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    before = _written(output)
    if content == before or (before is None and not found.overrides):
        return False
    store.write_bytes(_place(output), content)
    return True


def _written(output: str) -> bytes | None:
    with suppress(FileNotFoundError):
        return store.read_bytes(_place(output))
    return None


def _place(output: str) -> str:
    return store.join(output, *PLACE)
