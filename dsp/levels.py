"""Level meter: peaks, mean squares, offset and correlation of a track, in one pass."""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.kernel import kernel
from dsp.ticks import Folder, TickGrid
from dsp.windows import Block, Lines, as_lines

FRAME_TICKS = 5
"""50 ms: what noise floor, dynamic range and the density of peaks are read from."""


class Levels(NamedTuple):
    """Sums over a track of `frames` frames; per channel unless said otherwise."""

    frames: int
    sample_peaks: Floats
    sums: Floats
    square_sums: Floats
    cross_sum: float
    """Sum of left times right; 0 unless there are two channels."""
    tick_peaks: NDArray[np.float32]
    """(ticks, 2): smallest and largest sample of each 10 ms, over the channels; zero counts as one of them."""
    frame_squares: NDArray[np.float32]
    """(50 ms, channels): mean square."""
    frame_peaks: NDArray[np.float32]
    """(50 ms, channels): sample peak."""


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
        self._open = np.zeros((channels, 4))  # of the unfinished tick: sum, sum of squares, smallest, largest
        self._totals = np.zeros((channels, 3))  # sum, sum of squares, sample peak of all finished ticks
        self._ticks = array("f")  # 8 bytes a tick: 6 MB for two hours
        self._frame_squares = Folder(FRAME_TICKS, channels, np.add)
        self._frame_peaks = Folder(FRAME_TICKS, channels, np.maximum)
        self._frame_samples = FRAME_TICKS * rate_hz / 100

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        lines, ends = as_lines(block), self._grid.ends(len(block))
        ticks = np.zeros((len(lines), len(ends), 4))
        for line, state, totals, found in zip(lines, self._open, self._totals, ticks, strict=True):
            _levels(line, ends, state, totals, found)
        self._take(ticks)
        if len(lines) == 2:
            self._cross = _cross(lines[0], lines[1], self._cross)
        self._frames += len(block)

    def _take(self, ticks: Floats) -> None:
        """Keeps what is needed of finished ticks (channels, ticks, 4)."""
        peaks = np.maximum(-ticks[..., 2], ticks[..., 3])
        extremes = np.stack([ticks[..., 2].min(axis=0), ticks[..., 3].max(axis=0)], axis=1)
        self._ticks.frombytes(extremes.astype(np.float32).tobytes())
        self._frame_squares.push(ticks[..., 1].T / self._frame_samples)
        self._frame_peaks.push(peaks.T)

    def levels(self) -> Levels:
        """The figures of all that was pushed."""
        open_peaks = np.maximum(-self._open[:, 2], self._open[:, 3])
        return Levels(
            frames=self._frames,
            sample_peaks=np.maximum(self._totals[:, 2], open_peaks),
            sums=self._totals[:, 0] + self._open[:, 0],
            square_sums=self._totals[:, 1] + self._open[:, 1],
            cross_sum=self._cross,
            tick_peaks=np.array(self._ticks, np.float32).reshape(-1, 2),
            frame_squares=self._frame_squares.rows(),
            frame_peaks=self._frame_peaks.rows(),
        )


@kernel
def _levels(line: Lines, ends: NDArray[np.int64], state: Floats, totals: Floats, ticks: Floats) -> None:
    """ticks[t] = sum, sum of squares, smallest, largest of each tick that ends, added to the totals; the rest stays open."""
    total, squares, low, high = state
    start = 0
    for tick in range(ends.size + 1):
        end = ends[tick] if tick < ends.size else line.size
        for n in range(start, end):
            x = np.float64(line[n])
            total += x
            squares += x * x
            if x < low:
                low = x
            if x > high:
                high = x
        if tick < ends.size:
            ticks[tick] = (total, squares, low, high)
            totals[0] += total
            totals[1] += squares
            totals[2] = max(totals[2], high, -low)
            total = squares = low = high = 0.0
        start = end
    state[:] = (total, squares, low, high)


@kernel
def _cross(left: Lines, right: Lines, total: float) -> float:
    """total + sum of left times right."""
    for n in range(left.size):
        total += np.float64(left[n]) * np.float64(right[n])
    return total
