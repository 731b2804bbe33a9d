"""Where a stem sounds, and where something in it begins: read from its K-weighted energies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.gating import ABSOLUTE_GATE_LUFS, energy_of
from dsp.kernel import kernel
from dsp.mixing.trace import ONSETS_PER_S, STEPS_PER_S

OPEN_LU, CLOSE_LU = -25.0, -30.0
"""Re the stem's own loudness: where its gate opens and closes (Mansbridge, Finn, Reiss, 2012: such levels, the same for all)."""
HOLD_STEPS = 3
"""Of 0.1 s: rests shorter than that belong to the music. Our choice: the gaps of sixteenths at 60 beats a minute."""
BEFORE_TICKS = 3
"""30 ms: a tone of 40 Hz swells and falls twice within them, and does not begin each time."""
ONSET_RATIO = 4.0
"""6 dB above what was before begins something. Our choice."""
HIT_TICKS = 10
"""0.1 s: what sounds that long after it began counts as its hit. Our choice."""


def active_steps(energies: Floats, integrated_lufs: float | None) -> NDArray[np.bool_]:
    """Which steps sound (mean squares of each, K-weighted): a gate with hysteresis and hold, relative to the stem's loudness."""
    if integrated_lufs is None:
        return np.zeros(len(energies), np.bool_)
    opens = energy_of(max(ABSOLUTE_GATE_LUFS, integrated_lufs + OPEN_LU))
    active = np.zeros(len(energies), np.bool_)
    _gate(energies, opens, opens * 10.0 ** ((CLOSE_LU - OPEN_LU) / 10.0), active)
    return active


def rises(ticks: Floats) -> Floats:
    """By how much each tick's energy lies above all of the 30 ms before it; 0 where it does not.

    >>> rises(np.array([0.0, 1.0, 1.5, 0.5, 3.0])).tolist()
    [0.0, 1.0, 0.5, 0.0, 1.5]
    """
    return np.maximum(ticks - _before(ticks), 0.0)


def percussivity_ratio(ticks: Floats) -> float:
    """Share of the energy that sounds within 0.1 s after a rise of 6 dB: 1 for single hits, near 0 for a pad."""
    starts = np.flatnonzero((ticks > ONSET_RATIO * _before(ticks)) & (ticks > ticks.max(initial=0.0) * 1e-4))
    hit = np.zeros(len(ticks) + HIT_TICKS, np.bool_)
    for after in range(HIT_TICKS):
        hit[starts + after] = True
    total = float(ticks.sum())
    return float(ticks[hit[: len(ticks)]].sum()) / total if total > 0.0 else 0.0


def _before(ticks: Floats) -> Floats:
    """The highest of the ticks in the 30 ms before each."""
    padded = np.concatenate([np.zeros(BEFORE_TICKS), ticks])
    return np.asarray(np.max([padded[at : at + len(ticks)] for at in range(BEFORE_TICKS)], axis=0, initial=0.0))


@kernel
def _gate(energies: Floats, opens: float, closes: float, active: NDArray[np.bool_]) -> None:
    """Opens at `opens`; closes after HOLD_STEPS below `closes`, from where it fell below."""
    quiet, is_open = 0, False
    for n in range(energies.size):
        if energies[n] >= opens:
            if is_open:
                active[n - quiet : n] = True
            quiet, is_open = 0, True
        elif energies[n] < closes:
            quiet += 1
            is_open = is_open and quiet <= HOLD_STEPS
        elif is_open:
            active[n - quiet : n] = True
            quiet = 0
        active[n] = is_open and quiet == 0


assert ONSETS_PER_S == 10 * STEPS_PER_S
