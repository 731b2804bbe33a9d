"""A profile: everything that may be chosen about a master, as read from a TOML file. Targets live here, never in code."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dsp.settings import Shaping
from schemas.limits import Limit, Target
from schemas.norm import Norm
from schemas.style import Intensity, Style

Db = Annotated[float, Meta(ge=-60.0, le=60.0, extra_json_schema={"unit": "dB"})]


class LoudnessChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How loud, and how far Lathe may go to get there."""

    target_lufs: Annotated[float, Meta(ge=-40.0, le=-4.0)]
    mode: Literal["album", "track", "loudest"]
    """`album`: one gain for all tracks, from their pooled loudness; `loudest`: one gain, from the loudest track (AES77);
    `track`: each track for itself."""
    tolerance_lu: Annotated[float, Meta(gt=0.0, le=3.0)]
    max_gain_db: Annotated[float, Meta(ge=0.0, le=40.0)]
    """A quieter programme is not raised further: its noise would come up with it."""
    dual_mono: bool = False
    """A mono file counts as two equal channels, as it is heard: +3.01 LU."""


class LimiterChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ceiling, the limiter's times, and the guard against crushing."""

    ceiling_dbtp: Annotated[float, Meta(ge=-20.0, le=0.0)]
    lookahead_s: Annotated[float, Meta(ge=0.001, le=0.02)]
    hold_s: Annotated[float, Meta(ge=0.0, le=0.1)]
    release_s: Annotated[float, Meta(ge=0.005, le=0.5)]
    max_reduction_db: Annotated[float, Meta(ge=0.0, le=30.0)]
    """No peak is turned down further: the target is given up instead (`TARGET_LIMITED`)."""
    max_mean_reduction_db: Annotated[float, Meta(ge=0.0, le=12.0)]
    """Nor is a track turned down further than this in the mean."""
    min_psr_lu: Annotated[float, Meta(ge=0.0, le=30.0)]
    """Nor do the loudest 3 s of a track come nearer than this to the ceiling, unless they lie nearer in the source."""


class ToneChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tone correction is held against where there is no reference, and the guard on it."""

    norm: str
    """A built-in norm (`decisions/norms/`), or a file that ends in .toml."""
    max_db: Annotated[float, Meta(ge=0.0, le=12.0)]
    """No band moves further, whatever the style would like; 0: the tone is left alone."""


class MaterialChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recognised as finished or delicate, and how lightly it is touched."""

    limited_above_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]
    """Share of the music at its highest level from which a source counts as heavily limited."""
    limited_below_plr_lu: Annotated[float, Meta(ge=0.0, le=30.0)]
    mastered_above_lufs: Annotated[float, Meta(ge=-40.0, le=0.0)]
    """Louder than this, and peaking within 2 dB of full scale: it was mastered before."""
    delicate_above_range_lu: Annotated[float, Meta(ge=0.0, le=40.0)]
    delicate_above_plr_lu: Annotated[float, Meta(ge=0.0, le=40.0)]
    delicate_genres: tuple[str, ...]
    """In small letters: a genre of the manifest that has one of them as a word is delicate."""
    limited_touch_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]
    """Share of every correction that is left for heavily limited material; it is not compressed, expanded or saturated."""
    mastered_touch_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]
    delicate_touch_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]


class CarrierChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the carrier asks of every master, whatever the music."""

    highpass_hz: Annotated[float, Meta(ge=5.0, le=200.0)] | None = None
    lowpass_hz: Annotated[float, Meta(ge=8000.0, le=40000.0)] | None = None
    mono_below_hz: Annotated[float, Meta(ge=20.0, le=500.0)] | None = None
    max_de_ess_db: Annotated[float, Meta(ge=0.0, le=12.0)] = 0.0


class CompressorChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gentle compression before the limiter; leave the table out for none."""

    threshold_over_loudness_db: Db
    """Threshold above the track's integrated loudness."""
    compression_ratio: Annotated[float, Meta(ge=1.0, le=20.0)]
    knee_db: Annotated[float, Meta(ge=0.0, le=24.0)]
    attack_s: Annotated[float, Meta(ge=0.0001, le=0.5)]
    release_s: Annotated[float, Meta(ge=0.005, le=0.5)]


class CleaningChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the subsonic filter is switched in."""

    offset_limit_dbfs: Annotated[float, Meta(ge=-144.0, le=0.0)]
    """A constant offset above this is taken away."""
    subsonic_limit_db: Annotated[float, Meta(ge=-80.0, le=0.0)]
    """Rumble (5 to 16 Hz) above this, against the whole signal, is taken away."""
    cutoff_hz: Annotated[float, Meta(ge=1.0, le=200.0)]
    declip_below_hz: Annotated[float, Meta(ge=0.0, le=1000.0)]
    """A source with fewer clipped peaks a second was damaged, and they are put back; with more it is meant so. 0: never."""


class SourceChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is accepted as a source; anything else is rejected with a reason."""

    min_rate_hz: Annotated[int, Meta(ge=8000)]
    max_rate_hz: Annotated[int, Meta(le=384000)]
    max_channels: Annotated[int, Meta(ge=1, le=2)]
    min_duration_s: Annotated[float, Meta(ge=0.4)]
    """Not below 0.4 s, the gating block: a shorter track has no loudness (BS.1770-5)."""
    max_duration_error_s: Annotated[float, Meta(ge=0.0)]
    """Difference from the manifest's duration from which a track is rejected."""


class Delivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named target format."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    container: Literal["flac", "wav"]
    bits: Literal[16, 24]
    rate_hz: Annotated[int, Meta(ge=8000, le=384000)] | None = None
    """None: the source's own rate."""
    shaping: Shaping = "flat"
    """Spectrum of the dither; anything but flat is for a CD that is coded no further: 16 bits at 44.1 kHz."""
    targets: tuple[str, ...] = ()
    """Who takes these masters: each is held against the target's rules. Names, or files that end in .toml."""


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole profile; `lathe profiles show NAME` prints one with the source of each value."""

    name: str
    description: str
    loudness: LoudnessChoice
    limiter: LimiterChoice
    tone: ToneChoice
    cleaning: CleaningChoice
    source: SourceChoice
    delivery: Annotated[tuple[Delivery, ...], Meta(min_length=1)]
    limits: dict[str, Limit]
    """By measure (`decisions/measures.py`): what is said of a source or a master that lies outside."""
    material: MaterialChoice
    style: str = "transparent"
    """A built-in style (`decisions/styles/`), or a file that ends in .toml."""
    intensity: Intensity = "medium"
    references: tuple[str, ...] = ()
    """Recordings whose tone and width are aimed at in place of the norm's; a row of the manifest may name others."""
    reference_amount_ratio: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0
    """Share of what the references ask for."""
    carrier: CarrierChoice | None = None
    compressor: CompressorChoice | None = None
    taste: Style
    """The style itself; read from its own file, never written in a profile."""
    expected: Norm
    """The norm itself; read from its own file, never written in a profile."""
    targets: dict[str, Target] = {}
    """Those that the deliveries name; read from their own files, never written in a profile."""
