"""The kernels of the processors with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp import compressor, limiter, quantiser, subsonic

DRAW = np.random.default_rng(7)
BLOCK = DRAW.uniform(-1.2, 1.2, (200, 2))
LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
REDUCTION = DRAW.integers(0, 1 << 36, 200) * (DRAW.random(200) < 0.2)

PROCESSOR_CALLS: dict[Any, Callable[[], list[Any]]] = {
    compressor._compress: lambda: [
        BLOCK, np.array([-20.0, -0.5, 6.0]), np.array([0.99, 0.999]), np.array([1.0, 0.5]), np.empty_like(BLOCK),
    ],
    limiter._wanted: lambda: [np.abs(LINE[:201]), 0.5, BLOCK, 1 << 36, np.empty(200, np.int64)],
    limiter._hold: lambda: [REDUCTION.copy(), np.zeros((2, 12), np.int64), np.zeros(4, np.int64), 0.99],
    limiter._smooth: lambda: [REDUCTION.copy(), np.zeros(32, np.int64), np.zeros(2, np.int64)],
    limiter._apply: lambda: [REDUCTION, 2.0**-37, BLOCK, np.empty_like(BLOCK), np.zeros(2)],
    quantiser._triangular: lambda: [np.uint64(12_345), 678],
    quantiser._quantise: lambda: [0.8 * BLOCK, 32_768, 1.0, np.uint64(9), 11, 0, np.empty(BLOCK.shape, np.int16)],
    subsonic._biquad: lambda: [
        BLOCK, 0, subsonic.butterworth_highpass(20.0, 48_000), np.array([0.1, -0.1]), np.zeros_like(BLOCK),
    ],
}  # fmt: skip
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
IN_FLOAT32: set[Any] = set()
