"""Long-term spectrum in third octaves: mean power of each band over the track, in dB re full scale.

Welch's method with Hann windows that do not overlap; the bands are those of IEC 61260-1 (base ten), 20 Hz to 20 kHz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from dsp.audio import Audio, Floats
from dsp.kernel import kernel

CENTRES_HZ: tuple[float, ...] = tuple(1000.0 * 10.0 ** (k / 10.0) for k in range(-17, 14))
"""Exact mid-band frequencies (IEC 61260-1), 20 Hz to 20 kHz: 31 bands."""
BAND_EDGE_RATIO = 10.0**0.05
SUBSONIC_HZ = (5.0, 16.0)
"""Below the music and above what a constant offset leaks into."""
WINDOW_S = 0.3
"""Shortest window: 3 bins in the band at 20 Hz; the next power of two is taken."""


class SpectrumMeter:
    """Running third-octave spectrum of a track, mean over its channels.

    >>> meter = SpectrumMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 1000 / 48_000 * np.arange(48_000))[:, None])
    >>> round(float(meter.power()[17]), 3)  # a sine at full scale has half the power of a square
    0.5
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._size = 1 << int(np.ceil(np.log2(rate_hz * WINDOW_S)))
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._bands = _band_weights(self._size, rate_hz)
        self._line = np.zeros((channels, self._size), np.float32)
        self._filled = 0
        self._frames = 0
        self._power = np.zeros(self._size // 2 + 1)

    def push(self, block: Audio) -> None:
        """Takes a block (frames, channels)."""
        at = 0
        while at < len(block):
            taken = min(self._size - self._filled, len(block) - at)
            _copy(block[at : at + taken], self._line[:, self._filled : self._filled + taken])
            self._filled += taken
            at += taken
            if self._filled == self._size:
                self._add()
        self._frames += len(block)

    def _add(self) -> None:
        _add_power(rfft(self._line * self._window, axis=1), self._power)
        self._filled = 0

    def power(self) -> Floats:
        """Mean square in each of the 31 bands and below the music, re full scale; NaN above half the rate.

        Ends the measurement. The end of a track that fills no window is left out, unless there is nothing else.
        """
        frames = self._frames // self._size * self._size
        if not frames and self._filled:
            self._line[:, self._filled :] = 0.0
            frames = self._filled
            self._add()
        weight = 2.0 / (self._size * float(np.square(self._window, dtype=np.float64).sum()) * len(self._line))
        mean = self._bands @ self._power * (weight * self._size / max(frames, 1))
        return np.where(self._bands.any(axis=1), mean, np.nan)


def _band_weights(size: int, rate_hz: int) -> Floats:
    """(bands + 1, bins): the share of each bin that lies in each band; all zero for bands beyond half the rate."""
    lower = (np.arange(size // 2 + 1) - 0.5) * rate_hz / size
    upper = lower + rate_hz / size
    bands = [(centre / BAND_EDGE_RATIO, centre * BAND_EDGE_RATIO) for centre in CENTRES_HZ]
    weights = np.zeros((len(bands) + 1, len(lower)))
    for band, (low, high) in enumerate([*bands, SUBSONIC_HZ]):
        if low * BAND_EDGE_RATIO < rate_hz / 2:
            weights[band] = np.clip(np.minimum(upper, high) - np.maximum(lower, low), 0.0, None) / (rate_hz / size)
    return weights


@kernel
def _copy(block: Audio, line: NDArray[np.float32]) -> None:
    """Turns (frames, channels) into rows of float32."""
    for channel in range(line.shape[0]):
        for n in range(block.shape[0]):
            line[channel, n] = block[n, channel]


@kernel
def _add_power(spectra: NDArray[np.complex64], power: Floats) -> None:
    """Adds |X|^2 of each channel to the sum."""
    for channel in range(spectra.shape[0]):
        for k in range(power.size):
            z = spectra[channel, k]
            power[k] += z.real * z.real + z.imag * z.imag
