"""Saturation: adds the overtones of tape, valves or a warm amplifier, and nothing to what is quiet.

All three curves have the slope (1 - u^2)^order * (1 + skew * u), u = x / limit: 1 at zero, falling to 0 at the limits without a
corner, so that few and only low harmonics arise, and below the limits none above order 2 * order + 2. Only what a curve adds goes
through the oversampling: out = x + amount * added(x).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial

from dsp.audio import Audio, Floats, joined, silence, to_gain
from dsp.half_band import Doubler, Halver
from dsp.kernel import STILL, kernel
from dsp.settings import SaturationSettings
from dsp.settings.colour import Character

SHAPES: dict[Character, tuple[int, float]] = {"tape": (4, 0.0), "tube": (3, 0.8), "warm": (2, 0.3)}
"""Order and skew, our choice: tape is within 0.03 of tanh; warm has the lowest order whose clipping has no corner."""
ADDED = 9
"""Powers of the highest curve above the first: 2 to 10."""
HALVES = (42, 8, 6)
"""Lengths of the half-band filters at 2, 4 and 8 times the rate: 120 dB above 0.547 of it, flat to 0.453 (20 kHz at 44.1)."""
PIECE_FRAMES = 2_048
"""Worked on together: at 8 times the rate they stay in the second cache."""
FINE_HZ = 352_000
"""The least rate that the curve runs at: an octave more for 44.1 kHz than 4x, where 10 kHz driven by 12 dB aliases."""
TAPE_S = 35e-6
"""Recording raises the treble from here (IEC 60094-1, 38 cm/s), replay lowers it: the treble saturates first."""
TAPE_TOP_RATIO = 2.0
"""By 6 dB at most (our choice)."""
COUPLING_HZ = 5.0
"""A coupling capacitor: the harmonics of an uneven curve have an offset, which it keeps out (our choice)."""


class Curve(NamedTuple):
    """f(x) = x + limit * sum_k added[k] u^(k + 2) for u = x / limit within -1 and 1; constant beyond."""

    added: Floats
    """Always `ADDED` of them."""
    limit: float


def curve(character: Character) -> Curve:
    """The curve of a character: slope 1 at zero, and 2 from its lowest to its highest value.

    >>> round(curve("tape").limit, 9)
    2.4609375
    """
    order, skew = SHAPES[character]
    whole = (Polynomial([1.0, 0.0, -1.0]) ** order * Polynomial([1.0, skew])).integ()
    added = np.zeros(ADDED)
    added[: len(whole.coef) - 2] = whole.coef[2:]
    return Curve(added, float(2.0 / (whole(1.0) - whole(-1.0))))


class Saturation:
    """Adds the harmonics of a curve; latency: that of the filters, compensated.

    >>> from dsp.chain import process
    >>> tone = np.sin(np.arange(4_800) * 2 * np.pi / 48)[:, None]
    >>> added = process(tone, 48_000, SaturationSettings(character="tape", drive_db=6.0)) - tone
    >>> [round(float(abs(np.fft.rfft(added[960:3840, 0])[60 * k]) / 1440), 3) for k in (2, 3)]
    [0.0, 0.093]
    """

    def __init__(self, settings: SaturationSettings, rate_hz: int, channels: int) -> None:
        doublings = min(len(HALVES), max(1, math.ceil(math.log2(FINE_HZ / rate_hz))))
        halves = HALVES[:doublings]
        self.latency = sum(2 * half >> at for at, half in enumerate(halves))
        self._amount = settings.amount_ratio
        self._drive = to_gain(settings.drive_db)
        self._curve = curve(settings.character)
        self._up = [Doubler(half, channels) for half in halves]
        self._down = [Halver(half, channels) for half in reversed(halves)]
        tape = settings.character == "tape"
        self._before = _FirstOrder(_treble(rate_hz), channels) if tape else None
        self._after = _FirstOrder(_inverse(_treble(rate_hz)) if tape else _coupling(rate_hz), channels)
        self._line = silence(self.latency, channels)
        self._to_drop = self.latency

    def push(self, block: Audio) -> Audio:
        """What is ready: all but the last `latency` frames."""
        line = joined([self._line, block])
        out = line[: len(block)].copy()
        for at in range(0, len(block), PIECE_FRAMES):
            out[at : at + PIECE_FRAMES] += self._amount * self._added(block[at : at + PIECE_FRAMES])
        self._line = line[len(block) :]
        dropped = min(self._to_drop, len(out))
        self._to_drop -= dropped
        return out[dropped:]

    def finish(self) -> Audio:
        """The last frames."""
        return self.push(silence(self.latency, self._line.shape[1]))

    def _added(self, block: Audio) -> Audio:
        rows: Audio = block.T * self._drive
        if self._before is not None:
            self._before.apply(rows)
        for doubler in self._up:
            rows = doubler.push(rows)
        _added_by_curve(rows, self._curve.added, self._curve.limit, 1.0 / self._drive)
        for halver in self._down:
            rows = halver.push(rows)
        self._after.apply(rows)
        return rows.T


class _FirstOrder:
    """y[n] = b0 x[n] + b1 x[n - 1] - a1 y[n - 1], in place."""

    def __init__(self, weights: Floats, channels: int) -> None:
        self._weights = weights
        self._state = np.zeros(channels)

    def apply(self, rows: Audio) -> None:
        _first_order(rows, self._weights, self._state)


def _treble(rate_hz: int) -> Floats:
    """(1 + s T) / (1 + s T / top), by the bilinear transform."""
    zero, pole = 2.0 * rate_hz * TAPE_S, 2.0 * rate_hz * TAPE_S / TAPE_TOP_RATIO
    return np.array([1.0 + zero, 1.0 - zero, 1.0 - pole]) / (1.0 + pole)


def _inverse(weights: Floats) -> Floats:
    """The filter that takes another back."""
    b0, b1, a1 = weights
    return np.array([1.0 / b0, a1 / b0, b1 / b0])


def _coupling(rate_hz: int) -> Floats:
    """s / (s + w), by the bilinear transform."""
    w = math.tan(math.pi * COUPLING_HZ / rate_hz)
    return np.array([1.0, -1.0, w - 1.0]) / (1.0 + w)


@kernel
def _first_order(rows: Audio, weights: Floats, state: Floats) -> None:
    """Transposed: y = b0 x + s, s = b1 x - a1 y; a state too small for any effect ends, before it slows the processor."""
    b0, b1, a1 = weights
    for channel in range(rows.shape[0]):
        line, s = rows[channel], state[channel]
        for n in range(line.size):
            x = line[n]
            y = b0 * x + s
            s = b1 * x - a1 * y
            if abs(s) < STILL:
                s = 0.0
            line[n] = y
        state[channel] = s


@kernel
def _added_by_curve(rows: Audio, added: Floats, limit: float, gain: float) -> None:
    """x becomes gain * (f(x) - x), f as in `Curve`; exactly 0 for 0, and nearly so for what is quiet."""
    a, b, c, d, e, f, g, h, i = (
        added  # named, because a loop over them would keep the samples from being taken together
    )
    to_unit, scale = 1.0 / limit, gain * limit
    for channel in range(rows.shape[0]):
        line = rows[channel]
        for n in range(line.size):
            x = line[n] * to_unit
            u = min(max(x, -1.0), 1.0)
            total = (((((((i * u + h) * u + g) * u + f) * u + e) * u + d) * u + c) * u + b) * u + a
            line[n] = scale * (total * u * u + (u - x))
