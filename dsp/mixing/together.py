"""Keeps lines of sound together that stages hold back by different lengths: they come out as far as all of them have come."""

from __future__ import annotations

from collections.abc import Sequence

from dsp.audio import Audio, joined, silence


class Together:
    """Takes blocks of any lengths, one for each line; hands out equally many frames of each.

    >>> import numpy as np
    >>> lines = Together([1, 1])
    >>> [len(line) for line in lines.push([np.zeros((5, 1)), np.zeros((3, 1))])]
    [3, 3]
    >>> [len(line) for line in lines.push([np.zeros((5, 1)), np.zeros((9, 1))])]
    [7, 7]
    """

    def __init__(self, channels: Sequence[int]) -> None:
        self.channels = tuple(channels)
        self._waiting = [silence(0, count) for count in channels]

    def push(self, blocks: Sequence[Audio]) -> list[Audio]:
        """What is ready of each line; a block that nothing waits for is handed on as it is."""
        lines = [
            joined([waiting, block]) if len(waiting) else block
            for waiting, block in zip(self._waiting, blocks, strict=True)
        ]
        frames = min(map(len, lines), default=0)
        self._waiting = [line[frames:].copy() for line in lines]
        return [line if len(line) == frames else line[:frames] for line in lines]
