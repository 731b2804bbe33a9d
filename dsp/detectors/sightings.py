"""What a detector saw: how often, how bad the worst was, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PLACES_KEPT = 20


@dataclass(frozen=True, slots=True)
class Sightings:
    """Events of one kind in a track; `worst` is in the unit that its detector names, None where nothing was seen."""

    count: int = 0
    worst: float | None = None
    at_s: tuple[float, ...] = ()
    """Where the worst of them begin, at most 20, in the order of time."""


def sightings(events: Iterable[tuple[float, float]], rate_hz: int) -> Sightings:
    """Sums up events given as (frame, size).

    >>> sightings([(48_000, 3.0), (96_000, 5.0)], rate_hz=48_000)
    Sightings(count=2, worst=5.0, at_s=(1.0, 2.0))
    """
    found = sorted(events, key=lambda event: (-event[1], event[0]))
    places = sorted(frame for frame, _ in found[:PLACES_KEPT])
    worst = round(found[0][1], 3) if found else None
    return Sightings(len(found), worst, tuple(round(frame / rate_hz, 3) for frame in places))


def together(events: Sequence[tuple[float, float]], frames: float) -> list[tuple[float, float]]:
    """Events (frame, size) in order; of those that follow one another within so many frames one, at the first, the largest.

    >>> together([(100.0, 2.0), (10.0, 1.0), (12.0, 3.0)], frames=5.0)
    [(10.0, 3.0), (100.0, 2.0)]
    """
    found: list[tuple[float, float]] = []
    for frame, size in sorted(events):
        if found and frame - found[-1][0] <= frames:
            found[-1] = (found[-1][0], max(size, found[-1][1]))
        else:
            found.append((frame, size))
    return found
