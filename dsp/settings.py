"""What each processor can be told: frozen settings with units and ranges, checked when they are made.

They carry no numpy and no state, so that plans can be read, compared and stored anywhere. `dsp.chain` starts the stages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises ValueError with the value and what is allowed; NaN is never allowed."""
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], got {value!r}")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class CompressorSettings:
    """Wide-band, stereo-linked, soft-knee, feed-forward compression."""

    threshold_dbfs: float
    compression_ratio: float = 1.5
    knee_db: float = 6.0
    attack_s: float = 0.03
    release_s: float = 0.25

    def __post_init__(self) -> None:
        check_range("threshold_dbfs", self.threshold_dbfs, -80.0, 0.0)
        check_range("compression_ratio", self.compression_ratio, 1.0, 20.0)
        check_range("knee_db", self.knee_db, 0.0, 24.0)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("release_s", self.release_s, 0.005, 5.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class GainSettings:
    """One constant gain."""

    gain_db: float

    def __post_init__(self) -> None:
        check_range("gain_db", self.gain_db, -60.0, 60.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ResamplerSettings:
    """The rate of the delivery."""

    rate_hz: int

    def __post_init__(self) -> None:
        check_range("rate_hz", self.rate_hz, 8_000, 384_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class LimiterSettings:
    """Look-ahead true-peak limiting; a signal below the ceiling passes untouched."""

    ceiling_dbtp: float = -1.0
    lookahead_s: float = 0.002
    hold_s: float = 0.010
    """Half a period of 50 Hz: the gain does not follow single waves of the bass (standards: 6 dB over, -298 dB THD)."""
    release_s: float = 0.100

    def __post_init__(self) -> None:
        check_range("ceiling_dbtp", self.ceiling_dbtp, -20.0, 0.0)
        check_range("lookahead_s", self.lookahead_s, 0.0005, 0.02)
        check_range("hold_s", self.hold_s, 0.0, 0.1)
        check_range("release_s", self.release_s, 0.005, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantiserSettings:
    """Rounding to integers, with triangular dither where sound was changed."""

    bits: int
    dither: bool = True
    seed: int = 0
    """Seed of the noise, from the identity of track and delivery: the same master has the same noise (law 8)."""

    def __post_init__(self) -> None:
        if self.bits not in (16, 24):
            raise ValueError(f"bits must be 16 or 24, got {self.bits}")
        check_range("seed", self.seed, 0, 2**63 - 1)


Settings: TypeAlias = (
    SubsonicSettings | EqualiserSettings | CompressorSettings | GainSettings | ResamplerSettings | LimiterSettings
)
"""Settings of the processors that turn sound into sound (the quantiser turns it into integers)."""
