"""What gain sharing should know of its microphones before it starts: their ambience, and how much of each voice the others hear.

Both are read from the whole recording, a tenth of a second at a time: what a mixer at the event cannot know.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio
from dsp.mixing.control_path import ControlPath
from dsp.mixing.gain_sharing import BLEED_DB
from dsp.settings import GainSharingSettings
from dsp.ticks import Folder

STEPS_PER_S = 10
MEAN_S = 0.02
"""Mean squares over so long follow a pause at once (our choice)."""
PAUSE_PERCENTILE = 5.0
"""Our choice: whoever talks pauses for a twentieth of the time, and steady noise sways by 0.3 dB at most around it."""
DIGITAL_SILENCE_POWER = 1e-12  # -120 dBFS: of a gate or a file that ended, no room is that quiet
LEAST_RANGE_DB = 10.0
"""Our choice: what is never so much softer than at its loudest has no pause."""
ALONE_DB = 20.0
"""Our choice: one voice is that far above its own ambience and the loudest of all, where its bleed is read."""
ALONE_STEPS = 10
QUIET_QUARTILE = 25.0
"""Of the moments in which one sounds: in some of them others sound, too, and hide the bleed."""
BLEED_RANGE_DB = (-60.0, -3.0)


class Survey:
    """The mean power that the control path hears of each microphone in each tenth of a second, before any weight."""

    def __init__(self, settings: GainSharingSettings, rate_hz: int, microphones: int) -> None:
        even = replace(settings, rise_s=MEAN_S, fall_s=MEAN_S)
        self._step_frames = round(rate_hz / STEPS_PER_S)
        self._path = ControlPath(even, rate_hz, np.ones(microphones))
        self._steps = Folder(self._step_frames, microphones, np.add)

    def push(self, controls: Audio) -> None:
        """Takes a block (frames, microphones)."""
        levels, _ = self._path.push(controls)
        self._steps.push(levels)

    def powers(self) -> NDArray[np.float32]:
        """(steps, microphones) so far; the last step is left out where it is not whole."""
        return self._steps.rows() / np.float32(self._step_frames)


def floors_dbfs(powers: NDArray[np.float32]) -> tuple[float | None, ...]:
    """The ambience of each microphone; None where it has no pause, or nothing but digital silence in it."""
    return tuple(_floor_dbfs(column[column > DIGITAL_SILENCE_POWER]) for column in powers.T)


def bleed_db(powers: NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """Row i, column j: the level of source j in microphone i against that in its own, where j is heard alone often enough."""
    floors = [0.0 if floor is None else 10.0 ** (floor / 10.0) for floor in floors_dbfs(powers)]
    count = powers.shape[1]
    loudest = powers.argmax(axis=1) if len(powers) else np.zeros(0, np.int64)
    bleed = np.full((count, count), BLEED_DB)
    for j in range(count):
        least = max(floors[j], DIGITAL_SILENCE_POWER) * 10.0 ** (ALONE_DB / 10.0)
        alone = powers[(loudest == j) & (powers[:, j] > least)].astype(np.float64)
        if len(alone) < ALONE_STEPS:
            continue
        for i in range(count):
            heard = np.maximum(np.percentile(alone[:, i] / alone[:, j], QUIET_QUARTILE), 1e-30)
            bleed[i, j] = np.clip(10.0 * np.log10(heard), *BLEED_RANGE_DB)
    np.fill_diagonal(bleed, 0.0)
    return tuple(tuple(map(float, row)) for row in bleed)


def _floor_dbfs(powers: NDArray[np.float32]) -> float | None:
    if len(powers) < STEPS_PER_S:
        return None
    floor = float(np.percentile(powers, PAUSE_PERCENTILE))
    if float(powers.max()) < floor * 10.0 ** (LEAST_RANGE_DB / 10.0):
        return None
    return float(10.0 * np.log10(floor))
