"""Long-term spectrum: mean power of each frequency over the track, in third octaves, and how its channels go together.

Welch's method with Hann windows that do not overlap; the bands are those of IEC 61260-1 (base ten), 20 Hz to 20 kHz.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.bands import BAND_EDGES_HZ
from dsp.fourier import PairTransform, Places, Plane
from dsp.kernel import kernel
from dsp.windows import Block, Lines, as_lines

CENTRES_HZ: tuple[float, ...] = tuple(1000.0 * 10.0 ** (k / 10.0) for k in range(-17, 14))
"""Exact mid-band frequencies (IEC 61260-1), 20 Hz to 20 kHz: 31 bands."""
BAND_EDGE_RATIO = 10.0**0.05
SUBSONIC_HZ = (5.0, 16.0)
"""Below the music and above what a constant offset leaks into."""
WINDOW_S = 0.3
"""Shortest window: 3 bins in the band at 20 Hz; the next power of two is taken."""
SLOPE_BANDS = slice(7, 24)
"""100 Hz to 4 kHz, for the slope."""
DENSITY_DB_PER_OCTAVE = 10.0 * math.log10(2.0)
"""Bands that widen with frequency rise by this much against a density."""
SILENT_POWER, SILENT_RATIO = 1e-14, 1e-10
"""A channel holds nothing in a band below -140 dBFS, or 100 dB below the other: what rounding leaves."""


class SpectrumMeter:
    """Running spectrum of a track.

    Its readings end the measurement. The end of a track that fills no window is left out, unless there is nothing else.

    >>> meter = SpectrumMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 1000 / 48_000 * np.arange(48_000))[:, None])
    >>> round(float(meter.power()[17]), 3)  # a sine at full scale has half the power of a square
    0.5
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._size = 1 << math.ceil(math.log2(rate_hz * WINDOW_S))
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._transform = PairTransform(self._size)
        self._line = np.zeros((channels, self._size), np.float32)
        self._nothing = np.zeros(self._size, np.float32)
        self._filled = 0
        self._windows = 0
        columns, rows = self._transform.bins.shape
        self._sums = np.zeros((3, columns // 2, rows))

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        lines, at = as_lines(block), 0
        frames = lines.shape[1]
        while at < frames:
            taken = min(self._size - self._filled, frames - at)
            if taken == self._size:
                self._add(lines[:, at : at + taken], self._sums)
                self._windows += 1
            else:
                self._line[:, self._filled : self._filled + taken] = lines[:, at : at + taken]
                self._filled += taken
                if self._filled == self._size:
                    self._add(self._line, self._sums)
                    self._windows += 1
                    self._filled = 0
            at += taken

    def _add(self, lines: Lines, sums: Floats) -> None:
        """Adds the powers of a window, two channels at a time."""
        for channel in range(0, len(lines), 2):
            second = lines[channel + 1] if channel + 1 < len(lines) else self._nothing
            real, imaginary = self._transform(lines[channel], second, self._window)
            _add_pair(real, imaginary, self._transform.row_of, sums)

    def _means(self) -> Floats:
        """(3, bins): mean power of first and second channels and of what they share, so that a sum is a mean square."""
        weight = 2.0 / (self._size * float(np.square(self._window, dtype=np.float64).sum()))
        if self._windows or not self._filled:
            return self._sums.reshape(3, -1) * (weight / max(1, self._windows))
        line, sums = self._line.copy(), np.zeros_like(self._sums)  # too short for a window: what there is of one
        line[:, self._filled :] = 0.0
        self._add(line, sums)
        return sums.reshape(3, -1) * (weight * self._size / self._filled)

    @property
    def bin_hz(self) -> float:
        """Distance of the frequencies of `fine_power`."""
        return self._rate_hz / self._size

    def fine_power(self) -> Floats:
        """Mean square at every multiple of `bin_hz` below half the rate, mean over the channels, re full scale."""
        means = self._means()
        return np.asarray((means[0] + means[1]) / len(self._line))

    def power(self) -> Floats:
        """Mean square in each of the 31 bands and below the music, re full scale; NaN above half the rate."""
        return self._in_bands(self.fine_power())

    def side_power(self) -> Floats | None:
        """Mean square of (left - right) / 2 in the 31 bands; what it lacks to `power` is that of (left + right) / 2."""
        if len(self._line) != 2:
            return None
        first, second, shared = self._means()
        return self._in_bands(np.maximum(first + second - 2.0 * shared, 0.0) / 4.0)[:-1]

    def _in_bands(self, fine_power: Floats) -> Floats:
        bands = _band_weights(self._size, self._rate_hz)
        return np.where(bands.any(axis=1), bands @ fine_power, np.nan)

    def correlation_bands(self) -> tuple[float | None, ...]:
        """Of two channels in the bands split at `BAND_EDGES_HZ`; None where one holds nothing, and if they are not two."""
        edges_hz = (CENTRES_HZ[0] / BAND_EDGE_RATIO, *BAND_EDGES_HZ, self._rate_hz / 2.0)
        if len(self._line) != 2:
            return (None,) * (len(edges_hz) - 1)
        means = self._means()
        edges = [min(round(hz / self.bin_hz), means.shape[1]) for hz in edges_hz]
        return tuple(
            _correlation(*means[:, low:high].sum(axis=1).tolist()) if low < high else None
            for low, high in pairwise(edges)
        )


def slope_db_per_octave(power: Floats) -> float | None:
    """Straight line (least squares) through the third octaves from 100 Hz to 4 kHz of `power`, as a density.

    White noise has 0, pink noise -3.01; None if a band holds nothing or is missing.

    >>> white = np.array(CENTRES_HZ)
    >>> abs(round(slope_db_per_octave(white), 3))
    0.0
    """
    bands = power[SLOPE_BANDS]
    if not (bands > 0.0).all():
        return None
    octaves = np.log2(CENTRES_HZ[SLOPE_BANDS])
    octaves -= octaves.mean()
    rise_db = float(octaves @ (10.0 * np.log10(bands)) / (octaves @ octaves))
    return rise_db - DENSITY_DB_PER_OCTAVE


def _correlation(first: float, second: float, shared: float) -> float | None:
    """Re(first conj(second)) over the root of both powers."""
    if min(first, second) < max(SILENT_POWER, SILENT_RATIO * max(first, second)):
        return None
    return max(-1.0, min(1.0, shared / math.sqrt(first * second)))


def _band_weights(size: int, rate_hz: int) -> Floats:
    """(bands + 1, bins): the share of each bin that lies in each band; all zero for bands beyond half the rate."""
    lower = (np.arange(size // 2) - 0.5) * rate_hz / size
    upper = lower + rate_hz / size
    bands = [(centre / BAND_EDGE_RATIO, centre * BAND_EDGE_RATIO) for centre in CENTRES_HZ]
    weights = np.zeros((len(bands) + 1, len(lower)))
    for band, (low, high) in enumerate([*bands, SUBSONIC_HZ]):
        if low * BAND_EDGE_RATIO < rate_hz / 2:
            weights[band] = np.clip(np.minimum(upper, high) - np.maximum(lower, low), 0.0, None) / (rate_hz / size)
    return weights


@kernel
def _add_pair(real: Plane, imaginary: Plane, row_of: Places, sums: NDArray[np.float64]) -> None:
    """Adds |first|^2, |second|^2 and Re(first conj(second)) of a pair of real rows, frequencies in their order.

    With Z the value at k and Y that at size - k: first = (Z + conj(Y)) / 2, second = (Z - conj(Y)) / 2j.
    """
    rows = real.shape[0]
    for k in range(rows // 2):
        mine, mirrored, opposite = row_of[k], row_of[rows - 1 - k], row_of[(rows - k) % rows]
        zr, zi, yr, yi = real[mine, 1:], imaginary[mine, 1:], real[mirrored, 1:], imaginary[mirrored, 1:]
        first, second, shared = sums[0, k, 1:], sums[1, k, 1:], sums[2, k, 1:]
        last = np.uint64(zr.size - 1)  # an index that may be negative would keep the loop from vectorising
        for n in range(np.uint64(zr.size)):
            a, b, c, d = zr[n], zi[n], yr[last - n], yi[last - n]
            first[n] += np.float32(0.25) * ((a + c) * (a + c) + (b - d) * (b - d))
            second[n] += np.float32(0.25) * ((b + d) * (b + d) + (a - c) * (a - c))
            shared[n] += np.float32(0.5) * (a * d + b * c)
        a, b, c, d = real[mine, 0], imaginary[mine, 0], real[opposite, 0], imaginary[opposite, 0]
        sums[0, k, 0] += 0.25 * ((a + c) * (a + c) + (b - d) * (b - d))
        sums[1, k, 0] += 0.25 * ((b + d) * (b + d) + (a - c) * (a - c))
        sums[2, k, 0] += 0.5 * (a * d + b * c)
