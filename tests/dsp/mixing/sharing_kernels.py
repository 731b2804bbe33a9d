"""The kernels of gain sharing with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp.loudness import k_weighting
from dsp.mixing import control_path, gain_sharing

DRAW = np.random.default_rng(7)
CONTROLS = DRAW.uniform(-1.0, 1.0, (120, 6)) * np.where(np.arange(120)[:, None] < 90, 1.0, 0.0)
LEVELS = DRAW.uniform(0.0, 1.0, (120, 6)) ** 8
GAINS = DRAW.uniform(0.0, 1.0, (120, 6))
AUTO = np.array([True, True, False, True, False, True])
LAW = gain_sharing._Law(False, True, 0.1, 1.5, True, 3, 0.9, 0.99, 2.0, 0.5)
BLEED = DRAW.uniform(0.0, 0.1, (6, 6))


def hold() -> gain_sharing._Hold:
    """The second microphone is open, the first about to be."""
    return gain_sharing._Hold(np.array([1]), np.array([2, 9, 0, 0, 0, 0]), np.array([0.0, 1.0, 0.0, 1e-30, 0.5, 0.0]))


SHARING_CALLS: dict[Any, Callable[[], list[Any]]] = {
    control_path._levels: lambda: [
        CONTROLS, np.full(6, 0.9), k_weighting(48_000), np.array([0.9, 0.99]), np.full((5, 6), 1e-31), np.zeros(1),
        np.empty((120, 6)), np.empty(120),
    ],
    gain_sharing._share: lambda: [LEVELS, LEVELS.sum(axis=1) * 0.9, AUTO, LAW, np.empty((120, 6))],
    gain_sharing._expand_side: lambda: [LEVELS, LEVELS[:, 0], np.full(6, 2.0), LAW, np.empty((120, 6))],
    gain_sharing._expand_bleed: lambda: [LEVELS, BLEED, np.full(6, 2.0), LAW, np.empty((120, 6))],
    gain_sharing._expand: lambda: [LEVELS[0], np.full(6, 2.0), LAW, BLEED[0].copy()],
    gain_sharing._set_fixed: lambda: [AUTO, np.arange(6.0), GAINS.copy()],
    gain_sharing._keep_open: lambda: [LEVELS, np.full(6, 1e-3), AUTO, LAW, hold(), GAINS.copy()],
    gain_sharing._trim: lambda: [np.arange(6.0), 2.0, AUTO, 0.5, GAINS.copy()],
    gain_sharing._limit_open: lambda: [AUTO, 2.0, GAINS.copy()],
}  # fmt: skip
