"""High-pass below the music: takes rumble and a constant offset away."""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.kernel import kernel
from dsp.settings import SubsonicSettings


class Subsonic:
    """Second-order Butterworth high-pass, one for each channel; no latency.

    Told the constant offset of a track, it starts settled on it: an offset that begins with the file makes no thump.
    """

    latency = 0

    def __init__(self, settings: SubsonicSettings, rate_hz: int, channels: int) -> None:
        if len(settings.offset_ratio) not in (0, channels):
            raise ValueError(f"offset_ratio must have one value per channel ({channels}), got {settings.offset_ratio}")
        self._coefficients = butterworth_highpass(settings.cutoff_hz, rate_hz)
        b0, _, b2, _, _ = self._coefficients
        offsets = np.array(settings.offset_ratio or (0.0,) * channels)
        self._state = np.stack([-b0 * offsets, b2 * offsets], axis=1)  # fixed point of the recurrence for y = 0

    def push(self, block: Audio) -> Audio:
        """The filtered block."""
        out = np.empty_like(block)
        for channel in range(len(self._state)):
            _biquad(block, channel, self._coefficients, self._state[channel], out)
        return out

    def finish(self) -> Audio:
        """Nothing: the filter holds nothing back."""
        return silence(0, len(self._state))


def butterworth_highpass(cutoff_hz: float, rate_hz: int) -> Floats:
    """b0 b1 b2 a1 a2 of |H|^2 = 1 / (1 + (fc/f)^4), by the pre-warped bilinear transform."""
    k = math.tan(math.pi * cutoff_hz / rate_hz)
    a0 = 1.0 + math.sqrt(2.0) * k + k * k
    return np.array([1.0, -2.0, 1.0, 2.0 * (k * k - 1.0), 1.0 - math.sqrt(2.0) * k + k * k]) / a0


@kernel
def _biquad(block: Audio, channel: int, coefficients: Floats, state: Floats, out: Audio) -> None:
    """Transposed direct form II: y = b0 x + s1, s1 = b1 x - a1 y + s2, s2 = b2 x - a2 y."""
    b0, b1, b2, a1, a2 = coefficients
    s1, s2 = state
    for n in range(block.shape[0]):
        x = block[n, channel]
        y = b0 * x + s1
        s1, s2 = b1 * x - a1 * y + s2, b2 * x - a2 * y
        out[n, channel] = y
    state[0], state[1] = s1, s2
