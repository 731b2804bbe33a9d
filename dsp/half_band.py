"""Doubles and halves the rate of a signal with half-band filters: what a processor that makes overtones runs between.

Causal filters with as many frames out as the rate asks for at every push, and a constant delay: for work in between two rates
that are the same. To change the rate of a delivery use `dsp.resampler`. Rows are (channels, frames).
"""

from __future__ import annotations

import numpy as np

from dsp.audio import Audio, Floats
from dsp.kernel import kernel

STOP_DB = 120.0
"""Attenuation of the stop band; our choice, 10 dB more than the aliases that saturation may leave."""
KAISER_BETA = 0.1102 * (STOP_DB - 8.7)
"""Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974."""

PIECE = 256
"""Frames filtered together: they stay in the first cache."""


def half_band(half: int) -> Floats:
    """The `half` different taps beside the middle, from the middle outwards; both sides together sum to 1.

    >>> half_band(2).round(4).tolist()
    [0.5048, -0.0048]
    """
    offset = np.arange(half) + 0.5
    taps = np.sinc(offset) * np.i0(KAISER_BETA * np.sqrt(1.0 - (offset / half) ** 2))
    return np.asarray(taps / (2.0 * taps.sum()))


class Doubler:
    """Twice the rate; `half` frames (an even number) of delay at the lower rate."""

    def __init__(self, half: int, channels: int) -> None:
        self._taps = half_band(half)
        self._line = np.zeros((channels, 2 * half - 1))

    def push(self, rows: Audio) -> Audio:
        """Twice as many frames: out[2i] = x[i], out[2i + 1] = sum_k t[k] (x[i - k] + x[i + 1 + k])."""
        frames = rows.shape[1]
        line = np.concatenate([self._line, rows], axis=1)
        out = np.empty((len(rows), 2 * frames))
        _double(line, self._taps, out)
        self._line = line[:, frames:].copy()
        return out


class Halver:
    """Half the rate; `half` frames (an even number) of delay at the lower rate."""

    def __init__(self, half: int, channels: int) -> None:
        self._taps = half_band(half)
        self._even = np.zeros((channels, half))
        self._odd = np.zeros((channels, 2 * half))

    def push(self, rows: Audio) -> Audio:
        """Half as many frames: out[i] = (x[2i] + sum_k t[k] (x[2i - 1 - 2k] + x[2i + 1 + 2k])) / 2."""
        frames = rows.shape[1] // 2
        even = np.concatenate([self._even, rows[:, ::2]], axis=1)
        odd = np.concatenate([self._odd, rows[:, 1::2]], axis=1)
        out = np.empty((len(rows), frames))
        _halve(even, odd, self._taps, out)
        self._even, self._odd = even[:, frames:].copy(), odd[:, frames:].copy()
        return out


@kernel
def _double(line: Audio, taps: Floats, out: Audio) -> None:
    """The samples and, between them, the values of the filter."""
    half = taps.size
    found = np.empty(PIECE)
    for channel in range(line.shape[0]):
        for start in range(0, out.shape[1] // 2, PIECE):
            count = min(PIECE, out.shape[1] // 2 - start)
            _fold(line[channel, start:], taps, found[:count])
            samples, places = line[channel, start + half - 1 :], out[channel, 2 * start :]
            for i in range(count):
                places[2 * i] = samples[i]
                places[2 * i + 1] = found[i]


@kernel
def _halve(even: Audio, odd: Audio, taps: Floats, out: Audio) -> None:
    """Half of the even samples and of the values that the filter finds there from the odd ones."""
    for channel in range(out.shape[0]):
        for start in range(0, out.shape[1], PIECE):
            found, samples = out[channel, start : start + PIECE], even[channel, start:]
            _fold(odd[channel, start:], taps, found)
            for i in range(found.size):
                found[i] = 0.5 * (samples[i] + found[i])


@kernel
def _fold(line: Floats, taps: Floats, found: Floats) -> None:
    """found[i] = sum_k taps[k] (line[i + half - 1 - k] + line[i + half + k])."""
    half = taps.size
    found[:] = 0.0
    for k in range(0, half, 2):
        # One view per tap (an index of i + k would keep the loop from vectorising), two taps a pass.
        a, b = line[half - 1 - k :], line[half + k :]
        c, d = line[half - 2 - k :], line[half + 1 + k :]
        v, w = taps[k], taps[k + 1]
        for i in range(found.size):
            found[i] += v * (a[i] + b[i]) + w * (c[i] + d[i])
