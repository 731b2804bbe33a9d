"""What a limiter listens to: the sound ahead of what it plays, with the peaks between its samples.

Read once, it serves any number of gains: a peak grows with the gain, so that a limiter behind a gain of 6 dB hears the same
peaks under a ceiling 6 dB lower.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, joined, silence
from dsp.oversampling import HALF, REACH, SEGMENT, interpolator, raise_peaks, treble_filter, wide_interpolator

COARSE, FINE = interpolator(4, HALF), interpolator(8, HALF)
"""Where 4x comes near the ceiling it is read again at 8x: at most 0.136 dB low at 0.45 of the rate (BS.1770-5 annex 2)."""
BOUND = max(COARSE.bound, FINE.bound)
WIDE = wide_interpolator(16)
"""Finer: what it is for lies up to half the rate, where 8x may read 0.16 dB low."""
FILTERS = (
    *(COARSE.folds, FINE.folds, np.ascontiguousarray(FINE.folds.T)),
    *(WIDE.folds, np.ascontiguousarray(WIDE.folds.T), treble_filter(), BOUND),
)


class Stretch(NamedTuple):
    """Whole segments of a track."""

    tops: NDArray[np.float32]
    """The largest value on a frame and on both sides of it, wherever it may exceed the ceiling; else 0, or less than that."""
    audio: Audio
    """What lies `delay` frames earlier, within the track: at its start and its end fewer frames than tops."""
    skipped: int
    """So many of the tops lie at frames before the track's start."""


class SideChain:
    """Reads peaks above a ceiling (ratio to full scale), and holds the sound back by `delay` frames.

    Of `heard` channels alone it reads peaks; those after them are only held back with them.
    """

    def __init__(self, ceiling: float, delay: int, channels: int, heard: int | None = None) -> None:
        self._ceiling = ceiling
        self.latency = delay + REACH + SEGMENT - 1
        self._audio = silence(delay, channels)
        self._line = np.zeros((channels if heard is None else heard, REACH), np.float32)
        self._last_peak = np.zeros(1, np.float32)
        self._to_drop, self._to_come = delay, 0

    def push(self, block: Audio) -> Stretch:
        """Takes a block of any length."""
        self._to_come += len(block)
        return self._run(block)

    def finish(self) -> Stretch:
        """The last frames of the track."""
        return self._run(silence(self.latency, self._audio.shape[1]))

    def _run(self, block: Audio) -> Stretch:
        """Whole segments, as far as the interpolators reach: readings must not depend on how the input was cut."""
        self._line = np.concatenate([self._line, block.T[: len(self._line)]], axis=1, dtype=np.float32)
        self._audio = joined([self._audio, block])
        frames = max(0, self._line.shape[1] - 2 * REACH + 1) // SEGMENT * SEGMENT
        dropped = min(self._to_drop, frames)
        kept = self._audio[dropped : min(frames, dropped + self._to_come)]
        stretch = Stretch(self._tops(frames), kept, dropped)
        self._line = self._line[:, frames:]
        self._audio = self._audio[frames:]
        self._to_drop -= dropped
        self._to_come -= len(kept)
        return stretch

    def _tops(self, frames: int) -> NDArray[np.float32]:
        """A peak between two frames counts for both; it is read with both of them, so no sample need be looked at again."""
        peaks = np.zeros(frames, np.float32)
        for channel in self._line:
            raise_peaks(channel, self._ceiling, *FILTERS, peaks)
        around = np.concatenate([self._last_peak, peaks])
        self._last_peak = around[frames:]
        return np.asarray(np.maximum(around[1:], around[:-1]))
