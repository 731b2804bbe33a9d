"""Cuts a stream of blocks into windows on a fixed grid, one row of float32 a channel: what detectors work on.

A detector that sees the same windows however a stream was cut obeys law 1 by construction. Float32 holds 24-bit PCM exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel

WINDOW_FRAMES = 16_384
"""128 KiB for two channels: stays in the processor's second cache while every meter passes over it."""

Lines: TypeAlias = NDArray[np.float32]
"""Sound as rows: (channels, frames), each row contiguous, full scale 1.0."""


Block: TypeAlias = NDArray[np.floating[Any]]
"""What meters take: (frames, channels), of any precision and layout."""


def as_lines(block: Block) -> Lines:
    """A block (frames, channels) as rows; no copy is made of one that came out of `Windows`.

    >>> as_lines(np.zeros((100, 2))).shape
    (2, 100)
    """
    return np.ascontiguousarray(block.T, np.float32)


class Windows:
    """Collects blocks (frames, channels) and hands out windows (channels, WINDOW_FRAMES), the last one shorter.

    `scale` is what a block is multiplied by: integers may come as they were decoded.

    >>> windows = Windows(channels=1)
    >>> [line.shape for line in windows.push(np.zeros((40_000, 1)))], [line.shape for line in windows.finish()]
    ([(1, 16384), (1, 16384)], [(1, 7232)])
    """

    def __init__(self, channels: int, scale: float = 1.0) -> None:
        self._window = np.zeros((channels, WINDOW_FRAMES), np.float32)
        self._filled = 0
        self._scale = scale

    def push(self, block: Block | NDArray[np.int32]) -> Iterator[Lines]:
        """Takes a block; yields the windows that it completes, each valid until the next is asked for."""
        at = 0
        while at < len(block):
            taken = min(WINDOW_FRAMES - self._filled, len(block) - at)
            _copy(block[at : at + taken], self._scale, self._window[:, self._filled : self._filled + taken])
            self._filled += taken
            at += taken
            if self._filled == WINDOW_FRAMES:
                self._filled = 0
                yield self._window

    def finish(self) -> Iterator[Lines]:
        """Yields what is left, if anything."""
        if self._filled:
            yield np.ascontiguousarray(self._window[:, : self._filled])
            self._filled = 0


@kernel
def _copy(block: Block | NDArray[np.int32], scale: float, lines: Lines) -> None:
    """lines[c, n] = block[n, c] * scale."""
    for channel in range(lines.shape[0]):
        line = lines[channel]
        for n in range(block.shape[0]):
            line[n] = block[n, channel] * scale
