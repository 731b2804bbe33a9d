"""What reviewers say of masters, and what they ask the next run to do otherwise.

`review/` writes these records; a run reads the overrides (`review/overrides.json` in its output) and nothing else of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal

from msgspec import Meta, Struct

Steps = Annotated[int, Meta(ge=-3, le=3)]
Scope = Literal["track", "album"]
Word = Literal["approve", "reject", "needs_work", "undo"]
KEY_DIGITS = 16
"""64 bits: masters that differ by accident never share a key; the whole hashes are kept beside it."""


class Revision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the next run shall do otherwise than it would; steps count from what it would do, not from the last master."""

    tone_steps: Steps = 0
    """Brighter above 0, darker below."""
    loudness_steps: Steps = 0
    """Louder above 0, quieter below."""
    width_steps: Steps = 0
    """Wider above 0, narrower below."""
    limiting_steps: Annotated[int, Meta(ge=-3, le=0)] = 0
    """Less limiting below 0; there is no asking for more."""
    tone_amount_ratio: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    """Share of the tone correction that is made; None: as the style has it."""
    leave_alone: bool = False
    """Nothing is done but what the delivery needs: a gain, its ceiling and its format; and no limiting where that can be."""
    reference: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    """URI of another recording to lean to."""


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A revision that is in force for a track or an album, until another one or an undo takes its place."""

    scope: Scope
    subject_id: str
    """A track_id or an album_id."""
    revision: Revision
    reviewer: str
    at: str
    """When it was asked for, ISO 8601 in UTC."""
    note: str = ""


class Overrides(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file `review/overrides.json`; of several for one subject, the last one holds."""

    version: Literal[1] = 1
    overrides: tuple[Override, ...] = ()


class InForce(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The overrides that concern the tracks of one run, one for each subject; references by their whole place."""

    overrides: tuple[Override, ...] = ()
    refused_references: dict[str, str] = {}
    """References that a run may not read, and why."""


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What reviewers ask, as it bears on a track."""

    album: Revision = Revision()
    """Of its whole album."""
    run: Revision = Revision()
    """Of the track and those it is joined with: the album's, and what was asked of one of them instead."""


class SignOff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One decision about the masters of one track: kept for ever, never changed."""

    number: int
    """Rises from decision to decision of an output; 0 in a file that a browser exported."""
    at: str
    """ISO 8601 in UTC."""
    reviewer: str
    track_id: str
    album_id: str
    masters_key: str
    """Of the masters that were judged: others void the decision."""
    masters: dict[str, str] = {}
    """SHA-256 of each delivery."""
    word: Word
    reason: Annotated[str, Meta(max_length=500)] = ""
    note: Annotated[str, Meta(max_length=5000)] = ""
    scope: Scope = "track"
    """What the revision is for."""
    revision: Revision | None = None
    undoes: int | None = None
    """Number of the decision that an undo takes back."""


def masters_key(masters: Mapping[str, str]) -> str:
    """A short name of all masters of a track, from the SHA-256 of each delivery.

    >>> masters_key({"flac24": "ab", "cd": "cd"}) == masters_key({"cd": "cd", "flac24": "ab"})
    True
    """
    told = "".join(f"{delivery} {digest}\n" for delivery, digest in sorted(masters.items()))
    return sha256(told.encode()).hexdigest()[:KEY_DIGITS]
