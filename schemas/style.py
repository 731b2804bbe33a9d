"""A style: what a mastering engineer of some taste would like to do, as read from a TOML file; the profile guards how far.

Amounts are those of the medium intensity. A table that is left out means: this style does not do that.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dsp.settings import LimiterCharacter

Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
UpTo12 = Annotated[float, Meta(ge=0.0, le=12.0)]
Db = Annotated[float, Meta(ge=-8.0, le=8.0)]
"""What an intensity of 1.5 keeps within the range of every processor."""
Intensity = Literal["low", "medium", "high"]


class ToneWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the tone is brought towards the norm, and a curve that is added to it."""

    amount_ratio: Ratio
    """Share of what the track most probably lacks against the norm."""
    max_db: UpTo12
    """No band moves further."""
    max_rms_db: UpTo12
    """Nor do all bands together, as root mean square: at worst the track ends up this much further from where it should be."""
    lean_hz: tuple[float, ...] = ()
    lean_db: tuple[float, ...] = ()
    """What the style adds, straight between these points; where the track leans that way already, less."""


class WidthWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the width is brought towards the norm, and what the style widens."""

    amount_ratio: Annotated[float, Meta(ge=0.0, le=0.25)]
    """Share of the deviation; never more than a quarter: width is composition as much as it is sound."""
    side_gains_db: Annotated[tuple[Db, ...], Meta(min_length=4, max_length=4)] = (0.0, 0.0, 0.0, 0.0)
    """Of the side signal in the bands split at 150, 1000 and 6000 Hz."""


class DynamicsWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compression of each band by how far its peaks stand out: half where as in the norm, nothing one spread below it."""

    over_band_db: Annotated[float, Meta(ge=0.0, le=30.0)]
    """Threshold over the level of the band."""
    compression_ratio: Annotated[float, Meta(ge=1.0, le=10.0)]
    knee_db: Annotated[float, Meta(ge=0.0, le=24.0)]
    attack_s: Annotated[float, Meta(ge=0.001, le=0.5)]
    release_s: Annotated[float, Meta(ge=0.02, le=0.5)]
    lift_ratio: Annotated[float, Meta(ge=1.0, le=4.0)] = 1.0
    """Upward compression of what lies under the band's level; 1: none."""
    max_lift_db: UpTo12 = 0.0


class ColourWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Saturation."""

    character: Literal["tape", "tube", "warm"]
    drive_db: Annotated[float, Meta(ge=0.0, le=24.0)]
    amount_ratio: Ratio


class AttackWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shaping of attacks, and of the bass alone."""

    attack_db: Db = 0.0
    sustain_db: Db = 0.0
    low_end_db: Db = 0.0
    """Contrast of the bass: above 0 punchy, below 0 even."""


class SpeechWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a voice asks for."""

    max_de_ess_db: UpTo12 = 0.0
    expansion_ratio: Annotated[float, Meta(ge=1.0, le=10.0)] = 1.0
    expander_range_db: UpTo12 = 0.0
    under_loudness_db: Annotated[float, Meta(ge=0.0, le=60.0)] = 25.0
    """Threshold of the expander below the loudness of the track."""


class Style(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole style; `lathe styles show NAME` prints one with the reason of each value."""

    name: str
    description: str
    tone: ToneWish
    limiter: LimiterCharacter = "transparent"
    max_resonance_cut_db: UpTo12 = 0.0
    """How far a band that sticks out is turned down while it does; 0: not at all."""
    width: WidthWish | None = None
    dynamics: DynamicsWish | None = None
    colour: ColourWish | None = None
    attack: AttackWish | None = None
    speech: SpeechWish | None = None
