"""Sample-rate conversion by soxr at its best quality, in double precision (standards: 0.0005 dB ripple, -193 dB alias)."""

from __future__ import annotations

import numpy as np
import soxr

from dsp.audio import Audio, silence
from dsp.settings import ResamplerSettings


class Resampler:
    """Changes the rate of a track; n frames become `resampled_frames(n)`, and the first stays the first."""

    def __init__(self, settings: ResamplerSettings, rate_hz: int, channels: int) -> None:
        self._rates_hz = (rate_hz, settings.rate_hz)
        self.rate_ratio = settings.rate_hz / rate_hz
        self._channels = channels
        self._taken = self._given = 0
        self.latency = int(0.05 * settings.rate_hz) if rate_hz != settings.rate_hz else 0
        self._stream = None
        if self.latency:
            self._stream = soxr.ResampleStream(rate_hz, settings.rate_hz, channels, dtype="float64", quality="VHQ")

    def push(self, block: Audio) -> Audio:
        """What is ready at the new rate."""
        if self._stream is None or not len(block):
            return block
        self._taken += len(block)
        return self._count(self._stream.resample_chunk(np.ascontiguousarray(block)))

    def finish(self) -> Audio:
        """The rest, cut or filled with silence to the exact length (soxr's own may differ by one frame)."""
        if self._stream is None or not self._taken:
            return silence(0, self._channels)
        missing = resampled_frames(self._taken, *self._rates_hz) - self._given
        rest = self._stream.resample_chunk(silence(0, self._channels), last=True)
        return np.concatenate([rest[:missing], silence(max(0, missing - len(rest)), self._channels)])

    def _count(self, block: Audio) -> Audio:
        limit = resampled_frames(self._taken, *self._rates_hz) - self._given
        kept = block[: max(0, limit)]
        self._given += len(kept)
        return kept


def resampled_frames(frames: int, from_hz: int, to_hz: int) -> int:
    """Frames of a track at another rate: n * to / from, to the nearest.

    >>> resampled_frames(48_000, 48_000, 44_100)
    44100
    """
    return (2 * frames * to_hz + from_hz) // (2 * from_hz)
