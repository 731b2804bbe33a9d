"""Panner: gives a stem its place between left and right, and makes a stereo stem wider or narrower.

Not a stage of a chain: one channel may go in, two come out. Linear and without memory; a stereo stem that is to stay as it is
passes bit for bit.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats
from dsp.kernel import kernel
from dsp.settings import PanLaw, PannerSettings

POWERS: dict[PanLaw, float] = {"-3 dB": 1.0, "-4.5 dB": 1.5, "-6 dB": 2.0}
"""Of the sine and cosine: constant power, a compromise, and constant sum of left and right."""


class Panner:
    """(left, right) = matrix (channels of the stem).

    >>> Panner(PannerSettings(pan_ratio=-1.0), channels=1).push(np.array([[0.5]])).tolist()
    [[0.5, 0.0]]
    """

    def __init__(self, settings: PannerSettings, channels: int) -> None:
        self._matrix = pan_matrix(settings, channels)
        self._idle = np.array_equal(self._matrix, np.eye(2))

    def push(self, block: Audio) -> Audio:
        """Two channels; the block itself where a stereo stem stays as it is."""
        if self._idle:
            return block
        out = np.empty((len(block), 2))
        _pan(block, self._matrix, out)
        return out


def pan_matrix(settings: PannerSettings, channels: int) -> Floats:
    """Gains (2, channels) from each channel of a stem to left and right.

    Mono: l = sin^p(pi/4 (1 - pan)), r = sin^p(pi/4 (1 + pan)). Stereo: those over their value at the centre, after width has
    multiplied the side by its ratio; two equal channels go where one would, louder by what the law takes from the centre.

    >>> (20.0 * np.log10(pan_matrix(PannerSettings(law="-4.5 dB"), channels=1))).round(2).ravel().tolist()
    [-4.52, -4.52]
    """
    if channels not in (1, 2):
        raise ValueError(f"a stem has 1 or 2 channels, got {channels}")
    power = POWERS[settings.law]
    sides = [math.sin(math.pi / 4.0 * (1.0 + turn * settings.pan_ratio)) ** power for turn in (-1.0, 1.0)]
    if channels == 1:
        return np.array(sides)[:, None]
    centre = math.sin(math.pi / 4.0) ** power
    same, other = (1.0 + settings.width_ratio) / 2.0, (1.0 - settings.width_ratio) / 2.0
    return np.asarray(np.array(sides)[:, None] / centre * np.array([[same, other], [other, same]]))


@kernel
def _pan(block: Audio, matrix: Floats, out: Audio) -> None:
    """out[n, side] = sum over the channels of matrix[side, channel] block[n, channel]."""
    if block.shape[1] == 1:
        for n in range(block.shape[0]):
            out[n, 0], out[n, 1] = matrix[0, 0] * block[n, 0], matrix[1, 0] * block[n, 0]
    else:
        for n in range(block.shape[0]):
            left, right = block[n, 0], block[n, 1]
            out[n, 0] = matrix[0, 0] * left + matrix[0, 1] * right
            out[n, 1] = matrix[1, 0] * left + matrix[1, 1] * right
