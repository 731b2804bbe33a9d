"""Settings of what changes tone only while it sticks out: dynamic equaliser and de-esser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from dsp.settings.ranges import check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicBand:
    """A bell that cuts while its band is louder than the threshold."""

    freq_hz: float
    threshold_db: float
    """Level of the band (a sine at full scale: 0) from which on it is cut: in dBFS, or over that of the whole signal."""
    relative: bool = False
    """The threshold is relative to the whole signal: finds what sticks out, however loud the music."""
    quality_ratio: float = 2.0
    compression_ratio: float = 3.0
    max_cut_db: float = 6.0
    attack_s: float = 0.01
    release_s: float = 0.1

    def __post_init__(self) -> None:
        check_range("freq_hz", self.freq_hz, 20.0, 20_000.0)
        check_range("threshold_db", self.threshold_db, -80.0, 0.0)
        check_range("quality_ratio", self.quality_ratio, 0.3, 10.0)
        check_range("compression_ratio", self.compression_ratio, 1.0, 20.0)
        check_range("max_cut_db", self.max_cut_db, 0.0, 24.0)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("release_s", self.release_s, 0.005, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicEqualiserSettings:
    """Bands side by side: each listens to, and cuts, the signal as it comes in."""

    bands: tuple[DynamicBand, ...]

    def __post_init__(self) -> None:
        check_range("number of bands", len(self.bands), 1, 8)
        ordered = sorted(self.bands, key=lambda band: band.freq_hz)
        for low, high in pairwise(ordered):
            apart = math.log2(high.freq_hz / low.freq_hz)
            if apart * min(low.quality_ratio, high.quality_ratio) < 1.0 - 1e-6:
                raise ValueError(
                    f"bands at {low.freq_hz:g} and {high.freq_hz:g} Hz must lie 1/quality_ratio octaves apart, or cuts add up"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeEsserSettings:
    """Cuts sibilants: moments in which the band around them is most of the sound."""

    freq_hz: float = 6800.0
    """English s and z peak at 6.8 kHz on average (Jongman, Wayland and Wong, JASA 108(3), 2000)."""
    quality_ratio: float = 0.8
    """Some 1.7 octaves: sibilants lie from 4 to 10 kHz, depending on the voice."""
    threshold_db: float = -6.0
    """Level of the band over that of the whole signal: above -1 dB for a bare s, -16 dB for an a. Our choice."""
    compression_ratio: float = 8.0
    """A bare sibilant, 5 dB over, is cut by 4 dB."""
    max_cut_db: float = 4.0
    attack_s: float = 0.001
    release_s: float = 0.05

    def __post_init__(self) -> None:
        check_range("freq_hz", self.freq_hz, 2_000.0, 16_000.0)
        check_range("quality_ratio", self.quality_ratio, 0.3, 10.0)
        check_range("threshold_db", self.threshold_db, -40.0, 0.0)
        check_range("compression_ratio", self.compression_ratio, 1.0, 20.0)
        check_range("max_cut_db", self.max_cut_db, 0.0, 24.0)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("release_s", self.release_s, 0.005, 0.5)
