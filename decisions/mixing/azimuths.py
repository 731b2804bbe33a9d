"""The search behind the pans: places that keep what sounds alike apart, with both sides as loud and the lows in the middle.

Minimises the sum over pairs of stems of the sum over bands of min(E_i, E_j) times how near they stand, each band counted alike.
Single moves and, for up to 40 sources, moves of two at once, until none helps; no chance in it. What is asked of the sum is then
enforced: all places shrink towards the centre until it holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from decisions.mixing.prediction import WEIGHTS, overlap_ratio
from dsp.audio import Floats

IMBALANCE_DB = 0.4
"""Left against right, in each of three parts of the spectrum (asked: 0.5 dB)."""
PARTS_HZ = ((0.0, 300.0), (300.0, 2_500.0), (2_500.0, 20_000.0))
MONO_LOSS_DB = 1.2
"""Of the whole mix (asked: 1.5 LU)."""
LOWS_HZ = 120.0
SIDE_OF_LOWS_DB = -22.0
"""Side against middle below 120 Hz, of low stems (asked: -20 dB)."""
LOW_RATIO = 0.05
"""A stem with so much of its energy there is low."""
STEP_RATIO = 0.1
MOST_SWAPPED = 40
"""From more sources on, only single moves are tried."""
IMBALANCE_COST = 4.0
"""Of one dB squared beyond what is allowed, in the unit of the overlap of all stems at the centre: the search leans on it."""
ROUNDS = 8
Wanted: TypeAlias = tuple[list[Floats], tuple[float, ...], float, float]
"""Band powers of the members, the sign of each, and how far off centre they may stand at least and at most."""


class Source(NamedTuple):
    """What stays where it is."""

    bands: Floats
    balance_db: float
    pan_ratio: float
    weight_ratio: float = 1.0
    """How much it matters who stands near it."""


class Placed(NamedTuple):
    """Places of what was to be moved, 0 where the centre is best; and what came of it."""

    places: list[float]
    overlap_before: float
    overlap_after: float
    imbalance_db: float
    """The most of the three parts of the spectrum."""


def placed(fixed: Sequence[Source], wanted: Sequence[Wanted]) -> Placed:
    """The places of some sources beside others that stay; the same input gives the same places."""
    search = _Search(fixed, wanted)
    places = np.zeros(len(wanted))
    for _ in range(ROUNDS):
        before = places.copy()
        _single_moves(search, places)
        if len(wanted) <= MOST_SWAPPED:
            _double_moves(search, places)
        if np.array_equal(before, places):
            break
    places = _allowed(search, places)
    start, end = (search.told(each) for each in (np.zeros(len(wanted)), places))
    return Placed(
        [round(place, 2) for place in places.tolist()],
        float(start.overlap[0]),
        float(end.overlap[0]),
        float(np.abs(end.imbalance_db).max()),
    )


class _Told(NamedTuple):
    """What comes of some trials."""

    overlap: Floats
    """(trials,) How much alike stands near each other."""
    imbalance_db: Floats
    """(trials, 3) Left over right in each part of the spectrum."""
    side_of_lows_db: Floats
    """(trials,) Side against middle of the lows; stems are taken to be independent of each other."""
    mono_loss_db: Floats
    """(trials,) How much softer the sum of left and right is than both."""


class _Search:
    """What comes of places; trials move one unit or two while all others stay, so only what they change is computed."""

    def __init__(self, fixed: Sequence[Source], wanted: Sequence[Wanted]) -> None:
        # A pair that mirrors has its left and its right: it does not change sides.
        self.candidates = [_candidates(least, most, one_way=sum(signs) == 0.0) for _, signs, least, most in wanted]
        members = [bands for units, *_ in wanted for bands in units]
        powers = np.array([source.bands for source in fixed] + members)
        self._unit = np.array([-1] * len(fixed) + [n for n, (units, *_) in enumerate(wanted) for _ in units])
        self._sign = np.array([0.0] * len(fixed) + [sign for _, signs, *_ in wanted for sign in signs])
        self._fixed = np.array([_standing(source) for source in fixed] + [0.0] * len(members))
        weights = np.array([source.weight_ratio for source in fixed] + [1.0] * len(members))
        self._similar = _similar(powers) * weights * weights[:, None]
        heard = powers * WEIGHTS
        lows = powers @ overlap_ratio(0.0, LOWS_HZ)
        lows = np.where(lows > LOW_RATIO * powers.sum(axis=1), lows, 0.0)
        # (sources, 5): energy in the three parts of the spectrum, in the lows, and as loud as it is.
        self._energies = np.stack(
            [*(heard @ overlap_ratio(*part) for part in PARTS_HZ), lows, heard.sum(axis=1)], axis=1
        )
        self._start = self.told(np.zeros(len(wanted)))
        self._most_db = np.maximum(IMBALANCE_DB, np.abs(self._start.imbalance_db[0]))

    def told(self, places: Floats, units: Sequence[int] = (), values: Floats | None = None) -> _Told:
        """What comes of all units at their places, but for some (trials, units) at the values tried."""
        pans = self._pans(places)
        moved = np.flatnonzero(np.isin(self._unit, units)) if units else np.zeros(0, int)
        rest = np.setdiff1d(np.arange(len(pans)), moved)
        tried = np.zeros((1, 0))
        if values is not None:
            column = [list(units).index(unit) for unit in self._unit[moved]]
            tried = values[:, column] * self._sign[moved]
        overlap = 0.5 * (self._similar[np.ix_(rest, rest)] * _near(pans[rest, None], pans[rest])).sum()
        overlap = overlap + (self._similar[np.ix_(moved, rest)] * _near(tried[:, :, None], pans[rest])).sum(axis=(1, 2))
        own = self._similar[np.ix_(moved, moved)] * _near(tried[:, :, None], tried[:, None, :])
        return self._summed(overlap + 0.5 * own.sum(axis=(1, 2)), pans, rest, moved, tried)

    def cost(self, told: _Told) -> Floats:
        """What the search makes small."""
        excess = np.maximum(np.abs(told.imbalance_db) - self._most_db, 0.0)
        lows = np.maximum(told.side_of_lows_db - SIDE_OF_LOWS_DB, 0.0)
        whole = max(float(self._start.overlap[0]), 1e-12)
        return np.asarray(told.overlap / whole + IMBALANCE_COST * (np.square(excess).sum(axis=1) + lows))

    def holds(self, places: Floats) -> bool:
        """Whether all that is asked of the sum holds; what was off before may stay as it was."""
        told, start = self.told(places), self._start
        return bool(
            (np.abs(told.imbalance_db) <= self._most_db + 1e-6).all()
            and told.side_of_lows_db[0] <= max(SIDE_OF_LOWS_DB, float(start.side_of_lows_db[0])) + 1e-6
            and told.mono_loss_db[0] <= max(MONO_LOSS_DB, float(start.mono_loss_db[0])) + 1e-6
        )

    def _pans(self, places: Floats) -> Floats:
        """Where all sources stand."""
        return np.asarray(
            np.where(self._unit < 0, self._fixed, places[self._unit] * self._sign if len(places) else 0.0)
        )

    def _summed(
        self, overlap: Floats, pans: Floats, rest: NDArray[np.int64], moved: NDArray[np.int64], tried: Floats
    ) -> _Told:
        """The sums of left and right, and of middle and side: sin^2 and cos^2 of the angle, 1 +- sin of twice of it."""
        doubled = [np.sin(math.pi / 2.0 * (1.0 + each)) for each in (pans[rest], tried)]
        turned = [np.cos(math.pi / 2.0 * (1.0 + each)) for each in (pans[rest], tried)]
        energies = self._energies[rest], self._energies[moved]
        whole = self._energies.sum(axis=0)
        left_less_right = turned[0] @ energies[0] + turned[1] @ energies[1]
        twice_product = doubled[0] @ energies[0] + doubled[1] @ energies[1]
        left, right = (whole + left_less_right)[:, :3], (whole - left_less_right)[:, :3]
        side, middle = (whole - twice_product)[:, 3], (whole + twice_product)[:, 3]
        kept = 0.5 * (whole + twice_product)[:, 4] / max(float(whole[4]), 1e-20)
        return _Told(overlap, _ratio_db(left, right), _ratio_db(side, middle), -_ratio_db(kept, np.ones_like(kept)))


def _single_moves(search: _Search, places: Floats) -> None:
    for unit, candidates in enumerate(search.candidates):
        _take_best(search, places, (unit,), np.array(candidates)[:, None])


def _double_moves(search: _Search, places: Floats) -> None:
    """What single moves never find: one to the left only if another goes to the right, and exchanges."""
    for first, second in combinations(range(len(places)), 2):
        both = [(a, b) for a in search.candidates[first] for b in search.candidates[second] if a * b <= 0.0]
        _take_best(search, places, (first, second), np.array(both))


def _take_best(search: _Search, places: Floats, units: tuple[int, ...], values: Floats) -> None:
    costs = search.cost(search.told(places, units, values))
    best = int(costs.argmin())
    if costs[best] < search.cost(search.told(places))[0] - 1e-9:
        places[list(units)] = values[best]


def _near(one: Floats, other: Floats) -> Floats:
    return np.asarray(1.0 - 0.5 * np.abs(one - other))


def _ratio_db(one: Floats, other: Floats) -> Floats:
    return np.asarray(10.0 * np.log10((one + 1e-20) / (other + 1e-20)))


def _allowed(search: _Search, places: Floats) -> Floats:
    """The places, drawn towards the centre until all that is asked holds."""
    low, high = 0.0, 1.0
    if search.holds(places):
        return places
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if search.holds(middle * places) else (low, middle)
    return np.asarray(np.trunc(100.0 * low * places) / 100.0)


def _candidates(least: float, most: float, *, one_way: bool) -> list[float]:
    """The centre, and from the least to the most on both sides, or outwards."""
    steps = np.arange(least, most + 1e-9, STEP_RATIO)
    offs = sorted({round(float(step), 2) for step in (*steps, most) if step > 0.0})
    return [0.0, *(side * off for off in offs for side in ((1.0,) if one_way else (-1.0, 1.0)))]


def _standing(source: Source) -> float:
    """Where something stands whose channels were not equal to begin with: the pan of a mono one as loud on both sides."""
    left = math.cos(math.pi / 4.0 * (1.0 + source.pan_ratio)) ** 2 * 10.0 ** (source.balance_db / 10.0)
    right = math.sin(math.pi / 4.0 * (1.0 + source.pan_ratio)) ** 2
    return math.atan2(math.sqrt(right), math.sqrt(left)) * 4.0 / math.pi - 1.0


def _similar(powers: Floats) -> Floats:
    """(sources, sources) What two have in common, summed over the bands, each band as a part of what all have there."""
    shares = powers / np.maximum(powers.sum(axis=0), 1e-20)
    loud = powers.sum(axis=0) > 1e-6 * powers.sum()
    common = np.minimum(shares[:, None, loud], shares[None, :, loud]).sum(axis=2)
    return np.asarray(common * (1.0 - np.eye(len(powers))))
