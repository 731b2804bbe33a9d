"""Which tracks of an album run into each other without a gap, and what of its neighbours a joined track must hear.

Joined tracks are rendered with the sound around them as run-in and run-out, so that the joined masters are one render (law 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dsp.chain import GRID_FRAMES
from dsp.edges import runs_on
from schemas.plan import Decision, Neighbour
from schemas.profile import Profile
from schemas.steps import Analysed
from schemas.track import Track

RUN_IN_S = 10.0
"""How much of a neighbour the chain hears: 20 time constants of the slowest state (0.5 s), which then differs by 2e-9."""
JOIN_QUIET_RATIO = 0.003  # -50 dBFS: below, a track has ended


def runs_of(tracks: Sequence[Analysed]) -> list[list[int]]:
    """Indices of tracks, grouped into runs without a gap."""
    runs: list[list[int]] = []
    for i in range(len(tracks)):
        if i and _joins(tracks[i - 1], tracks[i]):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _joins(one: Analysed, following: Analysed) -> bool:
    a, b = one.analysis, following.analysis
    if not _follows(one.track, following.track):
        return False
    if (a.format.rate_hz, a.format.channels) != (b.format.rate_hz, b.format.channels):
        return False
    if one.track.joins_next is not None:
        return one.track.joins_next
    return runs_on(a.tail, b.head, JOIN_QUIET_RATIO)


def _follows(one: Track, following: Track) -> bool:
    """Whether no place of the album lies between two tracks: a rejected or missing one parts its neighbours."""
    if one.sequence is None or following.sequence is None:
        return one.sequence == following.sequence
    return one.disc == following.disc and one.sequence + 1 == following.sequence


def before(previous: Sequence[Analysed], position: int, profile: Profile) -> tuple[Neighbour, ...]:
    """The sound before a track, beginning where the grids of all delivery rates and stages meet."""
    if not previous:
        return ()
    rate_hz = previous[0].analysis.format.rate_hz
    steps = (rate_hz // math.gcd(rate_hz, d.rate_hz or rate_hz) for d in profile.delivery)
    step = GRID_FRAMES * math.lcm(*steps)
    start = max(0, position - int(RUN_IN_S * rate_hz)) // step * step
    return _stretches(previous, start, position)


def after(following: Sequence[Analysed]) -> tuple[Neighbour, ...]:
    """The sound after a track."""
    if not following:
        return ()
    frames = sum(track.analysis.format.frames for track in following)
    return _stretches(following, 0, min(frames, int(RUN_IN_S * following[0].analysis.format.rate_hz)))


def _stretches(tracks: Sequence[Analysed], start: int, stop: int) -> tuple[Neighbour, ...]:
    """What of each track lies from frame `start` to before `stop` of all of them together."""
    found, at = [], 0
    for track in tracks:
        end = at + track.analysis.format.frames
        first, last = max(start, at), min(stop, end)
        if first < last:
            neighbour = Neighbour(
                uri=track.track.uri, sha256=track.analysis.sha256, first_frame=first - at, frames=last - first
            )
            found.append(neighbour)
        at = end
    return tuple(found)


def joins_decision(tracks: Sequence[Analysed], run: Sequence[int], i: int) -> list[Decision]:
    beside = [tracks[k].track.title or tracks[k].track.track_id for k in (i - 1, i + 1) if k in run]
    if not beside:
        return []
    names = " and ".join(f'"{name}"' for name in beside)
    why = "the music runs on without a gap: rendered with the neighbour's sound as run-in and run-out"
    return [Decision(what="join", how_much=names, why=why)]
