"""True-peak meter: the largest value of the continuous signal, in the sense of ITU-R BS.1770-5 annex 2.

Reads at 4 times the rate, and again at 32 times wherever the first reading comes near the maximum: the accuracy of 32x
(0.01 dB, annex 2 attachment 1) for little more than the price of 4x. Never reads below the sample peak.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel
from dsp.oversampling import NEAR_RATIO, SEGMENT, interpolated_peak, interpolated_peaks, interpolator, largest
from dsp.windows import Block, as_lines

HALF = 24
COARSE = interpolator(4, HALF)
FINE = interpolator(32, HALF)
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
        self._line = np.zeros((channels, HALF), np.float32)
        self._frames = 0
        self._stretches = array("f")  # 4 bytes for each 100 ms

    def settle(self, before: Block) -> None:
        """Takes what comes before a piece of a programme, so that the silence before the meter's start is not taken for it."""
        line = np.concatenate([self._line, as_lines(before)], axis=1)
        self._line = line[:, line.shape[1] - HALF :]

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        self._frames += len(block)
        line = np.concatenate([self._line, as_lines(block)], axis=1)
        frames = self._segments * SEGMENT
        whole = max(0, (line.shape[1] - 2 * HALF + 1) // frames)
        found = np.zeros(whole, np.float32)
        for channel in range(len(line)):
            self._peaks[channel] = _scan(line[channel], self._segments, self._peaks[channel], found, *_FILTERS)
        self._stretches.frombytes(found.tobytes())
        self._line = line[:, whole * frames :]

    def finish(self) -> NDArray[np.float64]:
        """The true peak of each channel as a ratio to full scale; ends the measurement."""
        frames, stretch = self._frames, self._segments * SEGMENT
        self.push(np.zeros((2 * HALF + stretch, len(self._peaks))))
        del self._stretches[-(-(frames + HALF) // stretch) :]
        return self._peaks

    def peaks(self) -> NDArray[np.float64]:
        """The true peak so far: the last tenth of a second may still be missing."""
        return self._peaks

    def stretches(self) -> NDArray[np.float32]:
        """The true peak of each stretch of `stretch_s` over all channels, read finely where it is highest at 4 times the rate."""
        return np.array(self._stretches, np.float32)


_FILTERS = (COARSE.folds, np.ascontiguousarray(FINE.folds.T), max(COARSE.bound, FINE.bound))


@kernel
def _scan(
    line: NDArray[np.float32],
    segments: int,
    peak: float,
    stretches: NDArray[np.float32],
    coarse: NDArray[np.float32],
    fine_by_tap: NDArray[np.float32],
    bound: float,
) -> float:
    """The larger of `peak` and of what lies on and between the samples of whole stretches; raises `stretches` to their peaks."""
    reach = 2 * coarse.shape[1] - 1
    tops, found = np.zeros(segments + 1, np.float32), np.empty(SEGMENT, np.float32)
    for stretch in range(stretches.size):
        first = stretch * segments * SEGMENT
        for i in range(segments + 1):
            tops[i] = largest(line[first + i * SEGMENT : first + (i + 1) * SEGMENT])
        top = largest(tops[:segments])
        peak, highest, finest, place = max(peak, top), top, top, 0
        for i in range(segments):
            near = max(tops[i], tops[i + 1])
            if near * bound <= peak and near <= NEAR_TOP_RATIO * top:  # also where all is silent
                continue
            start = first + i * SEGMENT
            interpolated_peaks(line[start : start + SEGMENT + reach], coarse, found)
            read = largest(found)
            if read > highest:
                highest, place = read, start + int(np.argmax(found))
            if read <= NEAR_RATIO * peak:
                continue
            for k in range(SEGMENT):
                if found[k] > NEAR_RATIO * peak:
                    fine = interpolated_peak(line, start + k, fine_by_tap)
                    peak, finest = max(peak, fine), max(finest, fine)
        if highest > top:
            finest = max(finest, interpolated_peak(line, place, fine_by_tap))
        stretches[stretch] = max(stretches[stretch], finest)
    return peak
