"""Figures of dynamics from the levels of each 50 ms: dynamic range (DR14), noise floor, and how densely peaks are packed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DR_FRAMES = 60
"""3 s, TT dynamic range specification 1.3."""
DR_LOUDEST_RATIO = 0.2
"""Mean square over the loudest fifth of the blocks, the same."""
DR_SINE_RATIO = 2.0
"""A full-scale sine reads 0: its mean square is one half, the same."""
QUIET_RATIO = 0.05
"""The noise floor is what the quietest twentieth of the track stays under."""
SILENT_POWER = 1e-14
"""-140 dBFS: below the dither of 24 bits there is digital silence only."""
TOP_DB = 2.0
"""Peaks this close to the highest were put there by a limiter or by soft clipping: music left alone seldom comes near its
highest peak. Tuned: 0.5 dB tells limiters as well, but not soft clipping."""
TOP_QUANTILE = 0.99
"""One in a hundred may be higher: a click does not hide a limiter."""
OPEN_LU = 10.0
"""Music driven 12 dB into a limiter keeps its peaks nearer to its loudness; noise does not. Tuned."""
MUSIC_DB = -20.0
"""Frames further below the mean square of the whole are pauses and fades."""


def dynamic_range_db(squares: NDArray[np.float32], peaks: NDArray[np.float32]) -> float | None:
    """DR14, the mean over the channels: second highest peak of all 3 s blocks over the loudest fifth; None if silent.

    `squares` and `peaks` are (50 ms, channels). The block at the end counts as it is, like in the published meters.
    """
    if not len(squares):
        return None
    starts = np.arange(0, len(squares), DR_FRAMES)
    lengths = np.diff(np.append(starts, len(squares)))[:, None]
    blocks = np.sort(np.add.reduceat(squares.astype(np.float64), starts, axis=0) / lengths, axis=0)
    tops = np.sort(np.maximum.reduceat(peaks, starts, axis=0), axis=0)
    loudest = blocks[-max(1, int(len(blocks) * DR_LOUDEST_RATIO)) :].mean(axis=0) * DR_SINE_RATIO
    second = tops[-min(2, len(tops))].astype(np.float64)
    sounding = (loudest > SILENT_POWER) & (second > 0.0)
    if not sounding.any():
        return None
    return float((20.0 * np.log10(second[sounding]) - 10.0 * np.log10(loudest[sounding])).mean())


def noise_floor_dbfs(squares: NDArray[np.float32]) -> float | None:
    """Root mean square over the channels that the quietest twentieth of all 50 ms stays under; digital silence left out."""
    power = squares.mean(axis=1) if len(squares) else np.zeros(0)
    power = power[power > SILENT_POWER]
    return 10.0 * math.log10(float(np.quantile(power, QUIET_RATIO))) if len(power) else None


def limited_ratio(
    squares: NDArray[np.float32], peaks: NDArray[np.float32], integrated_lufs: float | None
) -> float | None:
    """Share of the sounding 50 ms whose peak lies within 2 dB of the highest but few; None if silent.

    0 where these stand far above the loudness: steady noise has all its peaks at one level too, but higher than any limiter.
    """
    power, tops = squares.mean(axis=1), peaks.max(axis=1, initial=0.0)
    sounding = power > max(SILENT_POWER, float(power.mean()) * 10.0 ** (MUSIC_DB / 10.0)) if len(power) else power > 0.0
    if integrated_lufs is None or not sounding.any():
        return None
    top = float(np.quantile(tops[sounding], TOP_QUANTILE))
    if 20.0 * math.log10(top) - integrated_lufs >= OPEN_LU:
        return 0.0
    return float((tops[sounding] >= top * 10.0 ** (-TOP_DB / 20.0)).mean())
