"""Multiband dynamics: in every band, loud sound comes down, soft sound comes up, and both keep their time.

Feed-forward, log domain, soft knee, channels linked, after Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor
Design", JAES 60(6), 2012. Each band is added to the sound times its gain less 1: what is left alone passes bit for bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats
from dsp.compressor import soft_knee
from dsp.gain_grid import STEP_FRAMES, add_scaled, change_of, step_powers, steps
from dsp.kernel import STILL, kernel
from dsp.settings import BandDynamics, MultibandSettings
from dsp.splitter import BandSplitter, Split, gathered, usable_edges

RMS_S = 0.010
"""Over which the level is read: longer than half a wave of the bass, which a peak reading would follow wave by wave."""
TRANSIENT_RELEASE_RATIO = 0.2
"""The release after a transient, over that after reduction that lasted (our choice)."""


class Multiband:
    """Compression, and lift of what is soft, in two to six bands; latency: the splitter's.

    >>> from dsp.chain import process
    >>> tone = 0.5 * np.sin(2 * np.pi * 0.01 * np.arange(48_000))[:, None]
    >>> loud = BandDynamics(threshold_dbfs=-26.0, compression_ratio=2.0)
    >>> settings = MultibandSettings(edges_hz=(120.0, 2000.0), bands=(BandDynamics(), loud, BandDynamics()))
    >>> round(20.0 * math.log10(np.abs(process(tone, 48_000, settings)[-9_600:-4_800]).max() / 0.5), 1)
    -10.0
    """

    def __init__(self, settings: MultibandSettings, rate_hz: int, channels: int) -> None:
        count = len(usable_edges(settings.edges_hz, rate_hz)) + 1
        busy = [number for number in range(count) if _does_something(settings.bands[number])]
        self._bands = [_Band(settings.bands[number], rate_hz, channels) for number in busy]
        self._splitter = BandSplitter(settings.edges_hz, rate_hz, channels, mix=np.eye(count)[busy])
        self._channels = channels
        self.latency = self._splitter.latency

    def push(self, block: Audio) -> Audio:
        """What is ready."""
        return gathered((self._changed(split) for split in self._splitter.push(block)), self._channels)

    def finish(self) -> Audio:
        """The rest of the track."""
        return gathered((self._changed(split) for split in self._splitter.finish()), self._channels)

    def _changed(self, split: Split) -> Audio:
        for band, lines in zip(self._bands, split.bands, strict=True):
            factors = np.empty(steps(lines.shape[1]))
            band.last = add_scaled(lines, band.changes(lines, factors), band.last, split.audio)
        return split.audio


def _does_something(band: BandDynamics) -> bool:
    return (band.compression_ratio, band.lift_ratio, band.gain_db) != (1.0, 1.0, 0.0)


class _Band:
    """The gain of one band between two stretches of a track."""

    def __init__(self, band: BandDynamics, rate_hz: int, channels: int) -> None:
        self._curve = _Curve(
            band.threshold_dbfs,
            1.0 - 1.0 / band.compression_ratio,
            band.knee_db,
            band.max_reduction_db,
            band.lift_threshold_dbfs,
            1.0 - 1.0 / band.lift_ratio,
            band.max_lift_db,
            band.lift_floor_dbfs,
            band.gain_db,
        )
        times_s = (RMS_S, band.attack_s, band.release_s, TRANSIENT_RELEASE_RATIO * band.release_s)
        self._times = _Times(*(math.exp(-STEP_FRAMES / (time_s * rate_hz)) for time_s in times_s))
        self._powers = np.zeros(channels)
        self._state = np.zeros(4)
        self.last = change_of(band.gain_db)

    def changes(self, lines: Floats, factors: Floats) -> Floats:
        """The gain less 1, at every step."""
        powers = np.empty((len(lines), len(factors)))
        step_powers(lines, powers)
        _follow(powers, self._curve, self._times, self._powers, self._state, factors)
        return factors


class _Curve(NamedTuple):
    threshold: float
    slope: float
    knee: float
    max_reduction: float
    lift_threshold: float
    lift_slope: float
    max_lift: float
    lift_floor: float
    gain: float


class _Times(NamedTuple):
    """What is left of a difference after one step."""

    rms: float
    attack: float
    release: float
    transient_release: float


@kernel
def _follow(powers: Floats, curve: _Curve, times: _Times, means: Floats, state: Floats, factors: Floats) -> None:
    """The level is the loudest channel's; the gain in dB is constant + lift - reduction.

    c = reduction wanted. s follows c with the release either way; f = max(c, s + k (f - s)) with the transient's release: after a
    transient f falls to s, which hardly rose; after a long one s has come up and f goes its way. y follows f with the attack.
    The lift comes with the release and goes with the attack.
    """
    slow, fast, y, lift = state
    for step in range(factors.size):
        loudest = 0.0
        for channel in range(means.size):
            means[channel] = powers[channel, step] + times.rms * (means[channel] - powers[channel, step])
            loudest = max(loudest, means[channel])
        level = 10.0 * math.log10(max(2.0 * loudest, STILL))
        wanted = min(curve.max_reduction, curve.slope * soft_knee(level - curve.threshold, curve.knee))
        slow = wanted + times.release * (slow - wanted)
        fast = max(wanted, slow + times.transient_release * (fast - slow))
        y = fast + times.attack * (y - fast)
        lifted = _lift(level, curve)
        lift = lifted + (times.release if lifted > lift else times.attack) * (lift - lifted)
        factors[step] = change_of(curve.gain + lift - y)
    state[0], state[1], state[2], state[3] = slow, fast, y, lift


@kernel
def _lift(level: float, curve: _Curve) -> float:
    """(1 - 1/R) soft_knee(T - x), but neither more than the most nor more than x is above the floor."""
    lifted = curve.lift_slope * soft_knee(curve.lift_threshold - level, curve.knee)
    return max(0.0, min(lifted, curve.max_lift, level - curve.lift_floor))
