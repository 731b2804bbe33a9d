"""Lowpass and decimation by a whole number: hands a meter the low part of a signal at a rate that it can afford.

Linear-phase, Kaiser-windowed; half the amplitude at the cutoff. For meters only: `resampler` is for sound that is delivered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel
from dsp.windows import Lines

STEP = 256
"""Outputs computed together: they stay in the first cache."""
TAPS_PER_OCTAVE = 2.2
"""Taps times cutoff over rate: the stop band (-60 dB) begins an octave and a half above the cutoff."""
KAISER_BETA = 5.65  # 60 dB of attenuation: Kaiser 1974


class Decimator:
    """Keeps one sample in `factor`, after a lowpass at `cutoff_hz`; `push` takes and gives lines (channels, frames).

    >>> decimator = Decimator(48_000, factor=8, cutoff_hz=1_000.0, channels=1)
    >>> decimator.push(np.ones((1, 4_800), np.float32))[0, -1].round(3)
    np.float32(1.0)
    """

    def __init__(self, rate_hz: float, *, factor: int, cutoff_hz: float, channels: int) -> None:
        self._factor = factor
        self._phases = _lowpass(cutoff_hz / rate_hz, factor)
        self._kept = np.zeros((channels, self._phases.size - 1), np.float32)

    def push(self, lines: Lines) -> Lines:
        """Takes some frames, gives those that they complete."""
        line = np.concatenate([self._kept, lines], axis=1)
        count = max(0, (line.shape[1] - self._phases.size) // self._factor + 1)
        out = np.zeros((len(line), count), np.float32)
        if count:
            scratch = np.empty((self._factor, count + self._phases.shape[1] - 1), np.float32)
            for row, found in zip(line, out, strict=True):
                _decimate(row, self._phases, scratch, found)
        self._kept = line[:, count * self._factor :]
        return out


def _lowpass(cutoff_ratio: float, factor: int) -> NDArray[np.float32]:
    """Taps as (factor, taps / factor), tap k * factor + phase at [phase, k]; a multiple of 4 a phase; sum 1."""
    each = 4 * int(np.ceil(TAPS_PER_OCTAVE / cutoff_ratio / factor / 4.0))
    taps = each * factor
    place = np.arange(taps) - (taps - 1) / 2
    weights = np.sinc(2.0 * cutoff_ratio * place) * np.kaiser(taps, KAISER_BETA)
    return np.ascontiguousarray((weights / weights.sum()).reshape(each, factor).T.astype(np.float32))


@kernel
def _decimate(
    line: NDArray[np.float32], phases: NDArray[np.float32], scratch: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """out[m] = sum over d, k of phases[d, k] * line[(m + k) * factor + d]."""
    factor, taps = phases.shape
    for d in range(factor):
        row = scratch[d]
        for i in range(row.size):
            row[i] = line[i * factor + d]
    for start in range(0, out.size, STEP):
        count = min(STEP, out.size - start)
        part = out[start : start + count]
        part[:] = 0.0
        for d in range(factor):
            row = scratch[d, start : start + count + taps - 1]
            for k in range(0, taps, 4):
                # One view per tap: an index of i + k would keep the loop from vectorising.
                a, b, c, e = row[k : k + count], row[k + 1 : k + 1 + count], row[k + 2 : k + 2 + count], row[k + 3 :]
                w, x, y, z = phases[d, k], phases[d, k + 1], phases[d, k + 2], phases[d, k + 3]
                for i in range(count):
                    part[i] += w * a[i] + x * b[i] + y * c[i] + z * e[i]
