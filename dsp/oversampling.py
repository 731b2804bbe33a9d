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

HALF = 24
"""Samples on each side that the short interpolator hears."""
REACH = 64
"""And the wide one."""
SEGMENT = 64
"""Frames looked at together: long enough to vectorise, short enough to skip quiet stretches."""
FEW = 10
"""Up to so many intervals of a segment are read finely one by one; more are read together, which costs the same a piece."""
NEAR_RATIO = 0.92
"""An interval is read again, finely, from here up: 4x may read up to 0.55 dB (0.938) low (annex 2, attachment 1)."""
NEAR_BRIGHT_RATIO = 0.75
"""Full-band noise may read 1.2 dB higher with the wide interpolator than with the short one; here there is room for 2.5 dB."""
BRIGHT_RATIO = 0.01
"""Treble below this share of the ceiling (0.09 dB) is left to the short interpolator."""
TREBLE_RATIO = 1.5
"""The two readings of an interval differ by no more than this times the treble around it (found on noises of all bands)."""


class Interpolator(NamedTuple):
    """Interpolates `factor - 1` values between two samples, folded: values that mirror each other share their sums.

    With s and d the sums and differences of samples equally far from the middle, the values at p and factor - p are
    E + O and E - O, E = sum even s, O = sum odd d; the value halfway is an E alone.
    """

    folds: NDArray[np.float32]
    """(factor - 1, half): the even rows of all pairs and of the midpoint, then the odd rows of all pairs."""
    half: int
    bound: float
    """No interpolated value exceeds the largest of the samples it is made from by more than this ratio."""


@lru_cache(maxsize=8)
def interpolator(
    factor: int, half: int, beta: float = 6.0, edge_ratio: float = 0.5, window_half: float | None = None
) -> Interpolator:
    """A Kaiser-windowed sinc (Harris 1978) with 2 * half taps a phase, each phase with unit gain at DC; factor and half even.

    It is down 6 dB at `edge_ratio` of the rate; `window_half` is where the window ends, if not at `half`.
    With half = 24 the passband is flat within 0.015 dB to 0.46 of the rate: where soxr's own passband ends.
    """
    position = np.arange(-half + 1, half + 1)[None, :] - (np.arange(1, factor) / factor)[:, None]
    place = position / (window_half or half)
    window = np.i0(beta * np.sqrt(np.maximum(1.0 - place**2, 0.0))) / np.i0(beta)
    taps = np.sinc(2.0 * edge_ratio * position) * window
    taps /= taps.sum(axis=1, keepdims=True)
    bound = float(np.abs(taps).sum(axis=1).max()) * 1.0001  # room for float32 rounding
    first, mirrored = taps[: factor // 2, :half], taps[: factor // 2, : half - 1 : -1]
    folds = np.concatenate([(first + mirrored) / 2.0, (first - mirrored)[:-1] / 2.0])
    return Interpolator(folds.astype(np.float32), half, bound)


def wide_interpolator(factor: int) -> Interpolator:
    """What converters and resamplers of the best kind make of the top of the band: -6 dB at 0.478 of the rate, nothing above 0.5.

    The window is soxr's VHQ, which a Kaiser window of beta 19.1 over 138 samples reproduces to 1e-9; its ends, 0.15 % in all,
    are left out.
    """
    return interpolator(factor, REACH, 19.11, 0.47783, 138.12)


@lru_cache(maxsize=1)
def treble_filter() -> NDArray[np.float32]:
    """Passes what lies above 0.48 of the rate, not what lies below 0.44: one half of a symmetric filter, and its middle.

    Half way, at 0.465, is where the two interpolators begin to differ.
    """
    taps = -0.93 * np.sinc(0.93 * np.arange(1 - HALF, 1)) * np.kaiser(2 * HALF - 1, 5.0)[:HALF]
    taps[-1] += 1.0
    return np.asarray(taps, np.float32)


@kernel
def treble(line: NDArray[np.float32], taps: NDArray[np.float32]) -> float:
    """The largest magnitude of the treble in the middle of a line, `taps.size - 1` samples from both its ends."""
    last = taps.size - 1
    count = line.size - 2 * last
    high = np.zeros(count, np.float32)
    middle, w = line[last : last + count], taps[last]
    for i in range(count):
        high[i] = w * middle[i]
    for k in range(last):
        a, b, w = line[k : k + count], line[2 * last - k : 2 * last - k + count], taps[k]
        for i in range(count):
            high[i] += w * (a[i] + b[i])
    return largest(high)


@kernel
def largest(line: NDArray[np.float32]) -> float:
    """The largest magnitude in a stretch of one channel."""
    peak = np.float32(0.0)
    for value in line:
        peak = max(peak, abs(value))
    return float(peak)


@kernel
def interpolated_peaks(line: NDArray[np.float32], folds: NDArray[np.float32], peaks: NDArray[np.float32]) -> None:
    """peaks[i] = the larger of sample i + half - 1, the next, and of the magnitudes of all values between them."""
    count, half, pairs = peaks.size, folds.shape[1], folds.shape[0] // 2
    even, odd, middle = np.empty(count, np.float32), np.empty(count, np.float32), np.zeros(count, np.float32)
    ends = line[half - 1 : half + count]
    for i in range(count):
        peaks[i] = max(abs(ends[i]), abs(ends[i + 1]))
    for pair in range(pairs):
        even[:] = 0.0
        odd[:] = 0.0
        for k in range(0, half, 2):
            # One view per tap: an index of i + k would keep the loop from vectorising.
            a, b = line[k : k + count], line[2 * half - 1 - k : 2 * half - 1 - k + count]
            c, d = line[k + 1 : k + 1 + count], line[2 * half - 2 - k : 2 * half - 2 - k + count]
            w, x = folds[pair, k], folds[pair, k + 1]
            y, z = folds[pairs + 1 + pair, k], folds[pairs + 1 + pair, k + 1]
            if pair:
                for i in range(count):
                    even[i] += w * (a[i] + b[i]) + x * (c[i] + d[i])
                    odd[i] += y * (a[i] - b[i]) + z * (c[i] - d[i])
            else:  # the midpoint comes along with the first pair
                u, v = folds[pairs, k], folds[pairs, k + 1]
                for i in range(count):
                    s, t = a[i] + b[i], c[i] + d[i]
                    even[i] += w * s + x * t
                    odd[i] += y * (a[i] - b[i]) + z * (c[i] - d[i])
                    middle[i] += u * s + v * t
        for i in range(count):
            peaks[i] = max(peaks[i], abs(even[i]) + abs(odd[i]))
    for i in range(count):
        peaks[i] = max(peaks[i], abs(middle[i]))


@kernel
def interpolated_peak(line: NDArray[np.float32], at: int, folds_by_tap: NDArray[np.float32]) -> float:
    """The same for interval `at` alone, bit for bit; `folds_by_tap` is (half, factor - 1), to vectorise over the values."""
    half, pairs = folds_by_tap.shape[0], folds_by_tap.shape[1] // 2
    even, odd = np.zeros(pairs + 1, np.float32), np.zeros(pairs, np.float32)
    for k in range(0, half, 2):
        a, b = line[at + k], line[at + 2 * half - 1 - k]
        c, d = line[at + k + 1], line[at + 2 * half - 2 - k]
        s, t, u, v = a + b, c + d, a - b, c - d
        w, x = folds_by_tap[k, : pairs + 1], folds_by_tap[k + 1, : pairs + 1]
        y, z = folds_by_tap[k, pairs + 1 :], folds_by_tap[k + 1, pairs + 1 :]
        for pair in range(even.size):
            even[pair] += w[pair] * s + x[pair] * t
        for pair in range(odd.size):
            odd[pair] += y[pair] * u + z[pair] * v
    peak = max(largest(line[at + half - 1 : at + half + 1]), float(abs(even[pairs])))
    for pair in range(odd.size):
        peak = max(peak, float(abs(even[pair]) + abs(odd[pair])))
    return peak


@kernel
def raise_peaks(
    line: NDArray[np.float32],
    floor: float,
    coarse: NDArray[np.float32],
    fine: NDArray[np.float32],
    fine_by_tap: NDArray[np.float32],
    wide: NDArray[np.float32],
    wide_by_tap: NDArray[np.float32],
    high: NDArray[np.float32],
    bound: float,
    peaks: NDArray[np.float32],
) -> None:
    """Raises peaks[i] to the peak of interval i wherever that may exceed `floor`; leaves it alone elsewhere.

    Interval i lies after sample i + REACH - 1 of the line; `peaks` holds whole segments, from the start of a segment.
    """
    half, reach = coarse.shape[1], wide.shape[1]
    found, read = np.empty(SEGMENT, np.float32), np.empty(SEGMENT, np.float32)
    for start in range(0, peaks.size, SEGMENT):
        segment = line[start + reach - half : start + reach + half + SEGMENT - 1]
        if largest(segment) * bound <= floor:
            continue
        interpolated_peaks(segment, coarse, found)
        near = 0
        for i in range(SEGMENT):
            near += found[i] > NEAR_RATIO * floor
        if near > FEW:
            interpolated_peaks(segment, fine, read)
        for i in range(SEGMENT):
            if found[i] > NEAR_RATIO * floor:
                peak = read[i] if near > FEW else interpolated_peak(segment, i, fine_by_tap)
                peaks[start + i] = max(peaks[start + i], peak)
        bright = treble(segment, high) if largest(found) > NEAR_BRIGHT_RATIO * floor else 0.0
        if bright > BRIGHT_RATIO * floor:
            above, around = floor - TREBLE_RATIO * bright, line[start : start + SEGMENT + 2 * reach - 1]
            near = 0
            for i in range(SEGMENT):
                near += found[i] > above
            if near > FEW:
                interpolated_peaks(around, wide, read)
            for i in range(SEGMENT):
                if found[i] > above:
                    peak = read[i] if near > FEW else interpolated_peak(around, i, wide_by_tap)
                    peaks[start + i] = max(peaks[start + i], peak)
