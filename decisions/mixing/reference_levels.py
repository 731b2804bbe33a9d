"""Reads the balance of a reference mix: the gain of each stem that makes their sum most like it, band by band and step by step.

Energies of stems that play different things add up, so the energies of the reference are a sum of those of the stems, each
times the square of its gain: least squares without negative parts. It knows nothing of phases; what a reference does to the
sound of a stem is left in the residual, and lowers the confidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from decisions.mixing.session import Session
from decisions.mixing.standing import Unit
from dsp.audio import Floats
from dsp.mixing.trace import STEPS_PER_S
from schemas.mix import MixSettings

FEWEST_S = 5.0
"""A reference shorter than this is none."""
GROUP_STEPS = 3
"""Steps are taken together so far: a reference may lie some hundredths of a second off, and phases average out."""
ROUNDS = 300
CELL_POWER = 0.75
"""Weight of a cell: its energy to minus this (0.5 and 1 recover the tuning half a little worse)."""
FLOOR_RATIO = 1e-6
"""60 dB under its loudest cell a reference holds nothing that counts."""
SMALLEST_GAIN_DB = -60.0
LEAST_EXPLAINED_RATIO = 0.3
"""A reference of which the stems explain less tells nothing of them."""
SLIGHT_DB = 0.3
"""Gains that all lie so close to one another are one gain: the plain sum is the reference's balance."""


def reference_gains(session: Session, settings: MixSettings, units: Sequence[Unit]) -> tuple[Floats, float] | None:
    """Gain of each unit against its fader, in dB with mean 0, and the share of the reference that they explain; None without
    one."""
    if session.reference is None or session.reference.trace.steps < FEWEST_S * STEPS_PER_S:
        return None
    strips = {strip.stem_id: strip for strip in settings.stems}
    heard = session.heard()
    steps = session.reference.trace.steps
    columns = [
        sum(
            (_grouped(heard[stem].trace.bands, steps) * 10.0 ** (strips[stem].gain_db / 10.0) for stem in unit.stems),
            np.zeros((-(-steps // GROUP_STEPS), 24)),
        )
        for unit in units
    ]
    target = _grouped(session.reference.trace.bands, steps)
    # Soft cells count nearly as much as loud ones: there the stems are heard that others cover elsewhere.
    weights = (target + FLOOR_RATIO * target.max(initial=1e-20)) ** -CELL_POWER
    matrix = np.stack([(column * weights).ravel() for column in columns], axis=1)
    powers = _not_negative(matrix, (target * weights).ravel())
    explained = _explained(matrix, powers, (target * weights).ravel())
    if explained < LEAST_EXPLAINED_RATIO:
        return None
    gains_db = np.maximum(10.0 * np.log10(np.maximum(powers, 1e-12)), SMALLEST_GAIN_DB)
    gains_db -= np.median(gains_db)
    return (np.zeros(len(units)) if np.abs(gains_db).max() < SLIGHT_DB else gains_db - gains_db.mean()), explained


def _grouped(bands: NDArray[np.float32], steps: int) -> Floats:
    cut = np.asarray(bands[:steps], np.float64)
    padded = np.pad(cut, ((0, -(-steps // GROUP_STEPS) * GROUP_STEPS - len(cut)), (0, 0)))
    return np.asarray(padded.reshape(-1, GROUP_STEPS, padded.shape[1]).mean(axis=1))


def _not_negative(matrix: Floats, target: Floats) -> Floats:
    """min |A x - b| for x >= 0, a coordinate at a time (Hildreth): exact in the limit, the same for the same input."""
    normal, right = matrix.T @ matrix, matrix.T @ target
    diagonal = np.maximum(normal.diagonal(), 1e-30)
    found = np.zeros(len(right))
    for _ in range(ROUNDS):
        before = found.copy()
        for place in range(len(found)):
            found[place] = max(0.0, found[place] + (right[place] - normal[place] @ found) / diagonal[place])
        if np.abs(found - before).max(initial=0.0) <= 1e-9 * max(1.0, np.abs(found).max(initial=0.0)):
            break
    return found


def _explained(matrix: Floats, powers: Floats, target: Floats) -> float:
    total = float(target @ target)
    rest = target - matrix @ powers
    return 1.0 - float(rest @ rest) / total if total > 0.0 else 0.0
