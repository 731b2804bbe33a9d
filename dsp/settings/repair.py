"""Settings of what mends a recording before anything else is done to it."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.settings.ranges import check_range


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclipperSettings:
    """Peaks that were cut off, put back from the sound around them."""

    clip_dbfs: tuple[float, ...]
    """Where the source was clipped, as `Detected.flat_tops_dbfs` has it: one level for all channels or one for each."""
    max_gap_s: float = 0.004
    """Longer flat stretches are left as they are: prediction from both sides knows nothing of their middle (our choice)."""
    max_rise_db: float = 9.0
    """No sample is raised further above the level it was clipped at (our choice)."""

    def __post_init__(self) -> None:
        if not self.clip_dbfs:
            raise ValueError("clip_dbfs must have one level for all channels or one for each, got ()")
        for level_dbfs in self.clip_dbfs:
            check_range("clip_dbfs", level_dbfs, -60.0, 24.0)
        check_range("max_gap_s", self.max_gap_s, 0.0001, 0.004)
        check_range("max_rise_db", self.max_rise_db, 1.0, 12.0)
