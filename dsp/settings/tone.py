"""Settings of what changes tone: filters and equalisers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dsp.settings.ranges import check_range, check_ranges

Phase: TypeAlias = Literal["linear", "minimum"]
BandKind: TypeAlias = Literal["bell", "low_shelf", "high_shelf", "highpass", "lowpass", "tilt"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SubsonicSettings:
    """High-pass below the music; also takes a constant offset away."""

    cutoff_hz: float = 16.0
    """-3 dB point of the second-order Butterworth: below the lowest organ pipe, -0.3 dB at 32 Hz."""
    offset_ratio: tuple[float, ...] = ()
    """Known constant offset per channel (full scale 1.0): the filter starts settled on it, so it makes no thump."""

    def __post_init__(self) -> None:
        check_range("cutoff_hz", self.cutoff_hz, 1.0, 200.0)
        for ratio in self.offset_ratio:
            check_range("offset_ratio", ratio, -16.0, 16.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class EqualiserSettings:
    """A curve through points, straight between them on a logarithmic frequency axis."""

    freqs_hz: tuple[float, ...]
    gains_db: tuple[float, ...]
    side_gains_db: tuple[float, ...] = ()
    """Its own curve for the side signal (left - right) / 2 of a stereo track; empty: one curve for both channels."""
    phase: Phase = "linear"
    """Linear moves nothing in time; minimum never sounds before its cause."""
    length_s: float = 0.17
    """Length of the impulse response: resolves a third of an octave at 25 Hz (6 Hz wide)."""

    def __post_init__(self) -> None:
        points = len(self.freqs_hz)
        if len(self.gains_db) != points or not points:
            raise ValueError(f"an equaliser needs one gain per frequency, got {points}/{len(self.gains_db)}")
        if len(self.side_gains_db) not in (0, points):
            raise ValueError(
                f"side_gains_db must be empty or one per frequency, got {points}/{len(self.side_gains_db)}"
            )
        rising = all(map(math.isfinite, self.freqs_hz)) and self.freqs_hz[0] > 0.0
        if not rising or list(self.freqs_hz) != sorted(set(self.freqs_hz)):
            raise ValueError(f"freqs_hz must rise from above 0, got {self.freqs_hz}")
        check_ranges("gains_db", self.gains_db, -24.0, 24.0)
        check_ranges("side_gains_db", self.side_gains_db, -24.0, 24.0)
        if self.phase not in get_args(Phase):
            raise ValueError(f"phase must be one of {', '.join(get_args(Phase))}, got {self.phase!r}")
        check_range("length_s", self.length_s, 0.005, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """One band of a parametric equaliser: the analogue curves of Bristow-Johnson's cookbook (W3C Note, 2021)."""

    kind: BandKind
    freq_hz: float
    """Centre of a bell, middle of a shelf's slope, -3 dB of a pass filter of quality 0.7071, pivot of a tilt."""
    gain_db: float = 0.0
    """A tilt takes half of it from the lows and gives half to the highs; a pass filter has none."""
    quality_ratio: float = 0.7071
    """Q; a shelf of more than 0.7071 overshoots; a tilt has none."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(BandKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(BandKind))}, got {self.kind!r}")
        check_range("freq_hz", self.freq_hz, 10.0, 40_000.0)
        low_db, high_db = (0.0, 0.0) if self.kind in ("highpass", "lowpass") else (-18.0, 18.0)
        check_range(f"gain_db of a {self.kind}", self.gain_db, low_db, high_db)
        check_range(f"quality_ratio of a {self.kind}", self.quality_ratio, 0.3, 1.0 if "shelf" in self.kind else 10.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParametricSettings:
    """Bands one after the other."""

    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        check_range("number of bands", len(self.bands), 1, 16)
