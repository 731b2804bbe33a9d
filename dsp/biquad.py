"""Second-order digital filters with the gain of an analogue one, up to the top of the audio band.

The bilinear transform squeezes everything below half the rate: at 44.1 kHz a bell at 16 kHz comes out narrow and lopsided.
Here the poles are those of the analogue filter (impulse invariance) and the zeros are fitted to its gain, after Vicanek,
"Matched Second Order Digital Filters", 2016; he demands equality at single frequencies, the fit spreads the error evenly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsp.audio import Floats

HIGHEST_RATIO = 0.49
"""Of the rate: a filter of a higher frequency is put there."""
TOP_RATIO = 0.93
"""Of half the rate (20.5 kHz at 44.1 kHz): as far as the gain is fitted."""
REWEIGHTINGS = 20
"""After these the largest error has settled to 0.01 dB (measured)."""


class Analogue(NamedTuple):
    """H(s) = zeros(s) / poles(s): coefficients of s^2, s and 1; s = j at the filter's frequency."""

    zeros: tuple[float, float, float]
    poles: tuple[float, float, float]

    def power(self, ratio: Floats) -> Floats:
        """|H|^2 at multiples of the filter's frequency."""
        return np.asarray(np.abs(np.polyval(self.zeros, 1j * ratio) / np.polyval(self.poles, 1j * ratio)) ** 2)


def matched(analogue: Analogue, freq_hz: float, rate_hz: int) -> Floats:
    """b0 b1 b2 a1 a2 of a stable filter of minimum phase with the gain of an analogue one.

    With p = (1 - sin^2(w/2), sin^2(w/2), 4 p0 p1), |b0 + b1/z + b2/z^2|^2 = B p and the same for a: linear in B, so that
    B p / (A p |H|^2) - 1 is fitted by least squares. Weights that follow the error (Lawson 1961) make its largest smallest.
    """
    centre = 2.0 * np.pi * min(freq_hz / rate_hz, HIGHEST_RATIO)
    top = TOP_RATIO * np.pi
    around = centre * np.linspace(0.5, 1.5, 33)
    angles = np.concatenate([np.geomspace(min(centre, top) / 16.0, top, 65), around[around < top]])
    a = _poles(analogue, centre)
    start, free = _numerators(analogue, a)
    wanted = (_basis(angles) @ _powers(a)) * analogue.power(angles / centre)
    columns = _basis(angles) @ free / wanted[:, None]
    rest = 1.0 - _basis(angles) @ start / wanted
    weights = np.ones(len(angles))
    for _ in range(REWEIGHTINGS):
        fitted = np.linalg.lstsq(columns * weights[:, None], rest * weights, rcond=None)[0]
        weights *= np.sqrt(np.abs(columns @ fitted - rest) + 1e-9)
        weights /= weights.max()
    return np.concatenate([_factor(start + free @ fitted), a[1:]])


def inverted(coefficients: Floats) -> Floats:
    """The filter that undoes another of minimum phase.

    >>> inverted(np.array([2.0, 1.0, 0.5, 0.2, 0.1])).tolist()
    [0.5, 0.1, 0.05, 0.5, 0.25]
    """
    b, a = coefficients[:3], np.concatenate([[1.0], coefficients[3:]])
    return np.asarray(np.concatenate([a, b[1:]]) / b[0])


def gain_db(coefficients: Floats, freqs_hz: Floats, rate_hz: int) -> Floats:
    """The exact gain of a filter."""
    delay = np.exp(-2j * np.pi * np.asarray(freqs_hz) / rate_hz)
    above = np.polyval(coefficients[2::-1], delay)
    below = np.polyval([coefficients[4], coefficients[3], 1.0], delay)
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(above / below), 1e-300)))


def _poles(analogue: Analogue, centre: float) -> Floats:
    """1 a1 a2: z = exp(s) for every pole; none turns further than half the rate."""
    roots = np.roots(analogue.poles) * centre
    turned = np.exp(roots.real + 1j * np.clip(roots.imag, -np.pi, np.pi))
    return np.asarray(np.append(np.poly(turned).real, 0.0)[:3])


def _basis(angles: Floats) -> Floats:
    """One row (p0, p1, p2) per frequency."""
    square = np.sin(angles / 2.0) ** 2
    return np.stack([1.0 - square, square, 4.0 * square * (1.0 - square)], axis=1)


def _powers(a: Floats) -> Floats:
    """A: |1 + a1/z + a2/z^2|^2 = A p."""
    return np.array([(1.0 + a[1] + a[2]) ** 2, (1.0 - a[1] + a[2]) ** 2, -4.0 * a[2]])


def _numerators(analogue: Analogue, a: Floats) -> tuple[Floats, Floats]:
    """Where B starts and the directions in which it is free: the gain at 0 Hz is exact, a high-pass has two zeros there."""
    if analogue.zeros[1:] == (0.0, 0.0):
        return np.zeros(3), np.array([[0.0], [16.0], [-4.0]])  # |1 - 2/z + 1/z^2|^2
    at_zero = (analogue.zeros[2] / analogue.poles[2]) ** 2 * _powers(a)[0]
    return np.array([at_zero, 0.0, 0.0]), np.eye(3)[:, 1:]


def _factor(powers: Floats) -> Floats:
    """b0 b1 b2 of minimum phase from B (Vicanek 2016)."""
    at_zero, at_half = np.sqrt(np.maximum(powers[:2], 0.0))
    mean = (at_zero + at_half) / 2.0
    b0 = (mean + np.sqrt(max(mean * mean + powers[2], 0.0))) / 2.0
    return np.array([b0, (at_zero - at_half) / 2.0, -powers[2] / (4.0 * b0)])
