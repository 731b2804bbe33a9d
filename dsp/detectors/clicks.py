"""Clicks: disturbances of a few samples that the sound around them does not foretell.

Everywhere, a linear predictor of low order is fitted to each window, and a segment whose prediction error stands alone is
kept. The few kept are judged one by one, with the 25 ms on both sides (`click_judge.py`).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.detectors.click_judge import CLICK, FINE_ORDER, FLAT, PEAK, TOP_RATIO, judged
from dsp.detectors.prediction import FLOOR_RATIO, WHOLE, Reals, add_lags, foretell, largest, solve
from dsp.detectors.rhythm import keeps_time
from dsp.detectors.segments import LEAD, MAGNITUDE_BITS, Segments, segment_frames
from dsp.detectors.sightings import Sightings, sightings, together
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES

ORDER = LEAD
RUN_FRAMES, RUN_EVERY = 1024, 8
"""The first predictor is fitted to one in eight runs of so many frames: finds as much as one fitted to all."""
ALONE_S = 0.012
ALONE_RATIO = 1.6
"""A kept segment exceeds all within 12 ms but its neighbours by 4 dB: a few a second of music do."""
AROUND_S, LEAST_AROUND = 0.025, 512
HOLE_FRAMES = 32
"""On either side of a kept segment that its predictor is not fitted to, and as many to fade in."""
CEILING_RATIO, CEILING_CHUNKS = 4.0, 2.0
"""Music that reaches its top in so many times more chunks than it has clicks is clipped: then what may be a clipped peak is
one. What clipping explains as well is one already where the top is reached in more than two: no two clicks are as high."""
TOGETHER_S = 0.001
"""Clicks so near to each other, in any channels, count once."""
DROPOUT_S = 0.002
"""And so near to an edge of a dropout they are a part of it."""


class _Event(NamedTuple):
    frame: int
    size_db: float
    kind: int
    """CLICK, or what else it may be."""
    top: float
    """The highest sample around."""


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
            at, size_db, kind = judged(line, self._around_taper, segments.size)
            if kind:
                self._events[channel].append(_Event(start + at, size_db, kind, float(np.abs(line).max())))

    def finish(self, dropouts: Sequence[int] = ()) -> Sightings:
        """What was found in all windows but at the edges of dropouts; the 25 ms at either end of a track are not judged."""
        pairs = zip(self._events, self._rails, strict=True)
        kept = [(float(one.frame), one.size_db) for found, rail in pairs for one in _true(found, *rail)]
        apart = [event for event in kept if not _near(event[0], dropouts, DROPOUT_S * self._rate_hz)]
        events = together(apart, TOGETHER_S * self._rate_hz)
        music = keeps_time([frame / self._rate_hz for frame, _ in events])
        return sightings([] if music else events, self._rate_hz)


def _near(frame: float, places: Sequence[int], frames: float) -> bool:
    """Whether one of the places, given in order, lies within so many frames."""
    at = bisect_left(places, frame - frames)
    return at < len(places) and places[at] <= frame + frames


def _true(events: list[_Event], top: float, chunks: float) -> list[_Event]:
    """Without those that are clipped peaks: as high as the music's own ceiling, if it has one."""
    least = {CLICK: math.inf, FLAT: CEILING_RATIO * len(events), PEAK: CEILING_CHUNKS}
    return [one for one in events if chunks <= least[one.kind] or one.top < TOP_RATIO * top]


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
    frames, peak = line.size - LEAD, largest(peaks)
    if peak * TOP_RATIO > rail[0]:
        rail[0], rail[1] = peak, 0.0
    for chunk in range(peaks.size if peak >= TOP_RATIO * rail[0] else 0):
        rail[1] += peaks[chunk] >= TOP_RATIO * rail[0]
    if frames >= taper.size and peak > 0.0:
        lags = np.zeros(weights.size + 1)
        for start in range(0, frames - taper.size + 1, RUN_EVERY * taper.size):
            add_lags(line[LEAD + start : LEAD + start + taper.size], taper, WHOLE / peak, lags)
        solve(lags, weights)
    foretell(line, weights.astype(np.float32), errors[:frames])
    bits, found = errors.view(np.int32), tops.view(np.int32)
    for segment in range(tops.size):
        part = bits[segment * size : segment * size + size]
        top = np.int32(0)
        for i in range(part.size):
            top = max(top, part[i] & np.int32(MAGNITUDE_BITS))
        found[segment] = top


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
