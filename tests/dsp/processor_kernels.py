"""The kernels of the processors with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp import (
    compressor,
    declipper,
    dynamic_equaliser,
    equaliser,
    expander,
    gain_computer,
    gain_grid,
    half_band,
    imager,
    multiband,
    parametric,
    pauses,
    quantiser,
    saturation,
    subsonic,
    transients,
    truncated_normal,
)

DRAW = np.random.default_rng(7)
BLOCK = DRAW.uniform(-1.2, 1.2, (200, 2))
ROWS = DRAW.uniform(-1.2, 1.2, (2, 300))
LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
REDUCTION = DRAW.integers(0, 1 << 36, 200) * (DRAW.random(200) < 0.2)
LEVELS = DRAW.uniform(0.0, 1.0, 60) ** 8  # of steps: mostly soft
CURVE = multiband._Curve(-20.0, 0.5, 6.0, 12.0, -30.0, 0.5, 6.0, -60.0, 1.0)
FLAT = np.clip(1.5 * DRAW.uniform(-1.2, 1.2, 400), -1.0, 1.0)  # clipped noise
SPREAD = np.array([[2.0, 0.3, -0.5], [0.3, 1.0, 0.2], [-0.5, 0.2, 1.5]])
PAUSES = np.where(np.arange(200)[:, None] % 50 < 30, 0.0, BLOCK)
WET = LINE[:320].reshape(2, 4, 40)
BANDS = dynamic_equaliser._Bands(
    np.array([[0.1, -1.7, 0.8], [0.3, -0.5, 0.4]]),
    np.array([[0.01, 0.0, 0.5, 12.0], [0.1, 1.0, 0.9, 6.0]]),
    np.array([[0.9, 0.8, 0.99], [0.5, 0.6, 0.9]]),
)


def listening() -> dynamic_equaliser._State:
    """A dynamic equaliser in the middle of a tick, one band cut by 3 dB."""
    cuts, moves = np.array([[0.0, 0.0, 0.0], [4.0, 3.0, 5.0]]), np.array([[0.0, 0.0], [-0.2, -0.29]])
    means = np.array([[0.1, 0.2, 0.5], [0.2, 0.3, 1e-31]])
    return dynamic_equaliser._State(np.full((2, 2, 2), 1e-31), means, cuts, moves, np.array([0.7, 5.0]))


PROCESSOR_CALLS: dict[Any, Callable[[], list[Any]]] = {
    compressor.reductions: lambda: [
        BLOCK, compressor.Law(-20.0, -0.5, 6.0, 0.99, 0.999), np.array([1.0, 0.5]), np.empty(200),
    ],
    compressor.soft_knee: lambda: [1.0, 6.0],
    declipper._reach: lambda: [BLOCK, 1.19, 20, np.zeros(10, np.bool_)],
    declipper._restore: lambda: [
        FLAT, 100, (0.999, 1.001, 2.0), 5, np.hanning(400).astype(np.float32), np.zeros(205),
    ],
    declipper._runs: lambda: [FLAT, 0.999, 1.001, 3],
    declipper._products: lambda: [0.1 * BLOCK[:64, 0]],
    declipper._restore_together: lambda: [
        FLAT, np.array([100, 110]), np.array([103, 112]), np.array([1.5, -0.4, 0.2]), 0.1, 2.0, FLAT.copy(),
    ],
    dynamic_equaliser._equalise: lambda: [BLOCK, BANDS, listening(), BLOCK.copy()],
    dynamic_equaliser._apply: lambda: [
        BLOCK, 7, 21, 2, 1, BANDS.filters, *listening()[:2], listening().moves, BLOCK.copy(),
    ],
    dynamic_equaliser._measure: lambda: [0.5, 1, BANDS.smoothing, *listening()[:2]],
    dynamic_equaliser._decide: lambda: [1, *BANDS[1:], *listening()[1:4]],
    equaliser._split: lambda: [BLOCK, True, np.empty((2, 200), np.float32)],
    equaliser._add: lambda: [BLOCK, np.array([0.1, -0.2]), WET, np.empty((160, 2))],
    equaliser._add_by_side: lambda: [BLOCK, np.array([0.1, -0.2]), WET, np.empty((160, 2))],
    expander._expand: lambda: [
        BLOCK * np.geomspace(1.0, 1e-3, 200)[:, None], expander._Law(-20.0, 1.0, 6.0, 12.0, 5, 0.9, 0.9, 0.99),
        np.array([0.5, 3.0, 1.0]), np.empty_like(BLOCK),
    ],
    gain_grid.change_of: lambda: [-3.0],
    gain_grid.step_powers: lambda: [ROWS[:, :203], np.empty((2, 13))],
    gain_grid.step_peaks: lambda: [ROWS[:, :203], np.empty(13)],
    gain_grid.add_scaled: lambda: [
        ROWS[:, :203], np.array([0.0, 0.0, 0.5, -0.5, *[0.25] * 9]), 0.0, np.ones((203, 2)),
    ],
    half_band._fold: lambda: [BLOCK[:, 0].copy(), half_band.half_band(6), np.empty(180)],
    half_band._double: lambda: [ROWS, half_band.half_band(6), np.empty((2, 2 * 289))],
    half_band._halve: lambda: [ROWS[:, 12:], ROWS, half_band.half_band(6), np.empty((2, 288))],
    imager._recover: lambda: [np.array([LEVELS, LEVELS[::-1]]), 0.75, 0.9, np.zeros(2), np.empty(60)],
    gain_computer._wanted: lambda: [np.abs(LINE[:200]), 0.5, 1 << 36, np.empty(200, np.int64)],
    gain_computer._largest: lambda: [REDUCTION],
    gain_computer._descend: lambda: [REDUCTION.copy(), 50, 11, 1 << 36],
    gain_computer._close: lambda: [
        np.concatenate([np.zeros(64, np.int64), REDUCTION[:192]]), np.zeros((2, 3), np.int64), np.array([5, 1]), 0.1, 0.9,
        REDUCTION[:192].copy(),
    ],
    gain_computer._hold: lambda: [
        REDUCTION, 1 << 36, int(0.99 * gain_computer.FIXED), np.zeros(1, np.int64), REDUCTION.copy(),
    ],
    gain_computer._smooth: lambda: [REDUCTION, np.zeros(1, np.int64), REDUCTION[32:].copy()],
    gain_computer._total: lambda: [REDUCTION],
    gain_computer._apply: lambda: [REDUCTION, 2.0**-37, BLOCK, np.empty_like(BLOCK)],
    multiband._follow: lambda: [
        np.array([LEVELS, LEVELS[::-1]]), CURVE, multiband._Times(0.9, 0.8, 0.95, 0.7), np.zeros(2), np.zeros(4),
        np.empty(60),
    ],
    multiband._lift: lambda: [-45.0, CURVE],
    parametric._cascade: lambda: [
        BLOCK, 3, np.array([[1.1, -1.8, 0.8, -1.8, 0.9], [0.9, 0.1, 0.2, -0.3, 0.4]]), np.full((2, 2, 2), 1e-31),
        np.empty_like(BLOCK),
    ],
    quantiser._triangular: lambda: [np.uint64(12_345), 678],
    quantiser._dither: lambda: [BLOCK, np.uint64(9), 11, *(noise := np.zeros(BLOCK.shape)).reshape(1, -1), noise],
    quantiser._quantise: lambda: [
        0.8 * BLOCK.ravel(), 0.9 * BLOCK.ravel(), 32_768.0, 0, np.empty(BLOCK.size, np.int16),
    ],
    quantiser._shape: lambda: [
        np.where(BLOCK > 1.0, 0.0, 0.8 * BLOCK), 32_768, np.uint64(9), 11, np.array([1.0, -0.5]), np.ones((2, 202)),
        np.empty(BLOCK.shape, np.int16),
    ],
    saturation._first_order: lambda: [ROWS.copy(), np.array([1.0, 0.2, -0.8]), np.array([0.1, 1e-31])],
    saturation._added_by_curve: lambda: [3.0 * ROWS, *saturation.curve("tube"), 0.5],
    pauses._find: lambda: [PAUSES, 21, np.zeros(180, np.bool_)],
    subsonic._biquad: lambda: [
        BLOCK, 0, subsonic.butterworth_highpass(20.0, 48_000), np.array([0.1, -0.1]), np.zeros_like(BLOCK),
    ],
    transients._hold: lambda: [LEVELS.copy(), np.zeros(5), np.zeros(2)],
    transients._contrast: lambda: [LEVELS.copy(), transients._Shape(6.0, -3.0, 0.9, 0.95), np.full(2, 0.1), np.zeros(3)],
    transients._amount: lambda: [0.5, 0.25],
    truncated_normal.truncated: lambda: [0.1, 0.5, 0.3, 1.0],
    truncated_normal.expect: lambda: [np.array([0.1, -0.2, 0.3]), SPREAD.copy(), np.full(3, 0.2), np.full(3, 2.0)],
    truncated_normal.invert: lambda: [SPREAD.copy()],
}  # fmt: skip
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
IN_FLOAT32: set[Any] = set()
