"""The kernels that hear stems, with fresh arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp.mixing import activity, bark_meter, fitting

DRAW = np.random.default_rng(13)
PLANES = DRAW.uniform(-1.0, 1.0, (2, 16, 16)).astype(np.float32)
CELLS = DRAW.integers(-1, 5, (16, 16)).astype(np.int8)
HZ = DRAW.uniform(20.0, 20_000.0, (16, 16))
SPECTRA = DRAW.uniform(-1.0, 1.0, (2, 3, 2, 41))
GRAM = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])
ENERGIES = np.array([0.0, 0.5, 0.2, 0.05, 0.02, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.2, 0.3, 0.2])

STEM_CALLS: dict[Any, Callable[[], list[Any]]] = {
    activity._gate: lambda: [ENERGIES, 0.3, 0.1, np.zeros(len(ENERGIES), np.bool_)],
    bark_meter._gather: lambda: [*PLANES, CELLS, HZ, np.zeros(7)],
    fitting._add_products: lambda: [*SPECTRA, np.array([0, 4, 30, 41]), np.full((3, 3, 3), 0.5)],
    fitting._settle: lambda: [GRAM, np.array([0.5, -0.2, 0.9]), False, np.zeros(3)],
}
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
