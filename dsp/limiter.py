"""True-peak limiter with look-ahead: no sample and no value between samples exceeds the ceiling.

The gain that each peak needs is held, released and smoothed by three box filters that lie inside the hold (Signalsmith,
"Designing a straightforward limiter", 2022): it is down in time for every peak, without a step. All gains are integers,
so running sums are exact: a signal below the ceiling passes bit for bit, for ever.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats, joined, silence, to_db, to_gain
from dsp.kernel import kernel
from dsp.oversampling import interpolator, raise_peaks
from dsp.settings import LimiterSettings

HALF = 24
COARSE, FINE = interpolator(4, HALF), interpolator(8, HALF)
"""Where 4x comes near the ceiling it is read again at 8x: at most 0.136 dB low at 0.45 of the rate (BS.1770-5 annex 2)."""
FINE_BY_TAP = np.ascontiguousarray(FINE.folds.T)
BOUND = max(COARSE.bound, FINE.bound)
MARGIN_DB = 0.08
"""Room under the ceiling for what 8x does not see and for the dither; measured by `benchmarks/limiter.py`."""
FINEST_BITS, SUM_BITS = 36, 62
"""Gains are counted in steps of 2^-36 (-216 dB), or coarser ones where the sums of long boxes would not fit 64 bits."""


class Limiter:
    """Keeps a track under its ceiling; channels share one gain.

    >>> from dsp.chain import render
    >>> limiter = Limiter(LimiterSettings(ceiling_dbtp=-6.0), 48_000, 1)
    >>> loud = np.sin(np.arange(9_600) * 0.1)[:, None]
    >>> bool(np.abs(render(limiter, loud)).max() <= 10 ** (-6 / 20)), limiter.max_reduction_db > 6.0
    (True, True)
    """

    def __init__(self, settings: LimiterSettings, rate_hz: int, channels: int) -> None:
        lookahead = max(3, round(settings.lookahead_s * rate_hz))
        self.latency = lookahead + HALF
        self._ceiling = to_gain(settings.ceiling_dbtp - MARGIN_DB)
        self._gain = _GainComputer(settings, rate_hz, lookahead)
        self._audio = silence(lookahead, channels)
        self._line = np.zeros((channels, HALF), np.float32)
        self._to_drop = lookahead
        self._frames = 0

    @property
    def max_reduction_db(self) -> float:
        """The deepest gain reduction so far."""
        return 0.0 - (to_db(1.0 - self._gain.deepest) or 0.0)

    @property
    def mean_reduction_db(self) -> float:
        """The reduction of the mean gain so far."""
        return 0.0 - (to_db(1.0 - self._gain.total / max(1, self._frames)) or 0.0)

    def push(self, block: Audio) -> Audio:
        """What is ready: all but the last `latency` frames."""
        self._line = np.concatenate([self._line, block.T.astype(np.float32)], axis=1)
        self._audio = joined([self._audio, block])
        frames = max(0, self._line.shape[1] - 2 * HALF)
        out = np.empty((frames, block.shape[1]))
        self._gain.apply(self._peaks(frames), self._ceiling, self._audio, out)
        self._line = self._line[:, frames:]
        self._audio = self._audio[frames:]
        self._frames += frames
        dropped = min(self._to_drop, frames)
        self._to_drop -= dropped
        return out[dropped:]

    def finish(self) -> Audio:
        """The last frames."""
        return self.push(silence(self.latency, self._audio.shape[1]))

    def _peaks(self, frames: int) -> NDArray[np.float32]:
        """Peaks[i]: the largest value between frame i - 1 and frame i, wherever it may exceed the ceiling; else 0."""
        peaks = np.zeros(frames + 1, np.float32)
        for channel in self._line:
            raise_peaks(channel, self._ceiling, COARSE.folds, FINE.folds, FINE_BY_TAP, BOUND, peaks)
        return peaks


class _GainComputer:
    """Hold, release and smoothing of the reduction 1 - gain, between two blocks of a track."""

    def __init__(self, settings: LimiterSettings, rate_hz: int, lookahead: int) -> None:
        third = (lookahead + 2) // 3
        self._lengths = np.array([third, third, lookahead + 3 - 2 * third])  # support: lookahead + 1 frames
        self._boxes = np.zeros((3, int(self._lengths.max())), np.int64)
        self._sums = np.zeros((3, 2), np.int64)  # running sum and position of each box
        ways = math.prod(self._lengths.tolist())
        self._one = 1 << min(FINEST_BITS, SUM_BITS - ways.bit_length())
        self._scale = 1.0 / (float(ways) * self._one)
        window = lookahead + 1 + round(settings.hold_s * rate_hz)
        self._queue = np.zeros((2, window + 1), np.int64)  # frame and reduction of falling maxima
        self._held = np.zeros(4, np.int64)  # frame, head and tail of the queue, released reduction
        self._decay = math.exp(-1.0 / (settings.release_s * rate_hz))
        self._totals = np.zeros(2)

    @property
    def deepest(self) -> float:
        """Largest reduction so far, as a ratio."""
        return float(self._totals[0])

    @property
    def total(self) -> float:
        """Sum of the reductions of all frames, as ratios."""
        return float(self._totals[1])

    def apply(self, peaks: NDArray[np.float32], ceiling: float, audio: Audio, out: Audio) -> None:
        """out[i] = audio[i] * gain; `peaks` and the gain they ask for run ahead of the audio by the look-ahead."""
        if not len(out):
            return
        reduction = np.empty(len(out), np.int64)
        lookahead = int(self._lengths.sum()) - 3
        busy = _wanted(peaks, ceiling, audio[lookahead:], self._one, reduction)
        if not (busy or self._held[1] != self._held[2] or self._held[3] or self._sums[:, 0].any()):
            self._held[0] += len(out)
            out[:] = audio[: len(out)]
            return
        _hold(reduction, self._queue, self._held, self._decay)
        for box, length, total in zip(self._boxes, self._lengths, self._sums, strict=True):
            _smooth(reduction, box[:length], total)
        _apply(reduction, self._scale, audio, out, self._totals)


@kernel
def _wanted(peaks: NDArray[np.float32], ceiling: float, audio: Audio, one: int, reduction: NDArray[np.int64]) -> bool:
    """d[n] = 1 - ceiling / p[n], rounded up; p is the largest of the sample and of both intervals beside it.

    True if any d is above 0.
    """
    busy = False
    for n in range(reduction.size):
        peak = max(float(peaks[n]), float(peaks[n + 1]))
        for channel in range(audio.shape[1]):
            peak = max(peak, abs(audio[n, channel]))
        reduction[n] = 0
        if peak > ceiling:
            reduction[n] = math.ceil((1.0 - ceiling / peak) * one)
            busy = True
    return busy


@kernel
def _hold(reduction: NDArray[np.int64], queue: NDArray[np.int64], held: NDArray[np.int64], decay: float) -> None:
    """r[n] = max(d[n - window + 1 .. n], decay * r[n - 1]), in place; the queue holds falling maxima (Lemire 2006)."""
    size = queue.shape[1]
    frame, head, tail, released = held
    for n in range(reduction.size):
        wanted = reduction[n]
        if head != tail and queue[0, head] <= frame - size + 1:
            head = (head + 1) % size
        if wanted > 0:
            while head != tail and queue[1, (tail - 1) % size] <= wanted:
                tail = (tail - 1) % size
            queue[0, tail], queue[1, tail] = frame, wanted
            tail = (tail + 1) % size
        released = int(decay * released)
        if head != tail:
            released = max(released, queue[1, head])
        reduction[n] = released
        frame += 1
    held[0], held[1], held[2], held[3] = frame, head, tail, released


@kernel
def _smooth(reduction: NDArray[np.int64], box: NDArray[np.int64], total: NDArray[np.int64]) -> None:
    """Running sum over the last box.size values, in place; exact, because the values are integers."""
    running, at = total
    for n in range(reduction.size):
        running += reduction[n] - box[at]
        box[at] = reduction[n]
        at = at + 1 if at + 1 < box.size else 0
        reduction[n] = running
    total[0], total[1] = running, at


@kernel
def _apply(reduction: NDArray[np.int64], scale: float, audio: Audio, out: Audio, totals: Floats) -> None:
    """out = audio * (1 - d * scale); totals: the largest d and the sum of all."""
    deepest, total = totals
    for n in range(reduction.size):
        one_less = reduction[n] * scale
        deepest = max(deepest, one_less)
        total += one_less
        for channel in range(audio.shape[1]):
            out[n, channel] = audio[n, channel] * (1.0 - one_less)
    totals[0], totals[1] = deepest, total
