"""Gain automation: a fader that moves by points a tenth of a second apart, in straight lines of decibels."""

from __future__ import annotations

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.gain_grid import DB_IN_NEPERS
from dsp.kernel import kernel
from dsp.mixing.trace import STEPS_PER_S
from dsp.settings import AutomationSettings


class Automation:
    """out[n] = in[n] 10^(g / 20), g on the line between the points around n; 0 dB passes every bit. Counts from its first frame.

    >>> from dsp.chain import process
    >>> fade = process(np.ones((20, 1)), 100, AutomationSettings(gains_db=(0.0, -20.0)))
    >>> fade[[0, 5, 10, 15], 0].round(4).tolist()
    [1.0, 0.3162, 0.1, 0.1]
    """

    latency = 0

    def __init__(self, settings: AutomationSettings, rate_hz: int, channels: int) -> None:
        points = np.array(settings.gains_db)
        self._points = points if points.any() else np.zeros(0)
        self._rate_hz = rate_hz
        self._channels = channels
        self._frame = 0

    def push(self, block: Audio) -> Audio:
        """The block with the gain applied; the block itself where there is none."""
        if not len(self._points):
            return block
        out = np.empty_like(block)
        _automate(block, self._points, self._frame, self._rate_hz, out)
        self._frame += len(block)
        return out

    def finish(self) -> Audio:
        """Nothing: a fader holds nothing back."""
        return silence(0, self._channels)


@kernel
def _automate(block: Audio, points: Floats, frame: int, rate_hz: int, out: Audio) -> None:
    """g = p[k] + (p[k + 1] - p[k]) r / rate, with 10 n = k rate + r: whole numbers, so that no rounding adds up."""
    last = points.size - 1
    held = 10.0 ** (points[last] / 20.0)
    for n in range(block.shape[0]):
        tenths = (frame + n) * STEPS_PER_S
        at = tenths // rate_hz
        gain = held
        if at < last:
            below, above = points[at], points[at + 1]
            level_db = below + (above - below) * ((tenths - at * rate_hz) / rate_hz)
            gain = np.exp(level_db * DB_IN_NEPERS) if level_db != 0.0 else 1.0
        for channel in range(block.shape[1]):
            out[n, channel] = block[n, channel] * gain
