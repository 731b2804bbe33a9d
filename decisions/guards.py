"""How far a gain may go before a track is limited too much: deepest and mean reduction, and how near it comes to the ceiling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from scipy.interpolate import PchipInterpolator

from schemas.profile import LimiterChoice
from schemas.steps import Rehearsed

BISECTIONS = 40
DOWN_TO_DB = 12.0
"""The loudest 3 s are followed so far below the first take: without a limiter a decibel of gain is a decibel of loudness."""


class Guard(NamedTuple):
    """A reading that must not exceed its limit; at each gain, in rising order."""

    limit: float
    gains_db: list[float]
    readings: list[float]
    words: str
    """What more gain would do."""

    def last_allowed_db(self) -> float:
        """The highest gain whose reading keeps the limit, between the gains that were tried; infinite if all do."""
        if self.readings[-1] <= self.limit:
            return math.inf
        reading = PchipInterpolator(self.gains_db, self.readings)
        return last_within(lambda gain_db: float(reading(gain_db)), self.limit, self.gains_db[0], self.gains_db[-1])


def guards_of(rehearsed: Rehearsed, limiter: LimiterChoice, cap_db: float | None = None) -> list[Guard]:
    """The guards of a track; what is finished or delicate is limited as much less as it is touched less.

    `cap_db` is the deepest reduction that a reviewer left, if one asked for less limiting.
    """
    title = rehearsed.draft.track.title or rehearsed.draft.track.track_id
    touch, takes = rehearsed.draft.touch_ratio, rehearsed.takes
    deepest_db, mean_db = touch * limiter.max_reduction_db, touch * limiter.max_mean_reduction_db
    deepest, mean = f"{deepest_db:g} dB at its loudest peak", f"{mean_db:g} dB in the mean"
    if cap_db is not None and cap_db < deepest_db:
        deepest_db, deepest = cap_db, f"{cap_db:.1f} dB at its loudest peak, which is what a reviewer left it"
    found = [
        _reduction_guard(rehearsed, deepest_db, [t.max_reduction_db for t in takes], title, deepest),
        _reduction_guard(rehearsed, mean_db, [t.mean_reduction_db for t in takes], title, mean),
    ]
    loudest = [take.max_short_term_lufs for take in takes if take.max_short_term_lufs is not None]
    return [*found, _density_guard(rehearsed, loudest, limiter, title)] if len(loudest) == len(takes) else found


def reduction_db(rehearsed: Rehearsed, gain_db: float) -> float:
    """How deep the limiter turns a track down at a gain."""
    guard = _reduction_guard(rehearsed, 0.0, [t.max_reduction_db for t in rehearsed.takes], "", "")
    if gain_db <= guard.gains_db[0]:
        return guard.readings[0]
    if len(guard.gains_db) == 1:
        return guard.readings[-1]
    return float(PchipInterpolator(guard.gains_db, guard.readings)(min(gain_db, guard.gains_db[-1])))


def last_within(rising: Callable[[float], float], limit: float, low: float, high: float) -> float:
    """The last place at which a rising function has not passed a limit, by bisection; an end of the range if it lies outside."""
    if rising(high) <= limit:
        return high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) <= limit else (low, middle)
    return low


def _reduction_guard(
    rehearsed: Rehearsed, limit_db: float, reductions: Sequence[float], title: str, words: str
) -> Guard:
    """The limiter begins to work where its deepest reduction, a decibel for each of gain, comes from."""
    gains = [take.gain_db for take in rehearsed.takes]
    first = next((k for k, take in enumerate(rehearsed.takes) if take.max_reduction_db > 0.0), 0)
    begins_db = gains[first] - rehearsed.takes[first].max_reduction_db
    if first:
        begins_db = max(begins_db, gains[first - 1])
    knots = [(begins_db, 0.0)] if begins_db < gains[first] else []
    knots += list(zip(gains[first:], reductions[first:], strict=True))
    return Guard(limit_db, [g for g, _ in knots], [r for _, r in knots], f'turn "{title}" down by more than {words}')


def _density_guard(rehearsed: Rehearsed, loudest: Sequence[float], limiter: LimiterChoice, title: str) -> Guard:
    """The loudest 3 s must stay as far under the ceiling as asked, or as they lie under the peaks of the source."""
    gains, psr_lu = [take.gain_db for take in rehearsed.takes], rehearsed.draft.analysis.figures.psr_min_lu
    floor_lu = min(limiter.min_psr_lu, limiter.min_psr_lu if psr_lu is None else psr_lu)
    return Guard(
        limiter.ceiling_dbtp - floor_lu,
        [gains[0] - DOWN_TO_DB, *gains],
        [loudest[0] - DOWN_TO_DB, *loudest],
        f'bring the loudest 3 s of "{title}" nearer than {floor_lu:.1f} LU to the ceiling',
    )
