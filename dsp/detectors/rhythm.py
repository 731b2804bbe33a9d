"""Whether what looks like a defect keeps time: an instrument does, damage does not.

A stroke of a drum machine can be as short as a click, and one of its cymbals as level as a burst of noise. One of them alone
cannot be told from a defect; many betray themselves by falling on one grid of time, most places of which they leave free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dsp.audio import Floats

LEAST_EVENTS, MOST_EVENTS = 8, 100
"""Fewer fall on some grid by chance; of more, some are looked at."""
SLOWEST_HZ, FASTEST_HZ = 0.1, 12.0
"""Sixteenths at 180 beats a minute."""
STEPS = 16
"""Frequencies tried for each that can be told apart: the nearest is off by 1/32 of a cycle at the ends."""
AT_ONCE = 1_024
"""Frequencies: hours have a million of them, which together would take hundreds of MiB."""
CHANCE = 1e-4
"""That events at random keep time as well."""
SURE_RATIO = 0.985
"""Eight events at random come so near to a grid 4 times in 1000."""
AS_WELL_RATIO = 0.95
"""The slowest grid on which the events lie as well as on any is theirs: its multiples fit too."""
FULL_RATIO = 0.3
"""Damage that comes back after the same time takes more of the places of its grid than this; a part of a drummer less."""


def keeps_time(times_s: Sequence[float]) -> bool:
    """Whether events lie on a grid as chance would not put them, and do not fill it.

    Rayleigh's test: for random phases, n |mean of exp(2 pi i f t)|^2 exceeds x with a chance of exp(-x) at one frequency.

    >>> beats = [0.25 * step for step in (0, 1, 5, 8, 9, 13, 24, 28, 37, 40, 41, 48)]
    >>> keeps_time(beats), keeps_time([time_s**1.3 for time_s in beats]), keeps_time([0.6 * n for n in range(12)])
    (True, False, False)
    """
    times = np.asarray(times_s, np.float64)[:: 1 + len(times_s) // MOST_EVENTS]
    if len(times_s) < LEAST_EVENTS:
        return False
    span_s = float(np.ptp(times))
    step_hz = 1.0 / (STEPS * max(span_s, 1.0))
    together = np.empty(math.ceil((FASTEST_HZ - SLOWEST_HZ) / step_hz), np.float32)
    for start in range(0, len(together), AT_ONCE):
        steps = np.arange(start, min(start + AT_ONCE, len(together)), dtype=np.float64)
        together[start : start + AT_ONCE] = _togetherness(SLOWEST_HZ + steps * step_hz, times)
    needed = math.sqrt(math.log(len(together) / CHANCE) / len(times))
    grid_hz = SLOWEST_HZ + step_hz * int(np.argmax(together >= AS_WELL_RATIO * together.max()))
    return bool(together.max() >= min(needed, SURE_RATIO) and len(times_s) < FULL_RATIO * (span_s * grid_hz + 1.0))


def _togetherness(frequencies_hz: Floats, times: Floats) -> Floats:
    """1 where the events have one phase, about 0 where any."""
    return np.asarray(np.abs(np.exp(2j * math.pi * frequencies_hz[:, None] * times).mean(axis=1)))
