"""Ducker: a band of one stem gives way while another stem is loud in that band: the bass to the kick, keys to the voice.

It listens to the other in the same band, so that a stem gives way only where it is in the way: a singer's s moves no bass. Not a
stage of a chain: it takes the other stem, too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats
from dsp.dynamic_equaliser import resonator
from dsp.gain_grid import SETTLED_DB
from dsp.kernel import STILL, kernel
from dsp.settings import DuckerSettings

FALL_S = 0.01
"""How fast the level read falls once a peak is no longer held; the release comes on top (our choice)."""
NEAR_RATIO = 0.9
"""A wave that comes so near to the held peak holds it on: those of a steady tone are never all the same (our choice)."""
SHARPEST = 10.0
"""Quality of the narrowest band; the broadest is that of 20 Hz to 20 kHz."""


class _Law(NamedTuple):
    threshold: float
    most: float
    hold: float
    fall: float
    attack: float
    release: float


class Ducker:
    """y = x + (g - 1) bp(x), a bell of gain g between `low_hz` and `high_hz`; no latency; every bit passes while the key is soft.

    As many dB as the key is over the threshold in the band are taken, and never more than `depth_db`.

    >>> settings = DuckerSettings(threshold_dbfs=-30.0, depth_db=6.0, low_hz=500.0, high_hz=2_000.0)
    >>> tone = np.sin(2.0 * np.pi * 1_000.0 / 48_000 * np.arange(48_000))[:, None]
    >>> out = Ducker(settings, 48_000, channels=1).push(0.1 * tone, key_block=0.5 * tone)
    >>> round(20.0 * math.log10(np.abs(out[-4_800:]).max() / 0.1), 1)
    -6.0
    """

    def __init__(self, settings: DuckerSettings, rate_hz: int, channels: int) -> None:
        centre_hz = math.sqrt(settings.low_hz * settings.high_hz)
        quality = centre_hz / max(settings.high_hz - settings.low_hz, centre_hz / SHARPEST)
        self._filter = np.array(resonator(centre_hz, quality, rate_hz))
        self._law = _Law(
            settings.threshold_dbfs,
            settings.depth_db,
            round((settings.hold_s + 0.5 / settings.low_hz) * rate_hz),  # no level is known in less than half a wave
            *(math.exp(-1.0 / (time_s * rate_hz)) for time_s in (FALL_S, settings.attack_s, settings.release_s)),
        )
        self._rest, self._key_rest = np.zeros((channels, 2)), np.zeros((2, 2))
        self._state = np.zeros(3)  # held peak, its age, and the reduction in dB

    def push(self, block: Audio, key_block: Audio) -> Audio:
        """The block with its band turned down by what the key asks for; the key has as many frames, and one or two channels."""
        if len(block) != len(key_block):
            raise ValueError(f"the key must have as many frames as the block ({len(block)}), got {len(key_block)}")
        moves = np.empty(len(block))
        _listen(key_block, self._filter, self._law, self._key_rest, self._state, moves)
        out = np.empty_like(block)
        _pass(block, self._filter, self._rest, out)
        _turn_down(block, moves, out)
        return out


@kernel
def _listen(key: Audio, band: Floats, law: _Law, rest: Floats, state: Floats, moves: Floats) -> None:
    """p = the held peak of bp(key); c = min(most, 20 log10 p - T) or 0; y = c + k (y - c); moves[n] = 10^(-y / 20) - 1.

    k: the attack where c > y, else the release. The peak is held for `hold` frames, then falls.
    """
    peak, age, y = state
    floor = 10.0 ** (law.threshold / 20.0)
    passed = np.empty_like(key)
    _pass(key, band, rest, passed)
    for n in range(key.shape[0]):
        loudest = 0.0
        for channel in range(key.shape[1]):
            loudest = max(loudest, abs(passed[n, channel]))
        age += 1.0
        if age > law.hold:
            peak = max(law.fall * peak, STILL)
        if loudest >= NEAR_RATIO * peak:
            peak, age = max(loudest, peak), 0.0
        wanted = min(law.most, 20.0 * math.log10(peak) - law.threshold) if peak > floor else 0.0
        kept = law.attack if wanted > y else law.release
        y = wanted + kept * (y - wanted)
        if y < SETTLED_DB:
            y = 0.0
        moves[n] = 10.0 ** (-y / 20.0) - 1.0 if y > 0.0 else 0.0
    state[0], state[1], state[2] = peak, age, y


@kernel
def _pass(block: Audio, band: Floats, rest: Floats, out: Audio) -> None:
    """y = b0 x + s1, s1 = s2 - a1 y, s2 = -b0 x - a2 y; one or two channels at once; what has faded to nothing rests."""
    b0, a1, a2 = band
    last = block.shape[1] - 1
    s1, s2 = rest[0]
    t1, t2 = rest[last]
    for n in range(block.shape[0]):
        x, u = b0 * block[n, 0], b0 * block[n, last]
        y, v = x + s1, u + t1
        s1, t1 = s2 - a1 * y, t2 - a1 * v
        s2, t2 = -x - a2 * y, -u - a2 * v
        if abs(s1) + abs(s2) < STILL:
            s1 = s2 = 0.0
        if abs(t1) + abs(t2) < STILL:
            t1 = t2 = 0.0
        out[n, 0], out[n, last] = y, v
    rest[0, 0], rest[0, 1] = s1, s2
    rest[last, 0], rest[last, 1] = t1, t2


@kernel
def _turn_down(block: Audio, moves: Floats, out: Audio) -> None:
    """out <- x + (g - 1) out; where g is 1 the very x."""
    for n in range(block.shape[0]):
        for channel in range(block.shape[1]):
            x = block[n, channel]
            out[n, channel] = x + moves[n] * out[n, channel] if moves[n] != 0.0 else x
