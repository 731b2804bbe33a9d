"""Rounds to 16 or 24 bits, with triangular dither of one step either way (total noise: LSB^2 / 4, free of the signal).

The noise of a sample is a hash of (seed, position): no state, the same for every block size, worker and run (laws 1 and 8).
A frame that is digital silence in every channel stays so. For a CD the noise may be shaped: see `SHAPERS`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats
from dsp.kernel import kernel
from dsp.settings import QuantiserSettings

Integers: TypeAlias = NDArray[np.int16] | NDArray[np.int32]
SHAPERS: dict[str, tuple[float, ...]] = {
    "flat": (),
    "modified_e": (1.662, -1.263, 0.4827, -0.2913, 0.1268, -0.1124, 0.03252, -0.01265, -0.03524),
    "lipshitz": (2.033, -2.165, 1.959, -1.59, 0.6149),
}
"""Weights of the last errors, for 44.1 kHz: modified and improved E-weighting of Lipshitz, Vanderkooy and Wannamaker, "Minimally
Audible Noise Shaping", JAES 39(11), 1991. The noise's spectrum becomes abs(1 - sum_k c[k] z^-(k+1))^2 times the flat one."""
SHAPED_HZ = 44_100


class Quantiser:
    """Turns blocks of a track into integers, left-aligned: int16 for 16 bits, int32 with a zero low byte for 24.

    >>> Quantiser(QuantiserSettings(bits=16, dither=False), 1).push(np.array([[0.5], [-1.0]])).ravel().tolist()
    [16384, -32768]
    """

    def __init__(self, settings: QuantiserSettings, channels: int, rate_hz: int | None = None) -> None:
        if settings.shaping != "flat" and rate_hz != SHAPED_HZ:
            raise ValueError(
                f"shaping {settings.shaping!r} is for {SHAPED_HZ} Hz, got {rate_hz}: at another rate its curve "
                "would lie at other frequencies than the ear's; choose 'flat'"
            )
        self._settings = settings
        self._channels = channels
        self._position = 0
        self._weights = np.array(SHAPERS[settings.shaping])
        self._errors = np.zeros((channels, len(self._weights)))

    def push(self, block: Audio) -> Integers:
        """The block as integers; raises OverflowError rather than clip."""
        out = np.empty(block.shape, np.int16 if self._settings.bits == 16 else np.int32)
        over = self._round(block, out)
        self._position += block.size
        if over:
            raise OverflowError(f"{over} samples exceed full scale in the block before frame {self._frames()}")
        return out

    def _round(self, block: Audio, out: Integers) -> int:
        bits, seed = self._settings.bits, np.uint64(self._settings.seed)
        if len(self._weights):
            errors = np.concatenate([self._errors, np.empty((self._channels, len(block)))], axis=1)
            over = _shape(block, 1 << (bits - 1), seed, self._position, self._weights, errors, out)
            self._errors = errors[:, len(block) :].copy()
            return over
        noise = np.zeros(block.shape)
        if self._settings.dither:
            _dither(block, seed, self._position, noise.reshape(-1), noise)
        return _quantise(
            block.reshape(-1), noise.reshape(-1), float(1 << (bits - 1)), 0 if bits == 16 else 8, out.reshape(-1)
        )

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
def _dither(block: Audio, seed: np.uint64, position: int, flat: Floats, noise: Audio) -> None:
    """Noise for each value of a block but for silent frames; `flat` is the same memory in one row: the loop vectorises."""
    for i in range(flat.size):
        flat[i] = _triangular(seed, position + i)
    for n in range(block.shape[0]):
        silent = True
        for channel in range(block.shape[1]):
            silent = silent and block[n, channel] == 0.0
        if silent:
            noise[n] = 0.0


@kernel
def _quantise(values: Floats, noise: Floats, steps: float, shift: int, out: Integers) -> int:
    """out = floor(in * steps + dither + 1/2) << shift; returns how many values would not fit."""
    over = 0
    for i in range(values.size):
        value = np.floor(values[i] * steps + noise[i] + 0.5)
        kept = min(max(value, -steps), steps - 1.0)
        over += value != kept
        out[i] = np.int32(kept) << shift
    return over


@kernel
def _shape(
    block: Audio,
    steps: int,
    seed: np.uint64,
    position: int,
    weights: Floats,
    errors: Floats,
    out: Integers,
) -> int:
    """v = in * steps - sum_k c[k] e[n - 1 - k]; out = floor(v + dither + 1/2); e[n] = out - v; returns how many do not fit.

    `errors` (channels, order + frames) begins with those of the block before. A silent frame has none and feeds none back.
    """
    over, order = 0, weights.size
    for n in range(block.shape[0]):
        silent = True
        for channel in range(block.shape[1]):
            silent = silent and block[n, channel] == 0.0
        for channel in range(block.shape[1]):
            wanted = block[n, channel] * steps
            value = 0
            if silent:
                wanted = 0.0
            else:
                for k in range(order):
                    wanted -= weights[k] * errors[channel, order + n - 1 - k]
                noise = _triangular(seed, position + n * block.shape[1] + channel)
                value = int(np.floor(wanted + noise + 0.5))
            errors[channel, order + n] = value - wanted
            if value > steps - 1 or value < -steps:
                over += 1
            out[n, channel] = min(max(value, -steps), steps - 1)
    return over
