"""Stems and the songs they make: what a manifest says of recordings that are mixed before they are mastered."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Role: TypeAlias = Literal[
    "kick", "snare", "toms", "cymbals", "drums", "room", "percussion",
    "bass",
    "vocal", "backing_vocal",
    "electric_guitar", "acoustic_guitar", "keys", "synth", "strings", "brass", "woodwind",
    "fx", "backing_track",
    "other1", "other2", "other3", "other4", "other5",
]  # fmt: skip
"""What a stem is in its song."""
Presence: TypeAlias = Literal["lead", "normal", "background"]
ReverbWish: TypeAlias = Literal["none", "low", "medium", "high"]
GainSharingMode: TypeAlias = Literal["speech", "music"]
VERSIONS: tuple[Literal["instrumental", "acappella", "tv"], ...] = ("instrumental", "acappella", "tv")
"""What a mix may be handed out as beside itself, in the order in which they are made."""


class Stem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One recording of a song, as its row of the manifest has it; None where the row leaves a choice to Lathe."""

    row: int
    uri: str
    stem_id: str
    """Unique in its song, and safe as the name of a file."""
    role: Role | None = None
    presence: Presence = "normal"
    pan_ratio: float | None = None
    """-1 left, 0 centre, 1 right."""
    keep_pan: bool = False
    """A stereo stem stays as it was recorded."""
    reverb: ReverbWish | None = None
    pair: str | None = None
    """Stems of one source share a name: they are aligned and levelled as one."""
    automix_group: str | None = None
    """Gain sharing (Dugan) among the stems of this group."""
    automix_mode: GainSharingMode = "speech"
    weight_db: float = 0.0
    """In the control path of gain sharing alone."""
    gain_db: float | None = None
    """An engineer's fader: it is not decided then."""
    mute: bool = False
    lock: bool = False
    """Nothing of it is decided: it goes into the mix as it is, at `gain_db`, else at unity."""
    sha256: str | None = None
    duration_s: float | None = None


class Song(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The stems that a track is mixed from, in the order of their names: the order of rows changes nothing."""

    stems: tuple[Stem, ...]
    reference: str | None = None
    """URI of a person's mix of these stems, or a rough one: what their sum is held against, and a balance to keep to."""
    style: str | None = None
    """Genre whose table of targets the levels go by."""
    settings: str | None = None
    """URI of settings that a person edited (`settings.json` of an earlier mix, or RoEx's): what they say is not decided."""
