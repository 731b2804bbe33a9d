"""Gain sharing of the microphones of one group, after Dugan: together they are as loud as one.

Speech: each microphone's share of the group's power is its gain (US 3,992,584; Dugan, JAES 23(6), 1975). Music: an expander
for each, below a threshold that follows a side-chain or the bleed of the others (Dugan's Music System). Groups share nothing:
each is an instance of its own. What it hears need not be what it acts on: it returns gains, `docs/mixing/automix.md` the law.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.kernel import STILL, kernel
from dsp.mixing.control_path import ControlPath
from dsp.settings import GainSharingSettings, SharingChannel

OWN_NOISE = 1e-14
"""Power that each microphone is taken to have at least, -140 dBFS, below that of any converter: silence is shared equally."""
SPEECH_DEPTH_DB = math.inf
MUSIC_DEPTH_DB = 15.0  # Dugan's default of the Music System
BLEED_DB = -20.0  # our choice: a voice in another's microphone three to ten times as far away
OFFSET_MARGIN_DB = 3.0
"""Our choice: as much as a level of bleed sways around what the others let expect, and a second singer around the first."""
LATCH_RATIO = 10.0 ** (-3.0 / 20.0)  # Dugan's Last Hold: above -3 dB ...
LATCH_S = 0.5  # ... for so long
LATCH_OVER_FLOOR = 10.0
"""In power, 10 dB (our choice): a microphone whose ambience is known is not held open for that alone; levels that follow peaks
read noise some 4 dB high."""
LOOKAHEAD_RISES = 2.5
"""After so many rise times has a level that follows the peaks of a wave caught up (measured with beating tones: 0.16 dB too loud
for a moment, against 0.6 dB after one)."""
STRIPE_FRAMES = 512
"""Looked at together: what 64 microphones need stays in the processor's second cache."""


class GainSharing:
    """Takes what the microphones hear, hands out their gains as ratios: for as many frames, `latency` frames late.

    The gain of a frame knows the `latency` frames after it: delay the microphones by as much before they are multiplied.

    >>> sharing = GainSharing(GainSharingSettings(channels=(SharingChannel(),) * 4), 48_000)
    >>> same = np.repeat(np.sin(np.arange(48_000) * 0.1)[:, None], 4, axis=1)
    >>> gains = np.concatenate([sharing.push(same), sharing.finish()])
    >>> gains.shape, round(float(20.0 * np.log10(gains[-1, 0])), 2)  # the same sound four times: a quarter each
    ((48000, 4), -12.04)
    """

    def __init__(self, settings: GainSharingSettings, rate_hz: int, *, side_chain: bool = False) -> None:
        if not settings.channels:
            raise ValueError("gain sharing needs at least one microphone in channels, got none")
        self._channels = _channels(settings)
        self.latency = round(LOOKAHEAD_RISES * settings.rise_s * rate_hz)
        self._path = ControlPath(settings, rate_hz, self._channels.weights)
        self._side = ControlPath(settings, rate_hz, np.ones(1)) if side_chain else None
        self._law = _law(settings, rate_hz)
        self._bleed, self._offsets = _music(settings, side_chain)
        count = len(settings.channels)
        self._hold = _Hold(np.full(1, -1), np.zeros(count, np.int64), np.zeros(count))
        self._to_drop = self.latency

    def push(self, controls: Audio, side_chain: Floats | None = None) -> Audio:
        """Gains (frames, microphones) for a block of their sound (frames, microphones), and of the side-chain (frames,)."""
        if (side_chain is None) != (self._side is None):
            raise ValueError("a side-chain must come with every block, or with none")
        out = np.empty(controls.shape)
        for at in range(0, len(controls), STRIPE_FRAMES):
            stripe = slice(at, at + STRIPE_FRAMES)
            self._share(controls[stripe], None if side_chain is None else side_chain[stripe], out[stripe])
        dropped = min(self._to_drop, len(out))
        self._to_drop -= dropped
        return out[dropped:]

    def finish(self) -> Audio:
        """The gains of the last `latency` frames; nothing is heard after the end."""
        count = len(self._channels.weights)
        return self.push(silence(self.latency, count), None if self._side is None else np.zeros(self.latency))

    def _share(self, controls: Audio, side_chain: Floats | None, gains: Audio) -> None:
        levels, together = self._path.push(controls)
        channels, law = self._channels, self._law
        if not law.music:
            _share(levels, together, channels.auto, law, gains)
        elif self._side is not None and side_chain is not None:
            side, _ = self._side.push(side_chain[:, None])
            _expand_side(levels, side[:, 0], self._offsets, law, gains)
        else:
            _expand_bleed(levels, self._bleed, self._offsets, law, gains)
        _set_fixed(channels.auto, channels.fixed, gains)
        if law.last_hold:
            _keep_open(levels, channels.latches, channels.auto, law, self._hold, gains)
        if law.least_trim < 1.0:
            _trim(channels.floors, channels.wanted_floor, channels.auto, law.least_trim, gains)
        if law.open_limit:
            _limit_open(channels.counts, law.open_limit, gains)


def trims_db(settings: GainSharingSettings) -> tuple[float, ...]:
    """What the ambience trim turns each microphone down by while it alone is heard.

    >>> floors = (SharingChannel(floor_dbfs=-60.0), SharingChannel(floor_dbfs=-57.0), SharingChannel())
    >>> [round(trim, 1) for trim in trims_db(GainSharingSettings(channels=floors))]
    [0.0, 3.0, 0.0]
    """
    channels = _channels(settings)
    if settings.kind == "music" or not channels.wanted_floor:
        return (0.0,) * len(settings.channels)
    over_db = 10.0 * np.log10(np.maximum(channels.floors / channels.wanted_floor, 1.0))
    return tuple(np.where(channels.auto, np.minimum(over_db, settings.ambience_trim_db), 0.0).tolist())


class _Channels(NamedTuple):
    weights: Floats
    """Amplitude ratio in the control path; 0 for what takes no part."""
    auto: NDArray[np.bool_]
    fixed: Floats
    """Gain of what is not automatic."""
    counts: NDArray[np.bool_]
    floors: Floats
    """Power of the ambience, 0 where it is not known."""
    wanted_floor: float
    latches: Floats
    """Level in the control path above which the last hold takes somebody to speak."""


class _Law(NamedTuple):
    music: bool
    floor: bool
    least: float
    """Gain at the depth."""
    slope: float
    """R - 1: decibels lost per decibel below the threshold of music."""
    last_hold: bool
    latch_frames: int
    rise: float
    fall: float
    open_limit: float
    least_trim: float


class _Hold(NamedTuple):
    latched: NDArray[np.int64]
    """The microphone that is held, -1: none yet."""
    since: NDArray[np.int64]
    """Frames for which each has been above -3 dB."""
    opening: Floats
    """Gain that the hold gives to each."""


def _channels(settings: GainSharingSettings) -> _Channels:
    """What each microphone does, once overrides are heeded; the ambience wanted is the lowest that the trim can reach."""
    override = any(one.override for one in settings.channels)
    modes = [("manual" if one.override else "mute") if override else one.mode for one in settings.channels]
    auto = np.array([mode == "auto" for mode in modes])
    weights = np.array([to_gain(one.weight_db) for one in settings.channels])
    floors = np.array([_power(one) for one in settings.channels])
    known = floors[auto & (floors > 0.0)]
    wanted = max(known.min(), known.max() * to_gain(-settings.ambience_trim_db) ** 2) if len(known) else 0.0
    return _Channels(
        weights=weights if settings.kind == "music" else weights * auto,
        auto=auto,
        fixed=np.array([float(mode == "manual") for mode in modes]),
        counts=np.array([one.counts for one in settings.channels]),
        floors=floors,
        wanted_floor=float(wanted),
        latches=LATCH_OVER_FLOOR * floors * weights**2,
    )


def _power(channel: SharingChannel) -> float:
    return 0.0 if channel.floor_dbfs is None else to_gain(channel.floor_dbfs) ** 2


def _law(settings: GainSharingSettings, rate_hz: int) -> _Law:
    rise, fall = (math.exp(-1.0 / (time_s * rate_hz)) for time_s in (settings.rise_s, settings.fall_s))
    return _Law(
        music=settings.kind == "music",
        floor=settings.floor,
        least=to_gain(-_depth_db(settings)),
        slope=settings.expansion_ratio - 1.0,
        last_hold=settings.last_hold,
        latch_frames=round(LATCH_S * rate_hz),
        rise=rise,
        fall=fall,
        open_limit=float(settings.open_limit or 0),
        least_trim=1.0 if settings.kind == "music" else to_gain(-settings.ambience_trim_db),
    )


def _depth_db(settings: GainSharingSettings) -> float:
    default_db = MUSIC_DEPTH_DB if settings.kind == "music" else SPEECH_DEPTH_DB
    return default_db if settings.depth_db is None else settings.depth_db


def _music(settings: GainSharingSettings, side_chain: bool) -> tuple[Floats, Floats]:
    """Power that a level in microphone j (row) lets expect in microphone i (column), and the threshold's offset as power."""
    count = len(settings.channels)
    bleed_db = np.array(settings.bleed_db) if settings.bleed_db else np.full((count, count), BLEED_DB)
    weights = np.array([to_gain(one.weight_db) for one in settings.channels])
    power = np.ascontiguousarray(10.0 ** (bleed_db.T / 10.0) / weights[:, None] ** 2)
    np.fill_diagonal(power, 0.0)
    if settings.threshold_offset_db is not None:
        offsets_db = np.full(count, settings.threshold_offset_db)
    elif side_chain or count == 1:
        offsets_db = np.zeros(count)
    else:
        offsets_db = _offsets_db(settings, np.where(np.eye(count), -np.inf, bleed_db).max(axis=1))
    return power, 10.0 ** (offsets_db / 10.0)


def _offsets_db(settings: GainSharingSettings, worst_bleed_db: Floats) -> Floats:
    """So far above the bleed that what is idle reaches the depth, but not so far that an equal second singer closes the first."""
    deep_db = _depth_db(settings) / max(settings.expansion_ratio - 1.0, 0.1) + OFFSET_MARGIN_DB
    return np.clip(np.minimum(deep_db, -worst_bleed_db - OFFSET_MARGIN_DB), 0.0, 80.0)


@kernel
def _share(levels: Audio, together: Floats, auto: NDArray[np.bool_], law: _Law, gains: Audio) -> None:
    """g_i = sqrt(p_i / P), P = max(power of the sum, sum of p); between the depth and 1; each p with its own noise."""
    noise = OWN_NOISE * max(1, auto.sum())
    for n in range(levels.shape[0]):
        total = 0.0
        for i in range(levels.shape[1]):
            total += levels[n, i]
        power = (max(together[n], total) if law.floor else together[n]) + noise
        for i in range(levels.shape[1]):
            gains[n, i] = min(1.0, max(law.least, math.sqrt((levels[n, i] + OWN_NOISE) / power)))


@kernel
def _expand_side(levels: Audio, side: Floats, offsets: Floats, law: _Law, gains: Audio) -> None:
    """The threshold of all is the side-chain and an offset: g_i = expanded(p_i / (offset side))."""
    for n in range(levels.shape[0]):
        expected = gains[n]
        for i in range(expected.size):
            expected[i] = side[n] + OWN_NOISE
        _expand(levels[n], offsets, law, expected)


@kernel
def _expand_bleed(levels: Audio, bleed: Floats, offsets: Floats, law: _Law, gains: Audio) -> None:
    """The same against B_i = sum over the others of bleed_ij p_j; four of them at a time, which saves half the time."""
    count = levels.shape[1]
    fours = count // 4 * 4
    for n in range(levels.shape[0]):
        heard, expected = levels[n], gains[n]
        for i in range(count):
            expected[i] = OWN_NOISE
        for j in range(0, fours, 4):
            p0, p1, p2, p3 = heard[j], heard[j + 1], heard[j + 2], heard[j + 3]
            b0, b1, b2, b3 = bleed[j], bleed[j + 1], bleed[j + 2], bleed[j + 3]
            for i in range(count):
                expected[i] += b0[i] * p0 + b1[i] * p1 + b2[i] * p2 + b3[i] * p3
        for j in range(fours, count):
            last, powers = heard[j], bleed[j]
            for i in range(count):
                expected[i] += powers[i] * last
        _expand(heard, offsets, law, expected)


@kernel
def _expand(levels: Floats, offsets: Floats, law: _Law, gains: Floats) -> None:
    """(p / (offset E))^((R - 1) / 2), between the depth and 1; `gains` come in as E, what is expected of somebody idle."""
    for i in range(gains.size):
        gains[i] = math.sqrt((levels[i] + OWN_NOISE) / (gains[i] * offsets[i]))
    if law.slope != 1.0:
        for i in range(gains.size):
            gains[i] = gains[i] ** law.slope
    for i in range(gains.size):
        gains[i] = min(1.0, max(law.least, gains[i]))


@kernel
def _set_fixed(auto: NDArray[np.bool_], fixed: Floats, gains: Audio) -> None:
    """Manual microphones are open, mute ones shut."""
    for n in range(gains.shape[0]):
        for i in range(gains.shape[1]):
            gains[n, i] = gains[n, i] if auto[i] else fixed[i]


@kernel
def _keep_open(levels: Audio, latches: Floats, auto: NDArray[np.bool_], law: _Law, hold: _Hold, gains: Audio) -> None:
    """Whoever was above -3 dB for 0.5 s is latched: h = 1 - r (1 - h) for it, h = f h for the others; g = max(g, h)."""
    for n in range(levels.shape[0]):
        for i in range(levels.shape[1]):
            speaks = auto[i] and gains[n, i] > LATCH_RATIO and levels[n, i] >= latches[i]
            hold.since[i] = hold.since[i] + 1 if speaks else 0
            if hold.since[i] == law.latch_frames:
                hold.latched[0] = i
        for i in range(levels.shape[1]):
            held = i == hold.latched[0]
            h = 1.0 - law.rise * (1.0 - hold.opening[i]) if held else law.fall * hold.opening[i]
            hold.opening[i] = h if h > STILL else 0.0
            gains[n, i] = max(gains[n, i], hold.opening[i]) if auto[i] else gains[n, i]


@kernel
def _trim(floors: Floats, wanted: float, auto: NDArray[np.bool_], least: float, gains: Audio) -> None:
    """a^2 sum over the automatic of g_i^2 n_i = the ambience wanted, a between the limit and 1."""
    for n in range(gains.shape[0]):
        heard = 0.0
        for i in range(gains.shape[1]):
            if auto[i]:
                heard += gains[n, i] * gains[n, i] * floors[i]
        if heard > wanted:
            trim = max(least, math.sqrt(wanted / heard))
            for i in range(gains.shape[1]):
                if auto[i]:
                    gains[n, i] *= trim


@kernel
def _limit_open(counts: NDArray[np.bool_], limit: float, gains: Audio) -> None:
    """R = -10 log10(max(1, sum of g / limit)), over those that count."""
    for n in range(gains.shape[0]):
        total = 0.0
        for i in range(gains.shape[1]):
            if counts[i]:
                total += gains[n, i]
        if total > limit:
            less = math.sqrt(limit / total)
            for i in range(gains.shape[1]):
                if counts[i]:
                    gains[n, i] *= less
