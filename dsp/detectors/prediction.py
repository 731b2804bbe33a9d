"""Linear prediction: what the sound before a sample foretells of it, and by how much it is off.

Kernels only; what their errors mean is decided by those who call them.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel

Reals: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
WHOLE = 2.0**23
"""Samples are rounded to this many steps before their products are summed."""
NOISE_RATIO = 1e-9
"""White noise assumed in the signal, as power: keeps the equations solvable for pure tones."""
FLOOR_RATIO = 1e-4
"""Errors below -80 dBFS are of no interest."""


@kernel
def add_lags(line: NDArray[np.float32], taper: NDArray[np.float32], scale: float, lags: Reals) -> None:
    """lags[k] += sum_n t[n] t[n + k], t the tapered line in whole numbers, whose sums the compiler may reorder."""
    whole = np.empty(line.size, np.int32)
    for i in range(line.size):
        whole[i] = np.int32(line[i] * taper[i] * scale)
    for lag in range(lags.size):
        a, b = whole[: line.size - lag], whole[lag:]
        total = np.int64(0)
        for i in range(a.size):
            total += np.int64(a[i]) * np.int64(b[i])
        lags[lag] += total


@kernel
def solve(lags: Reals, weights: Reals) -> None:
    """The predictor with these autocorrelations (Levinson and Durbin); of lower order where rounding leaves no more."""
    weights[:] = 0.0
    left = lags[0] * (1.0 + NOISE_RATIO)
    older = np.zeros(weights.size)
    for order in range(weights.size):
        if left <= 0.0:
            break
        reflection = lags[order + 1]
        for i in range(order):
            reflection -= weights[i] * lags[order - i]
        reflection /= left
        if abs(reflection) >= 1.0:
            break
        older[:order] = weights[:order]
        for i in range(order):
            weights[i] -= reflection * older[order - 1 - i]
        weights[order] = reflection
        left *= 1.0 - reflection * reflection


@kernel
def foretell(line: Reals, weights: Reals, errors: Reals) -> None:
    """errors[n] = x[n] - sum_k weights[k] x[n - 1 - k], x[0] being the sample after as many as there are weights."""
    order, frames = weights.size, errors.size
    now = line[order : order + frames]
    for i in range(frames):
        errors[i] = now[i]
    for tap in range(0, order, 8):
        # One view per tap (an index i + tap would keep the loop from vectorising), eight taps a pass.
        at = order - 1 - tap
        a, b, c, d = line[at:], line[at - 1 :], line[at - 2 :], line[at - 3 :]
        e, f, g, h = line[at - 4 :], line[at - 5 :], line[at - 6 :], line[at - 7 :]
        p, q, r, s = weights[tap], weights[tap + 1], weights[tap + 2], weights[tap + 3]
        t, u, v, w = weights[tap + 4], weights[tap + 5], weights[tap + 6], weights[tap + 7]
        for i in range(frames):
            errors[i] -= ((p * a[i] + q * b[i]) + (r * c[i] + s * d[i])) + (
                (t * e[i] + u * f[i]) + (v * g[i] + w * h[i])
            )


@kernel
def interpolate(errors: Reals, weights: Reals, places: NDArray[np.int64]) -> Reals:
    """Takes out of the errors what samples at these places add to them (least squares); returns how much they are off by."""
    count = places.size
    rows = np.zeros((count + 1, errors.size))
    rows[count] = errors
    for k in range(count):
        rows[k, places[k]] = 1.0
        for i in range(min(weights.size, errors.size - places[k] - 1)):
            rows[k, places[k] + 1 + i] = -weights[i]
    table = np.zeros((count, count + 1))
    for k in range(count):
        for m in range(k, count + 1):
            for i in range(errors.size):
                table[k, m] += rows[k, i] * rows[m, i]
        table[k + 1 :, k] = table[k, k + 1 : count]
        table[k, k] *= 1.0 + NOISE_RATIO
    for k in range(count):  # elimination; the table is symmetric and positive, so that no rows need to change places
        for i in range(count, k - 1, -1):
            table[k, i] /= table[k, k]
        for m in range(count):
            share = table[m, k]
            for i in range(k, count + 1 if m != k else 0):
                table[m, i] -= share * table[k, i]
    for k in range(count):
        for i in range(errors.size):
            errors[i] -= table[k, count] * rows[k, i]
    return table[:, count]


@kernel
def largest(line: Reals) -> float:
    """Four at a time: each comparison waits for the one before it."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = line.size // 4 * 4
    for i in range(0, whole, 4):
        a, b = max(a, abs(line[i])), max(b, abs(line[i + 1]))
        c, d = max(c, abs(line[i + 2])), max(d, abs(line[i + 3]))
    for i in range(whole, line.size):
        a = max(a, abs(line[i]))
    return float(max(max(a, b), max(c, d)))


@kernel
def mean_square(line: Reals) -> float:
    total = 0.0
    for x in line:
        total += x * x
    return total / max(1, line.size)


@kernel
def level_db(line: Reals) -> float:
    return 10.0 * math.log10(max(mean_square(line), FLOOR_RATIO**2))
