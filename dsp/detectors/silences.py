"""Silence before, after and within a track, and whether its ends are abrupt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import MIN_RATE_HZ, to_db
from dsp.detectors.segments import CHUNK, LEAD, Segments
from dsp.detectors.sightings import Sightings, sightings
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES, Lines

SILENT_RATIO = 0.001
"""-60 dBFS: our choice; below what is heard of music played at its own level, above the noise of good tape."""
SILENCE_S = 1.0
"""Shorter ones are rests."""
END_S = 0.005
MOST_PARTS = 2 + WINDOW_FRAMES // MIN_RATE_HZ
"""Of one window, with rests between them."""


class Silence(NamedTuple):
    """Silence of a track; silent is where no channel exceeds -60 dBFS. A track silent throughout is all head."""

    head_s: float
    tail_s: float
    within: Sightings
    """Of a second or more, between two sounding parts; the worst in seconds."""
    head_dbfs: float | None
    """Peak of the first 5 ms; None for digital silence."""
    tail_dbfs: float | None


class SilenceDetector:
    """Finds silence.

    >>> segments, detector = Segments(8_000, channels=1), SilenceDetector(8_000)
    >>> segments.push(np.repeat(np.float32([0, 0.5, 0, -0.5]), [4_000, 800, 8_000, 2_000])[None])
    >>> detector.push(segments)
    >>> detector.finish()[:3]
    (0.5, 0.0, Sightings(count=1, worst=1.0, at_s=(0.6,)))
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._segments: Segments | None = None
        self._head_frames: int | None = None
        self._sounded = 0  # the frame after the last sounding one
        self._rest_chunks = int(SILENCE_S * rate_hz) // CHUNK - 2  # between two chunks that sound at all
        self._head_peak = 0.0
        self._events: list[tuple[float, float]] = []

    def push(self, segments: Segments) -> None:
        """Reads the newest window."""
        self._segments = segments
        if segments.start < round(END_S * self._rate_hz):
            self._head_peak = _peak(segments, 0, min(segments.frames, round(END_S * self._rate_hz)))
        parts = np.zeros((MOST_PARTS, 2), np.int64)
        count = _find(segments.lines[:, LEAD:], segments.peaks, self._rest_chunks, parts)
        for first, last in parts[:count].tolist():
            self._sound(segments.start + first, segments.start + last + 1)

    def _sound(self, start: int, stop: int) -> None:
        """Takes note of a sounding part."""
        if self._head_frames is None:
            self._head_frames = start
        elif start - self._sounded >= SILENCE_S * self._rate_hz:
            self._events.append((self._sounded, (start - self._sounded) / self._rate_hz))
        self._sounded = stop

    def finish(self) -> Silence:
        """What was found in all windows."""
        frames = self._segments.frames if self._segments else 0
        head = frames if self._head_frames is None else self._head_frames
        tail = 0 if self._head_frames is None else frames - self._sounded
        last = _peak(self._segments, max(0, frames - round(END_S * self._rate_hz)), frames) if self._segments else 0.0
        return Silence(
            round(head / self._rate_hz, 6),
            round(tail / self._rate_hz, 6),
            sightings(self._events, self._rate_hz),
            to_db(self._head_peak),
            to_db(last),
        )


def _peak(segments: Segments, start: int, stop: int) -> float:
    channels = range(len(segments.lines))
    return max(float(np.abs(segments.excerpt(channel, start, stop)).max(initial=0.0)) for channel in channels)


@kernel
def _find(lines: Lines, peaks: Lines, rest_chunks: int, parts: NDArray[np.int64]) -> int:
    """Writes the first and the last sounding frame of each part of a window; shorter rests do not part it."""
    count, latest = 0, 0
    for chunk in range(peaks.shape[1]):
        top = np.float32(0.0)
        for channel in range(peaks.shape[0]):
            top = max(top, peaks[channel, chunk])
        if top > SILENT_RATIO:
            if count == 0 or chunk - latest > rest_chunks:
                parts[count, 0] = _sounding(lines, chunk * CHUNK, 1)
                count += 1
            latest = chunk
            parts[count - 1, 1] = chunk
    for part in range(count):
        parts[part, 1] = _sounding(lines, min(parts[part, 1] * CHUNK + CHUNK, lines.shape[1]) - 1, -1)
    return count


@kernel
def _sounding(lines: Lines, frame: int, step: int) -> int:
    """The first frame that sounds in any channel, from here on forwards or backwards; there is one."""
    while True:
        for channel in range(lines.shape[0]):
            if abs(lines[channel, frame]) > SILENT_RATIO:
                return frame
        frame += step
