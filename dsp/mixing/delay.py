"""Delay by any number of frames, also by parts of one, later or earlier: brings the microphones of one sound together.

Whole frames move as they are. A part of a frame is read between the samples by a windowed sinc; as long as a track goes in, it
comes out: what moves past its start or its end is lost.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.kernel import kernel
from dsp.settings import DelaySettings

TAPS = 64
KAISER_BETA = 7.5
"""Within 0.001 frames and 0.001 dB to 0.4 of the rate (measured); more would end lower, less would ripple more."""
STRETCH = 512
"""Frames that all taps pass over before the next: they stay in the first cache, and no sum depends on how a track is cut."""


class Delay:
    """out[n] = in[n - delay]; no whole frame is changed by a bit.

    >>> from dsp.chain import process
    >>> process(np.array([[1.0], [2.0], [3.0]]), 48_000, DelaySettings(delay_frames=-1.0)).ravel().tolist()
    [2.0, 3.0, 0.0]
    """

    def __init__(self, settings: DelaySettings, rate_hz: int, channels: int) -> None:
        whole = math.floor(settings.delay_frames)
        self._taps = fraction_taps(settings.delay_frames - whole)
        ahead = (len(self._taps) - 1) // 2 - whole
        self.latency = max(0, ahead)
        """Frames that are heard before what they become is known."""
        self._to_drop = self.latency
        self._line = silence(len(self._taps) - 1 + max(0, -ahead), channels)
        self._late = max(0, -ahead)

    def push(self, block: Audio) -> Audio:
        """As many frames as the block has, less those that are held back at the start."""
        line = np.concatenate([self._line, block])
        self._line = line[len(block) :]
        heard = line[: len(line) - self._late]
        if len(self._taps) == 1:
            out = heard
        else:
            out = np.empty_like(block)
            for channel in range(block.shape[1]):
                _filter(np.ascontiguousarray(heard[:, channel]), self._taps, out[:, channel])
        dropped = min(self._to_drop, len(out))
        self._to_drop -= dropped
        return out[dropped:]

    def finish(self) -> Audio:
        """The frames that were held back."""
        return self.push(silence(self.latency, self._line.shape[1]))


def fraction_taps(fraction: float) -> Floats:
    """Of a delay by less than a frame, on top of TAPS / 2 - 1 whole ones: a Kaiser-windowed sinc (Laakso et al., IEEE SPM 13(1),
    1996) with unit gain at 0 Hz; a single tap where there is nothing to read between.

    >>> fraction_taps(0.0).tolist(), len(fraction_taps(0.5))
    ([1.0], 64)
    """
    if fraction == 0.0:
        return np.ones(1)
    position = np.arange(TAPS) - (TAPS // 2 - 1) - fraction
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1.0 - (position / (TAPS // 2)) ** 2, 0.0)))
    taps = np.sinc(position) * window
    return np.asarray((taps / taps.sum())[::-1])


@kernel
def _filter(line: Floats, taps: Floats, out: Floats) -> None:
    """out[n] = sum over k of taps[k] line[n + k], tap by tap: the same order of adding wherever a stretch begins."""
    for start in range(0, out.size, STRETCH):
        size = min(STRETCH, out.size - start)
        summed = np.zeros(size)
        for k in range(taps.size):
            given, tap = line[start + k : start + k + size], taps[k]
            for n in range(size):
                summed[n] += tap * given[n]
        out[start : start + size] = summed
