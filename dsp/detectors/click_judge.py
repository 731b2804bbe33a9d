"""Whether a suspect is a click, and how big: a predictor of high order, a matched filter, and an attempt to mend it.

Vaseghi and Rayner, IEE Proc. I 137(1), 1990, for the filter; Godsill and Rayner, "Digital Audio Restoration", 1998, for the
interpolation: what some samples explain was a click, what rings on was an onset, and a clipped peak would lie beyond where it is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.detectors.prediction import (
    FLOOR_RATIO,
    WHOLE,
    Reals,
    add_lags,
    foretell,
    interpolate,
    largest,
    level_db,
    solve,
)
from dsp.kernel import kernel

FINE_ORDER = 32
BESIDE = (40, 56)
"""Frames before and after a disturbance that its own errors may reach: what lies farther is what it must stand out of."""
CLEAR_RATIO = 2.0
"""The error itself stands out by 6 dB."""
LEAST_DB = 5.0
"""And the matched error by so much."""
CLEAR_WEIGHT, LOUD_WEIGHT, CHANGE_WEIGHT, RISE_WEIGHT, LEFT_WEIGHT, CLICK_DB = 2.5, 1.5, 3.5, 0.8, 6.5, 55.0
LOUD_DB, LEFT_DB = (-10.0, 20.0), -3.0
"""A weighted sum of decibels says whether it was a click: by logistic regression over 720 clicks put into 48 pieces of music
and the 5,300 disturbances found in them as they were (the tuning half of `benchmarks/detectors.py`), rounded."""
CLICK_FRAMES = 8
NEAR_FRAMES = (11, 21)
"""Before and after the beginning of a suspect, where a clipped peak could be what disturbs."""
TOP_RATIO = 0.999
"""Samples so near to the highest of the stretch are as flat as clipped ones."""
MANY_TOPS, SURE_TOPS, MOST_TOPS = 3, 5, 13
"""So many on one side may be a clipped peak, and so many are one; so many on both sides are no click of eight samples."""
SMOOTH_RATIO = 0.7
"""A clipped peak has its neighbours above this part of the top."""
CLICK, FLAT, PEAK = 1, 2, 3
"""Nothing that a clipped peak could be; some samples as flat as one; or one that clipping explains as well."""


@kernel
def judged(line: NDArray[np.float32], taper: NDArray[np.float32], size: int) -> tuple[int, float, int]:
    """Where in a stretch with a suspect segment in its middle a click begins, its size in dB, and its kind; 0 if it is none."""
    around = (line.size - FINE_ORDER) // 2
    lags, weights = np.zeros(FINE_ORDER + 1), np.zeros(FINE_ORDER)
    add_lags(line, taper, WHOLE / max(largest(line), FLOOR_RATIO), lags)
    solve(lags, weights)
    errors = np.empty(line.size - FINE_ORDER)
    foretell(line.astype(np.float64), weights, errors)
    at = _highest(errors, around - size // 2 - 8, around + size // 2 + 40)
    far = max(largest(errors[: at - BESIDE[0]]), largest(errors[at + BESIDE[1] :]), FLOOR_RATIO)
    if abs(errors[at]) < CLEAR_RATIO * far:
        return 0, 0.0, 0
    start = _first(errors, at, far)
    matched = np.empty(errors.size - FINE_ORDER)
    foretell(errors[::-1].copy(), weights, matched)
    matched = matched[::-1]
    inside = largest(matched[start - 7 : start + 13])
    outside = max(largest(matched[: start - 41]), largest(matched[start + 45 :]), FLOOR_RATIO)
    size_db = 20.0 * math.log10(max(inside, FLOOR_RATIO) / outside)
    if size_db < LEAST_DB:
        return 0, 0.0, 0
    clear_db = 20.0 * math.log10(abs(errors[at]) / far)
    if size_db + CLEAR_WEIGHT * clear_db - _doubt_db(line, errors, weights, start) < CLICK_DB:
        return 0, 0.0, 0
    low = start - NEAR_FRAMES[0]
    near = line[FINE_ORDER + low : FINE_ORDER + low + NEAR_FRAMES[0] + NEAR_FRAMES[1]]
    flat = np.flatnonzero(np.abs(near) >= TOP_RATIO * largest(line))
    sides = np.sign(near[flat])
    many = flat.size >= MANY_TOPS and abs(sides.sum()) == flat.size
    if flat.size >= (SURE_TOPS if many else MOST_TOPS) or (many and _smooth(near, flat[0], flat[-1])):
        return 0, 0.0, 0
    if flat.size == 0 or many or not _beyond(errors, weights, low, flat, sides):
        return FINE_ORDER + start, size_db, FLAT if many else CLICK
    if largest(line) >= TOP_RATIO:  # of full scale
        return 0, 0.0, 0
    return FINE_ORDER + start, size_db, PEAK


@kernel
def _smooth(near: NDArray[np.float32], first: int, last: int) -> bool:
    """Whether a waveform comes up to its flat samples and leaves them as a clipped peak does."""
    low, high = max(0, first - 1), min(near.size, last + 2)
    least = (near[low:high] * np.sign(near[first])).min()
    return bool(least >= SMOOTH_RATIO * abs(near[first]))


@kernel
def _highest(errors: Reals, low: int, high: int) -> int:
    """Where the largest error of a stretch lies."""
    at = low
    for i in range(low, high):
        if abs(errors[i]) > abs(errors[at]):
            at = i
    return at


@kernel
def _first(errors: Reals, at: int, far: float) -> int:
    """Where the disturbance whose largest error lies at `at` begins to stand out of all that are farther away."""
    for i in range(at - 20, at):
        if abs(errors[i]) >= 1.2 * far:
            return i
    return at


@kernel
def _doubt_db(line: NDArray[np.float32], errors: Reals, weights: Reals, start: int) -> float:
    """By how much more a disturbance must stand out that changes the sound after it, or is not explained by a few samples."""
    short, end = errors.size // 25, start + CLICK_FRAMES + FINE_ORDER
    before, after = level_db(errors[start - 3 - short : start - 4]), level_db(errors[end : end + short])
    rise_db = level_db(errors[end : end + 5 * short]) - level_db(errors[max(0, start - 3 - 5 * short) : start - 4])
    least_db = np.inf
    for low in range(start - 4, start + 1):
        left = errors[low : low + CLICK_FRAMES + FINE_ORDER].copy()
        interpolate(left, weights, np.arange(CLICK_FRAMES))
        least_db = min(least_db, level_db(left))
    loud_db = 20.0 * math.log10(max(largest(errors[start : start + 21]), FLOOR_RATIO)) - level_db(line)
    return (
        CHANGE_WEIGHT * abs(after - before)
        + RISE_WEIGHT * max(rise_db, 0.0)
        + LEFT_WEIGHT * max(least_db - max(before, after), LEFT_DB)
        - LOUD_WEIGHT * min(max(loud_db, LOUD_DB[0]), LOUD_DB[1])
    )


@kernel
def _beyond(errors: Reals, weights: Reals, low: int, flat: NDArray[np.int64], sides: NDArray[np.float32]) -> bool:
    """Whether clipping explains all: the samples at the top, foretold from the others, would lie beyond it."""
    high = low + NEAR_FRAMES[0] + NEAR_FRAMES[1] + FINE_ORDER
    left = errors[low:high].copy()
    added = interpolate(left, weights, flat)
    far = max(largest(errors[:low]), largest(errors[high:]))
    return (added * sides).sum() < 0.0 and largest(left) <= max(CLEAR_RATIO * far, 0.5 * largest(errors))
