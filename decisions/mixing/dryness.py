"""Tells dry stems from those that brought a room along: by how fast their sound dies away where it stops.

A trace has ten levels a second. A dry stop falls by 20 dB within two of them; a room leaves a tail that falls evenly by 60 dB in
its decay. Instruments that ring by themselves (pianos, cymbals) look like a room: they count as unsure, which asks for none.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from decisions.mixing.prediction import to_level
from decisions.mixing.session import HeardStem
from dsp.mixing.trace import STEPS_PER_S

FEWEST_STOPS = 5
STOP_S = (0.3, 1.0)
"""From its last loud step to the next, at least; and so much of that is looked at."""
LOUD_DB = 10.0
"""A step within this of the stem's loudness is loud."""
STOPS_DB = 15.0
"""What falls by less within that time goes on: no stop."""
DRY_S, WET_S = 0.5, 0.9
"""A decay (by 60 dB) below the first is dry, above the second a room; our choice."""


class Dryness(NamedTuple):
    """How a stem dies away."""

    decay_s: float | None
    """On the median of its stops, extrapolated to 60 dB; None where it never stops often enough to tell."""
    stops: int
    confidence: float
    """That it is dry."""


def dryness(one: HeardStem) -> Dryness:
    """How sure it is that a stem is dry."""
    level_db = to_level(one.trace.energies)
    if not one.trace.active.any():
        return Dryness(None, 0, 0.0)
    loud = level_db > float(to_level(np.array([one.trace.energies[one.trace.active].mean()]))[0]) - LOUD_DB
    floor_db = float(level_db[one.trace.active].max()) - 70.0
    least, most = (round(seconds * STEPS_PER_S) for seconds in STOP_S)
    decays, places = [], np.append(np.flatnonzero(loud), len(level_db))
    for place, following in pairwise(places.tolist()):
        after = np.maximum(level_db[place : min(following, place + most + 1)], floor_db)
        if len(after) > least and after[0] - after[-1] >= STOPS_DB:
            decays.append(_decay_s(after))
    if len(decays) < FEWEST_STOPS:
        return Dryness(None, len(decays), 0.3)
    decay_s = float(np.median(decays))
    confidence = float(np.interp(decay_s, (DRY_S, WET_S), (0.8, 0.2)))
    return Dryness(decay_s, len(decays), confidence)


def _decay_s(after_db: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """60 dB over the slope of the levels from the first fall on: the step in which it stops is partly loud."""
    falls = after_db[1:-1] - after_db[2:]
    falling = falls[falls > 0.5]
    per_step = float(np.median(falling)) if len(falling) else float(after_db[0] - after_db[1])
    return 60.0 / max(per_step, 1e-3) / STEPS_PER_S
