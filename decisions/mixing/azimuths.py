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
    start = search.overlap(np.zeros((1, len(wanted))))[0]
    return Placed(
        [round(place, 2) for place in places.tolist()],
        float(start),
        float(search.overlap(places[None])[0]),
        float(np.abs(search.imbalance_db(places[None])).max()),
    )


class _Search:
    """Costs of many trials at once: arrays (trials, units) of places."""

    def __init__(self, fixed: Sequence[Source], wanted: Sequence[Wanted]) -> None:
        # A pair that mirrors has its left and its right: it does not change sides.
        self.candidates = [_candidates(least, most, one_way=sum(signs) == 0.0) for _, signs, least, most in wanted]
        members = [bands for units, *_ in wanted for bands in units]
        powers = np.array([source.bands for source in fixed] + members)
        self._unit = np.array([n for n, (units, *_) in enumerate(wanted) for _ in units])
        self._sign = np.array([sign for _, signs, *_ in wanted for sign in signs])
        self._fixed_pan = np.array([_standing(source) for source in fixed])
        self._similar = _similar(powers)
        heard = powers * WEIGHTS
        self._parts = np.array([heard @ overlap_ratio(*part) for part in PARTS_HZ])
        lows = powers @ overlap_ratio(0.0, LOWS_HZ)
        self._lows = np.where(lows > LOW_RATIO * powers.sum(axis=1), lows, 0.0)
        self._loud = heard.sum(axis=1)
        self._most_db = np.maximum(IMBALANCE_DB, np.abs(self.imbalance_db(np.zeros((1, len(wanted))))[0]))
        self._scale = max(float(self.overlap(np.zeros((1, len(wanted))))[0]), 1e-12)

    def pans(self, places: Floats) -> Floats:
        """(trials, sources) Where all stand."""
        fixed = np.broadcast_to(self._fixed_pan, (len(places), len(self._fixed_pan)))
        return np.concatenate([fixed, places[:, self._unit] * self._sign], axis=1)

    def overlap(self, places: Floats) -> Floats:
        """How much alike stands near each other."""
        pans, total = self.pans(places), np.zeros(len(places))
        for first, row in enumerate(self._similar):
            near = 1.0 - 0.5 * np.abs(pans[:, first + 1 :] - pans[:, first : first + 1])
            total += near @ row[first + 1 :]
        return total

    def imbalance_db(self, places: Floats) -> Floats:
        """(trials, 3) Left over right in each part of the spectrum."""
        angle = math.pi / 4.0 * (1.0 + self.pans(places))
        right, left = np.sin(angle) ** 2 @ self._parts.T, np.cos(angle) ** 2 @ self._parts.T
        return np.asarray(10.0 * np.log10((left + 1e-20) / (right + 1e-20)))

    def cost(self, places: Floats) -> Floats:
        """What the search makes small."""
        excess = np.maximum(np.abs(self.imbalance_db(places)) - self._most_db, 0.0)
        lows = np.maximum(self.side_of_lows_db(places) - SIDE_OF_LOWS_DB, 0.0)
        return np.asarray(self.overlap(places) / self._scale + IMBALANCE_COST * (np.square(excess).sum(axis=1) + lows))

    def side_of_lows_db(self, places: Floats) -> Floats:
        """Side against middle of the lows, stems taken to be independent of each other."""
        doubled = np.sin(math.pi / 2.0 * (1.0 + self.pans(places)))
        middle, side = (1.0 + doubled) @ self._lows, (1.0 - doubled) @ self._lows
        return np.asarray(10.0 * np.log10((side + 1e-20) / (middle + 1e-20)))

    def mono_loss_db(self, places: Floats) -> Floats:
        """How much softer the sum of left and right is than both."""
        kept = 0.5 * (1.0 + np.sin(math.pi / 2.0 * (1.0 + self.pans(places)))) @ self._loud
        return np.asarray(-10.0 * np.log10((kept + 1e-20) / (self._loud.sum() + 1e-20)))

    def holds(self, places: Floats) -> bool:
        """Whether all that is asked of the sum holds; what was off before may stay as it was."""
        start = np.zeros_like(places)
        return bool(
            (np.abs(self.imbalance_db(places)) <= self._most_db + 1e-6).all()
            and self.side_of_lows_db(places)[0] <= max(SIDE_OF_LOWS_DB, float(self.side_of_lows_db(start)[0])) + 1e-6
            and self.mono_loss_db(places)[0] <= max(MONO_LOSS_DB, float(self.mono_loss_db(start)[0])) + 1e-6
        )


def _single_moves(search: _Search, places: Floats) -> None:
    for unit, candidates in enumerate(search.candidates):
        trials = np.repeat(places[None], len(candidates), axis=0)
        trials[:, unit] = candidates
        _take_best(search, places, trials)


def _double_moves(search: _Search, places: Floats) -> None:
    """What single moves never find: one to the left only if another goes to the right, and exchanges."""
    for first, second in combinations(range(len(places)), 2):
        both = np.array([(a, b) for a in search.candidates[first] for b in search.candidates[second] if a * b <= 0.0])
        trials = np.repeat(places[None], len(both), axis=0)
        trials[:, first], trials[:, second] = both[:, 0], both[:, 1]
        _take_best(search, places, trials)


def _take_best(search: _Search, places: Floats, trials: Floats) -> None:
    costs = search.cost(trials)
    best = int(costs.argmin())
    if costs[best] < search.cost(places[None])[0] - 1e-9:
        places[:] = trials[best]


def _allowed(search: _Search, places: Floats) -> Floats:
    """The places, drawn towards the centre until all that is asked holds."""
    low, high = 0.0, 1.0
    if search.holds(places[None]):
        return places
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if search.holds(middle * places[None]) else (low, middle)
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
    return np.asarray(np.minimum(shares[:, None, loud], shares[None, :, loud]).sum(axis=2))
