"""Bursts of noise: white noise of 5 to 500 ms with an abrupt beginning and end, as a decoder or a disk makes them.

Where the energy of the treble jumps, stays level and falls back, the spectrum is compared with those of the 10 ms before and
after: what is added must be white up to half the rate. Drums and cymbals ring down and have a colour; so has noise that went
through a lossy coder or a converter afterwards, which is therefore not found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.detectors.rhythm import keeps_time
from dsp.detectors.segments import MIN_SEGMENT_FRAMES, Segments, segment_frames
from dsp.detectors.sightings import Sightings, sightings, together
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES

LONGEST_S = 0.5
SHORTEST, LEAST = 5, 4
"""Segments, and of these such as are filled; the level of fewer says little."""
STEP_RATIO = 10.0**0.5
"""5 dB: the least jump of the treble at either end. Bursts 10 dB below the music make less only where it is treble itself."""
SIDE = 4
"""Segments before and after that are lower throughout."""
LEVEL_RATIO = 4.0
"""6 dB, five times the spread of white noise in a segment: all segments lie so near to their mean."""
SPREAD_DB, SLOPE_DB = 2.0, 3.3
"""Standard deviation of the segments, and how they may change from first to last: what 99 in 100 bursts of white noise have."""
PARTIAL_DB = 2.5
"""An outermost segment lower than most by so much is filled in part."""
FLOOR_POWER = 1e-11
"""Treble below this counts as this: digital silence has no level."""
AROUND_S = 0.01
BANDS, LEAST_BANDS = 8, 2
CONTRAST_DB = 4.0
"""A band that stands out by so much is one in which the noise is heard."""
COLOUR_DB = 2.5
"""The most that the noise may differ between these, as a standard deviation: again 99 in 100."""
DIP_DB = 4.0
"""How far a band in which it is not heard may lie below the noise."""
TOGETHER_S = 0.005
"""Bursts that begin so near to each other, in any channels, count once."""


class NoiseBurstDetector:
    """Finds bursts of noise; sizes are how far the treble stands out of what is before and after, in dB.

    >>> segments, detector = Segments(44_100, channels=1), NoiseBurstDetector(44_100, channels=1)
    >>> tone = 0.1 * np.sin(np.arange(16_384) / 20.0)[None].astype(np.float32)
    >>> tone[0, 4_410:6_174] += 0.02 * np.random.default_rng(1).standard_normal(1_764).astype(np.float32)
    >>> segments.push(tone); detector.push(segments)
    >>> detector.finish().count, detector.finish().at_s
    (1, (0.1,))
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._most = round(LONGEST_S * rate_hz / segment_frames(rate_hz))
        self._treble = np.full((channels, self._most + 2 * SIDE + 2), FLOOR_POWER, np.float32)
        self._found = np.zeros((WINDOW_FRAMES // MIN_SEGMENT_FRAMES, 2), np.int64)
        self._events: list[tuple[float, float]] = []

    def push(self, segments: Segments) -> None:
        """Reads the newest window."""
        older, size = self._treble.shape[1], segments.size
        treble = np.concatenate([self._treble, segments.treble / np.float32(size) + np.float32(FLOOR_POWER)], axis=1)
        self._treble = treble[:, -older:]
        first = segments.start // size - older
        for channel, line in enumerate(treble):
            count = _plateaus(line, older - SIDE, self._most, self._found)
            for begin, end in self._found[:count].tolist():
                if first + begin >= 0 and _level(line[begin + 1 : end]):
                    self._judge(segments, channel, first + begin, line[begin - SIDE : end + 1 + SIDE])

    def _judge(self, segments: Segments, channel: int, first: int, treble: NDArray[np.float32]) -> None:
        """Judges a plateau that begins in the segment `first`, from the treble of its segments and those around."""
        size, around = segments.size, round(AROUND_S * self._rate_hz)
        start, end = first * size, (first + len(treble) - 2 * SIDE - 1) * size
        inside = _bands(segments.excerpt(channel, start + size, end))
        before = _bands(segments.excerpt(channel, max(0, start - around), start))
        after = _bands(segments.excerpt(channel, end + size, min(segments.frames, end + size + around)))
        if _white(inside, before, after):
            mean = float(treble[SIDE + 1 : -SIDE - 1].mean())
            outside = max(float(treble[:SIDE].mean()), float(treble[-SIDE:].mean()))
            filled = float(np.minimum(1.0, treble[SIDE : SIDE + 2] / mean).sum())  # of the first two segments
            self._events.append((start + (2.0 - filled) * size, 10.0 * math.log10(mean / outside)))

    def finish(self) -> Sightings:
        """What was found in all windows."""
        events = together(self._events, TOGETHER_S * self._rate_hz)
        music = keeps_time([event[0] / self._rate_hz for event in events])
        return sightings([] if music else events, self._rate_hz)


def _level(treble: NDArray[np.float32]) -> bool:
    """Whether segments are as level as white noise, and enough of them; the outermost may be filled in part."""
    levels_db = 10.0 * np.log10(treble.astype(np.float64))
    partial = levels_db < np.median(levels_db) - PARTIAL_DB
    levels_db = levels_db[int(partial[0]) : len(levels_db) - int(partial[-1])]
    time = np.linspace(-0.5, 0.5, len(levels_db))
    slope_db = float(time @ levels_db / (time @ time)) if len(time) >= LEAST else math.inf
    return abs(slope_db) < SLOPE_DB and float(levels_db.std()) < SPREAD_DB


def _white(inside: Floats, before: Floats, after: Floats) -> bool:
    """Whether what is added to the sound around is as strong in all bands, as far as the music lets it be heard."""
    contrasts_db = 10.0 * np.log10(inside / np.maximum(before, after))
    heard = int(np.argmin([*(contrasts_db[::-1] > CONTRAST_DB), False]))  # bands, from the highest down
    if heard < LEAST_BANDS:
        return False
    added_db = 10.0 * np.log10(np.maximum(inside - (before + after) / 2.0, FLOOR_POWER))[-heard:]
    least_db = 10.0 * np.log10(inside.min())
    return float(added_db.std()) < COLOUR_DB and least_db > float(added_db.mean()) - DIP_DB


def _bands(line: NDArray[np.float32]) -> Floats:
    """Power in bands of equal width up to half the rate."""
    if len(line) < 4 * BANDS:
        return np.full(BANDS, FLOOR_POWER)
    window = np.hanning(len(line))
    powers = np.square(np.abs(np.fft.rfft(line * window))) / np.square(window).sum()
    width = (len(powers) - 1) // BANDS
    return np.asarray(powers[1 : 1 + width * BANDS].reshape(BANDS, width).mean(axis=1) + FLOOR_POWER)


@kernel
def _plateaus(treble: NDArray[np.float32], earliest: int, most: int, found: NDArray[np.int64]) -> int:
    """Writes the plateaus of a line of energies that are over by now, and were not by the segment `earliest`.

    The segment in which a plateau begins and the one in which it ends need not be filled.
    """
    count, begin = 0, SIDE
    while begin < treble.size - SIDE - SHORTEST:
        lowest = min(treble[begin + 1], treble[begin + 2], treble[begin + 3])
        end = begin
        nearest = treble[begin - 1]  # spares most a look at the others
        if lowest >= STEP_RATIO * nearest and lowest >= STEP_RATIO * _highest(treble[begin - SIDE : begin]):
            mean = (treble[begin + 1] + treble[begin + 2] + treble[begin + 3]) / 3.0
            end = begin + 4
            while end < treble.size - SIDE - 1 and mean / LEVEL_RATIO < treble[end] < mean * LEVEL_RATIO:
                mean += (treble[end] - mean) / (end - begin)
                lowest = min(lowest, treble[end])
                end += 1
        if SHORTEST <= end - begin <= most and lowest >= STEP_RATIO * _highest(treble[end + 1 : end + 1 + SIDE]):
            if end >= earliest:
                found[count, 0], found[count, 1] = begin, end
                count += 1
            begin = end
        else:
            begin += 1
    return count


@kernel
def _highest(line: NDArray[np.float32]) -> float:
    top = line[0]
    for x in line:
        if x > top:
            top = x
    return float(top)
