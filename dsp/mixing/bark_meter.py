"""Energy of a stem in each critical band, every tenth of a second: two spectra a step, cut so that they add up exactly.

The windows overlap by what is left of a power of two, and their squares add up to one there: nothing between two steps is lost
or counted twice, and a hit weighs the same wherever it falls.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.fourier import PairTransform, Plane
from dsp.kernel import kernel
from dsp.mixing.trace import BARK_BANDS, BARK_EDGES_HZ, STEPS_PER_S
from dsp.windows import Lines

WINDOWS_A_STEP = 2
LOWEST_HZ = 20.0
"""What lies below is offset and rumble: it belongs to no band."""
LOW_HZ = 120.0
"""Splits the second band in two: what lies below is bass."""
_EDGES_HZ = (LOWEST_HZ, *BARK_EDGES_HZ[1:2], LOW_HZ, *BARK_EDGES_HZ[2:])
_CELLS = len(_EDGES_HZ)
"""As many as edges: the last one holds what lies above the top band."""


class BarkEnergies(NamedTuple):
    """Energies (sums of squares over the channels) of each step."""

    bands: NDArray[np.float32]
    """(steps, 24)"""
    low: Floats
    """(steps,) Below 120 Hz."""
    total: Floats
    """(steps,) From 20 Hz up to half the rate."""
    moments: Floats
    """(steps,) Energy times its frequency in Hz: over `total`, the centre of gravity."""


class BarkMeter:
    """Running energies of a stem of one or two channels; `push` takes lines (channels, frames), cut anyhow.

    >>> meter = BarkMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 1000 / 48_000 * np.arange(48_000))[None].astype(np.float32))
    >>> found = meter.finish()
    >>> int(found.bands[5].argmax()), round(float(found.bands[5].sum()))  # half of the 4800 frames of a step
    (8, 2400)
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        hop = rate_hz / (STEPS_PER_S * WINDOWS_A_STEP)
        self._size = 1 << (int(2.0 * hop).bit_length() - 1)
        self._transform = PairTransform(self._size)
        self._window = _window(self._size, hop)
        bins = self._transform.bins
        self._hz = np.minimum(bins, self._size - bins) * (rate_hz / self._size)
        self._cells = (np.searchsorted(_EDGES_HZ, self._hz, side="right") - 1).astype(np.int8)
        self._kept = np.zeros((channels, self._first(0) * -1), np.float32)  # silence comes before the first frame
        self._start = self._first(0)  # the frame of the stem at which `kept` begins
        self._nothing = np.zeros(self._size, np.float32)
        self._frames = self._windows = 0
        self._row = np.zeros(_CELLS + 1)
        self._bands, self._sums = array("f"), array("d")

    def _first(self, window: int) -> int:
        """The frame at which a window begins: its middle lies in the middle of its half of a step."""
        middle = (2 * window + 1) * self._rate_hz // (2 * STEPS_PER_S * WINDOWS_A_STEP)
        return int(middle - self._size // 2)

    def push(self, lines: Lines) -> None:
        """Takes the next frames (channels, frames)."""
        self._frames += lines.shape[1]
        line = np.concatenate([self._kept, lines], axis=1)
        while (at := self._first(self._windows) - self._start) + self._size <= line.shape[1]:
            self._listen(line[:, at : at + self._size])
        done = max(0, min(at, line.shape[1]))
        self._kept, self._start = line[:, done:], self._start + done

    def _listen(self, lines: Lines) -> None:
        second = lines[1] if len(lines) > 1 else self._nothing
        real, imaginary = self._transform(lines[0], second, self._window)
        row = np.zeros(_CELLS + 1)
        _gather(real, imaginary, self._cells, self._hz, row)
        self._row += row / self._size
        self._windows += 1
        if self._windows % WINDOWS_A_STEP == 0:
            self._keep(self._row)
            self._row = np.zeros(_CELLS + 1)

    def _keep(self, cells: Floats) -> None:
        """A step that is whole: 120 bytes, so that hours of many stems are small."""
        bands = np.concatenate([cells[:1], cells[1:2] + cells[2:3], cells[3 : BARK_BANDS + 1]])
        sums = np.array([cells[0] + cells[1], np.add.reduce(cells[:_CELLS]), cells[_CELLS]])
        self._bands.frombytes(np.asarray(bands, np.float32).tobytes())
        self._sums.frombytes(sums.tobytes())

    def finish(self) -> BarkEnergies:
        """The energies of all steps, the last of which may be short; ends the measurement."""
        frames = self._frames
        steps = -(-frames * STEPS_PER_S // self._rate_hz)
        missing = self._first(steps * WINDOWS_A_STEP - 1) + self._size - frames if steps else 0
        self.push(np.zeros((len(self._kept), max(0, missing)), np.float32))
        bands = np.frombuffer(self._bands, np.float32).reshape(-1, BARK_BANDS)[:steps]
        low, total, moments = np.frombuffer(self._sums).reshape(-1, 3)[:steps].T
        return BarkEnergies(bands, low, total, moments)


def _window(size: int, hop: float) -> NDArray[np.float32]:
    """Flat, with ends whose squares add up to one where two windows overlap.

    The ends are sin(pi/2 sin^2 x), as the Vorbis I specification has them: what leaks falls off faster than from a sine.
    """
    overlap = size - hop
    place = np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5) / overlap
    ramp = np.sin(np.pi / 2 * np.clip(place, 0.0, 1.0))
    return np.asarray(np.sin(np.pi / 2 * ramp * ramp), np.float32)


@kernel
def _gather(real: Plane, imaginary: Plane, cells: NDArray[np.int8], hz: Floats, row: Floats) -> None:
    """row[cell] = sum of |Z|^2 of its bins, row[-1] = the same times their frequency.

    Both halves of the spectrum of `left + j right` hold half of 2 (|L|^2 + |R|^2) of a frequency: their sum is the energy of both
    channels times the size, by Parseval.
    """
    moment = 0.0
    for i in range(cells.shape[0]):
        for j in range(cells.shape[1]):
            cell = cells[i, j]
            if cell >= 0:
                x, y = np.float64(real[i, j]), np.float64(imaginary[i, j])
                power = x * x + y * y
                row[cell] += power
                moment += power * hz[i, j]
    row[-1] = moment
