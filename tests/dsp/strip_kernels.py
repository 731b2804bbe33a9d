"""The kernels of the processors of strips with fresh arguments: small, but such that every branch is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsp.mixing import automation, delay, ducker, gate, panner, reverb
from dsp.settings import ReverbSettings

DRAW = np.random.default_rng(7)
BLOCK = DRAW.uniform(-1.2, 1.2, (200, 2))
BAND = np.array([0.1, -1.7, 0.8])
FADING = BLOCK * np.geomspace(1.0, 1e-3, 200)[:, None]
FADED = np.full((2, 2), 1e-31)  # filters that come to rest
LINE = DRAW.uniform(-1.2, 1.2, 1200)


def small_room() -> reverb._Room:
    """A room at a rate that makes its lines short, in the middle of its tail."""
    room = reverb._room(ReverbSettings(decay_s=0.1), 0.3, 8_000)
    room.memory[:] = np.geomspace(1.0, 1e-31, room.memory.size)
    room.rest[3:] = 1e-31
    return room


STRIP_CALLS: dict[Any, Callable[[], list[Any]]] = {
    automation._automate: lambda: [BLOCK, np.array([0.0, 0.0, -6.0, 3.0]), 70, 800, np.empty_like(BLOCK)],
    delay._filter: lambda: [LINE, delay.fraction_taps(0.3), np.empty(1100)],
    ducker._listen: lambda: [
        FADING, BAND, ducker._Law(-20.0, 6.0, 5.0, 0.9, 0.9, 0.99), FADED.copy(), np.array([0.5, 3.0, 1.0]), np.empty(200),
    ],
    ducker._pass: lambda: [FADING, BAND, FADED.copy(), np.empty_like(BLOCK)],
    ducker._turn_down: lambda: [BLOCK, np.linspace(-0.5, 0.0, 200), FADING.copy()],
    gate._gate: lambda: [
        FADING, gate._Law(0.8, 0.1, 5, 20.0, 4.0, 0.5), np.array([0.0, 3.0, 12.0]), np.empty(200),
    ],
    panner._pan: lambda: [BLOCK, np.array([[0.5, 0.1], [0.2, 0.7]]), np.empty_like(BLOCK)],
    reverb._mix: lambda: [np.linspace(-1.0, 2.0, 16), 4, 1],
    reverb._reflect: lambda: [BLOCK, np.array([[1, 40, 90], [7, 8, 99]]), np.array([[1.0, -0.5, 0.3]] * 2), np.empty((100, 2))],
    reverb._reverberate: lambda: [0.1 * FADING, small_room(), np.zeros_like(BLOCK)],
    reverb._spread: lambda: [FADING, np.full((31, 2), 1e-31), np.array([30]), np.empty_like(BLOCK)],
}  # fmt: skip
"""Each with fresh arguments; what it writes into them is compared as well as what it returns."""
