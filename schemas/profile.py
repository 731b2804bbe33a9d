"""A profile: everything that may be chosen about a master, as read from a TOML file. Targets live here, never in code."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.limits import Limit, Target

Db = Annotated[float, Meta(ge=-60.0, le=60.0, extra_json_schema={"unit": "dB"})]


class LoudnessChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How loud, and how far Lathe may go to get there."""

    target_lufs: Annotated[float, Meta(ge=-40.0, le=-4.0)]
    mode: Literal["album", "track"]
    """`album`: one gain for all tracks, from their pooled loudness; `track`: each track for itself."""
    tolerance_lu: Annotated[float, Meta(gt=0.0, le=3.0)]
    max_gain_db: Annotated[float, Meta(ge=0.0, le=40.0)]
    """A quieter programme is not raised further: its noise would come up with it."""
    dual_mono: bool = False
    """A mono file counts as two equal channels, as it is heard: +3.01 LU."""


class LimiterChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ceiling, the limiter's times, and the guard against crushing."""

    ceiling_dbtp: Annotated[float, Meta(ge=-20.0, le=0.0)]
    lookahead_s: Annotated[float, Meta(ge=0.0005, le=0.02)]
    hold_s: Annotated[float, Meta(ge=0.0, le=0.1)]
    release_s: Annotated[float, Meta(ge=0.005, le=2.0)]
    max_reduction_db: Annotated[float, Meta(ge=0.0, le=30.0)]
    """No peak is turned down further: the target is given up instead (`TARGET_LIMITED`)."""
    max_mean_reduction_db: Annotated[float, Meta(ge=0.0, le=12.0)]
    """Nor is a track turned down further than this in the mean."""


class ToneChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The curve that a tone correction leans to, and how little it may do."""

    amount_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]
    """Share of the deviation beyond the deadband that is corrected; 0: no tone correction."""
    max_db: Annotated[float, Meta(ge=0.0, le=12.0)]
    bands_hz: tuple[float, ...]
    target_db: tuple[float, ...]
    """Third-octave level of each band; only its shape counts."""
    deadband_db: tuple[float, ...]
    """Deviation of each band that is left alone: good recordings differ by as much."""


class CompressorChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gentle compression before the limiter; leave the table out for none."""

    threshold_over_loudness_db: Db
    """Threshold above the track's integrated loudness."""
    compression_ratio: Annotated[float, Meta(ge=1.0, le=20.0)]
    knee_db: Annotated[float, Meta(ge=0.0, le=24.0)]
    attack_s: Annotated[float, Meta(ge=0.0001, le=0.5)]
    release_s: Annotated[float, Meta(ge=0.005, le=5.0)]


class CleaningChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the subsonic filter is switched in."""

    offset_limit_dbfs: Annotated[float, Meta(ge=-144.0, le=0.0)]
    """A constant offset above this is taken away."""
    subsonic_limit_db: Annotated[float, Meta(ge=-80.0, le=0.0)]
    """Rumble (5 to 16 Hz) above this, against the whole signal, is taken away."""
    cutoff_hz: Annotated[float, Meta(ge=1.0, le=200.0)]


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
    compressor: CompressorChoice | None = None
    targets: dict[str, Target] = {}
    """Those that the deliveries name; read from their own files, never written in a profile."""
