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
    """peaks[i] = max over phases of |sum_k taps[p, k] * line[i + k]|: the peak between sample i + half - 1 and the next."""
    count = peaks.size
    total = np.empty(count, np.float32)
    peaks[:] = 0.0
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
    """The peak between sample at + half - 1 and the next; `taps_by_phase` is (taps, phases), to vectorise over phases."""
    total = np.zeros(taps_by_phase.shape[1], np.float32)
    for tap in range(taps_by_phase.shape[0]):
        weights, value = taps_by_phase[tap], line[at + tap]
        for phase in range(total.size):
            total[phase] += weights[phase] * value
    return largest(total)
