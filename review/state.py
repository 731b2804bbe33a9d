"""Decisions -> how each track stands, and which revisions are in force. Pure: nothing is read or written here.

Decisions count in the order in which people took them (`at`, then number), wherever and whenever they came in. One about other
masters than those that stand counts for nothing, and whole hashes are compared, not the short key.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from schemas.signoff import Override, Overrides, Revision, Scope, SignOff

State: TypeAlias = Literal["open", "approved", "approved_once", "rejected", "needs_work", "void"]
STATES: tuple[State, ...] = ("open", "approved", "approved_once", "rejected", "needs_work", "void")
PERSONS = 2
"""How many must approve under the two-person rule."""
Digests: TypeAlias = Mapping[str, str]
"""SHA-256 of each delivery of a track."""


class TrackState(Struct, frozen=True, kw_only=True):
    """How the masters of a track stand."""

    state: State = "open"
    approvals: tuple[SignOff, ...] = ()
    """Those that count, one for each reviewer."""
    last: SignOff | None = None
    """The newest decision that counts; of void masters, the newest about others."""


def states(
    standing: Mapping[str, Digests], decisions: Iterable[SignOff], *, two_person: bool = False
) -> dict[str, TrackState]:
    """How every track stands that has masters."""
    by_track: defaultdict[str, list[SignOff]] = defaultdict(list)
    for decision in live(decisions):
        by_track[decision.track_id].append(decision)
    return {
        track_id: state_of(digests, by_track.get(track_id, ()), two_person=two_person)
        for track_id, digests in standing.items()
    }


def state_of(digests: Digests, decisions: Sequence[SignOff], *, two_person: bool = False) -> TrackState:
    """How one track stands, by the live decisions about it, the oldest first."""
    about = [decision for decision in decisions if decision.masters == digests]
    if not about:
        return TrackState(state="void", last=decisions[-1]) if decisions else TrackState()
    approvals: dict[str, SignOff] = {}
    for decision in about:
        if decision.word == "approve":
            approvals[person(decision.reviewer)] = decision
        else:
            approvals.clear()
    return TrackState(
        state=_word(about[-1], len(approvals), two_person), approvals=tuple(approvals.values()), last=about[-1]
    )


def live(decisions: Iterable[SignOff]) -> list[SignOff]:
    """The decisions that nobody took back, without the undos themselves; the oldest first."""
    found = list(decisions)
    gone = undone(found)
    kept = [one for one in found if one.word != "undo" and one.number not in gone]
    return sorted(kept, key=lambda one: (one.at, one.number))


def undone(decisions: Iterable[SignOff]) -> set[int]:
    """The numbers of all that was taken back. An undo that was undone itself takes nothing back."""
    gone: set[int] = set()
    # From the newest: an undo names a decision before it, so whether it counts itself is known by then.
    for one in sorted(decisions, key=lambda one: one.number, reverse=True):
        if one.word == "undo" and one.undoes is not None and one.number not in gone and one.undoes < one.number:
            gone.add(one.undoes)
    return gone


def overrides(decisions: Iterable[SignOff]) -> Overrides:
    """The revisions in force: of each track and album the newest, unless it asks for nothing."""
    newest: dict[tuple[Scope, str], SignOff] = {}
    for one in live(decisions):
        if one.revision is not None and one.masters:  # without masters: they stood no more when it came in
            newest[one.scope, one.album_id if one.scope == "album" else one.track_id] = one
    asked = sorted(newest.items())
    return Overrides(overrides=tuple(_override(*key, one) for key, one in asked if one.revision != Revision()))


def person(name: str) -> str:
    """A name as it tells people apart: `Ann` and ` ANN ` are one.

    >>> person(" Ann\\u00a0 Lee ") == person("ann lee")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def may_undo(decision: SignOff, reviewer: str, *, operator: bool) -> bool:
    """Whether someone may take a decision back: their own, or any as an operator."""
    return operator or person(decision.reviewer) == person(reviewer)


def _word(last: SignOff, approvals: int, two_person: bool) -> State:
    if last.word == "reject":
        return "rejected"
    if last.word == "needs_work":
        return "needs_work"
    return "approved_once" if two_person and approvals < PERSONS else "approved"


def _override(scope: Scope, subject_id: str, decision: SignOff) -> Override:
    assert decision.revision is not None
    return Override(
        scope=scope,
        subject_id=subject_id,
        revision=decision.revision,
        reviewer=decision.reviewer,
        at=decision.at,
        note=decision.note,
    )
