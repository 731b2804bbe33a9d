"""Settings of what changes tone: filters and equalisers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsp.settings.ranges import check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class SubsonicSettings:
    """High-pass below the music; also takes a constant offset away."""

    cutoff_hz: float = 16.0
    """-3 dB point of the second-order Butterworth: below the lowest organ pipe, -0.2 dB at 32 Hz."""
    offset_ratio: tuple[float, ...] = ()
    """Known constant offset per channel (full scale 1.0): the filter starts settled on it, so it makes no thump."""

    def __post_init__(self) -> None:
        check_range("cutoff_hz", self.cutoff_hz, 1.0, 200.0)
        for ratio in self.offset_ratio:
            check_range("offset_ratio", ratio, -16.0, 16.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class EqualiserSettings:
    """A linear-phase curve through points, straight between them on a logarithmic frequency axis."""

    freqs_hz: tuple[float, ...]
    gains_db: tuple[float, ...]
    length_s: float = 0.17
    """Length of the impulse response: resolves a third of an octave at 25 Hz (6 Hz wide)."""

    def __post_init__(self) -> None:
        if len(self.freqs_hz) != len(self.gains_db) or not self.freqs_hz:
            raise ValueError(
                f"an equaliser needs one gain per frequency, got {len(self.freqs_hz)}/{len(self.gains_db)}"
            )
        rising = all(map(math.isfinite, self.freqs_hz)) and self.freqs_hz[0] > 0.0
        if not rising or list(self.freqs_hz) != sorted(set(self.freqs_hz)):
            raise ValueError(f"freqs_hz must rise from above 0, got {self.freqs_hz}")
        for gain_db in self.gains_db:
            check_range("gains_db", gain_db, -24.0, 24.0)
        check_range("length_s", self.length_s, 0.005, 1.0)
