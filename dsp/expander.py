"""Downward expander: feed-forward, log domain, soft knee, channels linked; makes pauses quieter, not the music.

The static curve is the compressor's, turned over: below the threshold, (R - 1) dB of reduction for each dB. Never engaged, it
passes every bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.compressor import soft_knee
from dsp.gain_grid import SETTLED_DB
from dsp.kernel import STILL, kernel
from dsp.settings import ExpanderSettings

FALL_S = 0.01
"""How fast the level read falls once a peak is no longer held; the release comes on top (our choice)."""


class Expander:
    """Turns down what lies below the threshold; one gain for all channels; no latency.

    >>> from dsp.chain import process
    >>> hiss = np.random.default_rng(1).normal(0.0, 1e-3, (96_000, 1))
    >>> settings = ExpanderSettings(threshold_dbfs=-30.0, expansion_ratio=4.0, range_db=12.0)
    >>> round(20.0 * math.log10(process(hiss, 48_000, settings)[-1, 0] / hiss[-1, 0]), 1)
    -12.0
    """

    latency = 0

    def __init__(self, settings: ExpanderSettings, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._law = _Law(
            settings.threshold_dbfs,
            settings.expansion_ratio - 1.0,
            settings.knee_db,
            settings.range_db,
            round(settings.hold_s * rate_hz),
            *(math.exp(-1.0 / (time_s * rate_hz)) for time_s in (FALL_S, settings.attack_s, settings.release_s)),
        )
        # Held peak, its age and the reduction: a track starts open, and has the hold to say that it is music.
        self._state = np.array([to_gain(settings.threshold_dbfs + settings.knee_db), 0.0, 0.0])

    def push(self, block: Audio) -> Audio:
        """The block with the gain applied."""
        out = np.empty_like(block)
        _expand(block, self._law, self._state, out)
        return out

    def finish(self) -> Audio:
        """Nothing: the expander holds nothing back."""
        return silence(0, self._channels)


class _Law(NamedTuple):
    threshold: float
    slope: float
    knee: float
    most: float
    hold: int
    fall: float
    attack: float
    release: float


@kernel
def _expand(block: Audio, law: _Law, state: Floats, out: Audio) -> None:
    """p = the held peak; c = min(range, (R - 1) soft_knee(T - p)) dB; y = k y + (1 - k) c.

    k: the attack where c < y, else the release. The peak is held for `hold` frames, then falls. out = in * 10^(-y / 20).
    """
    peak, age, y = state
    open_above = 10.0 ** ((law.threshold + law.knee / 2.0) / 20.0)
    for n in range(block.shape[0]):
        loudest = 0.0
        for channel in range(block.shape[1]):
            loudest = max(loudest, abs(block[n, channel]))
        age += 1.0
        if age > law.hold:
            peak = max(law.fall * peak, STILL)  # fading further would end in numbers that processors are slow at
        if loudest >= peak:
            peak, age = loudest, 0.0
        wanted = 0.0
        if peak < open_above:
            below = law.threshold - 20.0 * math.log10(max(peak, STILL))
            wanted = min(law.most, law.slope * soft_knee(below, law.knee))
        kept = law.attack if wanted < y else law.release
        y = wanted + kept * (y - wanted)
        if y < SETTLED_DB:
            y = 0.0
        gain = 10.0 ** (-y / 20.0) if y > 0.0 else 1.0
        for channel in range(block.shape[1]):
            out[n, channel] = block[n, channel] * gain
    state[0], state[1], state[2] = peak, age, y
