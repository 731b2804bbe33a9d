"""Holds levels to what the stems of a role may be together: nearest to what is wanted of each, with the sums in their bounds.

Energies add, so that sums are no linear thing: damped Newton steps (Levenberg and Marquardt) on least squares, the same for
the same input. Bounds are soft: how far a stem may be moved for them goes by how sure its own level is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats

BOUND_SPREAD_LU = 1.0
"""How hard bounds are, against the doubt of the stems' own levels (our choice)."""
MOST_STEPS = 30
SMALL_DB = 1e-4


class RoleBounds(NamedTuple):
    """Between what the sum of some stems lies against the mix, in LU."""

    members: NDArray[np.intp]
    shares: Floats
    """Of the time in which any of them sounds: how much each does."""
    least_lu: float
    most_lu: float


def held_to_bounds(
    wanted_db: Floats,
    doubts_db: Floats,
    free: NDArray[np.bool_],
    activity: Floats,
    roles: list[RoleBounds],
    weight: float,
) -> Floats:
    """Levels nearest to those wanted, in units of their doubt, whose role sums lie in their bounds; `weight` 0 to 1 scales these.

    `activity` is the share of the song in which each stem sounds; stems that are not `free` stay where they are.
    """
    levels, damping = wanted_db.copy(), 1e-3
    residuals, slopes = _linear(levels, wanted_db, doubts_db, activity, roles, weight)
    for _ in range(MOST_STEPS):
        moved = slopes[:, free]
        normal = moved.T @ moved
        step = np.zeros(len(levels))
        step[free] = np.linalg.solve(normal + damping * np.diag(normal.diagonal()), -moved.T @ residuals)
        tried, tried_slopes = _linear(levels + step, wanted_db, doubts_db, activity, roles, weight)
        if tried @ tried <= residuals @ residuals:
            levels, residuals, slopes, damping = levels + step, tried, tried_slopes, damping * 0.3
            if np.abs(step).max(initial=0.0) < SMALL_DB:
                break
        else:
            damping *= 10.0
    return levels


def _linear(
    levels: Floats, wanted_db: Floats, doubts_db: Floats, activity: Floats, roles: list[RoleBounds], weight: float
) -> tuple[Floats, Floats]:
    """Residuals, and their slopes to the levels: a row for each stem, then one for each role."""
    count = len(levels)
    energies = activity * 10.0 ** (levels / 10.0)
    mix_db, mix_slopes = 10.0 * np.log10(energies.sum()), energies / energies.sum()
    residuals, slopes = np.zeros(count + len(roles)), np.zeros((count + len(roles), count))
    residuals[:count] = (levels - wanted_db) / doubts_db
    slopes[range(count), range(count)] = 1.0 / doubts_db
    for row, role in enumerate(roles, count):
        own = role.shares * 10.0 ** (levels[role.members] / 10.0)
        relative_lu = 10.0 * np.log10(own.sum()) - mix_db
        over = relative_lu - min(max(relative_lu, role.least_lu), role.most_lu)
        residuals[row] = weight * over / BOUND_SPREAD_LU
        if over != 0.0:
            slopes[row] = -mix_slopes
            slopes[row, role.members] += own / own.sum()
            slopes[row] *= weight / BOUND_SPREAD_LU
    return residuals, slopes
