"""Explains a recording as a sum of others: least squares from excerpts, over all frequencies and in each third octave.

Only products of spectra are kept, (parts + 1) squared for each band: as many stems as there are, and excerpts of any number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.kernel import kernel
from dsp.spectrum import BAND_EDGE_RATIO, CENTRES_HZ
from dsp.windows import Lines

SWEEPS = 2_000
SETTLED_RATIO = 1e-9
"""Gains that change by less, against the largest, have settled."""
IN_IT_DB = -40.0
"""A part softer than that against the target is not in it: what least squares leave of chance."""
SILENT_RATIO = 1e-7
"""A band 70 dB below the whole target tells nothing."""


class Fit(NamedTuple):
    """The sum of parts that lies nearest to a target."""

    gains_ratio: tuple[float, ...]
    """0 for a part that is not in it."""
    levels_db: tuple[float | None, ...]
    """Energy of each part at its gain against that of the target; None for one that is not in it."""
    residual_db: float | None
    residual_bands_db: tuple[float | None, ...]


class SumMeter:
    """Gathers excerpts of a target and of the parts that it may be made of.

    >>> draw = np.random.default_rng(1).standard_normal((3, 1, 8_192)).astype(np.float32)
    >>> meter = SumMeter(48_000, parts=3)
    >>> meter.push(0.5 * draw[0] + draw[1], list(draw))
    >>> [round(gain, 3) for gain in meter.fit().gains_ratio]
    [0.5, 1.0, 0.0]
    """

    def __init__(self, rate_hz: int, parts: int) -> None:
        self._rate_hz = rate_hz
        self._grams = np.zeros((len(CENTRES_HZ) + 2, parts + 1, parts + 1))

    def push(self, target: Lines, parts: Sequence[Lines], early_frames: float = 0.0) -> None:
        """Takes an excerpt of each, (channels, frames) from the same moment; the target is moved earlier by a part of a frame."""
        frames = target.shape[1]
        size = 1 << math.ceil(math.log2(max(2, frames)))
        window = np.hanning(frames + 2)[1:-1]
        spectra = np.zeros((len(parts) + 1, 2, size // 2 + 1), np.complex128)  # mono stands in both channels
        for row, lines in zip(spectra, (target, *parts), strict=True):
            row[:] = np.fft.rfft(lines * window, size)
        spectra[0] *= np.exp(2j * np.pi * np.arange(size // 2 + 1) / size * early_frames)
        starts = self._starts(size)
        _add_products(spectra.real.copy(), spectra.imag.copy(), starts, self._grams)

    def _starts(self, size: int) -> NDArray[np.int64]:
        """The bins at which bands begin: what lies below 20 Hz, the third octaves, what lies above."""
        edges_hz = np.append(np.array(CENTRES_HZ) / BAND_EDGE_RATIO, CENTRES_HZ[-1] * BAND_EDGE_RATIO)
        inner = np.minimum(np.ceil(edges_hz * size / self._rate_hz).astype(np.int64), size // 2 + 1)
        return np.concatenate([[0], inner, [size // 2 + 1]])

    def fit(self, *, signed: bool = False) -> Fit:
        """The gains that fit best, from 0 on unless `signed`, and what they leave over."""
        gram = np.add.reduce(self._grams[1:], axis=0)  # without what lies below 20 Hz: offset
        energy = float(gram[0, 0])
        gains = gains_of(gram, signed)
        with np.errstate(divide="ignore"):
            levels = (
                10.0 * np.log10(gains**2 * np.diag(gram)[1:] / energy) if energy > 0.0 else np.full(len(gains), -np.inf)
            )
        inside = levels > IN_IT_DB
        bands = self._grams[1:-1]
        return Fit(
            gains_ratio=tuple(np.where(inside, gains, 0.0).round(6).tolist()),
            levels_db=tuple(
                round(float(level), 2) if is_in else None for level, is_in in zip(levels, inside, strict=True)
            ),
            residual_db=left_over_db(gram, gains),
            residual_bands_db=tuple(
                left_over_db(band, gains_of(band, signed)) if band[0, 0] > SILENT_RATIO * energy else None
                for band in bands
            ),
        )


def gains_of(gram: Floats, signed: bool = False) -> Floats:
    """Least squares from a table of products, target first: the gains of its parts, from 0 on unless `signed`."""
    gains = np.zeros(len(gram) - 1)
    if gram[0, 0] > 0.0:
        _settle(np.ascontiguousarray(gram[1:, 1:]), np.ascontiguousarray(gram[1:, 0]), signed, gains)
    return gains


def left_over_db(gram: Floats, gains: Floats) -> float | None:
    """Energy of the target less the sum, against the target; not below -120 dB, where rounding begins."""
    if gram[0, 0] <= 0.0:
        return None
    weights = np.concatenate([[1.0], -gains])
    left = float((weights[:, None] * gram * weights).sum()) / float(gram[0, 0])
    return round(10.0 * math.log10(max(left, 1e-12)), 2)


@kernel
def _settle(gram: Floats, wanted: Floats, signed: bool, gains: Floats) -> None:
    """Coordinate descent on |target - sum g_j part_j|^2: g_j += (wanted_j - (gram g)_j) / gram_jj, one part after another."""
    count = gains.size
    for _ in range(SWEEPS):
        moved, largest = 0.0, 0.0
        for j in range(count):
            if gram[j, j] > 0.0:
                slope = wanted[j]
                for k in range(count):
                    slope -= gram[j, k] * gains[k]
                gain = gains[j] + slope / gram[j, j]
                if gain < 0.0 and not signed:
                    gain = 0.0
                moved, largest = max(moved, abs(gain - gains[j])), max(largest, abs(gain))
                gains[j] = gain
        if moved <= SETTLED_RATIO * largest:
            break


@kernel
def _add_products(real: Floats, imaginary: Floats, starts: NDArray[np.int64], grams: Floats) -> None:
    """grams[band, i, j] += sum over channels and bins of Re(X_i conj(X_j)); four sums side by side, added in one order."""
    for i in range(real.shape[0]):
        for j in range(i + 1):
            for channel in range(real.shape[1]):
                a, b, c, d = real[i, channel], imaginary[i, channel], real[j, channel], imaginary[j, channel]
                for band in range(starts.size - 1):
                    first, stop = starts[band], starts[band + 1]
                    p = q = 0.0
                    for n in range(first, stop):
                        p += a[n] * c[n]
                        q += b[n] * d[n]
                    grams[band, i, j] += p + q
            if j < i:
                grams[:, j, i] = grams[:, i, j]
