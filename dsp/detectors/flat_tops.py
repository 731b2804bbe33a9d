"""Clipping: flat tops at the top of a channel's range, at full scale or below (turned down after it was clipped).

A top is flat where samples in a row are equal to within the dither of 16 bits; it was cut where the waveform runs into it and
out of it at a slope that no smooth peak so flat could have. Only tops at the channel's own highest level count.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.detectors.sightings import PLACES_KEPT, Sightings
from dsp.kernel import kernel
from dsp.windows import Lines

FLAT_SAMPLES = 3
"""The field's usual rule for clipping."""
FLAT_RATIO = 2.5 * 2.0**-15
"""Samples this close are equal: a step of 16 bits either way, which is what dither does. Below two steps a fifth of the tops
that were dithered after they were clipped is missed; at this, 2 in 100, and no more is seen in 55 minutes of clean music."""
SLOPE_RATIO = 5.0 * FLAT_RATIO
"""Least step into and out of a top. A parabola flat to FLAT_RATIO over 3 samples steps 4 times as far at most."""
NEAR_TOP_RATIO = 0.98
"""Tops lower than this against the highest sample so far are not looked at."""
CHUNK = 64


class FlatTops(NamedTuple):
    """Flat tops and the level at which they lie."""

    tops: Sightings
    """The worst in samples."""
    level_dbfs: float | None


class FlatTopDetector:
    """Counts flat tops of a track, channel by channel and rail by rail.

    >>> detector = FlatTopDetector(48_000, channels=1)
    >>> detector.push(np.clip(np.sin(np.arange(9_600) / 30.0), -0.8, 0.8)[None].astype(np.float32))
    >>> found = detector.finish()
    >>> found.tops.count, round(found.level_dbfs, 2)
    (98, -1.94)
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._frames = 0
        self._runs = np.zeros((channels, 4))  # value and length of the run under way, step into it, sample before
        self._rails = np.zeros((channels, 2, 4))  # upper and lower: level, tops, longest, highest sample
        self._places = np.zeros((channels, 2, PLACES_KEPT, 2))  # frame and length of the longest at each rail

    def push(self, lines: Lines) -> None:
        """Takes a window (channels, frames)."""
        for line, run, rails, places in zip(lines, self._runs, self._rails, self._places, strict=True):
            _find(line, self._frames, run, rails, places)
        self._frames += lines.shape[1]

    def finish(self) -> FlatTops:
        """What was seen; silence follows the end of a track."""
        for run, rails, kept in zip(self._runs, self._rails, self._places, strict=True):
            _step(0.0, self._frames, run, rails, kept)
        places: list[tuple[float, float]] = []
        count, level = 0, 0.0
        for channel in range(len(self._rails)):
            for rail, kept in zip(self._rails[channel], self._places[channel], strict=True):
                if rail[1] and rail[3] <= rail[0] + FLAT_RATIO:
                    count, level = count + int(rail[1]), max(level, rail[0])
                    places += [
                        (float(frame), float(length)) for frame, length in kept[: int(min(rail[1], PLACES_KEPT))]
                    ]
        return FlatTops(_summed(places, count, self._rate_hz), 20.0 * math.log10(level) if count else None)


def _summed(places: list[tuple[float, float]], count: int, rate_hz: int) -> Sightings:
    worst = max((length for _, length in places), default=None)
    longest = sorted(places, key=lambda place: (-place[1], place[0]))[:PLACES_KEPT]
    return Sightings(count, worst, tuple(sorted(round(frame / rate_hz, 3) for frame, _ in longest)))


@kernel
def _find(
    line: NDArray[np.float32],
    offset: int,
    run: NDArray[np.float64],
    rails: NDArray[np.float64],
    places: NDArray[np.float64],
) -> None:
    """Follows the runs of equal samples through the chunks that reach near the channel's highest or lowest sample."""
    for start in range(0, line.size, CHUNK):
        chunk = line[start : start + CHUNK]
        low = high = np.float32(0.0)
        for x in chunk:
            if x < low:
                low = x
            if x > high:
                high = x
        rails[0, 3], rails[1, 3] = max(rails[0, 3], high), max(rails[1, 3], -low)
        if high >= NEAR_TOP_RATIO * rails[0, 3] > 0.0 or -low >= NEAR_TOP_RATIO * rails[1, 3] > 0.0:
            for i in range(chunk.size):
                _step(chunk[i], offset + start + i, run, rails, places)
        else:
            _step(chunk[0], offset + start, run, rails, places)  # ends a run of the chunk before
            run[0], run[1], run[2], run[3] = chunk[-1], 1.0, 0.0, chunk[-1]


@kernel
def _step(
    x: float, frame: int, run: NDArray[np.float64], rails: NDArray[np.float64], places: NDArray[np.float64]
) -> None:
    """One sample: goes on with the run under way, or ends it and begins another."""
    step = abs(x - run[3])
    if abs(x - run[0]) <= FLAT_RATIO:
        run[1] += 1.0
    else:
        if run[1] >= FLAT_SAMPLES and min(step, run[2]) >= SLOPE_RATIO:
            rail = 0 if run[0] > 0.0 else 1
            _count(abs(run[0]), run[1], frame - run[1], rails[rail], places[rail])
        run[0], run[1], run[2] = x, 1.0, step
    run[3] = x


@kernel
def _count(level: float, length: float, frame: float, rail: NDArray[np.float64], places: NDArray[np.float64]) -> None:
    """Adds a flat top to its rail; a higher one makes the lower ones ordinary."""
    if level < rail[0] - FLAT_RATIO:
        return
    if level > rail[0] + FLAT_RATIO:
        rail[0], rail[1], rail[2] = level, 0.0, 0.0
        places[:] = 0.0
    rail[1] += 1.0
    rail[2] = max(rail[2], length)
    least = 0
    for i in range(places.shape[0]):
        if places[i, 1] < places[least, 1]:
            least = i
    if length > places[least, 1]:
        places[least, 0], places[least, 1] = frame, length
