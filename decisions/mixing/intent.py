"""How much of a balance somebody meant: what lies far from the usual is either the song, or a fader that nobody set.

Good mixes differ, so a stem's distance from its usual place is partly the song's own. Two cases are weighed by how probable
they make what is seen: somebody balanced these stems, so that distances scatter as in good mixes; or nobody did, and the
scatter of faders comes on top. Songs differ in how far they stray, so each case is weighed for several scatters. Of a
distance, the posterior mean `song^2 / (song^2 + fader^2)` is kept: all of it where the balance was surely meant.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from decisions.mixing.balances import Trust
from dsp.audio import Floats


class Intent(NamedTuple):
    """What is believed of a balance once it was looked at."""

    unmeant_ratio: float
    """Probability that nobody meant it."""
    kept_db: Floats
    """The part of each stem's distance from its usual place that is most probably meant."""
    doubt_db: Floats
    """How far that may be off (standard deviation)."""


class _Case(NamedTuple):
    log_weight: float
    kept_db: Floats
    variance: Floats
    unmeant: bool


def intent_of(distances_db: Floats, spreads_db: Floats, trust: Trust) -> Intent:
    """What was meant of the distances of stems from their usual levels; a level common to all of them means nothing.

    >>> from decisions.mixing.balances import load_balance
    >>> near, far = (np.array([1.0, -1.0, 0.5, -0.5, 0.0, 1.0]) * scale for scale in (1.0, 9.0))
    >>> spreads, trust = np.full(6, 4.0), load_balance("usual").trust
    >>> intent_of(near, spreads, trust).unmeant_ratio < 0.1, intent_of(far, spreads, trust).unmeant_ratio > 0.8
    (True, True)
    """
    cases = [
        _case(distances_db, scatter * spreads_db, fader_db, math.log(weight * prior), unmeant)
        for scatter, weight in zip(trust.scatter_ratios, trust.scatter_weights, strict=True)
        for fader_db, prior, unmeant in (
            (trust.meant_spread_db, 1.0 - trust.unmeant_ratio, False),
            (trust.unmeant_spread_db, trust.unmeant_ratio, True),
        )
    ]
    highest = max(case.log_weight for case in cases)
    shares = np.array([math.exp(case.log_weight - highest) for case in cases])
    shares /= shares.sum()
    kept = np.array([case.kept_db for case in cases])
    mean = shares @ kept
    variance = shares @ (np.array([case.variance for case in cases]) + (kept - mean) ** 2)
    unmeant = float(sum(share for share, case in zip(shares, cases, strict=True) if case.unmeant))
    return Intent(unmeant, mean, np.sqrt(variance))


def _case(distances_db: Floats, song_db: Floats, fader_db: float, log_prior: float, unmeant: bool) -> _Case:
    """One scatter of songs and one of faders: how well they explain the distances, and what they make of them."""
    variance = song_db**2 + fader_db**2
    precision = 1.0 / variance
    common = float(precision @ distances_db / precision.sum())
    own = distances_db - common
    fit = -0.5 * float(np.log(variance).sum() + math.log(precision.sum()) + precision @ own**2)
    return _Case(log_prior + fit, song_db**2 * precision * own, song_db**2 * fader_db**2 * precision, unmeant)
