"""What to expect of normally distributed values of which it is known that each lies between two bounds.

One value: the textbook formula. Several that depend on each other: expectation propagation (Minka 2001; for bounds: Cunningham,
Hennig and Lacoste-Julien, "Gaussian Probabilities and Expectation Propagation", arXiv:1111.6832). Kernels only.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Floats
from dsp.kernel import kernel

SWEEPS = 2
"""A third gains nothing in restored music, and costs half as much again."""
FAR = 6.0
"""Deviations beyond the bound from where the tail's own series is more exact than a quotient of small numbers."""
LEAST = 1e-6
"""Variances below this share are rounding."""
NONE = 1e-12
"""Probabilities below are rounding: all that is expected lies beyond `high` (beyond `low`, `FAR` comes first)."""
ROOT_TWO, ROOT_TWO_PI = math.sqrt(2.0), math.sqrt(2.0 * math.pi)


@kernel
def truncated(mean: float, deviation: float, low: float, high: float) -> tuple[float, float]:
    """Mean and variance of a normal value that lies between `low` and `high`."""
    a, b = (low - mean) / deviation, (high - mean) / deviation
    variance = deviation * deviation
    if a > FAR:  # the series of Mills' ratio
        inverse = 1.0 / a
        rise = inverse * (1.0 - inverse * inverse * (2.0 - 10.0 * inverse * inverse))
        return min(low + deviation * rise, high), variance * max(
            inverse * inverse * (1.0 - 6.0 * inverse * inverse), LEAST
        )
    inside = 0.5 * (math.erfc(a / ROOT_TWO) - math.erfc(b / ROOT_TWO))
    if inside < NONE:
        return high, variance * LEAST
    at_low, at_high = math.exp(-0.5 * a * a) / ROOT_TWO_PI, math.exp(-0.5 * b * b) / ROOT_TWO_PI
    shift = (at_low - at_high) / inside
    share = 1.0 + (a * at_low - b * at_high) / inside - shift * shift
    return mean + deviation * shift, variance * min(max(share, LEAST), 1.0)


@kernel
def expect(means: Floats, covariance: Floats, low: Floats, high: Floats) -> None:
    """Makes the means those of the values given their bounds, and the covariance that which belongs to them, in place."""
    count = means.size
    precision, pull = np.zeros(count), np.zeros(count)  # what each bound adds to the distribution
    for _ in range(SWEEPS):
        for i in range(count):
            variance = covariance[i, i]
            if not variance > 0.0 or 1.0 / variance - precision[i] <= LEAST / variance:
                continue
            own = 1.0 / variance - precision[i]  # of the distribution without this bound
            centre = (means[i] / variance - pull[i]) / own
            mean, left = truncated(centre, math.sqrt(1.0 / own), low[i], high[i])
            more = max(1.0 / left - own, 0.0) - precision[i]
            pulled = mean * (precision[i] + more + own) - centre * own - pull[i]
            precision[i] += more
            pull[i] += pulled
            column = covariance[i].copy()
            scale = 1.0 / (1.0 + more * column[i])
            step = (pulled - more * means[i]) * scale
            for k in range(count):
                means[k] += step * column[k]
                part = more * scale * column[k]
                for m in range(count):
                    covariance[k, m] -= part * column[m]


@kernel
def invert(table: Floats) -> None:
    """Inverts a symmetric positive table in place (Gauss and Jordan; no rows need to change places)."""
    for k in range(table.shape[0]):
        pivot = 1.0 / table[k, k]
        table[k, k] = 1.0
        for i in range(table.shape[0]):
            table[k, i] *= pivot
        for m in range(table.shape[0]):
            share = table[m, k]
            if m != k:
                table[m, k] = 0.0
                for i in range(table.shape[0]):
                    table[m, i] -= share * table[k, i]
