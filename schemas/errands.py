"""What travels through an unbounded run: members, each on the errand that a manifest's arrival began, and their tickets.

In a batch all of an album meet in a join, and the end of the input says that they are all. A stream has no end: each member
carries how many its group waits for, and while it waits, a small ticket stands for it.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.steps import AnyMember
from schemas.track import Track


class Errand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A track on its way from its manifest to its rows."""

    run_id: str
    """The run that the arrival of its manifest began."""
    member: AnyMember
    group: str
    """Where the members of its album meet."""
    of: int
    """How many the group waits for."""
    tracks: int
    """How many tracks of its run will have a row."""


class Ticket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stands in a group for a member that lies in the ledger: under 1 KiB, whatever was measured of the track."""

    name: str
    """The record in the ledger; also tells a second delivery of the same errand from another one."""
    run_id: str
    track_id: str
    of: int
    """How many its group waits for: the members of an album, or the rows of a run."""


class Gathered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group that is complete, or whose time was over."""

    group: str
    tickets: tuple[Ticket, ...]
    """One for each track, by name."""
    repeated: tuple[Ticket, ...] = ()
    """Tracks that came again in a later run, which counts."""


class WholeAlbum(Struct, frozen=True, kw_only=True):
    """The tracks of an album that came in several manifests, as they were when it was last whole.

    When one of its manifests comes again alone, the others are taken from here: measured, but not mastered.
    """

    tracks: tuple[Track, ...]
