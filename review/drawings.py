"""Waveforms and loudness over time, small enough to send thousands: each point is one letter.

For drawing only: figures stand in the rows. A page reads a letter back as its place in LETTERS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LETTERS = "".join(chr(code) for code in range(35, 126) if chr(code) != "\\")
"""Printable, and none that JSON writes as two: 90 levels."""
POINTS, SLOW_POINTS = 128, 80
"""Of a waveform, and of loudness over 3 s: with 400 and 48 levels, as they are in Parquet, a report weighs half as much again."""
LEVELS = 32
"""Of a waveform's half: one for every other pixel."""
QUIETEST_LUFS, STEP_LU = -45.0, 0.5
"""What is softer is drawn at the bottom; half a unit is a pixel or two."""
REDUCTION_STEP_DB = 0.25
NOTHING = " "
"""Where there is no loudness."""

Floats: TypeAlias = NDArray[np.float64]
Letters: TypeAlias = NDArray[np.uint8]
_ALPHABET = np.frombuffer(LETTERS.encode(), np.uint8)


def waveforms(overview: pa.StructArray) -> dict[str, list[str]]:
    """The highest and lowest samples of tracks, and their short-term loudness, as letters: one text for each track."""
    return {
        "high": _spelled_lists(overview.field("high"), POINTS, _peaks),
        "low": _spelled_lists(overview.field("low"), POINTS, lambda low: _peaks(-low)),
        "loudness": _spelled_lists(overview.field("short_term_lufs"), SLOW_POINTS, _loudness),
    }


def courses(limiter_db: pa.ListArray) -> list[str]:
    """The limiter's reduction over time, as letters."""
    return _spelled_lists(limiter_db, POINTS, _reduction)


def _spelled_lists(array: pa.ListArray, points: int, spell: Callable[[Floats], Letters]) -> list[str]:
    """Each list of an array as a text of its own: at most so many points, each the highest of its neighbours."""
    values = array.flatten().to_numpy(zero_copy_only=False).astype(float)
    lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    kept = np.minimum(lengths, points)
    owners = np.repeat(np.arange(len(lengths)), kept)
    places = np.arange(len(owners)) - (np.cumsum(kept) - kept)[owners]
    starts = (np.cumsum(lengths) - lengths)[owners] + places * lengths[owners] // kept[owners]
    letters = spell(np.fmax.reduceat(values, starts)).tobytes().decode() if len(starts) else ""
    ends = np.cumsum(kept).tolist()
    return [letters[end - many : end] for end, many in zip(ends, kept.tolist(), strict=True)]


def _peaks(values: Floats) -> Letters:
    return _spelled(np.ceil(np.nan_to_num(values) * LEVELS), LEVELS)


def _reduction(values: Floats) -> Letters:
    return _spelled(np.ceil(values / REDUCTION_STEP_DB))


def _loudness(values: Floats) -> Letters:
    """Silence has no loudness, and is drawn by NOTHING."""
    steps = (np.nan_to_num(values, nan=QUIETEST_LUFS) - QUIETEST_LUFS) / STEP_LU
    return np.where(np.isnan(values), ord(NOTHING), _spelled(steps)).astype(np.uint8)


def _spelled(levels: Floats, highest: int = len(LETTERS) - 1) -> Letters:
    return np.take(_ALPHABET, np.clip(np.round(levels), 0, highest).astype(int))
