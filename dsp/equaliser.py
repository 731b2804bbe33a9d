"""Linear-phase equaliser from a curve: changes tone without moving anything in time.

The curve becomes a symmetric impulse response (frequency sampling, Hann window), applied by overlap-save convolution on a
grid fixed to the start of the track, so that blocks never change a bit (law 1).
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

from dsp.audio import Audio, Floats, joined, silence
from dsp.settings import EqualiserSettings

TRANSFORM_RATIO = 4
"""Length of a transform over that of the response: three quarters of each are useful output."""


class Equaliser:
    """Convolution with a symmetric impulse response; latency: half its length, and up to one transform."""

    def __init__(self, settings: EqualiserSettings, rate_hz: int, channels: int) -> None:
        response = impulse_response(settings, rate_hz)
        size = TRANSFORM_RATIO << int(len(response) - 1).bit_length()
        self._size = size
        self._half = len(response) // 2
        self._spectrum = rfft(response, size)
        self._hop = size - len(response) + 1
        # The signal is taken as silent before it starts and after it ends.
        self._line = silence(len(response) - 1, channels)
        self._to_drop = self._half
        self._taken = self._given = 0
        self.latency = self._half + self._hop

    def push(self, block: Audio) -> Audio:
        """Filters every transform that the block fills."""
        self._taken += len(block)
        ready = self._advance(block)
        self._given += len(ready)
        return ready

    def finish(self) -> Audio:
        """The rest of the track, as long as what is missing."""
        pending = len(self._line) - 2 * self._half
        whole = -(-(pending + self._half) // self._hop) * self._hop
        rest = self._advance(silence(whole - pending, self._line.shape[1]))
        return rest[: self._taken - self._given]

    def _advance(self, block: Audio) -> Audio:
        self._line = joined([self._line, block])
        ready = [silence(0, block.shape[1])]
        at = 0
        while len(self._line) - at >= self._size:
            ready.append(self._filtered(self._line[at : at + self._size]))
            at += self._hop
        self._line = self._line[at:].copy() if at else self._line
        return self._drop_lead(joined(ready))

    def _filtered(self, line: Audio) -> Audio:
        filtered = irfft(rfft(line.T, axis=1) * self._spectrum, self._size, axis=1)
        return np.ascontiguousarray(filtered[:, 2 * self._half :].T)

    def _drop_lead(self, block: Audio) -> Audio:
        dropped = min(self._to_drop, len(block))
        self._to_drop -= dropped
        return block[dropped:]


def impulse_response(settings: EqualiserSettings, rate_hz: int) -> Floats:
    """The symmetric response (odd length) whose gain follows the curve.

    >>> flat = impulse_response(EqualiserSettings(freqs_hz=(100.0, 1000.0), gains_db=(0.0, 0.0)), 48_000)
    >>> int(flat.argmax()) == len(flat) // 2, round(float(flat.max()), 9)
    (True, 1.0)
    """
    half = int(settings.length_s * rate_hz / 2)
    size = 4 << int(2 * half).bit_length()
    freqs_hz = np.maximum(np.arange(size // 2 + 1) * rate_hz / size, 1e-3)
    curve_db = np.interp(np.log(freqs_hz), np.log(settings.freqs_hz), settings.gains_db)
    response = np.roll(irfft(10.0 ** (curve_db / 20.0), size), half)[: 2 * half + 1]
    window: Floats = np.hanning(2 * half + 3)[1:-1]
    return np.asarray(response * window)
