"""Level meter: peaks, mean squares, offset, correlation and flat tops of a track, in one pass."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats
from dsp.kernel import kernel
from dsp.ticks import TickGrid

FLAT_TOP_RATIO = 0.999
FLAT_TOP_SAMPLES = 3
"""A flat top: so many equal samples or more at 0.999 of full scale or above; the field's usual rule for clipping."""
PLACES_KEPT = 20


class Levels(NamedTuple):
    """Sums over a track of `frames` frames; per channel unless said otherwise."""

    frames: int
    sample_peaks: Floats
    sums: Floats
    square_sums: Floats
    cross_sum: float
    """Sum of left times right; 0 unless there are two channels."""
    flat_tops: int
    flat_top_places: tuple[int, ...]
    """Frames at which the first flat tops begin."""
    tick_peaks: NDArray[np.float32]
    """(ticks, 2): smallest and largest sample of each 10 ms, over the channels."""


class LevelMeter:
    """Running levels of a track.

    >>> meter = LevelMeter(rate_hz=48_000, channels=2)
    >>> meter.push(np.array([[0.5, -0.25], [-1.0, 0.25]]))
    >>> meter.levels().sample_peaks.tolist(), meter.levels().sums.tolist()
    ([1.0, 0.25], [-0.5, 0.0])
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._grid = TickGrid(rate_hz)
        self._frames = 0
        self._cross = 0.0
        self._totals = np.zeros((channels, 3))  # sum, sum of squares, sample peak
        self._runs = np.zeros((channels, 2))  # value and length of the run of equal samples that is under way
        self._extremes = np.zeros((channels, 2))  # of the unfinished tick
        self._flat_tops = 0
        self._places: list[int] = []
        self._ticks = array("f")  # 8 bytes a tick: 6 MB for two hours

    def push(self, block: Audio) -> None:
        """Takes a block (frames, channels)."""
        ends = self._grid.ends(len(block))
        peaks = np.zeros((len(ends), 2))
        for channel in range(len(self._totals)):
            places = np.zeros(PLACES_KEPT, np.int64)
            found = _levels(block, channel, self._totals[channel], self._extremes[channel], ends, peaks)
            tops = _flat_tops(block, channel, self._runs[channel], places) if found else 0
            if not found and len(block):
                self._runs[channel] = 0.0  # a block below full scale ends every run
            self._flat_tops += tops
            self._places += [self._frames + int(at) for at in places[: min(tops, PLACES_KEPT)]]
        self._places = sorted(self._places)[:PLACES_KEPT]
        if len(self._totals) == 2:
            self._cross = _cross(block, self._cross)
        self._frames += len(block)
        self._ticks.frombytes(peaks.astype(np.float32).tobytes())

    def levels(self) -> Levels:
        """The figures of all that was pushed."""
        return Levels(
            frames=self._frames,
            sample_peaks=self._totals[:, 2].copy(),
            sums=self._totals[:, 0].copy(),
            square_sums=self._totals[:, 1].copy(),
            cross_sum=self._cross,
            flat_tops=self._flat_tops,
            flat_top_places=tuple(self._places),
            tick_peaks=np.array(self._ticks, np.float32).reshape(-1, 2),
        )


@kernel
def _levels(
    block: Audio, channel: int, totals: Floats, extremes: Floats, ends: NDArray[np.int64], peaks: Floats
) -> bool:
    """Adds a block to the totals and the tick extremes; True if a sample of it may belong to a flat top."""
    total, squares, peak = totals
    low, high = extremes
    start, loudest = 0, 0.0
    for tick in range(ends.size + 1):
        end = ends[tick] if tick < ends.size else block.shape[0]
        for n in range(start, end):
            x = block[n, channel]
            total += x
            squares += x * x
            low, high = min(low, x), max(high, x)
        loudest = max(loudest, high, -low)
        if tick < ends.size:
            peaks[tick, 0], peaks[tick, 1] = min(peaks[tick, 0], low), max(peaks[tick, 1], high)
            low = high = 0.0
        start = end
    totals[0], totals[1], totals[2] = total, squares, max(peak, loudest)
    extremes[0], extremes[1] = low, high
    return loudest >= FLAT_TOP_RATIO


@kernel
def _cross(block: Audio, total: float) -> float:
    """total + sum of left times right."""
    for n in range(block.shape[0]):
        total += block[n, 0] * block[n, 1]
    return total


@kernel
def _flat_tops(block: Audio, channel: int, run: Floats, places: NDArray[np.int64]) -> int:
    """Counts the runs of equal samples near full scale that reach their third sample in this block."""
    value, length = run
    found = 0
    for n in range(block.shape[0]):
        x = block[n, channel]
        length = length + 1.0 if x == value else 1.0
        value = x
        if length == FLAT_TOP_SAMPLES and abs(x) >= FLAT_TOP_RATIO:
            if found < places.size:
                places[found] = n - FLAT_TOP_SAMPLES + 1
            found += 1
    run[0], run[1] = value, length
    return found
