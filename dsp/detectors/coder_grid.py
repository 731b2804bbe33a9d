"""The grid of a lossy coder: its transform, laid on the sound exactly where the coder laid it, finds values of nothing.

Coders quantise the values of a lapped transform, and many become zero. At any other place, even one frame on, the values are
nothing special: Derrien, JAES 67(3), 2019. Needs no learning; gain, cuts and dither leave it, another rate hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.detectors.coders import HOPS, Coder, coders_at
from dsp.fourier import Places, Plane, planes, transform_columns, turns
from dsp.kernel import kernel
from dsp.windows import WINDOW_FRAMES, Lines

MOST_WINDOWS = 12
"""Evenly spread over the track, at least half as many if it has them. More would find high bitrates only a little better."""
ZERO_RATIO = 0.02
"""A value counts half if it is this small, re the root mean square of its function. Tuned."""
STEP_FRAMES = 128
"""By multiples of it Vorbis moves its blocks when it changes their length; AAC and others stay where they are."""
GUARD_FRAMES = 4
"""Neighbours of the best place, which see some of what it sees."""
SIDE_RATIO = 1e-5
"""A difference of channels this much weaker holds no more than rounding."""


class Grid(NamedTuple):
    """How far a place stands out at which a coder's transform finds zeros, in standard deviations over all places."""

    score: float = 0.0
    second: float = 0.0
    """Of the next best place: nearly as good where the music itself repeats, or is a steady tone."""
    coder: str = ""


class CoderGridDetector:
    """Keeps some windows of a track, and lays the transforms of known coders on them in the end.

    >>> CoderGridDetector(44_100, 1).finish()
    Grid(score=0.0, second=0.0, coder='')
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._coders = coders_at(rate_hz)
        self._kept: list[tuple[int, Lines]] = []
        self._seen = 0
        self._stride = 1

    def push(self, lines: Lines) -> None:
        """Takes a window (channels, frames)."""
        if self._coders and self._seen % self._stride == 0 and lines.shape[1] == WINDOW_FRAMES:
            self._kept.append((self._seen, _first_and_side(lines)))
            if len(self._kept) > MOST_WINDOWS:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._seen += 1

    def finish(self) -> Grid:
        """The grid that stands out most."""
        kept = [(number * WINDOW_FRAMES, lines) for number, lines in self._kept if lines.any()]
        starts, spectra = [start for start, _ in kept], [_spectra(lines) for _, lines in kept]
        return max((_grid(coder, starts, spectra) for coder in self._coders if kept), default=Grid())


def _first_and_side(lines: Lines) -> Lines:
    """The first channel, and its difference to the second, if there is any: either may be what was quantised."""
    if len(lines) == 1:
        return lines.copy()
    both = np.stack([lines[0], lines[0] - lines[1]])
    return both if np.abs(both[1]).max() > SIDE_RATIO * np.abs(both[0]).max() else both[:1]


def _spectra(lines: Lines) -> NDArray[np.float32]:
    """(lines, 2, bins): real and imaginary."""
    spectra = np.fft.rfft(lines, axis=1)
    return np.stack([spectra.real, spectra.imag], axis=1).astype(np.float32)


def _grid(coder: Coder, starts: Sequence[int], spectra: Sequence[NDArray[np.float32]]) -> Grid:
    """Adds up the zeros of all windows at each place of the coder's period, counted from the start of the track."""
    places = np.zeros(STEP_FRAMES if coder.moves else coder.period)
    for start, lines in zip(starts, spectra, strict=True):
        zeros = np.roll(sum(_zeros(coder, line) for line in lines), start % coder.period)
        places += _standard(zeros).reshape(-1, STEP_FRAMES).max(axis=0) if coder.moves else zeros
    places = _standard(places)
    best = int(np.argmax(places))
    score = float(places[best])
    places[np.arange(best - GUARD_FRAMES, best + GUARD_FRAMES + 1) % places.size] = 0.0
    return Grid(score, float(places.max()), coder.name)


def _standard(values: Floats) -> Floats:
    """In robust standard deviations from the median; nothing if there are none."""
    above = values - np.median(values)
    deviation = 1.4826 * float(np.median(np.abs(above)))  # of a normal distribution
    return np.asarray(above / deviation) if deviation > 0.0 else np.zeros(values.size)


def _zeros(coder: Coder, spectrum: NDArray[np.float32]) -> Floats:
    """How many values are near zero at each place of a period, over all functions and blocks of a window."""
    table, power = planes(HOPS, len(coder.middles)), np.zeros(len(coder.middles))
    # Exchanging real and imaginary parts before and after makes it an inverse transform.
    _filter(spectrum, coder.middles, coder.real, coder.imaginary, table[1], table[0], power)
    transform_columns(table[0], table[1], turns(HOPS))
    rms = np.sqrt(power / 2.0)
    scale = np.divide(1.0 / ZERO_RATIO, rms, out=np.zeros(rms.size), where=rms > 0.0).astype(np.float32)
    blocks = (WINDOW_FRAMES - coder.length) // coder.period
    zeros = np.zeros(coder.period)
    _count_zeros(table[1], table[0], np.argsort(turns(HOPS).order), coder.between * scale[:, None], blocks, zeros)
    return zeros


@kernel
def _filter(
    spectrum: NDArray[np.float32],
    middles: Places,
    real: Plane,
    imaginary: Plane,
    out_real: Plane,
    out_imaginary: Plane,
    power: Floats,
) -> None:
    """out[bin % rows] = spectrum[bin] * function's spectrum there, and adds up its power."""
    rows = real.shape[0]
    x, y = np.empty(middles.size, np.float32), np.empty(middles.size, np.float32)
    for row in range(rows):
        for function in range(middles.size):
            first = middles[function] - rows // 2
            at = first + (row - first) % rows
            x[function], y[function] = spectrum[0, at], spectrum[1, at]
        a, b, out_a, out_b = real[row], imaginary[row], out_real[row], out_imaginary[row]
        for n in range(x.size):
            u, v = x[n] * a[n] - y[n] * b[n], x[n] * b[n] + y[n] * a[n]
            out_a[n], out_b[n] = u, v
            power[n] += u * u + v * v


@kernel
def _count_zeros(
    real: Plane, imaginary: Plane, row_of: Places, between: NDArray[np.float32], blocks: int, zeros: Floats
) -> None:
    """zeros[n] = sum over functions and blocks of 1 / (1 + value^2); values in units of what counts half."""
    functions, hop = between.shape[1:]
    steps = zeros.size // hop
    one, sums = np.float32(1.0), np.empty(hop, np.float32)
    for step in range(steps):
        sums[:] = 0.0
        for block in range(blocks):
            before, after = row_of[block * steps + step], row_of[block * steps + step + 1]
            for k in range(functions):
                a, b, c, d = real[before, k], imaginary[before, k], real[after, k], imaginary[after, k]
                p, q, r, s = between[0, k], between[1, k], between[2, k], between[3, k]
                for i in range(hop):
                    value = a * p[i] + b * q[i] + c * r[i] + d * s[i]
                    sums[i] += one / (one + value * value)
        for i in range(hop):
            zeros[step * hop + i] = sums[i]
