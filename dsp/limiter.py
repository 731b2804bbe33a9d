"""True-peak limiter with look-ahead: no sample and no value between samples exceeds the ceiling.

Single peaks pass quickly: the gain is down in time and recovers within milliseconds. Peaks that follow each other within the
hold are turned down as one where they go on (a morphological closing that fills slowly), so that no bass is bent. Three boxes
smooth the result (Signalsmith, "Designing a straightforward limiter", 2022), without a step. All reductions are integers, so
running sums are exact: a signal below the ceiling passes bit for bit, for ever.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats, joined, silence, to_db, to_gain
from dsp.kernel import kernel
from dsp.oversampling import HALF, REACH, SEGMENT, interpolator, raise_peaks, treble_filter, wide_interpolator
from dsp.settings import LimiterCharacter, LimiterSettings

COARSE, FINE = interpolator(4, HALF), interpolator(8, HALF)
"""Where 4x comes near the ceiling it is read again at 8x: at most 0.136 dB low at 0.45 of the rate (BS.1770-5 annex 2)."""
BOUND = max(COARSE.bound, FINE.bound)
WIDE = wide_interpolator(16)
"""Finer: what it is for lies up to half the rate, where 8x may read 0.16 dB low."""
FILTERS = (
    *(COARSE.folds, FINE.folds, np.ascontiguousarray(FINE.folds.T)),
    *(WIDE.folds, np.ascontiguousarray(WIDE.folds.T), treble_filter(), BOUND),
)
GRAIN = 32
"""Frames that the closing looks at together: it fills slowly, so it need not look at each."""
SHORTEST_FRAMES = 44
"""A gain that moves faster than this changes what lies between samples (the interpolator reaches as far): 1 ms at 44.1 kHz."""
STAIR_RATIO = 2.8
"""A deep reduction comes in stairs of 9 dB, each as long as the look-ahead: to 20 dB over, no step is above 0.5 dB a sample."""
CLIMB_RATIO = 1.045
"""For the same reason a gain from far below climbs by no more than 0.38 dB a sample."""
MARGIN_DB = 0.08
"""Room under the ceiling for what 8x does not see and for the dither; measured by `benchmarks/limiter.py`."""
FINEST_BITS, SUM_BITS = 36, 62
"""Gains are counted in steps of 2^-36 (-216 dB), or coarser ones where the sums of long boxes would not fit 64 bits."""


class ReleaseStages(NamedTuple):
    """The stages of the release; all have the same look-ahead, hold and slow release, which are settings."""

    recovery_s: float
    """Time constant of the gain's recovery after a single peak."""
    filling_s: float
    """How long peaks that follow each other within the hold must go on until the gain stays down between them."""


CHARACTERS: dict[LimiterCharacter, ReleaseStages] = {
    "transparent": ReleaseStages(recovery_s=0.001, filling_s=0.1),
    "punchy": ReleaseStages(recovery_s=0.003, filling_s=0.06),
    "loud": ReleaseStages(recovery_s=0.0003, filling_s=0.3),
}
"""Chosen by noise-to-mask ratio on music at equal loudness (`benchmarks/limiters.py`); `punchy` keeps a hit and its body together
instead. Half a second at most: tracks of an album that follow without a gap are rendered with a run-in of 10 s."""


class Limiter:
    """Keeps a track under its ceiling; channels share one gain.

    >>> from dsp.chain import render
    >>> limiter = Limiter(LimiterSettings(ceiling_dbtp=-6.0), 48_000, 1)
    >>> loud = np.sin(np.arange(9_600) * 0.1)[:, None]
    >>> bool(np.abs(render(limiter, loud)).max() <= 10 ** (-6 / 20)), limiter.max_reduction_db > 6.0
    (True, True)
    """

    def __init__(self, settings: LimiterSettings, rate_hz: int, channels: int) -> None:
        self._gain = _GainComputer(settings, rate_hz)
        delay = self._gain.delay
        self.latency = delay + REACH + SEGMENT - 1
        self._ceiling = to_gain(settings.ceiling_dbtp - MARGIN_DB)
        self._audio = silence(delay, channels)
        self._line = np.zeros((channels, REACH), np.float32)
        self._to_drop, self._to_come = delay, 0
        self._frames = 0

    @property
    def max_reduction_db(self) -> float:
        """The deepest gain reduction so far."""
        return 0.0 - (to_db(1.0 - float(self._gain.totals[0])) or 0.0)

    @property
    def mean_reduction_db(self) -> float:
        """The reduction of the mean gain so far."""
        return 0.0 - (to_db(1.0 - float(self._gain.totals[1]) / max(1, self._frames)) or 0.0)

    def push(self, block: Audio) -> Audio:
        """What is ready: all but the last `latency` frames."""
        self._to_come += len(block)
        return self._run(block)

    def finish(self) -> Audio:
        """The last frames."""
        return self._run(silence(self.latency, self._audio.shape[1]))

    def _run(self, block: Audio) -> Audio:
        """Whole segments, as far as the interpolators reach: readings must not depend on how the input was cut."""
        self._line = np.concatenate([self._line, block.T.astype(np.float32)], axis=1)
        self._audio = joined([self._audio, block])
        frames = max(0, self._line.shape[1] - 2 * REACH + 1) // SEGMENT * SEGMENT
        dropped = min(self._to_drop, frames)
        kept = slice(dropped, min(frames, dropped + self._to_come))
        out = self._gain.apply(self._peaks(frames), self._ceiling, self._audio, kept)
        self._line = self._line[:, frames:]
        self._audio = self._audio[frames:]
        self._to_drop -= dropped
        self._to_come -= len(out)
        self._frames += len(out)
        return out

    def _peaks(self, frames: int) -> NDArray[np.float32]:
        """Peaks[i]: the largest value between frame i - 1 and frame i, wherever it may exceed the ceiling; else 0."""
        peaks = np.zeros(frames, np.float32)
        for channel in self._line:
            raise_peaks(channel, self._ceiling, *FILTERS, peaks)
        return peaks


class _GainComputer:
    """Closing, release and smoothing of the reduction 1 - gain, between two blocks of a track."""

    def __init__(self, settings: LimiterSettings, rate_hz: int) -> None:
        lookahead = max(SHORTEST_FRAMES, round(settings.lookahead_s * rate_hz))
        grains = math.ceil(max(settings.hold_s * rate_hz, 2 * lookahead + 3) / GRAIN)  # with room for two stairs
        self._late = np.zeros(grains * GRAIN, np.int64)  # reductions that wait for the closing
        self.delay = lookahead + len(self._late) + 1
        third = (lookahead + 2) // 3
        self._lengths = np.array([third, third, lookahead + 3 - 2 * third])  # support: lookahead + 1 frames
        self._boxes = np.zeros((3, int(self._lengths.max())), np.int64)
        self._sums = np.zeros((3, 2), np.int64)  # running sum and position of each box
        ways = math.prod(self._lengths.tolist())
        self._one = 1 << min(FINEST_BITS, SUM_BITS - ways.bit_length())
        self._scale = 1.0 / (float(ways) * self._one)
        character = CHARACTERS[settings.character]
        self._filling = 1.0 - _decay(character.filling_s, rate_hz / GRAIN)
        self._release = _decay(settings.release_s, rate_hz / GRAIN)
        self._recovery = _decay(character.recovery_s, rate_hz)
        self._tops = np.zeros((2, grains + 1), np.int64)  # the last maxima of grains, and of as many grains as that
        self._sustained = np.zeros(1, np.int64)
        room = 1 << (lookahead + 1).bit_length()
        self._queue = np.zeros((2, room), np.int64)  # frame and reduction of falling maxima
        self._window = lookahead + 1
        self._held = np.zeros(4, np.int64)  # frame, head and tail of the queue, released reduction
        self._last_peak = np.zeros(1)
        self.totals = np.zeros(2)
        """The largest reduction so far and the sum of all, as ratios."""

    def apply(self, peaks: NDArray[np.float32], ceiling: float, audio: Audio, kept: slice) -> Audio:
        """audio[i] * gain for the kept of all frames; `peaks` and the gain they ask for run ahead of the audio by `delay`."""
        out, reduction = audio[kept].copy(), np.empty(len(peaks), np.int64)
        busy = _wanted(peaks, ceiling, audio[self.delay - 1 :], self._one, self._last_peak, reduction)
        if not (busy or self._at_work()):
            self._held[0] += len(peaks)
            return out
        wanted = np.concatenate([self._late, reduction])
        _descend(wanted, len(self._late) - 1, self._window, self._one)
        self._late = wanted[len(peaks) :]
        _close(wanted, self._tops, self._sustained, self._filling, self._release, reduction)
        _hold(reduction, self._window, self._one, self._queue, self._held, self._recovery)
        for box, length, total in zip(self._boxes, self._lengths, self._sums, strict=True):
            _smooth(reduction, box[:length], total)
        _apply(reduction[kept], self._scale, out, self.totals)
        return out

    def _at_work(self) -> bool:
        """Whether anything of the past still turns the sound down, or will."""
        return bool(
            self._tops.any()
            or self._sustained[0]
            or self._held[1] != self._held[2]
            or self._held[3]
            or self._sums[:, 0].any()
        )


def _decay(seconds: float, rate_hz: float) -> float:
    return math.exp(-1.0 / (seconds * rate_hz))


@kernel
def _wanted(
    peaks: NDArray[np.float32], ceiling: float, audio: Audio, one: int, last_peak: Floats, reduction: NDArray[np.int64]
) -> bool:
    """d[n] = 1 - ceiling / p[n], rounded up; p is the largest of the sample and of both intervals beside it.

    peaks[n] lies after sample n, last_peak before the first. True if any d is above 0.
    """
    busy, before = False, last_peak[0]
    for n in range(reduction.size):
        peak = max(before, float(peaks[n]))
        before = float(peaks[n])
        for channel in range(audio.shape[1]):
            peak = max(peak, abs(audio[n, channel]))
        reduction[n] = 0
        if peak > ceiling:
            reduction[n] = math.ceil((1.0 - ceiling / peak) * one)
            busy = True
    last_peak[0] = before
    return busy


@kernel
def _descend(wanted: NDArray[np.int64], first: int, length: int, one: int) -> None:
    """Leads down to each deep peak from `first` on, in place: to 2.8 times its gain one look-ahead earlier, to 7.8 times two."""
    floor = int((1.0 - 1.0 / STAIR_RATIO) * one)
    for n in range(first, wanted.size - 1):
        if wanted[n] > floor and wanted[n - 1] <= wanted[n] > wanted[n + 1]:
            gain = float(one - wanted[n])
            for stair in range(1, 3):
                gain *= STAIR_RATIO
                for at in range(n - stair * length, n - (stair - 1) * length):
                    wanted[at] = max(wanted[at], one - int(gain))


@kernel
def _close(
    wanted: NDArray[np.int64],
    tops: NDArray[np.int64],
    sustained: NDArray[np.int64],
    filling: float,
    release: float,
    reduction: NDArray[np.int64],
) -> None:
    """r[n] = max(d[n], s), over the d that runs ahead; s follows the closing c of d: slowly up, with the release down.

    For each grain k: m[k] = max(d of k - hold .. k), c[k - hold] = min(m[k - hold .. k]), so that gaps of the hold are filled.
    `wanted` has the d of `hold` earlier, led down to deep peaks.
    """
    length, kept = tops.shape[1], sustained[0]
    for start in range(0, reduction.size, GRAIN):
        top = 0
        for n in range(start, start + GRAIN):
            top = max(top, reduction[n])
        tops[:, : length - 1] = tops[:, 1:]
        tops[0, length - 1] = top
        tops[1, length - 1] = tops[0].max()
        filled = tops[1].min()
        if filled > kept:
            kept += int(filling * (filled - kept))
        else:
            kept = filled + int(release * (kept - filled))
        for n in range(start, start + GRAIN):
            reduction[n] = max(wanted[n], kept)
    sustained[0] = kept


@kernel
def _hold(
    reduction: NDArray[np.int64], window: int, one: int, queue: NDArray[np.int64], held: NDArray[np.int64], decay: float
) -> None:
    """r[n] = max(d[n - window + 1 .. n], decay * r[n - 1], 1 - climb * (1 - r[n - 1])), in place.

    The queue holds falling maxima (Lemire 2006).
    """
    last = queue.shape[1] - 1  # a power of two, less one
    frame, head, tail, released = held
    for n in range(reduction.size):
        wanted = reduction[n]
        if head != tail and queue[0, head] <= frame - window:
            head = (head + 1) & last
        if wanted > 0:
            while head != tail and queue[1, (tail - 1) & last] <= wanted:
                tail = (tail - 1) & last
            queue[0, tail], queue[1, tail] = frame, wanted
            tail = (tail + 1) & last
        released = max(int(decay * released), one - int(CLIMB_RATIO * (one - released)) - 1)
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
def _apply(reduction: NDArray[np.int64], scale: float, out: Audio, totals: Floats) -> None:
    """Out is multiplied by 1 - d * scale; totals: the largest d and the sum of all."""
    deepest, total = totals
    for n in range(reduction.size):
        one_less = reduction[n] * scale
        deepest = max(deepest, one_less)
        total += one_less
        for channel in range(out.shape[1]):
            out[n, channel] *= 1.0 - one_less
    totals[0], totals[1] = deepest, total
