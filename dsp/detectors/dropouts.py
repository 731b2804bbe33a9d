"""Dropouts: stretches of digital silence, or of one value, that cut through sounding music in a channel.

Music that stops and starts again by itself fades, rings or comes out of a band-limited converter, so that its last samples
before a rest are small. A dropout leaves the waveform at whatever height it had, and meets it again at another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.detectors.rhythm import keeps_time
from dsp.detectors.segments import CHUNK, LEAD, Segments
from dsp.detectors.sightings import Sightings, sightings
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES

ZERO_RATIO = 1e-4
"""-80 dBFS, three steps of 16 bits: digital silence that was dithered afterwards."""
SHORTEST_S = 0.001
STUCK_S = 0.002
"""A value other than zero must last longer."""
EDGE_S = 0.04
"""Music on either side that is looked at."""
ACTIVE_RATIO = 0.00316
"""-50 dBFS, rms: quieter surroundings are no sounding music."""
ABRUPT_FRAMES = 8
ABRUPT_RATIO = 0.063
"""-24 dB: the largest of so many samples next to the gap, against the rms around. Of random cuts through music 99 in 100 are
as abrupt on both sides; of 226 rests of a piece for a game console none is above -41 dB."""
STEPPED_RATIO = 0.25
"""Waveforms in which so many samples repeat the one before are drawn in steps: their flat parts are their own."""

CLIPPED_RATIO = 0.98
"""A value as high as the music around is its flat top."""


class _Edge(NamedTuple):
    """The sound next to a gap."""

    breaks_off: bool
    peak: float


class _Gap(NamedTuple):
    """A gap that ended, and what went before it; what comes after is waited for."""

    channel: int
    start: int
    end: int
    before: _Edge


class DropoutDetector:
    """Finds dropouts; one in several channels at once counts once.

    >>> segments, detector = Segments(44_100, channels=1), DropoutDetector(44_100, channels=1)
    >>> tone = np.sin(np.arange(8_820) / 20.0)[None].astype(np.float32)
    >>> tone[:, 4_410:4_851] = 0.0
    >>> segments.push(tone); detector.push(segments)
    >>> detector.finish()
    Sightings(count=1, worst=0.01, at_s=(0.1,))
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._edge_frames = round(EDGE_S * rate_hz)
        self._lengths = np.array([SHORTEST_S, STUCK_S, EDGE_S]) * rate_hz
        self._lengths[0] = max(2.0 * CHUNK - 1.0, self._lengths[0] - 1.0)  # the least that holds a whole chunk
        self._runs = np.zeros((channels, 4))
        self._runs[:, 3] = -rate_hz
        self._found = np.zeros((WINDOW_FRAMES // CHUNK, 2))
        self._waiting: list[_Gap] = []
        self._begun: dict[int, tuple[int, _Edge]] = {}  # by channel the gap under way: where it began, and from what
        self._gaps: list[tuple[int, int]] = []
        self._segments: Segments | None = None

    def push(self, segments: Segments) -> None:
        """Reads the newest window."""
        self._segments = segments
        for channel, (line, peaks, run) in enumerate(zip(segments.lines, segments.peaks, self._runs, strict=True)):
            count = _follow(line, peaks, float(segments.start), self._lengths, run, self._found)
            for start, end in self._found[:count].astype(int).tolist():
                self._waiting.append(_Gap(channel, start, end, self._before(segments, channel, start)))
            if run[0]:  # what was before a long gap is gone by its end
                self._begun[channel] = int(run[1]), self._before(segments, channel, int(run[1]))
        if self._waiting:
            self._settle(segments, segments.frames - self._edge_frames)

    def _settle(self, segments: Segments, until: int) -> None:
        """Judges the gaps that ended by frame `until`."""
        over = [gap for gap in self._waiting if gap.end <= until]
        self._gaps += [(gap.start, gap.end) for gap in over if self._cuts(segments, gap)]
        self._waiting = [gap for gap in self._waiting if gap.end > until]

    def _before(self, segments: Segments, channel: int, start: int) -> _Edge:
        """The sound that leads to a gap, as it was heard when the gap began."""
        begun = self._begun.get(channel)
        if begun and begun[0] == start:
            return begun[1]
        return _edge(segments.excerpt(channel, max(0, start - self._edge_frames), start)[::-1])

    def _cuts(self, segments: Segments, gap: _Gap) -> bool:
        """Whether music sounds on both sides of a gap and is cut off at both."""
        after = _edge(segments.excerpt(gap.channel, gap.end, min(segments.frames, gap.end + self._edge_frames)))
        value = float(np.abs(segments.excerpt(gap.channel, gap.end - 1, gap.end))[0])
        top = max(gap.before.peak, after.peak)
        return gap.before.breaks_off and after.breaks_off and value < CLIPPED_RATIO * top

    def finish(self) -> Sightings:
        """What was found in all windows."""
        gaps = self._all_gaps()
        music = keeps_time([start / self._rate_hz for start, _ in gaps])
        found = [] if music else [(start, (end - start) / self._rate_hz) for start, end in gaps]
        return sightings(found, self._rate_hz)

    def edges(self) -> list[int]:
        """The frames at which gaps begin and end, in order: no other detector need tell of what is heard there."""
        return [frame for gap in self._all_gaps() for frame in gap]

    def _all_gaps(self) -> list[tuple[int, int]]:
        """Gaps of all channels, those that overlap as one."""
        if self._segments:
            self._settle(self._segments, self._segments.frames)
        found: list[tuple[int, int]] = []
        for start, end in sorted(self._gaps):
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((start, end))
        return found


def _edge(line: NDArray[np.float32]) -> _Edge:
    """Sound from a gap on, or back from it: it breaks off if it begins at full height, its waveform not drawn in steps."""
    if not len(line):
        return _Edge(False, 0.0)
    rms = float(np.sqrt(np.square(line, dtype=np.float64).mean()))
    stepped = float(np.mean(line[1:] == line[:-1])) if len(line) > 1 else 1.0
    abrupt = float(np.abs(line[:ABRUPT_FRAMES]).max()) > ABRUPT_RATIO * rms
    return _Edge(rms > ACTIVE_RATIO and abrupt and stepped < STEPPED_RATIO, float(np.abs(line).max()))


@kernel
def _follow(
    line: NDArray[np.float32],
    peaks: NDArray[np.float32],
    offset: float,
    lengths: NDArray[np.float64],
    run: NDArray[np.float64],
    found: NDArray[np.float64],
) -> int:
    """Follows stretches of one value through the chunks of a window; writes start and end of those that end in it.

    `run`: whether a stretch is under way, where it began, its value; and where the one before ended that was not zero.
    """
    count, before = 0, np.float32(-1.0)
    for chunk in range(peaks.size):
        peak = peaks[chunk]
        if run[0] != 0.0:
            at = LEAD + chunk * CHUNK
            same = _same(line[at : at + CHUNK], run[2])
            if same < CHUNK:
                count += _end(offset + chunk * CHUNK + same, lengths, run, found[count])
        elif peak <= ZERO_RATIO or peak == before:
            at = LEAD + chunk * CHUNK
            if _same(line[at : at + CHUNK], line[at]) == CHUNK:
                run[0], run[2] = 1.0, line[at]
                while at > 0 and _near(line[at - 1], run[2]):
                    at -= 1
                run[1] = offset + at - LEAD
        before = peak
    return count


@kernel
def _end(end: float, lengths: NDArray[np.float64], run: NDArray[np.float64], found: NDArray[np.float64]) -> int:
    """Ends the stretch under way; writes it and returns 1 if it may be a dropout."""
    zero = abs(run[2]) <= ZERO_RATIO
    least = lengths[0] if zero else lengths[1]
    alone = run[1] - run[3] >= lengths[2]
    run[0] = 0.0
    if not zero:
        run[3] = end
    if least <= end - run[1] and alone:
        found[0], found[1] = run[1], end
        return 1
    return 0


@kernel
def _same(part: NDArray[np.float32], value: float) -> int:
    """How many samples a part begins with that are as good as equal to the value."""
    for i in range(part.size):
        if not _near(part[i], value):
            return i
    return part.size


@kernel
def _near(x: float, value: float) -> bool:
    return abs(x) <= ZERO_RATIO if abs(value) <= ZERO_RATIO else x == value
