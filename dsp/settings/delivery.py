"""Settings of the end of the chain: gain, rate, ceiling and word length of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dsp.settings.ranges import check_range

Shaping: TypeAlias = Literal["flat", "modified_e", "lipshitz"]
"""Spectrum of the dither's noise: flat, or moved to where the ear hears least (Lipshitz et al., JAES 39(11), 1991)."""

LimiterCharacter: TypeAlias = Literal["transparent", "punchy", "loud"]


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
    character: LimiterCharacter = "transparent"
    """How soon the gain recovers and how much it keeps down between peaks: see `dsp.gain_computer.CHARACTERS`."""
    lookahead_s: float = 0.001
    """Within it the gain comes down by up to 9 dB; to deeper peaks it comes down in stairs of as much."""
    hold_s: float = 0.0125
    """Peaks no further apart are turned down as one, once they go on: half a period of 40 Hz, below a bass's lowest string."""
    release_s: float = 0.100
    """Time constant at which the reduction ends that a sustained passage has built up."""

    def __post_init__(self) -> None:
        check_range("ceiling_dbtp", self.ceiling_dbtp, -20.0, 0.0)
        if self.character not in get_args(LimiterCharacter):
            raise ValueError(
                f"character must be one of {', '.join(get_args(LimiterCharacter))}, got {self.character!r}"
            )
        check_range("lookahead_s", self.lookahead_s, 0.001, 0.02)
        check_range("hold_s", self.hold_s, 0.0, 0.1)
        check_range("release_s", self.release_s, 0.005, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantiserSettings:
    """Rounding to integers, with triangular dither where sound was changed."""

    bits: int
    dither: bool = True
    seed: int = 0
    """Seed of the noise, from the identity of track and delivery: the same master has the same noise (law 8)."""
    shaping: Shaping = "flat"
    """Anything but flat is for a CD: 16 bits at 44.1 kHz, and nothing that is coded with loss or shaped again."""

    def __post_init__(self) -> None:
        if self.bits not in (16, 24):
            raise ValueError(f"bits must be 16 or 24, got {self.bits}")
        check_range("seed", self.seed, 0, 2**63 - 1)
        if self.shaping not in get_args(Shaping):
            raise ValueError(f"shaping must be one of {', '.join(get_args(Shaping))}, got {self.shaping!r}")
        if self.shaping != "flat" and (self.bits != 16 or not self.dither):
            raise ValueError(
                f"shaping {self.shaping!r} needs 16 bits with dither, got {self.bits} bits and dither={self.dither}: "
                "the noise of 24 bits is below hearing as it is, and without dither shaped rounding whistles"
            )
