"""The kernels of the processors of strips with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp.mixing import automation, delay

DRAW = np.random.default_rng(7)
BLOCK = DRAW.uniform(-1.2, 1.2, (200, 2))
LINE = DRAW.uniform(-1.2, 1.2, 1200)

STRIP_CALLS: dict[Any, Callable[[], list[Any]]] = {
    automation._automate: lambda: [BLOCK, np.array([0.0, 0.0, -6.0, 3.0]), 70, 800, np.empty_like(BLOCK)],
    delay._filter: lambda: [LINE, delay.fraction_taps(0.3), np.empty(1100)],
}  # fmt: skip
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
