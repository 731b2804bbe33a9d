"""Follows a sound over time: its loudness in each tenth of a second (`StepMeter`), and its critical bands too (`TraceMeter`).

`stem_meter` measures more of a stem before it is mixed; a rehearsal needs no more than the loudness of what a console gives out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.gating import ABSOLUTE_GATE_LUFS, loudness_lufs
from dsp.loudness import LoudnessMeter
from dsp.mixing.activity import active_steps, rises
from dsp.mixing.bark_meter import BarkEnergies, BarkMeter
from dsp.mixing.trace import STEPS_PER_S, Trace
from dsp.windows import Lines

TICKS_A_STEP = 10


class StepReading(NamedTuple):
    """The loudness of a sound over time, and as a whole."""

    energies: Floats
    """(steps,) As in a trace."""
    integrated_lufs: float | None
    loudness_range_lu: float | None
    max_short_term_lufs: float | None
    step_frames: NDArray[np.int64]
    """How many frames each step holds."""
    ticks: Floats
    """Energies of all ticks of 10 ms, the unfinished one too, and zeros behind the end."""


class StepMeter:
    """Running loudness of one or two channels; takes lines (channels, frames), as `dsp.windows.Windows` hands them out."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._loudness = LoudnessMeter(rate_hz, channels, stereo=False)
        self._frames = 0

    def push(self, lines: Lines) -> None:
        """Takes the next frames."""
        self._frames += lines.shape[1]
        self._loudness.push(lines.T)

    def finish(self) -> StepReading:
        """What was measured; ends the measurement."""
        frames = _step_frames(self._frames, self._rate_hz)
        ticks = _ticks(self._loudness, len(frames))
        energies = ticks.reshape(-1, TICKS_A_STEP).sum(axis=1) / frames
        found = self._loudness.loudness()
        integrated_lufs = found.integrated_lufs
        if integrated_lufs is None:  # too short for a gating block, or so soft that none lies above the gate
            integrated_lufs = _above_gate(energies)
        range_lu = found.loudness_range_lu if integrated_lufs is not None else None
        return StepReading(energies, integrated_lufs, range_lu, found.max_short_term_lufs, frames, ticks)


class TraceReading(NamedTuple):
    """A trace, and what it was made from."""

    trace: Trace
    integrated_lufs: float | None
    loudness_range_lu: float | None
    max_short_term_lufs: float | None
    bark: BarkEnergies
    step_frames: NDArray[np.int64]
    """How many frames each step holds."""
    ticks: Floats
    """Energies of all ticks of 10 ms, the unfinished one too, and zeros behind the end."""


class TraceMeter:
    """Running trace of one or two channels; takes lines (channels, frames), as `dsp.windows.Windows` hands them out."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._steps = StepMeter(rate_hz, channels)
        self._bark = BarkMeter(rate_hz, channels)

    def push(self, lines: Lines) -> None:
        """Takes the next frames."""
        self._steps.push(lines)
        self._bark.push(lines)

    def finish(self) -> TraceReading:
        """What was measured; ends the measurement."""
        bark, found = self._bark.finish(), self._steps.finish()
        onsets = np.asarray(rises(found.ticks) * (10.0 * STEPS_PER_S / self._rate_hz), np.float32)
        bands = np.asarray(bark.bands / found.step_frames[:, None].astype(np.float32), np.float32)
        trace = Trace(found.energies, bands, active_steps(found.energies, found.integrated_lufs), onsets)
        return TraceReading(
            trace=trace,
            integrated_lufs=found.integrated_lufs,
            loudness_range_lu=found.loudness_range_lu,
            max_short_term_lufs=found.max_short_term_lufs,
            bark=bark,
            step_frames=found.step_frames,
            ticks=found.ticks,
        )


def _step_frames(frames: int, rate_hz: int) -> NDArray[np.int64]:
    steps = -(-frames * STEPS_PER_S // rate_hz)
    ends = np.minimum((2 * np.arange(steps + 1) * rate_hz + STEPS_PER_S) // (2 * STEPS_PER_S), frames)
    return np.maximum(np.diff(ends), 1)


def _ticks(meter: LoudnessMeter, steps: int) -> Floats:
    found = np.append(meter.energies(), meter.open_energy())[: steps * TICKS_A_STEP]
    return np.concatenate([found, np.zeros(steps * TICKS_A_STEP - len(found))])


def _above_gate(energies: Floats) -> float | None:
    """Loudness of the steps above the absolute gate."""
    loud = [float(energy) for energy in energies if (loudness_lufs(float(energy)) or -math.inf) > ABSOLUTE_GATE_LUFS]
    return loudness_lufs(sum(loud) / len(loud)) if loud else None
