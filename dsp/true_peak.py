"""True-peak meter: the largest value of the continuous signal, in the sense of ITU-R BS.1770-5 annex 2.

Reads at 4 times the rate, and again at 32 times wherever the first reading comes near the maximum: the accuracy of 32x
(0.01 dB, annex 2 attachment 1) for little more than the price of 4x. Never reads below the sample peak. Treble up to half
the rate is read as soxr at 32 times the rate reads it, too: music that has none costs no more for it.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel
from dsp.oversampling import (
    BRIGHT_RATIO,
    HALF,
    NEAR_BRIGHT_RATIO,
    NEAR_RATIO,
    REACH,
    SEGMENT,
    TREBLE_RATIO,
    interpolated_peak,
    interpolated_peaks,
    interpolator,
    largest,
    treble,
    treble_filter,
    wide_interpolator,
)
from dsp.windows import Block, as_lines

COARSE = interpolator(4, HALF)
FINE = interpolator(32, HALF)
WIDE = wide_interpolator(32)
STRETCH_S = 0.1
"""Peaks are kept for stretches of about this length, a whole number of segments."""
NEAR_TOP_RATIO = 0.9
"""The peak of a stretch is looked for where its samples come this close to its largest."""


class TruePeakMeter:
    """Running true peak of a track, per channel, and of each tenth of a second of it.

    >>> meter = TruePeakMeter(rate_hz=48_000, channels=1)
    >>> tone = 0.5 * np.sin(np.pi / 2 * np.arange(4_800) + np.pi / 4)  # all samples at 0.354, the tone at 0.5
    >>> meter.push(tone[:, None] * np.hanning(4_800)[:, None])
    >>> round(float(meter.finish()[0]), 3)
    0.5
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._peaks = np.zeros(channels)
        self._segments = max(1, round(STRETCH_S * rate_hz / SEGMENT))
        self.stretch_s = self._segments * SEGMENT / rate_hz
        # The signal is taken as silent before it starts.
        self._line = np.zeros((channels, REACH), np.float32)
        self._frames = 0
        self._stretches = array("f")  # 4 bytes for each 100 ms

    def settle(self, before: Block) -> None:
        """Takes what comes before a piece of a programme, so that the silence before the meter's start is not taken for it."""
        line = np.concatenate([self._line, as_lines(before)], axis=1)
        self._line = line[:, line.shape[1] - REACH :]

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        self._frames += len(block)
        line = np.concatenate([self._line, as_lines(block)], axis=1)
        frames = self._segments * SEGMENT
        whole = max(0, (line.shape[1] - 2 * REACH + 1) // frames)
        found = np.zeros(whole, np.float32)
        for channel in range(len(line)):
            self._peaks[channel] = _scan(line[channel], self._segments, self._peaks[channel], found, *_FILTERS)
        self._stretches.frombytes(found.tobytes())
        self._line = line[:, whole * frames :]

    def finish(self) -> NDArray[np.float64]:
        """The true peak of each channel as a ratio to full scale; ends the measurement."""
        frames, stretch = self._frames, self._segments * SEGMENT
        self.push(np.zeros((2 * REACH + stretch, len(self._peaks))))
        del self._stretches[-(-(frames + HALF) // stretch) :]
        return self._peaks

    def peaks(self) -> NDArray[np.float64]:
        """The true peak so far: the last tenth of a second may still be missing."""
        return self._peaks

    def stretches(self) -> NDArray[np.float32]:
        """The true peak of each stretch of `stretch_s` over all channels, read finely where it is highest at 4 times the rate."""
        return np.array(self._stretches, np.float32)


_FILTERS = (
    *(COARSE.folds, np.ascontiguousarray(FINE.folds.T), np.ascontiguousarray(WIDE.folds.T), treble_filter()),
    max(COARSE.bound, FINE.bound),
)


@kernel
def _read(
    line: NDArray[np.float32], at: int, wide: bool, fine_by_tap: NDArray[np.float32], wide_by_tap: NDArray[np.float32]
) -> float:
    """The peak of an interval by the short interpolator, whose first tap lies at `at`, or by the wide one around it."""
    if wide:
        return interpolated_peak(line, at - (wide_by_tap.shape[0] - fine_by_tap.shape[0]), wide_by_tap)
    return interpolated_peak(line, at, fine_by_tap)


@kernel
def _scan(
    line: NDArray[np.float32],
    segments: int,
    peak: float,
    stretches: NDArray[np.float32],
    coarse: NDArray[np.float32],
    fine_by_tap: NDArray[np.float32],
    wide_by_tap: NDArray[np.float32],
    high: NDArray[np.float32],
    bound: float,
) -> float:
    """The larger of `peak` and of what lies on and between the samples of whole stretches; raises `stretches` to their peaks."""
    half = coarse.shape[1]
    early = wide_by_tap.shape[0] - half
    tops, found = np.zeros(segments + 1, np.float32), np.empty(SEGMENT, np.float32)
    for stretch in range(stretches.size):
        first = stretch * segments * SEGMENT + early
        for i in range(segments + 1):
            tops[i] = largest(line[first + i * SEGMENT : first + (i + 1) * SEGMENT])
        top = largest(tops[:segments])
        peak, highest, finest, place, place_wide = max(peak, top), top, top, 0, False
        for i in range(segments):
            near = max(tops[i], tops[i + 1])
            if near * bound <= peak and near <= NEAR_TOP_RATIO * top:  # also where all is silent
                continue
            start = first + i * SEGMENT
            segment = line[start : start + SEGMENT + 2 * half - 1]
            interpolated_peaks(segment, coarse, found)
            read = largest(found)
            bright = treble(segment, high) if read > NEAR_BRIGHT_RATIO * peak else 0.0
            wide = bright > BRIGHT_RATIO * peak
            if read > highest:
                highest, place, place_wide = read, start + int(np.argmax(found)), wide
            least = min(NEAR_RATIO * peak, peak - TREBLE_RATIO * bright) if wide else NEAR_RATIO * peak
            for k in range(SEGMENT if read > least else 0):
                if found[k] > least:
                    fine = _read(line, start + k, wide, fine_by_tap, wide_by_tap)
                    peak, finest = max(peak, fine), max(finest, fine)
        if highest > top:
            finest = max(finest, _read(line, place, place_wide, fine_by_tap, wide_by_tap))
        stretches[stretch] = max(stretches[stretch], finest)
    return peak
