"""Settings of the end of the chain: gain, rate, ceiling and word length of a delivery."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.settings.ranges import check_range


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
