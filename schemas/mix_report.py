"""What `lathe measure --as mix` says of a mix: numbers, the range in which they are usual, a word for each, and advice."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from schemas.limits import Level

Word: TypeAlias = Literal["low", "good", "high"]
"""Where a number lies against its range; None where there is no number or no range."""


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of a whole mix, and the range that is called good; an end that is None is open."""

    name: str
    words: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    word: Word | None


class BandReading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a band lies from the norm, and within what that is called good."""

    name: str
    low_hz: float
    high_hz: float
    deviation_db: float | None
    """None where the band is empty or the norm does not tell of it."""
    least_db: float | None
    most_db: float | None
    """Called good within these: 1.28 of the norm's spreads; an end that is None is open."""
    word: Word | None


class PhaseReading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How alike left and right are in a band: 1 the same, 0 unrelated, -1 opposite."""

    low_hz: float
    high_hz: float
    correlation: float | None
    word: Word | None


class Advice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, or to listen to, and how much it matters."""

    severity: Level
    about: str
    """The name of what was read, or the code of a finding (`lathe explain CODE`)."""
    text: str


class MixReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mix as it stands, before it is mastered."""

    norm: str
    style: str
    loudness: tuple[Reading, ...]
    dynamics: tuple[Reading, ...]
    headroom: tuple[Reading, ...]
    stereo: tuple[Reading, ...]
    tone: tuple[BandReading, ...]
    """The middle against the norm, at equal level from 200 Hz to 4 kHz."""
    width: tuple[BandReading, ...]
    """The side against the middle, less that of the norm."""
    phase: tuple[PhaseReading, ...]
    advice: tuple[Advice, ...]
    """The severest first."""
