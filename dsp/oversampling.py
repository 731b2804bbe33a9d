"""Values between the samples: the interpolation behind the true-peak meter and the limiter's side-chain.

Both read a signal in segments of `SEGMENT` frames on a grid fixed to the start of the track, so that no figure depends on
how the input was cut (law 1). A segment whose samples are too small to matter is skipped: `bound` proves it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel

SEGMENT = 64
"""Frames looked at together: long enough to vectorise, short enough to skip quiet stretches."""
FEW = 10
"""Up to so many intervals of a segment are read finely one by one; more are read together, which costs the same a piece."""
NEAR_RATIO = 0.92
"""An interval is read again, finely, from here up: 4x may read up to 0.55 dB (0.938) low (annex 2, attachment 1)."""


class Interpolator(NamedTuple):
    """Polyphase filter: row p gives the value (p + 1) / factor of a sample after the one at tap `half - 1`."""

    taps: NDArray[np.float32]
    half: int
    bound: float
    """No interpolated value exceeds the largest of the samples it is made from by more than this ratio."""


@lru_cache(maxsize=8)
def interpolator(factor: int, half: int, beta: float = 6.0) -> Interpolator:
    """A Kaiser-windowed sinc (Harris 1978) with 2 * half taps a phase, each phase with unit gain at DC.

    With half = 24 the passband is flat within 0.015 dB to 0.46 of the rate: where soxr's own passband ends.
    """
    position = np.arange(-half + 1, half + 1)[None, :] - (np.arange(1, factor) / factor)[:, None]
    window = np.i0(beta * np.sqrt(np.maximum(1.0 - (position / half) ** 2, 0.0))) / np.i0(beta)
    taps = np.sinc(position) * window
    taps /= taps.sum(axis=1, keepdims=True)
    bound = float(np.abs(taps).sum(axis=1).max()) * 1.0001  # room for float32 rounding
    return Interpolator(taps.astype(np.float32), half, bound)


@kernel
def largest(line: NDArray[np.float32]) -> float:
    """The largest magnitude in a stretch of one channel."""
    peak = np.float32(0.0)
    for value in line:
        peak = max(peak, abs(value))
    return float(peak)


@kernel
def interpolated_peaks(line: NDArray[np.float32], taps: NDArray[np.float32], peaks: NDArray[np.float32]) -> None:
    """peaks[i] = the larger of sample i + half - 1, the next, and max over phases of |sum_k taps[p, k] * line[i + k]|."""
    count, half = peaks.size, taps.shape[1] // 2
    total = np.empty(count, np.float32)
    ends = line[half - 1 : half + count]
    for i in range(count):
        peaks[i] = max(abs(ends[i]), abs(ends[i + 1]))
    for phase in range(taps.shape[0]):
        total[:] = 0.0
        for tap in range(0, taps.shape[1], 4):
            # One view per tap (indexing line[i + tap] would keep the loop from vectorising), four taps a pass.
            a, b = line[tap : tap + count], line[tap + 1 : tap + 1 + count]
            c, d = line[tap + 2 : tap + 2 + count], line[tap + 3 : tap + 3 + count]
            w, x, y, z = taps[phase, tap], taps[phase, tap + 1], taps[phase, tap + 2], taps[phase, tap + 3]
            for i in range(count):
                total[i] += w * a[i] + x * b[i] + y * c[i] + z * d[i]
        for i in range(count):
            peaks[i] = max(peaks[i], abs(total[i]))


@kernel
def interpolated_peak(line: NDArray[np.float32], at: int, taps_by_phase: NDArray[np.float32]) -> float:
    """The same for interval `at` alone, bit for bit; `taps_by_phase` is (taps, phases), to vectorise over phases."""
    total = np.zeros(taps_by_phase.shape[1], np.float32)
    for tap in range(0, taps_by_phase.shape[0], 4):
        w, x, y, z = taps_by_phase[tap], taps_by_phase[tap + 1], taps_by_phase[tap + 2], taps_by_phase[tap + 3]
        a, b, c, d = line[at + tap], line[at + tap + 1], line[at + tap + 2], line[at + tap + 3]
        for phase in range(total.size):
            total[phase] += w[phase] * a + x[phase] * b + y[phase] * c + z[phase] * d
    half = taps_by_phase.shape[0] // 2
    return max(largest(total), largest(line[at + half - 1 : at + half + 1]))


@kernel
def raise_peaks(
    line: NDArray[np.float32],
    floor: float,
    coarse: NDArray[np.float32],
    fine: NDArray[np.float32],
    fine_by_phase: NDArray[np.float32],
    bound: float,
    peaks: NDArray[np.float32],
) -> None:
    """Raises peaks[i] to the peak of interval i wherever that may exceed `floor`; leaves it alone elsewhere."""
    found, read = np.empty(SEGMENT, np.float32), np.empty(SEGMENT, np.float32)
    for start in range(0, peaks.size, SEGMENT):
        count = min(SEGMENT, peaks.size - start)
        segment = line[start : start + count + coarse.shape[1] - 1]
        if largest(segment) * bound <= floor:
            continue
        interpolated_peaks(segment, coarse, found[:count])
        near = 0
        for i in range(count):
            near += found[i] > NEAR_RATIO * floor
        if near > FEW:
            interpolated_peaks(segment, fine, read[:count])
        for i in range(count):
            if found[i] > NEAR_RATIO * floor:
                peak = read[i] if near > FEW else interpolated_peak(segment, i, fine_by_phase)
                peaks[start + i] = max(peaks[start + i], peak)
