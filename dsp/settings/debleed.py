"""Settings of the removal of bleed."""

from __future__ import annotations

from dataclasses import dataclass

from dsp.settings.ranges import check_range, check_ranges

LEAK_EDGES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Octaves: what one microphone hears of another's source changes slowly with frequency."""
LEAK_BANDS = len(LEAK_EDGES_HZ) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class DebleedSettings:
    """Turns down, in time and frequency, what microphones hear of each other's sources."""

    leaks_db: tuple[tuple[tuple[float, ...], ...], ...]
    """Row i, column j: the level of source j in microphone i against that in its own, in each octave band."""
    floor_db: float = 15.0
    """No part of the sound is turned down further; what is left hides the seams."""
    rounds: int = 2
    """How often the sources are estimated anew: more remove more, and harm more."""

    def __post_init__(self) -> None:
        check_range("floor_db", self.floor_db, 0.0, 60.0)
        check_range("rounds", self.rounds, 0, 8)
        if {len(row) for row in self.leaks_db} != {len(self.leaks_db)}:
            raise ValueError("leaks_db must have a row and a column for each microphone")
        for leaks in (leaks for row in self.leaks_db for leaks in row):
            if len(leaks) != LEAK_BANDS:
                raise ValueError(f"leaks_db must have {LEAK_BANDS} bands, got {len(leaks)}")
            check_ranges("leaks_db", leaks, -120.0, 0.0)
