"""Waveforms and loudness over time, small enough to send thousands: each point is one letter.

For drawing only: figures stand in the rows. A page reads a letter back as its place in LETTERS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LETTERS = "".join(chr(code) for code in range(35, 126) if chr(code) != "\\")
"""Printable, and none that JSON writes as two: 90 levels."""
POINTS = 200
"""Of a drawing: a stretch every 4 or 5 pixels of a page."""
LEVELS = 48
"""Of a waveform's half: one a pixel in a drawing 96 pixels high."""
QUIETEST_LUFS, STEP_LU = -45.0, 0.5
"""What is softer is drawn at the bottom; half a unit is a pixel or two."""
NOTHING = " "
"""Where there is no loudness."""

Floats = NDArray[np.float64]


def waveforms(overview: pa.StructArray) -> dict[str, list[str]]:
    """The highest and lowest samples of tracks, and their short-term loudness, as letters: one text for each track."""
    return {
        "high": _lists(overview.field("high"), _peaks),
        "low": _lists(overview.field("low"), lambda low: _peaks(-low)),
        "loudness": _lists(overview.field("short_term_lufs"), _loudness),
    }


def _lists(array: pa.ListArray, spell: Callable[[Floats], str]) -> list[str]:
    """Each list of an array by itself, thinned to POINTS by the highest of neighbours."""
    values = array.flatten().to_numpy(zero_copy_only=False).astype(float)
    ends = np.cumsum(array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    return [spell(_thinned(one)) for one in np.split(values, ends[:-1])] if len(ends) else []


def _thinned(values: Floats) -> Floats:
    if len(values) <= POINTS:
        return values
    starts = np.linspace(0, len(values), POINTS, endpoint=False).astype(int)
    return np.fmax.reduceat(values, starts)


def _peaks(values: Floats) -> str:
    return _spelled(np.clip(np.ceil(np.nan_to_num(values) * LEVELS), 0, LEVELS).astype(int))


def _loudness(values: Floats) -> str:
    steps = np.round((np.nan_to_num(values, nan=-np.inf) - QUIETEST_LUFS) / STEP_LU)
    spelled = _spelled(np.clip(steps, 0, len(LETTERS) - 1).astype(int))
    return "".join(NOTHING if np.isnan(value) else letter for value, letter in zip(values, spelled, strict=True))


def _spelled(levels: NDArray[np.int64]) -> str:
    return "".join(LETTERS[level] for level in levels.tolist())
