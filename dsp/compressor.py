"""Wide-band compressor: feed-forward, log domain, soft knee, channels linked.

After Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012: their smooth decoupled
detector. Below the knee the signal passes untouched.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.gain_grid import SETTLED_DB
from dsp.kernel import kernel
from dsp.settings import CompressorSettings


class Law(NamedTuple):
    """The curve, and what attack and release keep from frame to frame."""

    threshold: float
    slope: float
    knee: float
    attack: float
    release: float

    @classmethod
    def of(cls, settings: CompressorSettings, rate_hz: int) -> Law:
        """The law of some settings at a rate."""
        slope = 1.0 / settings.compression_ratio - 1.0
        kept = np.exp(-1.0 / (np.array([settings.attack_s, settings.release_s]) * rate_hz))
        return cls(settings.threshold_dbfs, slope, settings.knee_db, float(kept[0]), float(kept[1]))


class Compressor:
    """Turns down what exceeds the threshold; one gain for all channels; no latency.

    Of `heard` channels alone it hears the level; those after them are turned down with them.
    """

    latency = 0

    def __init__(self, settings: CompressorSettings, rate_hz: int, channels: int, heard: int | None = None) -> None:
        self._channels = channels
        self._heard = channels if heard is None else heard
        self._law = Law.of(settings, rate_hz)
        self._state = np.zeros(2)

    def push(self, block: Audio) -> Audio:
        """The block with the gain applied."""
        gains = np.empty(len(block))
        reductions(block[:, : self._heard], self._law, self._state, gains)
        return block * gains[:, None]

    def finish(self) -> Audio:
        """Nothing: the compressor holds nothing back."""
        return silence(0, self._channels)


@kernel
def soft_knee(over: float, knee: float) -> float:
    """x below 0: 0; above: x; in the knee, W wide around 0: (x + W/2)^2 / 2W. The static curve of all dynamics, up to a slope."""
    if over >= knee / 2.0:
        return over
    return (over + knee / 2.0) ** 2 / (2.0 * knee) if over > -knee / 2.0 else 0.0


@kernel
def reductions(key: Audio, law: Law, state: Floats, gains: Floats) -> None:
    """c = (1 - 1/R) soft_knee(x - T) dB; y1 = max(c, r y1 + (1 - r) c); y = a y + (1 - a) y1; gain = 10^(-y / 20).

    x: the largest of the channels. Where nothing is over the gain is exactly 1.
    """
    y1, y = state
    floor = 10.0 ** ((law.threshold - law.knee / 2.0) / 20.0)
    for n in range(key.shape[0]):
        peak = 0.0
        for channel in range(key.shape[1]):
            peak = max(peak, abs(key[n, channel]))
        wanted = 0.0
        if peak > floor:
            wanted = -law.slope * soft_knee(20.0 * math.log10(peak) - law.threshold, law.knee)
        y1 = max(wanted, law.release * y1 + (1.0 - law.release) * wanted)
        y = law.attack * y + (1.0 - law.attack) * y1
        if y1 < SETTLED_DB and y < SETTLED_DB:
            y1, y = 0.0, 0.0  # else it fades for ever, through numbers that processors are slow at
        gains[n] = 10.0 ** (-y / 20.0) if y > 0.0 else 1.0
    state[0], state[1] = y1, y
