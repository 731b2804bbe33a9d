"""Four bands of a track, low to high, and how far peaks stand out in each (crest).

A tree: at each edge a Linkwitz-Riley highpass (JAES 24(1), 1976) gives what lies above it, and a decimator hands on what lies
below, at a lower rate: the lower the band, the less it costs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Floats
from dsp.decimator import Decimator
from dsp.kernel import kernel
from dsp.windows import Block, Lines, as_lines

BAND_EDGES_HZ: tuple[float, ...] = (150.0, 1000.0, 6000.0)
"""Bass, which a cutting lathe wants in the middle (150 to 300 Hz); body; presence; air. Our choice."""
BANDS = len(BAND_EDGES_HZ) + 1
LOW_HZ = BAND_EDGES_HZ[1]
HIGHEST_EDGE_RATIO = 0.4
"""An edge above this share of the rate has no band above it worth measuring."""
RATE_OVER_EDGE = 3.5
"""The rate of what is handed on, at least, over the edge below which it lies: stop band and pass band fit under half of it."""
SILENT_POWER = 1e-14
"""-140 dBFS: what a filter rings at is no music."""


class BandMeter:
    """Running peak and energy of each band of a track, over all channels.

    >>> meter = BandMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 3000 / 48_000 * np.arange(48_000))[:, None])
    >>> round(meter.crest_db()[2])  # a sine, in the band from 1 to 6 kHz
    3
    """

    def __init__(self, rate_hz: float, channels: int) -> None:
        edges = [hz for hz in reversed(BAND_EDGES_HZ) if hz < HIGHEST_EDGE_RATIO * rate_hz]
        self._missing = BANDS - 1 - len(edges)
        self._levels: list[_Branch] = []
        low_rate_hz = float(rate_hz)
        for hz in edges:
            factor = max(1, int(rate_hz / (RATE_OVER_EDGE * hz)))
            self._levels.append(_branch(hz, rate_hz, factor, channels))
            rate_hz /= factor
            low_rate_hz = rate_hz if hz == LOW_HZ else low_rate_hz
        self._lowest = np.zeros((channels, 3))
        self.low_rate_hz = low_rate_hz
        self.low: Lines = np.zeros((channels, 0), np.float32)
        """What the latest block brought below 1 kHz, at `low_rate_hz`: others listen there too."""

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        lines = as_lines(block)
        for branch in self._levels:
            for first in range(0, len(lines), 2):
                second = min(first + 1, len(lines) - 1)
                state, sums = branch.state[first : second + 1], branch.sums[first : second + 1]
                _highpass(lines[first], lines[second], branch.weights, state, sums)
            lines = branch.below.push(lines)
            if branch.edge_hz == LOW_HZ:
                self.low = lines
        for line, sums in zip(lines, self._lowest, strict=True):
            _add(line, sums)

    def crest_db(self) -> tuple[float | None, ...]:
        """Peak over root mean square of each band in dB; None for a band without sound or beyond the rate."""
        sums = [self._lowest, *(branch.sums for branch in reversed(self._levels))]
        return (*(_crest_db(one) for one in sums), *[None] * self._missing)


class _Branch(NamedTuple):
    edge_hz: float
    weights: Floats
    state: Floats
    sums: Floats
    """(channels, 3): square of the peak, energy, samples; apart, so that no order of adding depends on blocks."""
    below: Decimator


def _branch(hz: float, rate_hz: float, factor: int, channels: int) -> _Branch:
    """What splits at one edge."""
    k = math.tan(math.pi * hz / rate_hz)
    a0 = 1.0 + math.sqrt(2.0) * k + k * k
    weights = np.array([1.0 / a0, 2.0 * (k * k - 1.0) / a0, (1.0 - math.sqrt(2.0) * k + k * k) / a0])
    below = Decimator(rate_hz, factor=factor, cutoff_hz=hz, channels=channels)
    return _Branch(hz, weights, np.zeros((channels, 4)), np.zeros((channels, 3)), below)


def _crest_db(sums: Floats) -> float | None:
    power = float(sums[:, 1].sum()) / max(1.0, float(sums[:, 2].sum()))
    return 10.0 * math.log10(float(sums[:, 0].max()) / power) if power > SILENT_POWER else None


@kernel
def _add(line: Lines, sums: Floats) -> None:
    """Square of the peak, energy and count of a channel of the lowest band."""
    for x in line:
        square = np.float64(x) * np.float64(x)
        sums[0] = max(sums[0], square)
        sums[1] += square
    sums[2] += line.size


@kernel
def _highpass(x: Lines, y: Lines, weights: Floats, state: Floats, sums: Floats) -> None:
    """Squared peak and energy of two channels above an edge: a Butterworth highpass b (1 - z)^2 / (1 + a1 z + a2 z^2), twice.

    Two channels a loop keep the processor busy while each waits for its own recurrence; a channel alone comes as both.
    """
    b, a1, a2 = weights
    one, other = 0, state.shape[0] - 1
    p1, p2, p3, p4 = state[one]
    q1, q2, q3, q4 = state[other]
    highest, energy, samples = sums[one]
    above, power, _ = sums[other]
    for n in range(x.size):
        u, v = b * x[n], b * y[n]
        w, z = u + p1, v + q1
        p1, q1 = p2 - 2.0 * u - a1 * w, q2 - 2.0 * v - a1 * z
        p2, q2 = u - a2 * w, v - a2 * z
        u, v = b * w, b * z
        w, z = u + p3, v + q3
        p3, q3 = p4 - 2.0 * u - a1 * w, q4 - 2.0 * v - a1 * z
        p4, q4 = u - a2 * w, v - a2 * z
        first, second = w * w, z * z
        energy += first
        power += second
        highest = first if first > highest else highest  # no branch: a fifth faster
        above = second if second > above else above
    state[one], state[other] = (p1, p2, p3, p4), (q1, q2, q3, q4)
    sums[one], sums[other] = (highest, energy, samples + x.size), (above, power, samples + x.size)
