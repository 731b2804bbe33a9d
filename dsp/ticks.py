"""The common time grid of the meters: ticks of 10 ms, with edges at the nearest sample.

Every window of BS.1770 and Tech 3342 is a whole number of ticks, so a meter keeps one energy a tick and all windows are
sums of these: momentary 40, short-term 300, at any hop from 10 ms up.
"""

from __future__ import annotations

from array import array

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

    def __init__(self, rate_hz: int, start_frame: int = 0) -> None:
        self._rate_hz = rate_hz
        self._frames = start_frame
        self._ticks = self._ended(start_frame)

    def ends(self, frames: int) -> NDArray[np.int64]:
        """Takes a block of so many frames; returns the ends of the ticks that it completes."""
        start, self._frames = self._frames, self._frames + frames
        first, self._ticks = self._ticks + 1, self._ended(self._frames)
        return self._end(np.arange(first, self._ticks + 1)) - start

    def _ended(self, frames: int) -> int:
        """How many ticks end within so many frames: those whose rounded end (2 t rate + 100) // 200 is no later."""
        return (2 * PER_S * frames + PER_S - 1) // (2 * self._rate_hz)

    def window_frames(self, windows: int, window: int, hop: int, first_tick: int = 0) -> NDArray[np.int64]:
        """Frames in each of so many windows of `window` ticks at every `hop` ticks, from `first_tick` on."""
        starts = np.arange(first_tick, first_tick + windows * hop, hop)
        return self._end(starts + window) - self._end(starts)

    def _end(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        return (2 * ticks * self._rate_hz + PER_S) // (2 * PER_S)


class Folder:
    """Gathers rows of ticks into rows of so many ticks each, by sum or by maximum.

    >>> folder = Folder(2, columns=1, combine=np.add)
    >>> folder.push(np.array([[1.0], [2.0], [4.0]])), folder.rows().tolist()
    (None, [[3.0]])
    """

    def __init__(self, ticks: int, columns: int, combine: np.ufunc) -> None:
        self._ticks = ticks
        self._combine = combine
        self._open = np.zeros((0, columns))
        self._rows = array("f")  # 4 bytes a column and row: hours fit into a few MiB

    def push(self, rows: Floats) -> None:
        """Takes the rows (ticks, columns) that came to an end."""
        rows = np.concatenate([self._open, rows])
        whole = len(rows) // self._ticks * self._ticks
        if whole:
            folded = self._combine.reduceat(rows[:whole], np.arange(0, whole, self._ticks), axis=0)
            self._rows.frombytes(folded.astype(np.float32).tobytes())
        self._open = rows[whole:]

    def rows(self) -> NDArray[np.float32]:
        """All complete rows (rows, columns); ticks that complete none are left out."""
        return np.array(self._rows, np.float32).reshape(-1, self._open.shape[1])


def window_sums(per_tick: Floats, window: int, hop: int) -> Floats:
    """Sums over `window` ticks at every `hop` ticks; an incomplete last window is left out."""
    if len(per_tick) < window:
        return np.zeros(0)
    sums: Floats = np.lib.stride_tricks.sliding_window_view(per_tick, window)[::hop].sum(axis=1)
    return sums
