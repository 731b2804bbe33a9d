"""What the detectors of short defects share: the last second of sound, and figures of each short piece of the newest window.

`Segments` takes the windows of a track; the detectors read it after each. It decides nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES, Lines

CHUNK = 16
"""Frames of the finest figure: every stretch of 31 frames holds a whole chunk."""
SEGMENT_S = 0.0015
"""A segment has the power of two of frames next to this: 64 at 44.1 kHz."""
MIN_SEGMENT_FRAMES = 32
KEPT_S = 0.7
"""The longest burst of noise, and what surrounds it."""
LEAD = 16
"""Frames of the window before that lie in front of the newest one: what filters look back on."""
MAGNITUDE_BITS = 0x7FFF_FFFF
"""Float32 without its sign; as integers these rank like the magnitudes, and integers the compiler compares in vectors."""


class Segments:
    """The newest window of a track with its figures, and what went before it; silence before the start.

    >>> segments = Segments(44_100, channels=1)
    >>> segments.push(np.full((1, 100), 0.25, np.float32))
    >>> segments.peaks[0].tolist(), segments.treble.shape, segments.excerpt(0, 98, 100).tolist()
    ([0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25], (1, 1), [0.25, 0.25])
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.rate_hz = rate_hz
        self.frames = 0
        """Of the track so far, the newest window included."""
        self.size = segment_frames(rate_hz)
        self._room = (math.ceil(KEPT_S * rate_hz / WINDOW_FRAMES) + 1) * WINDOW_FRAMES
        self._kept = np.zeros((channels, LEAD + self._room), np.float32)
        self._peaks = np.zeros((channels, WINDOW_FRAMES // CHUNK), np.float32)
        self._treble = np.zeros((channels, WINDOW_FRAMES // self.size), np.float32)
        self.lines: Lines = self._kept[:, :LEAD]
        """The newest window, LEAD frames of the one before in front."""
        self.peaks: Lines = self._peaks[:, :0]
        """Largest magnitude of each chunk; the last may be short."""
        self.treble: Lines = self._treble[:, :0]
        """Energy of the fourth difference in each whole segment: music has little where white noise has most."""

    @property
    def start(self) -> int:
        """The frame of the track at which the newest window begins."""
        return int(self.frames - self.lines.shape[1] + LEAD)

    def push(self, lines: Lines) -> None:
        """Takes the next window (channels, frames)."""
        frames, at = lines.shape[1], self.frames % self._room
        if at == 0:
            self._kept[:, :LEAD] = self._kept[:, -LEAD:]
        self._kept[:, LEAD + at : LEAD + at + frames] = lines
        self.lines = self._kept[:, at : LEAD + at + frames]
        self.frames += frames
        self.peaks, self.treble = self._peaks[:, : -(-frames // CHUNK)], self._treble[:, : frames // self.size]
        for line, peaks, treble in zip(self.lines, self.peaks, self.treble, strict=True):
            _read(line, peaks, treble, self.size)

    def excerpt(self, channel: int, start: int, stop: int) -> NDArray[np.float32]:
        """A copy of the frames from `start` to before `stop`, at most KEPT_S before the newest window."""
        begin, end = LEAD + start % self._room, LEAD + stop % self._room
        line = self._kept[channel]
        return line[begin:end].copy() if begin <= end else np.concatenate([line[begin:], line[LEAD:end]])


def segment_frames(rate_hz: int) -> int:
    """How long a segment is at a rate.

    >>> segment_frames(8_000), segment_frames(44_100), segment_frames(96_000), segment_frames(384_000)
    (32, 64, 128, 512)
    """
    return int(max(MIN_SEGMENT_FRAMES, 2 ** round(math.log2(SEGMENT_S * rate_hz))))


@kernel
def _read(line: NDArray[np.float32], peaks: NDArray[np.float32], treble: NDArray[np.float32], size: int) -> None:
    """Fills the figures of a line that LEAD older frames lead: peaks of chunks, energies of the fourth difference."""
    bits, found = line[LEAD:].view(np.int32), peaks.view(np.int32)
    for chunk in range(found.size):
        part = bits[chunk * CHUNK : chunk * CHUNK + CHUNK]
        top = np.int32(0)
        for i in range(part.size):
            top = max(top, part[i] & np.int32(MAGNITUDE_BITS))
        found[chunk] = top
    a, b, c = line[LEAD:], line[LEAD - 1 : -1], line[LEAD - 2 : -2]
    d, e = line[LEAD - 3 : -3], line[LEAD - 4 : -4]
    difference = np.empty(a.size, np.float32)
    for i in range(difference.size):
        difference[i] = (a[i] + e[i]) - np.float32(4.0) * (b[i] + d[i]) + np.float32(6.0) * c[i]
    for segment in range(treble.size):
        treble[segment] = _energy(difference[segment * size : segment * size + size])


@kernel
def _energy(line: NDArray[np.float32]) -> np.floating[Any]:
    """The sum of squares; eight sums side by side, so that they go in one vector."""
    p = q = r = s = t = u = v = w = np.float32(0.0)
    for i in range(0, line.size, 8):
        p += line[i] * line[i]
        q += line[i + 1] * line[i + 1]
        r += line[i + 2] * line[i + 2]
        s += line[i + 3] * line[i + 3]
        t += line[i + 4] * line[i + 4]
        u += line[i + 5] * line[i + 5]
        v += line[i + 6] * line[i + 6]
        w += line[i + 7] * line[i + 7]
    return ((p + q) + (r + s)) + ((t + u) + (v + w))
