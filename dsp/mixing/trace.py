"""A stem over time, in steps of a tenth of a second: what decisions about a mix are made from, small enough to be kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats

STEPS_PER_S = 10
BARK_EDGES_HZ: tuple[float, ...] = (
    0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700, 9500,
    12_000, 15_500,
)  # fmt: skip
"""Edges of the 24 critical bands (Zwicker and Terhardt, JASA 68(5), 1980)."""
BARK_BANDS = len(BARK_EDGES_HZ) - 1
ONSETS_PER_S = 100


class Trace(NamedTuple):
    """What a stem does in each step; the last step may be shorter than the others."""

    energies: Floats
    """(steps,) Mean K-weighted square, summed over the channels as in BS.1770: 10 log10 of it, less 0.691, is a loudness."""
    bands: NDArray[np.float32]
    """(steps, 24) Mean square in each Bark band, summed over the channels, not weighted."""
    active: NDArray[np.bool_]
    """(steps,) Whether it sounds: above its own gate, with hysteresis, so that bleed and pauses do not count."""
    onsets: NDArray[np.float32]
    """(10 times the steps,) Rise of its energy every hundredth of a second, 0 where it falls."""

    @property
    def steps(self) -> int:
        """Length in tenths of a second."""
        return len(self.energies)
