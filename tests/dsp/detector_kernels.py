"""The kernels of the detectors with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp.detectors import (
    click_judge,
    clicks,
    coder_grid,
    dropouts,
    flat_tops,
    noise_bursts,
    prediction,
    segments,
    silences,
    word_length,
)

DRAW = np.random.default_rng(11)
LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
CLIPPED = np.clip(np.sin(np.arange(400) / 7.0), -0.7, 0.8).astype(np.float32)
CLIPPED[150:290] *= 0.1
RAILS, PLACES = np.zeros((2, 4)), np.zeros((2, 20, 2))

GAPS = LINE[:336].copy()  # a window of 320 frames, and 16 before it
GAPS[40:104], GAPS[200:290] = 0.0, 0.25
GAP_PEAKS = np.abs(GAPS[16:]).reshape(-1, 16).max(axis=1)
LENGTHS = np.array([31.0, 60.0, 20.0])
RUN = np.array([1.0, 100.0, 0.0, 20.0])  # a stretch of silence under way
RESTS = np.repeat(np.float32([[0.0, 0.5, 0.0, 0.3], [0.0, 0.0, 0.0, 0.2]]), [100, 10, 150, 60], axis=1)
REST_PEAKS = np.ascontiguousarray(RESTS.reshape(2, -1, 16).max(axis=2))

PLANE, OTHER_PLANE = DRAW.uniform(-1.0, 1.0, (2, 16, 4)).astype(np.float32)
SPECTRUM = DRAW.uniform(-1.0, 1.0, (2, 200)).astype(np.float32)
MIDDLES = np.array([20, 50, 81, 150])
BETWEEN = DRAW.uniform(-3.0, 3.0, (4, 4, 8)).astype(np.float32)
ORDER = DRAW.permutation(16)

CLICKED = (0.2 * np.sin(np.arange(1_056) / 9.0) + 0.003 * DRAW.standard_normal(1_056)).astype(np.float32)
CLICKED[540:543] += np.float32([0.4, -0.3, 0.2])
CLICK_TAPER = clicks._around_taper(512, 64)
ERRORS = 0.01 * DRAW.standard_normal(1_024)
ERRORS[508:511] += [0.4, -0.3, 0.2]
WEIGHTS = DRAW.uniform(-0.05, 0.05, 32)
LAGS = np.correlate(ERRORS, ERRORS, "full")[1_023 : 1_023 + 33]
PLACES_OF_CLICK = np.array([3, 4, 6])
TOPS = np.where(np.arange(60) % 29 == 20, 0.5, 0.01).astype(np.float32)
TREBLE = DRAW.uniform(0.9, 1.1, 80).astype(np.float32) * np.where(np.abs(np.arange(80) - 40) < 12, 1.0, 1e-4)

DETECTOR_CALLS: dict[Any, Callable[[], list[Any]]] = {
    prediction.add_lags: lambda: [CLICKED, CLICK_TAPER, np.float64(1e6), np.full(17, 3.0)],
    clicks._alone: lambda: [TOPS, 9, 8, np.zeros(60, np.int64)],
    click_judge._beyond: lambda: [ERRORS, WEIGHTS, 497, np.array([11, 13]), np.float32([1.0, -1.0])],
    click_judge._doubt_db: lambda: [CLICKED, ERRORS, WEIGHTS, 508],
    click_judge._first: lambda: [ERRORS, 509, 0.03],
    prediction.foretell: lambda: [CLICKED.astype(np.float64), WEIGHTS, np.empty(1_024)],
    click_judge._highest: lambda: [ERRORS, 472, 584],
    prediction.interpolate: lambda: [ERRORS[500:560].copy(), WEIGHTS, PLACES_OF_CLICK],
    click_judge.judged: lambda: [CLICKED, CLICK_TAPER, 64],
    prediction.largest: lambda: [ERRORS],
    prediction.level_db: lambda: [ERRORS],
    prediction.mean_square: lambda: [ERRORS],
    click_judge._smooth: lambda: [np.float32([0.1, 0.9, 1.0, 1.0, 1.0, 0.8, 0.2]), 2, 4],
    prediction.solve: lambda: [LAGS, np.empty(32)],
    clicks._window_tops: lambda: [
        LINE[:336], np.full(20, 1.1, np.float32), np.array([1.0, 2.0]), 64, np.hanning(64).astype(np.float32),
        np.zeros(16), np.zeros(320, np.float32), np.zeros(5, np.float32),
    ],
    coder_grid._count_zeros: lambda: [PLANE, OTHER_PLANE, ORDER, BETWEEN, 3, np.zeros(24)],
    coder_grid._filter: lambda: [
        SPECTRUM, MIDDLES, PLANE, OTHER_PLANE, np.zeros_like(PLANE), np.zeros_like(PLANE), np.full(4, 0.5),
    ],
    dropouts._end: lambda: [150.0, LENGTHS, RUN.copy(), np.zeros(2)],
    dropouts._follow: lambda: [GAPS, GAP_PEAKS, 1_000.0, LENGTHS, np.zeros(4), np.zeros((20, 2))],
    dropouts._near: lambda: [0.25, 0.25],
    dropouts._same: lambda: [GAPS[40:120], 0.0],
    flat_tops._count: lambda: [0.7, 4.0, 1_000.0, np.array([0.7, 2.0, 5.0, 0.7]), PLACES[0].copy()],
    flat_tops._find: lambda: [CLIPPED, 1_000, np.array([0.7, 2.0, 0.1, 0.7]), RAILS.copy(), PLACES.copy()],
    flat_tops._step: lambda: [0.2, 1_000, np.array([0.7, 4.0, 0.1, 0.7]), RAILS.copy(), PLACES.copy()],
    noise_bursts._highest: lambda: [TREBLE],
    noise_bursts._plateaus: lambda: [TREBLE, 0, 60, np.zeros((10, 2), np.int64)],
    segments._energy: lambda: [LINE[:64]],
    segments._read: lambda: [LINE[:336], np.zeros(20, np.float32), np.zeros(5, np.float32), 64],
    silences._find: lambda: [RESTS, REST_PEAKS, 4, np.zeros((4, 2), np.int64)],
    silences._sounding: lambda: [RESTS, 0, 1],
    word_length._gather: lambda: [LINE / 2, np.array([4])],
}  # fmt: skip
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
IN_FLOAT32 = {clicks._window_tops, coder_grid._count_zeros, coder_grid._filter, segments._energy, segments._read}
