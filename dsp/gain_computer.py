"""What a limiter does about a peak: how far, how long before and how long after it the sound is turned down.

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

from dsp.audio import Audio, to_db
from dsp.kernel import kernel
from dsp.settings import LimiterCharacter, LimiterSettings
from dsp.side_chain import Stretch

GRAIN = 32
"""Frames that the closing looks at together: it fills slowly, so it need not look at each."""
SHORTEST_FRAMES = 44
"""A gain that moves faster than this changes what lies between samples (the interpolator reaches as far): 1 ms at 44.1 kHz."""
STAIR_RATIO = 2.8
"""A deep reduction comes in stairs of 9 dB, each as long as the look-ahead: to 20 dB over, no step is above 0.5 dB a sample."""
CLIMB_RATIO = 1.045
"""For the same reason a gain from far below climbs by no more than 0.38 dB a sample."""
FINEST_BITS, SUM_BITS = 36, 62
"""Gains are counted in steps of 2^-36 (-216 dB), or coarser ones where the sums of long boxes would not fit 64 bits."""
FIXED_BITS = 25
FIXED = 1 << FIXED_BITS
"""Ratios near 1 by which gains fade, as integers: their product with a gain fits 64 bits, and is three times as fast."""
HALF_BITS = 31
"""Of the 62 bits of a sum of boxes: added up apart, for a sum of many would not fit."""


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


class GainComputer:
    """Closing, release and smoothing of the reduction 1 - gain, from one stretch of a track to the next."""

    def __init__(self, settings: LimiterSettings, ceiling: float, rate_hz: int) -> None:
        self._ceiling = ceiling
        lookahead = max(SHORTEST_FRAMES, round(settings.lookahead_s * rate_hz))
        grains = math.ceil(max(settings.hold_s * rate_hz, 2 * lookahead + 3) / GRAIN)  # with room for two stairs
        self._late = np.zeros(grains * GRAIN, np.int64)  # reductions that wait for the closing
        self.delay = lookahead + len(self._late) + 1
        """Frames by which peaks must run ahead of the sound."""
        third = (lookahead + 2) // 3
        lengths = (third, third, lookahead + 3 - 2 * third)  # support: lookahead + 1 frames
        self._boxes = [np.zeros(length, np.int64) for length in lengths]
        self._sums = np.zeros((3, 1), np.int64)
        ways = math.prod(lengths)
        self._one = 1 << min(FINEST_BITS, SUM_BITS - ways.bit_length())
        self._scale = 1.0 / (float(ways) * self._one)
        character = CHARACTERS[settings.character]
        self._filling = 1.0 - _decay(character.filling_s, rate_hz / GRAIN)
        self._release = _decay(settings.release_s, rate_hz / GRAIN)
        self._recovery = round(_decay(character.recovery_s, rate_hz) * FIXED)
        self._tops = np.zeros((2, grains + 1), np.int64)  # the last maxima of grains, and of as many grains as that
        self._sustained = np.zeros(2, np.int64)  # the reduction that stays, and the place of the next grain in `_tops`
        self._window = lookahead + 1
        self._before = np.zeros(lookahead, np.int64)  # the last reductions that were asked for
        self._released = np.zeros(1, np.int64)
        self._deepest, self._sum, self._frames = 0, 0, 0  # integers: no order of adding depends on blocks
        self._tenth = max(1, rate_hz // 10)
        # The deepest reduction of each tenth of a second, up to the last that was not idle.
        self._course: list[int] = []

    @property
    def max_reduction_db(self) -> float:
        """The deepest gain reduction so far."""
        return 0.0 - (to_db(1.0 - self._deepest * self._scale) or 0.0)

    @property
    def mean_reduction_db(self) -> float:
        """The reduction of the mean gain so far."""
        mean = self._sum * self._scale / max(1, self._frames)
        return 0.0 - (to_db(1.0 - mean) or 0.0)

    @property
    def course_db(self) -> list[float]:
        """The deepest gain reduction of each tenth of a second so far; a last one that is not full counts."""
        tenths = -(-self._frames // self._tenth)
        deepest = [*self._course, *[0] * (tenths - len(self._course))]
        return [0.0 - (to_db(1.0 - one * self._scale) or 0.0) for one in deepest]

    def apply(self, stretch: Stretch) -> Audio:
        """The sound of a stretch, turned down where it has to be; where not, the very array that was given."""
        tops, audio, first = stretch.tops, stretch.audio, self._frames
        self._frames += len(audio)
        if float(tops.max(initial=0.0)) <= self._ceiling and not self._at_work():
            return audio
        out = np.empty_like(audio)
        reduction = self._reductions(tops)[stretch.skipped : stretch.skipped + len(audio)]
        deepest, high, low = _total(reduction)
        self._deepest = max(self._deepest, deepest)
        self._sum += (high << HALF_BITS) + low
        self._note(reduction, first)
        _apply(reduction, self._scale, audio, out)
        return out

    def _note(self, reduction: NDArray[np.int64], first: int) -> None:
        """Keeps the deepest reduction of each tenth of a second; `first` is the place of the stretch in the track."""
        if not len(reduction):
            return
        at, last = first // self._tenth, (first + len(reduction) - 1) // self._tenth
        starts = np.maximum(np.arange(at, last + 1) * self._tenth - first, 0)
        self._course += [0] * (last + 1 - len(self._course))
        for k, deepest in enumerate(np.maximum.reduceat(reduction, starts).tolist(), at):
            self._course[k] = max(self._course[k], deepest)

    def _reductions(self, tops: NDArray[np.float32]) -> NDArray[np.int64]:
        """The reduction at each frame of the stretch, times the number of ways through the boxes."""
        reduction = np.empty(len(tops), np.int64)
        _wanted(tops, self._ceiling, self._one, reduction)
        wanted = np.concatenate([self._late, reduction])
        _descend(wanted, len(self._late) - 1, self._window, self._one)
        self._late = wanted[len(tops) :]
        _close(wanted, self._tops, self._sustained, self._filling, self._release, reduction)
        asked, self._before = _after(self._before, reduction)
        _hold(_highest(asked, self._window), self._one, self._recovery, self._released, reduction)
        for k, box in enumerate(self._boxes):
            given, self._boxes[k] = _after(box, reduction)
            _smooth(given, self._sums[k], reduction)
        return reduction

    def _at_work(self) -> bool:
        """Whether anything of the past still turns the sound down, or will."""
        return bool(self._tops.any() or self._sustained[0] or self._released[0] or self._sums.any())


def _after(before: NDArray[np.int64], values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Values with those that came before them; and as many of their last to come before the next."""
    both = np.concatenate([before, values])
    return both, both[len(values) :].copy()


def _highest(values: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """The maximum of each `window` values that follow one another: by maxima of 2, 4, 8 ... of them."""
    span = 1
    while span < window:
        step = min(span, window - span)
        values = np.maximum(values[:-step], values[step:])
        span += step
    return values


def _decay(seconds: float, rate_hz: float) -> float:
    return math.exp(-1.0 / (seconds * rate_hz))


@kernel
def _wanted(tops: NDArray[np.float32], ceiling: float, one: int, reduction: NDArray[np.int64]) -> None:
    """d[n] = 1 - ceiling / top[n], rounded up, where the top is above the ceiling; else 0."""
    for n in range(reduction.size):
        top = float(tops[n])
        reduction[n] = math.ceil((1.0 - ceiling / top) * one) if top > ceiling else 0


@kernel
def _largest(values: NDArray[np.int64]) -> int:
    """The largest of some reductions."""
    top = 0
    for value in values:
        top = max(top, value)
    return top


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
    of_grains, of_holds = tops
    kept, at = sustained
    for start in range(0, reduction.size, GRAIN):
        of_grains[at] = _largest(reduction[start : start + GRAIN])
        of_holds[at] = _largest(of_grains)
        at = at + 1 if at + 1 < of_grains.size else 0
        filled = of_holds[0]
        for top in of_holds:
            filled = min(filled, top)
        if filled > kept:
            kept += int(filling * (filled - kept))
        else:
            kept = filled + int(release * (kept - filled))
        for n in range(start, start + GRAIN):
            reduction[n] = max(wanted[n], kept)
    sustained[0], sustained[1] = kept, at


@kernel
def _hold(
    highest: NDArray[np.int64], one: int, decay: int, released: NDArray[np.int64], reduction: NDArray[np.int64]
) -> None:
    """r[n] = max(highest[n], decay * r[n - 1], 1 - climb * (1 - r[n - 1])); `highest` is the most that is asked for around n."""
    climb, last = int(CLIMB_RATIO * FIXED), released[0]
    for n in range(reduction.size):
        fading = (decay * last) >> FIXED_BITS
        climbing = one - ((climb * (one - last)) >> FIXED_BITS) - 1
        last = max(highest[n], max(fading, climbing))
        reduction[n] = last
    released[0] = last


@kernel
def _smooth(given: NDArray[np.int64], total: NDArray[np.int64], reduction: NDArray[np.int64]) -> None:
    """Running sum over the last values that `given` is longer than `reduction`; exact, because they are integers."""
    coming, running = given[given.size - reduction.size :], total[0]
    for n in range(reduction.size):
        running += coming[n] - given[n]
        reduction[n] = running
    total[0] = running


@kernel
def _total(reduction: NDArray[np.int64]) -> tuple[int, int, int]:
    """The largest reduction, and the sums of their upper and of their lower bits, which fit where that of both would not."""
    deepest, high, low = 0, 0, 0
    for d in reduction:
        deepest = max(deepest, d)
        high += d >> HALF_BITS
        low += d & ((1 << HALF_BITS) - 1)
    return deepest, high, low


@kernel
def _apply(reduction: NDArray[np.int64], scale: float, audio: Audio, out: Audio) -> None:
    """Out = audio * (1 - d * scale)."""
    if out.shape[1] == 2:  # both in one loop, which vectorises
        for n in range(reduction.size):
            gain = 1.0 - reduction[n] * scale
            out[n, 0], out[n, 1] = audio[n, 0] * gain, audio[n, 1] * gain
    else:
        for n in range(reduction.size):
            gain = 1.0 - reduction[n] * scale
            for channel in range(out.shape[1]):
                out[n, channel] = audio[n, channel] * gain
