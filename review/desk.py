"""Where decisions are taken: checks what someone asks against the masters that stand, keeps it, and tells the next run.

The server and the command line both go through here. Who it is, when it was and which masters it was about is filled in here and
never believed of a client.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Annotated

from msgspec import Meta, Struct

from review.decisions_store import Decide, Decisions
from review.masters import Catalogue, Standing, required_catalogue
from review.overrides import check_overrides, write_overrides
from review.state import TrackState, may_undo, states, undone
from schemas.errors import CatalogueError
from schemas.safe_names import quoted
from schemas.signoff import Revision, Scope, SignOff, Word

MAX_NAME = 100
MAX_ASKED = 10_000
"""Decisions in one request: a whole album or a filter, well within the bound on its bytes."""


class Asked(Struct, frozen=True, kw_only=True):
    """A decision as someone asks for it; whatever else a client sends with it is not looked at."""

    track_id: str
    masters_key: str
    """Of the masters that were judged."""
    word: Word
    reason: Annotated[str, Meta(max_length=500)] = ""
    note: Annotated[str, Meta(max_length=5000)] = ""
    scope: Scope = "track"
    revision: Revision | None = None


class Problem(Struct, frozen=True, kw_only=True):
    """Why a decision was not taken."""

    index: int
    """Which of those that were asked for, from 0."""
    track_id: str
    text: str


class RefusedError(CatalogueError):
    """Decisions that cannot be taken; none of those asked for together was."""

    def __init__(self, found: Sequence[Problem]) -> None:
        self.found = list(found)
        texts = [f"decision {one.index + 1}, track {quoted(one.track_id)}: {one.text}" for one in found]
        super().__init__("SIGNOFF_REFUSED", texts)


class ForbiddenError(CatalogueError):
    """Something that this reviewer may not do."""

    def __init__(self, text: str) -> None:
        super().__init__("SIGNOFF_REFUSED", text)


class Desk:
    """The decisions about one output; many threads may share it."""

    def __init__(self, output: str, database: str | None = None, *, two_person: bool = False) -> None:
        self.output, self.two_person = output, two_person
        self.catalogue: Catalogue = required_catalogue(output)
        self.decisions = Decisions(output, database)
        with self.decisions.alone() as (known, _):
            check_overrides(output, known)
            write_overrides(output, known)  # what a process that died did not come to

    def states(self, track_ids: Iterable[str] | None = None) -> dict[str, TrackState]:
        """How every track stands, or those named."""
        standing = self.catalogue.standing()
        ids = standing if track_ids is None else [track_id for track_id in track_ids if track_id in standing]
        digests = {track_id: standing[track_id].digests for track_id in ids}
        return states(digests, self.decisions.all(), two_person=self.two_person)

    def decide(self, asked: Sequence[Asked], reviewer: str) -> list[SignOff]:
        """Takes decisions, all of them or none; raises RefusedError."""
        reviewer, standing = checked_name(reviewer), self.catalogue.standing()
        found = [
            Problem(index=i, track_id=one.track_id, text=t)
            for i, one in enumerate(asked)
            if (t := _why_not(one, standing))
        ]
        if found:
            raise RefusedError(found)

        def new(known: Sequence[SignOff]) -> list[SignOff]:
            at = _now(known)
            return [_signed(one, standing[one.track_id], reviewer, at) for one in asked]

        return self.add(new)

    def undo(self, numbers: Iterable[int], reviewer: str, *, operator: bool) -> list[SignOff]:
        """Takes decisions back, all of them or none; raises CatalogueError, or ForbiddenError where one is another's."""
        reviewer, wanted = checked_name(reviewer), list(dict.fromkeys(numbers))

        def new(known: Sequence[SignOff]) -> list[SignOff]:
            at, gone = _now(known), undone(known)
            taken_back = [_may_go(known, gone, number, reviewer, operator) for number in wanted]
            return [_undoing(one, reviewer, at) for one in taken_back]

        return self.add(new)

    def add(self, decide: Decide) -> list[SignOff]:
        """Adds decisions, and tells the next run what they ask for."""
        added = self.decisions.add(decide)
        if any(one.revision is not None or one.word == "undo" for one in added):
            self._tell()
        return added

    def _tell(self) -> None:
        # Written while no other process adds decisions: of two writers, the later one knows all.
        with self.decisions.alone() as (known, _):
            write_overrides(self.output, known)


def checked_name(name: str) -> str:
    """The name of a reviewer; raises CatalogueError for one that nobody could read."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        text = f"{quoted(name)} is no name for a reviewer: give 1 to {MAX_NAME} printable characters"
        raise CatalogueError("REVIEWER_INVALID", text)
    return name


def written(moment: datetime) -> str:
    """A moment as decisions tell it: always UTC and of one length, so that texts sort as times do."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def _why_not(asked: Asked, standing: dict[str, Standing]) -> str:
    track = standing.get(asked.track_id)
    if track is None:
        return "has no masters in this output"
    if asked.word == "undo":
        return "an undo names the number of a decision, not a track"
    if asked.masters_key != track.key:
        return (
            f"the decision is about masters {quoted(asked.masters_key)}, but {track.key} stand since run {track.run_id}: "
            "load the report again and listen to these"
        )
    return ""


def _signed(asked: Asked, track: Standing, reviewer: str, at: str) -> SignOff:
    return SignOff(
        number=0,
        at=at,
        reviewer=reviewer,
        track_id=track.track_id,
        album_id=track.album_id,
        masters_key=track.key,
        masters=track.digests,
        word=asked.word,
        reason=asked.reason,
        note=asked.note,
        scope=asked.scope,
        revision=asked.revision,
    )


def _may_go(known: Sequence[SignOff], gone: set[int], number: int, reviewer: str, operator: bool) -> SignOff:
    """The decision of a number, if someone may take it back."""
    if not 0 < number <= len(known):
        raise CatalogueError("SIGNOFF_REFUSED", f"there is no decision {number}: the newest is {len(known)}")
    if number in gone:
        raise CatalogueError("SIGNOFF_REFUSED", f"decision {number} was taken back already")
    if not may_undo(known[number - 1], reviewer, operator=operator):
        text = f"decision {number} is {quoted(known[number - 1].reviewer)}'s: only they or an operator may take it back"
        raise ForbiddenError(text)
    return known[number - 1]


def _undoing(taken_back: SignOff, reviewer: str, at: str) -> SignOff:
    return SignOff(
        number=0,
        at=at,
        reviewer=reviewer,
        track_id=taken_back.track_id,
        album_id=taken_back.album_id,
        masters_key=taken_back.masters_key,
        word="undo",
        undoes=taken_back.number,
    )


def _now(known: Sequence[SignOff]) -> str:
    """Now, and never before any decision: a clock that was set back, or ahead elsewhere, puts none under an older one."""
    return max([written(datetime.now(timezone.utc)), *(one.at for one in known)])
