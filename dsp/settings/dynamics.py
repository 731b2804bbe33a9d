"""Settings of what changes level over time, before the limiter."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.settings.ranges import check_range


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
        check_range("release_s", self.release_s, 0.005, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpanderSettings:
    """Wide-band, stereo-linked, soft-knee expansion: what is soft becomes softer, by `range_db` at most."""

    threshold_dbfs: float
    expansion_ratio: float = 2.0
    """Below the threshold, 1 dB less comes out as so many dB less."""
    range_db: float = 12.0
    knee_db: float = 6.0
    attack_s: float = 0.002
    """How fast it opens when sound comes back."""
    hold_s: float = 0.05
    """How long after a peak it stays open: half a period of 10 Hz, so that no wave of the bass is taken for a pause."""
    release_s: float = 0.2

    def __post_init__(self) -> None:
        check_range("threshold_dbfs", self.threshold_dbfs, -100.0, 0.0)
        check_range("expansion_ratio", self.expansion_ratio, 1.0, 20.0)
        check_range("range_db", self.range_db, 0.0, 80.0)
        check_range("knee_db", self.knee_db, 0.0, 24.0)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("hold_s", self.hold_s, 0.0, 0.5)
        check_range("release_s", self.release_s, 0.005, 0.5)
