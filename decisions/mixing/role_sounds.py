"""What a stem sounds like, where its name says nothing: five roles that figures tell from all others, or None.

Thresholds were set on half of the songs of a General-MIDI set and looked at on the other half and on stems of another sound
library (docs/mixing/manifest.md). What has a pitch above the bass is not told apart: no figure that is measured does it surely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.mix import StemFigures
from schemas.stems import Role

PERCUSSIVE_RATIO = 0.5
"""More of the energy than this comes with onsets in drums, and in what is plucked short."""
HITS_RATIO, SINGLE_RATIO = 0.9, 0.98
"""Hits and next to nothing between them; hits of one kind and nothing else at all."""
SUSTAINED_RATIO = 0.42
"""A bass rings; a kick drum with as little above it does not."""
DRUM_CREST_DB = 15.0


class Shares(NamedTuple):
    """How the energy of a stem is spread over frequency; together with what lies between, 1."""

    low: float
    """Below 200 Hz."""
    body: float
    """200 to 400 Hz."""
    middle: float
    """400 Hz to 3150 Hz."""
    high: float
    """Above 3150 Hz."""
    top: float
    """Above 6400 Hz: a part of `high`."""


class Sound(NamedTuple):
    """A role that can be heard, how sure that is, and what it takes."""

    role: Role
    confidence: float
    """Share of those taken for it that were, in the songs that it was tried on, and less where those were few."""
    fits: Callable[[StemFigures, Shares], bool]


def role_by_sound(figures: StemFigures) -> tuple[Role | None, float]:
    """What a stem sounds like, and how sure that is from 0 to 1; None where it could be several things."""
    shares = _shares(figures)
    if shares is None:
        return None, 0.0
    heard = [one for one in _SOUNDS if one.fits(figures, shares)]
    return (heard[0].role, heard[0].confidence) if len(heard) == 1 else (None, 0.0)


def _shares(figures: StemFigures) -> Shares | None:
    powers = np.array([0.0 if level is None else 10.0 ** (level / 10.0) for level in figures.bands_db])
    total = float(powers.sum())
    if figures.integrated_lufs is None or total <= 0.0:
        return None
    return Shares(*(float(powers[at].sum()) / total for at in _BANDS))


def _like_cymbals(figures: StemFigures, shares: Shares) -> bool:
    hit = figures.percussivity_ratio >= PERCUSSIVE_RATIO and (figures.crest_db or 0.0) >= DRUM_CREST_DB
    return hit and shares.high >= 0.65 and shares.low + shares.body <= 0.1


def _like_a_kick(figures: StemFigures, shares: Shares) -> bool:
    return (
        figures.percussivity_ratio >= HITS_RATIO
        and shares.low >= 0.9
        and shares.body + shares.middle + shares.high <= 0.1
    )


def _like_a_snare(figures: StemFigures, shares: Shares) -> bool:
    rattles = 0.03 <= shares.high <= 0.2 and shares.top >= 0.005
    return figures.percussivity_ratio >= SINGLE_RATIO and rattles and shares.body >= 0.35 and shares.low <= 0.3


def _like_a_kit(figures: StemFigures, shares: Shares) -> bool:
    hit = figures.percussivity_ratio >= PERCUSSIVE_RATIO and (figures.crest_db or 0.0) >= DRUM_CREST_DB
    # A kick drum with a click has more below; a snare has less.
    return hit and 0.4 <= shares.low <= 0.85 and shares.high >= 0.03 and shares.top >= 0.01


def _like_a_bass(figures: StemFigures, shares: Shares) -> bool:
    rings = figures.percussivity_ratio < SUSTAINED_RATIO and figures.active_ratio >= 0.5
    return rings and shares.low >= 0.7 and shares.middle + shares.high <= 0.1


_BANDS = (slice(0, 2), slice(2, 4), slice(4, 16), slice(16, 24), slice(20, 24))
_SOUNDS = (
    Sound("cymbals", 0.7, _like_cymbals),
    Sound("kick", 0.8, _like_a_kick),
    Sound("snare", 0.6, _like_a_snare),
    Sound("drums", 0.8, _like_a_kit),
    Sound("bass", 0.6, _like_a_bass),
)
