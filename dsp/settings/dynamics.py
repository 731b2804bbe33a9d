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
        check_range("release_s", self.release_s, 0.005, 5.0)
