"""Rounds to 16 or 24 bits, with triangular dither of one step either way (total noise: LSB^2 / 4, free of the signal).

The noise of a sample is a hash of (seed, position): no state, the same for every block size, worker and run (laws 1 and 8).
A frame that is digital silence in every channel stays so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio
from dsp.kernel import kernel
from dsp.settings import QuantiserSettings


class Quantiser:
    """Turns blocks of a track into integers, left-aligned: int16 for 16 bits, int32 with a zero low byte for 24.

    >>> Quantiser(QuantiserSettings(bits=16, dither=False), 1).push(np.array([[0.5], [-1.0]])).ravel().tolist()
    [16384, -32768]
    """

    def __init__(self, settings: QuantiserSettings, channels: int) -> None:
        self._settings = settings
        self._channels = channels
        self._position = 0

    def push(self, block: Audio) -> NDArray[np.int16] | NDArray[np.int32]:
        """The block as integers; raises OverflowError rather than clip."""
        bits = self._settings.bits
        out = np.empty(block.shape, np.int16 if bits == 16 else np.int32)
        amount = 1.0 if self._settings.dither else 0.0
        shift = 0 if bits == 16 else 8
        over = _quantise(block, 1 << (bits - 1), amount, np.uint64(self._settings.seed), self._position, shift, out)
        self._position += block.size
        if over:
            raise OverflowError(f"{over} samples exceed full scale in the block before frame {self._frames()}")
        return out

    def _frames(self) -> int:
        return self._position // max(1, self._channels)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@kernel
def _triangular(seed: np.uint64, position: int) -> float:
    """Difference of two uniform values, in (-1, 1): the halves of one output of SplitMix64 (Steele et al. 2014)."""
    z = seed + (np.uint64(position) + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(32)) - float(z & np.uint64(0xFFFFFFFF))) * 2.0**-32


@kernel
def _quantise(
    block: Audio, steps: int, amount: float, seed: np.uint64, position: int, shift: int, out: NDArray[np.int32]
) -> int:
    """out = floor(in * steps + dither + 1/2) << shift; returns how many values would not fit."""
    over = 0
    for n in range(block.shape[0]):
        silent = True
        for channel in range(block.shape[1]):
            silent = silent and block[n, channel] == 0.0
        for channel in range(block.shape[1]):
            noise = 0.0
            if amount > 0.0 and not silent:
                noise = amount * _triangular(seed, position + n * block.shape[1] + channel)
            value = int(np.floor(block[n, channel] * steps + noise + 0.5))
            if value > steps - 1 or value < -steps:
                over += 1
            out[n, channel] = min(max(value, -steps), steps - 1) << shift
    return over
