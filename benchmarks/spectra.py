"""How far apart two recordings of one piece are in tone: their third octaves from 31.5 Hz to 16 kHz, whatever their level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BANDS = slice(2, 30)
"""31.5 Hz to 16 kHz."""
SILENT_DB = -90.0
"""A band of the original below this holds no music."""
Spectrum = Sequence[float | None]
"""Levels of the 31 third octaves, as in `Figures.spectrum_db`."""


def difference_db(changed: Spectrum, original: Spectrum) -> NDArray[np.float64]:
    """Level of each band with music against the original, less the mean of all: the change of level is no change of tone."""
    after, before = (np.array(one, dtype=np.float64)[BANDS] for one in (changed, original))  # None becomes NaN
    apart = (after - before)[~np.isnan(after) & (before > SILENT_DB)]
    return np.asarray(apart - apart.mean()) if apart.size else np.zeros(0)


def distance_db(changed: Spectrum, original: Spectrum) -> float:
    """Root mean square of that difference."""
    apart = difference_db(changed, original)
    return float(np.sqrt(np.mean(apart**2))) if apart.size else 0.0
