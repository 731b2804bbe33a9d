"""Settings of what adds overtones: the colour of tape and valves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dsp.settings.ranges import check_range

Character: TypeAlias = Literal["tape", "tube", "warm"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SaturationSettings:
    """Soft saturation; what is quiet passes as it is."""

    character: Character = "warm"
    """Tape: odd harmonics, the treble first. Tube: even ones before odd. Warm: little else than the second and third."""
    drive_db: float = 6.0
    """How far the signal is pushed into the curve and taken back again after it (our choice)."""
    amount_ratio: float = 1.0
    """Share of the added harmonics that is kept; 0 changes nothing."""

    def __post_init__(self) -> None:
        if self.character not in get_args(Character):
            raise ValueError(f"character must be one of {', '.join(get_args(Character))}, got {self.character!r}")
        check_range("drive_db", self.drive_db, 0.0, 24.0)
        check_range("amount_ratio", self.amount_ratio, 0.0, 1.0)
