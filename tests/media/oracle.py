"""Another meter (libebur128), to judge ours by: one 400 ms block more or less at an end is all they may differ in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyebur128
import soundfile

from dsp.audio import Audio


def loudness_lufs(audio: Audio, rate_hz: int) -> float:
    """Integrated loudness of one programme."""
    return float(pyebur128.get_loudness_global(_state(audio, rate_hz)))


def pooled_lufs(files: Iterable[str | Path]) -> float:
    """Integrated loudness over the gating blocks of all files together."""
    return float(pyebur128.get_loudness_global_multiple([_state(*soundfile.read(f, always_2d=True)) for f in files]))


def _state(audio: Audio, rate_hz: int) -> pyebur128.R128State:
    state = pyebur128.R128State(audio.shape[1], rate_hz, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    return state
