"""Transient shaper: more or less attack and sustain by the difference of a fast and a slow envelope, whatever the level.

In the manner of SPL's differential envelopes: where the level has just risen over its slow follower an onset is under way,
where it has fallen under it, what follows one. Steady sound passes untouched. Wide-band, or only within a band.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.gain_grid import STEP_FRAMES, Lines, add_scaled, change_of, step_peaks, steps
from dsp.kernel import kernel
from dsp.settings import LowEndFocusSettings, TransientSettings
from dsp.splitter import BandSplitter, Split, gathered, usable_edges

LOWEST_HZ = 30.0
"""The level is the largest peak of half a period of this tone: steady bass has no onsets in each of its waves."""
IGNORED_DB, FULL_DB = 2.0, 12.0
"""Differences of the envelopes: up to the first (noise, beats) nothing happens, from the second on all that was asked for."""
AHEAD_S = 0.001
"""A change of gain takes this long and ends where the onset begins: neither a click nor a part of the onset that is missed.
The ear does not hear what lies so shortly before a louder sound (our choice)."""
FLOOR_RATIO = 1e-6
"""Added to both envelopes: below -120 dBFS nothing is an onset."""


class Transients:
    """Shapes onsets and what follows them; one gain for all channels; latency: a step of 16 frames, or the splitter's.

    >>> from dsp.chain import process
    >>> hit = np.exp(-np.arange(9_600) / 960.0) * np.sin(0.1 * np.arange(9_600))
    >>> hits = np.concatenate([np.zeros((960, 1)), hit[:, None], 0.01 * hit[:, None]])
    >>> shaped = process(hits, 48_000, TransientSettings(attack_db=6.0))
    >>> [round(20.0 * math.log10(shaped[at, 0] / hits[at, 0]), 1) for at in (1_200, 10_800)]
    [6.0, 6.0]
    """

    def __init__(self, settings: TransientSettings, rate_hz: int, channels: int) -> None:
        self._source, reached = _band_source(settings, rate_hz, channels)
        times_s = (settings.attack_s, settings.sustain_s)
        decays = (math.exp(-STEP_FRAMES / (time_s * rate_hz)) for time_s in times_s)
        self._shape = _Shape(reached * settings.attack_db, reached * settings.sustain_db, *decays)
        self._recent = np.zeros(math.ceil(rate_hz / (2.0 * LOWEST_HZ * STEP_FRAMES)))
        self._held = np.zeros(2)
        self._envelopes = np.zeros(2)
        ahead = math.ceil(AHEAD_S * rate_hz / STEP_FRAMES)
        self._gains_db = np.zeros(ahead)
        self._last = 0.0
        # The sound waits for its gain.
        self._audio = silence(ahead * STEP_FRAMES, channels)
        self._lines = self._audio.T
        self._to_drop = ahead * STEP_FRAMES
        self.latency = self._source.latency + self._to_drop

    def push(self, block: Audio) -> Audio:
        """What is ready."""
        shaped = (self._shaped(split.audio, split.bands[0]) for split in self._source.push(block))
        return gathered(shaped, self._audio.shape[1])

    def finish(self) -> Audio:
        """The rest of the track."""
        rest = [(split.audio, split.bands[0].copy()) for split in self._source.finish()]
        after = np.zeros_like(self._audio)
        audio = np.concatenate([*(audio for audio, _ in rest), after])
        return self._shaped(audio, np.concatenate([*(lines for _, lines in rest), after.T], axis=1))

    def _shaped(self, audio: Audio, lines: Lines) -> Audio:
        """Takes whole steps, but at the end of the track; gives out as many frames, from before."""
        factors = np.empty(steps(lines.shape[1]))
        step_peaks(lines, factors)
        _hold(factors, self._recent, self._held)
        _contrast(factors, self._shape, self._envelopes, self._gains_db)
        frames = len(audio)
        self._audio = np.concatenate([self._audio, audio])
        self._lines = np.concatenate([self._lines, lines], axis=1)
        out = self._audio[:frames]
        self._last = add_scaled(self._lines[:, :frames], factors, self._last, out)
        self._audio, self._lines = self._audio[frames:], self._lines[:, frames:]
        dropped = min(self._to_drop, frames)
        self._to_drop -= dropped
        return out[dropped:]


class LowEndFocus(Transients):
    """Transients within the bass: what `contrast_db` adds to onsets it takes from what follows them.

    >>> LowEndFocus(LowEndFocusSettings(contrast_db=4.0), 48_000, 2).push(silence(100, 2)).shape
    (0, 2)
    """

    def __init__(self, settings: LowEndFocusSettings, rate_hz: int, channels: int) -> None:
        contrast_db = settings.contrast_db
        bass = TransientSettings(attack_db=contrast_db, sustain_db=-contrast_db, high_hz=settings.cutoff_hz)
        super().__init__(bass, rate_hz, channels)


class _WholeBand:
    """Stands in for a splitter where the band is the sound itself: cuts a track into whole steps."""

    latency = STEP_FRAMES - 1

    def __init__(self, channels: int) -> None:
        self._line = silence(0, channels)

    def push(self, block: Audio) -> Iterator[Split]:
        """Yields the steps that the block completes."""
        line = np.concatenate([self._line, block])
        whole = len(line) // STEP_FRAMES * STEP_FRAMES
        self._line = line[whole:].copy()
        if whole:
            yield _whole(line[:whole])

    def finish(self) -> Iterator[Split]:
        """Yields what is left."""
        if len(self._line):
            yield _whole(self._line)


def _whole(audio: Audio) -> Split:
    return Split(audio, audio.T[None])


def _band_source(settings: TransientSettings, rate_hz: int, channels: int) -> tuple[BandSplitter | _WholeBand, bool]:
    """Where the band comes from, and whether the rate of the track reaches it."""
    edges_hz = usable_edges([edge_hz for edge_hz in (settings.low_hz, settings.high_hz) if edge_hz], rate_hz)
    number = 1 if settings.low_hz else 0
    if not edges_hz:
        return _WholeBand(channels), number == 0
    return BandSplitter(edges_hz, rate_hz, channels, mix=np.eye(len(edges_hz) + 1)[[number]]), True


class _Shape(NamedTuple):
    attack_db: float
    sustain_db: float
    attack: float
    sustain: float


@kernel
def _hold(levels: Floats, recent: Floats, held: Floats) -> None:
    """levels[step] = the largest of the last recent.size levels, in place."""
    largest, at = held[0], int(held[1])
    for step in range(levels.size):
        leaving, recent[at] = recent[at], levels[step]
        at = at + 1 if at + 1 < recent.size else 0
        if levels[step] >= largest:
            largest = levels[step]
        elif leaving == largest:
            largest = 0.0
            for level in recent:
                largest = max(largest, level)
        levels[step] = largest
    held[0], held[1] = largest, at


@kernel
def _contrast(levels: Floats, shape: _Shape, envelopes: Floats, gains_db: Floats) -> None:
    """levels[step] becomes the gain less 1; e: the level, a and s follow it: a only up slowly, s only down slowly.

    gain = attack_db * amount(e / a) + sustain_db * amount(s / e), the mean over the last steps.
    """
    rising, falling = envelopes
    for step in range(levels.size):
        level = levels[step]
        rising = min(level, level + shape.attack * (rising - level))
        falling = max(level, level + shape.sustain * (falling - level))
        gains_db[:-1] = gains_db[1:]
        gains_db[-1] = shape.attack_db * _amount(level, rising) + shape.sustain_db * _amount(falling, level)
        levels[step] = change_of(gains_db.mean())
    envelopes[0], envelopes[1] = rising, falling


@kernel
def _amount(upper: float, lower: float) -> float:
    """How much of a change is under way: 0 where the envelopes lie within IGNORED_DB, 1 from FULL_DB on, straight between."""
    difference = 20.0 * math.log10((upper + FLOOR_RATIO) / (lower + FLOOR_RATIO))
    return min(1.0, max(0.0, (difference - IGNORED_DB) / (FULL_DB - IGNORED_DB)))
