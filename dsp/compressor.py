"""Wide-band compressor: feed-forward, log domain, soft knee, channels linked.

After Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012: their smooth decoupled
detector. Below the knee the signal passes untouched.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.gain_grid import SETTLED_DB
from dsp.kernel import kernel
from dsp.settings import CompressorSettings


class Compressor:
    """Turns down what exceeds the threshold; one gain for all channels; no latency."""

    latency = 0

    def __init__(self, settings: CompressorSettings, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._curve = np.array([settings.threshold_dbfs, 1.0 / settings.compression_ratio - 1.0, settings.knee_db])
        self._smoothing = np.exp(-1.0 / (np.array([settings.attack_s, settings.release_s]) * rate_hz))
        self._state = np.zeros(2)

    def push(self, block: Audio) -> Audio:
        """The block with the gain applied."""
        out = np.empty_like(block)
        _compress(block, self._curve, self._smoothing, self._state, out)
        return out

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
def _compress(block: Audio, curve: Floats, smoothing: Floats, state: Floats, out: Audio) -> None:
    """c = (1 - 1/R) soft_knee(x - T) dB; y1 = max(c, r y1 + (1 - r) c); y = a y + (1 - a) y1; out = in * 10^(-y / 20)."""
    threshold, slope, knee = curve
    attack, release = smoothing
    y1, y = state
    floor = 10.0 ** ((threshold - knee / 2.0) / 20.0)
    for n in range(block.shape[0]):
        peak = 0.0
        for channel in range(block.shape[1]):
            peak = max(peak, abs(block[n, channel]))
        wanted = 0.0
        if peak > floor:
            wanted = -slope * soft_knee(20.0 * math.log10(peak) - threshold, knee)
        y1 = max(wanted, release * y1 + (1.0 - release) * wanted)
        y = attack * y + (1.0 - attack) * y1
        if y1 < SETTLED_DB and y < SETTLED_DB:
            y1, y = 0.0, 0.0  # else it fades for ever, through numbers that processors are slow at
        gain = 10.0 ** (-y / 20.0) if y > 0.0 else 1.0
        for channel in range(block.shape[1]):
            out[n, channel] = block[n, channel] * gain
    state[0], state[1] = y1, y
