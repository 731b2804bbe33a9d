"""Clicks: disturbances of a few samples that the sound around them does not foretell.

Everywhere, a linear predictor of low order is fitted to each window, and a segment whose prediction error stands alone is
kept. The few kept are judged by a predictor of high order fitted to the 25 ms on both sides, matched-filtered (Vaseghi and
Rayner, IEE Proc. I 137(1), 1990), and interpolated by least squares (Godsill and Rayner, "Digital Audio Restoration", 1998):
what some samples explain was a click, what rings on was an onset, and a clipped peak would lie beyond where it is.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.detectors.rhythm import keeps_time
from dsp.detectors.segments import LEAD, MAGNITUDE_BITS, Segments, segment_frames
from dsp.detectors.sightings import Sightings, sightings
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES

Reals: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
ORDER = LEAD
RUN_FRAMES, RUN_EVERY = 1024, 8
"""The first predictor is fitted to one in eight runs of so many frames: finds as much as one fitted to all."""
WHOLE = 2.0**23
"""Samples are rounded to this many steps before their products are summed."""
NOISE_RATIO = 1e-9
"""White noise assumed in the signal, as power: keeps the equations solvable for pure tones."""
ALONE_S = 0.012
ALONE_RATIO = 1.6
"""A kept segment exceeds all within 12 ms but its neighbours by 4 dB: a few a second of music do."""
FLOOR_RATIO = 1e-4
"""Errors below -80 dBFS are of no interest."""
AROUND_S, LEAST_AROUND = 0.025, 512
FINE_ORDER = 32
HOLE_FRAMES = 32
"""On either side of a kept segment that its predictor is not fitted to, and as many to fade in."""
CLEAR_RATIO = 2.0
"""The error itself stands out by 6 dB."""
LEAST_DB = 5.0
"""And the matched error by so much."""
CLEAR_WEIGHT, LOUD_WEIGHT, CHANGE_WEIGHT, RISE_WEIGHT, LEFT_WEIGHT, CLICK_DB = 2.5, 1.5, 3.5, 0.8, 6.5, 55.0
LOUD_DB, LEFT_DB = (-10.0, 20.0), -3.0
"""A weighted sum of decibels says whether it was a click: by logistic regression over 720 clicks put into 48 pieces of music
and the 5,300 disturbances found in them as they were (the tuning half of `benchmarks/detectors.py`), rounded."""
CLICK_FRAMES = 8
NEAR_FRAMES = (11, 21)
"""Before and after the beginning of a suspect, where a clipped peak could be what disturbs."""
TOP_RATIO = 0.999
"""Samples so near to the highest of the stretch are as flat as clipped ones."""
MANY_TOPS, SURE_TOPS, MOST_TOPS = 3, 5, 13
"""So many on one side may be a clipped peak, and so many are one; so many on both sides are no click of eight samples."""
SMOOTH_RATIO = 0.7
"""A clipped peak has its neighbours above this part of the top."""
CLIPPING_RATIO = 4.0
"""Music that reaches its top in so many times more chunks than it has clicks is clipped: then those that may be, are."""
TOGETHER_S = 0.001
"""Clicks so near to each other, in any channels, count once."""


class _Event(NamedTuple):
    frame: int
    size_db: float
    top: float
    """Where some samples of it lie, if they are as flat and as high as a clipped peak; else 0."""


class ClickDetector:
    """Finds clicks; sizes are how far the matched prediction error stands above all others within 25 ms, in dB.

    >>> segments, detector = Segments(44_100, channels=1), ClickDetector(44_100, channels=1)
    >>> tone = 0.1 * np.sin(np.arange(16_384) / 20.0)[None].astype(np.float32)
    >>> tone[0, 4_410] += 0.01
    >>> segments.push(tone); detector.push(segments)
    >>> detector.finish().count, detector.finish().at_s
    (1, (0.1,))
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._taper = np.hanning(RUN_FRAMES + 1)[:-1].astype(np.float32)
        self._around = max(LEAST_AROUND, round(AROUND_S * rate_hz))
        self._around_taper = _around_taper(self._around, segment_frames(rate_hz))
        self._weights = np.zeros((channels, ORDER))
        self._errors = np.zeros(WINDOW_FRAMES, np.float32)
        self._tops = np.zeros((channels, 0), np.float32)
        self._found = np.zeros(WINDOW_FRAMES, np.int64)
        self._rails = np.zeros((channels, 2))  # highest peak of a chunk, and how many chunks reach it
        self._events: list[list[_Event]] = [[] for _ in range(channels)]

    def push(self, segments: Segments) -> None:
        """Reads the newest window."""
        size, count = segments.size, segments.treble.shape[1]
        ahead = -(-(self._around + size) // size)
        tops = np.zeros((len(self._tops), 2 * ahead + count), np.float32)
        tops[:, : 2 * ahead] = self._tops[:, -2 * ahead :] if self._tops.size else 0.0
        self._tops = tops
        first = segments.start // size - 2 * ahead
        reach = math.ceil(ALONE_S * self._rate_hz / size)
        for channel, line in enumerate(segments.lines):
            fresh = tops[channel, 2 * ahead :]
            _window_tops(
                line,
                segments.peaks[channel],
                self._rails[channel],
                size,
                self._taper,
                self._weights[channel],
                self._errors,
                fresh,
            )
            kept = _alone(tops[channel], ahead, reach, self._found)
            for segment in self._found[:kept].tolist():
                self._judge(segments, channel, (first + segment) * size + size // 2)

    def _judge(self, segments: Segments, channel: int, middle: int) -> None:
        """Judges the segment with this frame in its middle."""
        start = middle - self._around - FINE_ORDER
        if start >= 0:
            line = segments.excerpt(channel, start, middle + self._around)
            at, size_db, topped = _judged(line, self._around_taper, segments.size)
            if size_db > 0.0:
                self._events[channel].append(_Event(start + at, size_db, float(np.abs(line).max()) if topped else 0.0))

    def finish(self) -> Sightings:
        """What was found in all windows; the 25 ms at either end of a track are not judged."""
        events: list[tuple[float, float]] = []
        kept = [event for found, rail in zip(self._events, self._rails, strict=True) for event in _true(found, *rail)]
        for frame, size_db, _ in sorted(kept):
            if events and frame - events[-1][0] <= TOGETHER_S * self._rate_hz:
                events[-1] = (events[-1][0], max(size_db, events[-1][1]))
            else:
                events.append((frame, size_db))
        music = keeps_time([event[0] / self._rate_hz for event in events])
        return sightings([] if music else events, self._rate_hz)


def _true(events: list[_Event], top: float, chunks: float) -> list[_Event]:
    """Without those that are clipped peaks, if the music reaches its top far more often than clicks do."""
    clipped = chunks > CLIPPING_RATIO * len(events)
    return [event for event in events if not clipped or event.top < TOP_RATIO * top]


def _around_taper(around: int, size: int) -> NDArray[np.float32]:
    """Weights of a stretch with a suspect in its middle: a Hann window with a hole."""
    frames = 2 * around + FINE_ORDER
    distance = np.abs(np.arange(frames) - around - FINE_ORDER)
    hole = np.clip((distance - size // 2 - HOLE_FRAMES) / HOLE_FRAMES, 0.0, 1.0)
    return np.asarray(np.hanning(frames + 2)[1:-1] * hole, np.float32)


@kernel
def _window_tops(
    line: NDArray[np.float32],
    peaks: NDArray[np.float32],
    rail: Reals,
    size: int,
    taper: NDArray[np.float32],
    weights: Reals,
    errors: NDArray[np.float32],
    tops: NDArray[np.float32],
) -> None:
    """Writes the largest prediction error of each segment of a window that LEAD older frames lead.

    A window too short for a predictor of its own is foretold by the one before.
    """
    frames, peak = line.size - LEAD, _largest(peaks)
    if peak * TOP_RATIO > rail[0]:
        rail[0], rail[1] = peak, 0.0
    for chunk in range(peaks.size if peak >= TOP_RATIO * rail[0] else 0):
        rail[1] += peaks[chunk] >= TOP_RATIO * rail[0]
    if frames >= taper.size and peak > 0.0:
        lags = np.zeros(weights.size + 1)
        for start in range(0, frames - taper.size + 1, RUN_EVERY * taper.size):
            _add_lags(line[LEAD + start : LEAD + start + taper.size], taper, WHOLE / peak, lags)
        _solve(lags, weights)
    _foretell(line, weights.astype(np.float32), errors[:frames])
    bits, found = errors.view(np.int32), tops.view(np.int32)
    for segment in range(tops.size):
        part = bits[segment * size : segment * size + size]
        top = np.int32(0)
        for i in range(part.size):
            top = max(top, part[i] & np.int32(MAGNITUDE_BITS))
        found[segment] = top


@kernel
def _add_lags(line: NDArray[np.float32], taper: NDArray[np.float32], scale: float, lags: Reals) -> None:
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
def _solve(lags: Reals, weights: Reals) -> None:
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
def _foretell(line: Reals, weights: Reals, errors: Reals) -> None:
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
def _alone(tops: NDArray[np.float32], margin: int, reach: int, found: NDArray[np.int64]) -> int:
    """Writes the segments, `margin` from either end, that stand out of all within reach but their neighbours."""
    count = 0
    for segment in range(margin, tops.size - margin):
        least = tops[segment] / ALONE_RATIO
        alone = tops[segment] > FLOOR_RATIO
        step = 2
        while alone and step <= reach:
            alone = tops[segment - step] < least and tops[segment + step] < least
            step += 1
        if alone:
            found[count] = segment
            count += 1
    return count


@kernel
def _judged(line: NDArray[np.float32], taper: NDArray[np.float32], size: int) -> tuple[int, float, bool]:
    """Where in a stretch with a suspect segment in its middle a click begins, and its size in dB; 0 dB if there is none."""
    around = (line.size - FINE_ORDER) // 2
    lags, weights = np.zeros(FINE_ORDER + 1), np.zeros(FINE_ORDER)
    _add_lags(line, taper, WHOLE / max(_largest(line), FLOOR_RATIO), lags)
    _solve(lags, weights)
    errors = np.empty(line.size - FINE_ORDER)
    _foretell(line.astype(np.float64), weights, errors)
    at = _highest(errors, around - size // 2 - 8, around + size // 2 + 40)
    far = max(_largest(errors[: at - 40]), _largest(errors[at + 56 :]), FLOOR_RATIO)
    if abs(errors[at]) < CLEAR_RATIO * far:
        return 0, 0.0, False
    start = _first(errors, at, far)
    matched = np.empty(errors.size - FINE_ORDER)
    _foretell(errors[::-1].copy(), weights, matched)
    matched = matched[::-1]
    inside = _largest(matched[start - 7 : start + 13])
    outside = max(_largest(matched[: start - 41]), _largest(matched[start + 45 :]), FLOOR_RATIO)
    size_db = 20.0 * math.log10(max(inside, FLOOR_RATIO) / outside)
    if size_db < LEAST_DB:
        return 0, 0.0, False
    clear_db = 20.0 * math.log10(abs(errors[at]) / far)
    if size_db + CLEAR_WEIGHT * clear_db - _doubt_db(line, errors, weights, start) < CLICK_DB:
        return 0, 0.0, False
    low = start - NEAR_FRAMES[0]
    near = line[FINE_ORDER + low : FINE_ORDER + low + NEAR_FRAMES[0] + NEAR_FRAMES[1]]
    flat = np.flatnonzero(np.abs(near) >= TOP_RATIO * _largest(line))
    sides = np.sign(near[flat])
    many = flat.size >= MANY_TOPS and abs(sides.sum()) == flat.size
    if flat.size >= (SURE_TOPS if many else MOST_TOPS) or (many and _smooth(near, flat[0], flat[-1])):
        return 0, 0.0, False
    clipped = flat.size > 0 and not many and _beyond(errors, weights, low, flat, sides)
    if clipped and _largest(line) >= TOP_RATIO:  # of full scale
        return 0, 0.0, False
    return FINE_ORDER + start, size_db, many or clipped


@kernel
def _smooth(near: NDArray[np.float32], first: int, last: int) -> bool:
    """Whether a waveform comes up to its flat samples and leaves them as a clipped peak does."""
    low, high = max(0, first - 1), min(near.size, last + 2)
    least = (near[low:high] * np.sign(near[first])).min()
    return bool(least >= SMOOTH_RATIO * abs(near[first]))


@kernel
def _highest(errors: Reals, low: int, high: int) -> int:
    """Where the largest error of a stretch lies."""
    at = low
    for i in range(low, high):
        if abs(errors[i]) > abs(errors[at]):
            at = i
    return at


@kernel
def _first(errors: Reals, at: int, far: float) -> int:
    """Where the disturbance whose largest error lies at `at` begins to stand out of all that are farther away."""
    for i in range(at - 20, at):
        if abs(errors[i]) >= 1.2 * far:
            return i
    return at


@kernel
def _doubt_db(line: NDArray[np.float32], errors: Reals, weights: Reals, start: int) -> float:
    """By how much more a disturbance must stand out that changes the sound after it, or is not explained by a few samples."""
    short, end = errors.size // 25, start + CLICK_FRAMES + FINE_ORDER
    before, after = _level_db(errors[start - 3 - short : start - 4]), _level_db(errors[end : end + short])
    rise_db = _level_db(errors[end : end + 5 * short]) - _level_db(errors[max(0, start - 3 - 5 * short) : start - 4])
    least_db = np.inf
    for low in range(start - 4, start + 1):
        left = errors[low : low + CLICK_FRAMES + FINE_ORDER].copy()
        _interpolate(left, weights, np.arange(CLICK_FRAMES))
        least_db = min(least_db, _level_db(left))
    loud_db = 20.0 * math.log10(max(_largest(errors[start : start + 21]), FLOOR_RATIO)) - _level_db(line)
    return (
        CHANGE_WEIGHT * abs(after - before)
        + RISE_WEIGHT * max(rise_db, 0.0)
        + LEFT_WEIGHT * max(least_db - max(before, after), LEFT_DB)
        - LOUD_WEIGHT * min(max(loud_db, LOUD_DB[0]), LOUD_DB[1])
    )


@kernel
def _beyond(errors: Reals, weights: Reals, low: int, flat: NDArray[np.int64], sides: NDArray[np.float32]) -> bool:
    """Whether clipping explains all: the samples at the top, foretold from the others, would lie beyond it."""
    high = low + NEAR_FRAMES[0] + NEAR_FRAMES[1] + FINE_ORDER
    left = errors[low:high].copy()
    added = _interpolate(left, weights, flat)
    far = max(_largest(errors[:low]), _largest(errors[high:]))
    return (added * sides).sum() < 0.0 and _largest(left) <= max(CLEAR_RATIO * far, 0.5 * _largest(errors))


@kernel
def _interpolate(errors: Reals, weights: Reals, places: NDArray[np.int64]) -> Reals:
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
def _largest(line: Reals) -> float:
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
def _mean_square(line: Reals) -> float:
    total = 0.0
    for x in line:
        total += x * x
    return total / max(1, line.size)


@kernel
def _level_db(line: Reals) -> float:
    return 10.0 * math.log10(max(_mean_square(line), FLOOR_RATIO**2))
