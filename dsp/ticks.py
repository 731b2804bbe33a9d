"""The common time grid of the meters: ticks of 10 ms, with edges at the nearest sample.

Every window of BS.1770 and Tech 3342 is a whole number of ticks, so a meter keeps one energy a tick and all windows are
sums of these: momentary 40, short-term 300, at any hop from 10 ms up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats

PER_S = 100


class TickGrid:
    """Where ticks end in a track that arrives in blocks.

    >>> grid = TickGrid(rate_hz=22_050)
    >>> grid.ends(500).tolist(), grid.ends(300).tolist()  # frames from the start of each block
    ([221, 441], [162])
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames = 0
        self._ticks = 0

    def ends(self, frames: int) -> NDArray[np.int64]:
        """Takes a block of so many frames; returns the ends of the ticks that it completes."""
        start, self._frames = self._frames, self._frames + frames
        last = (2 * self._frames + 1) * PER_S // (2 * self._rate_hz) + 1
        found = self._end(np.arange(self._ticks + 1, last + 1))
        found = found[found <= self._frames] - start
        self._ticks += len(found)
        return found

    def window_frames(self, windows: int, window: int, hop: int) -> NDArray[np.int64]:
        """Frames in each of the first so many windows of `window` ticks at every `hop` ticks."""
        starts = np.arange(0, windows * hop, hop)
        return self._end(starts + window) - self._end(starts)

    def _end(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        return (2 * ticks * self._rate_hz + PER_S) // (2 * PER_S)


def window_sums(per_tick: Floats, window: int, hop: int) -> Floats:
    """Sums over `window` ticks at every `hop` ticks; an incomplete last window is left out."""
    if len(per_tick) < window:
        return np.zeros(0)
    sums: Floats = np.lib.stride_tricks.sliding_window_view(per_tick, window)[::hop].sum(axis=1)
    return sums
