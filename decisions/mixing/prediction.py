"""What a strip will send into the mix, told from its trace and its settings, without opening its sound.

Levels are those of tenths of a second and of Bark bands. Reverb, delays and gain sharing are left out, and a compressor is taken
to follow at once: it will hold down short hits less than is told here, never more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisions.mixing.session import HeardStem, Session
from dsp.audio import Floats
from dsp.gating import OFFSET_LU
from dsp.loudness import k_weight_db
from dsp.mixing.trace import BARK_BANDS, BARK_EDGES_HZ, STEPS_PER_S
from dsp.parametric import response_db
from dsp.settings import CompressorSettings, GateSettings, ParametricSettings
from schemas.mix import Duck, MixSettings, Strip

LEAST_POWER = 1e-14
"""-140 dB: what is softer counts as this, so that its level is a number."""
CENTRES_HZ: Floats = np.array([0.5 * (low + high) for low, high in zip(BARK_EDGES_HZ, BARK_EDGES_HZ[1:])])  # noqa: B905, RUF007
WEIGHTS: Floats = 10.0 ** (np.array([k_weight_db(float(hz)) for hz in CENTRES_HZ]) / 10.0)
"""Power gain of the K-weighting at the middle of each Bark band."""
SINE_DB = 10.0 * math.log10(2.0)
PLACES = 9
"""Frequencies at which the gain of a filter is looked up in a band."""


def to_level(power: Floats) -> Floats:
    """Powers in dB."""
    return np.asarray(10.0 * np.log10(np.maximum(power, LEAST_POWER)))


def to_power(level_db: Floats) -> Floats:
    """The inverse of `to_level`."""
    return np.asarray(10.0 ** (level_db / 10.0))


def loudness_lufs(energy: float) -> float:
    """Loudness of a mean K-weighted square."""
    return OFFSET_LU + 10.0 * math.log10(max(energy, LEAST_POWER))


def peaks_dbfs(one: HeardStem) -> Floats:
    """(steps,) About how high each step peaks: its level, and over it what its highest peak has over the loudest step.

    A stereo stem's channels are taken to be as loud as each other.
    """
    power = one.trace.bands.sum(axis=1, dtype=np.float64) / max(1, one.figures.format.channels)
    level_db = to_level(power)
    if one.figures.sample_peak_dbfs is None or not len(level_db):
        return level_db
    return np.asarray(level_db + max(0.0, one.figures.sample_peak_dbfs - float(level_db.max())))


def reduction_db(peaks: Floats, settings: CompressorSettings) -> Floats:
    """What the static curve of a compressor takes from each level; `dsp.compressor.soft_knee` over arrays."""
    over, knee = peaks - settings.threshold_dbfs, settings.knee_db
    inside = np.square(np.maximum(over + knee / 2.0, 0.0)) / max(2.0 * knee, 1e-9)
    return np.asarray((1.0 - 1.0 / settings.compression_ratio) * np.where(over >= knee / 2.0, over, inside))


def inserts_gain_db(one: HeardStem, strip: Strip, rate_hz: int) -> tuple[Floats, Floats]:
    """(steps,) gain of the compressors and gates of a strip, and (24,) of its equalisers."""
    over_time, over_bands = np.zeros(one.trace.steps), np.zeros(BARK_BANDS)
    peaks = peaks_dbfs(one)
    for insert in strip.inserts:
        settings = insert.settings()
        if isinstance(settings, CompressorSettings):
            over_time = over_time - reduction_db(peaks + over_time, settings)
        elif isinstance(settings, GateSettings):
            over_time = over_time - np.where(peaks + over_time < settings.threshold_dbfs, settings.range_db, 0.0)
        elif isinstance(settings, ParametricSettings):
            over_bands = over_bands + tone_db(settings, rate_hz)
    return over_time, over_bands


@lru_cache(maxsize=512)
def tone_db(settings: ParametricSettings, rate_hz: int) -> Floats:
    """(24,) Mean gain of an equaliser in each Bark band: of the power of white noise."""
    gains = response_db(settings, _places(), rate_hz).reshape(BARK_BANDS, PLACES)
    return np.asarray(10.0 * np.log10(np.mean(10.0 ** (gains / 10.0), axis=1)))


def automation_db(strip: Strip, steps: int) -> Floats:
    """(steps,) The automation of a strip; its last point holds."""
    if not strip.automation_db:
        return np.zeros(steps)
    return np.interp(np.arange(steps), np.arange(len(strip.automation_db)), strip.automation_db)


def strip_bands(one: HeardStem, strip: Strip, rate_hz: int) -> Floats:
    """(steps, 24) Power of a strip in each Bark band after its fader: no ducks, no bus. Nothing where it is not used."""
    if not strip.use:
        return np.zeros(one.trace.bands.shape)
    over_time, over_bands = inserts_gain_db(one, strip, rate_hz)
    over_time = over_time + automation_db(strip, one.trace.steps) + strip.gain_db
    return np.asarray(one.trace.bands * to_power(over_time)[:, None] * to_power(over_bands))


def strip_energies(one: HeardStem, strip: Strip, rate_hz: int) -> Floats:
    """(steps,) The K-weighted energy of a strip after its fader, by the same prediction."""
    before = one.trace.bands @ WEIGHTS
    after = strip_bands(one, strip, rate_hz) @ WEIGHTS
    return np.asarray(one.trace.energies * after / np.maximum(before, 1e-30))


def processed(session: Session, settings: MixSettings) -> Session:
    """The session as its strips make it before their faders: traces with what inserts and automation do. For levels."""
    strips = {strip.stem_id: msgspec.structs.replace(strip, gain_db=0.0) for strip in settings.stems}
    return session._replace(
        stems=tuple(_processed(one, strips.get(one.stem.stem_id), settings) for one in session.stems)
    )


def bands_in_mix(session: Session, settings: MixSettings) -> dict[str, Floats]:
    """stem_id -> (steps, 24) power of each used strip as it adds to the mix: ducks and gains of buses with it.

    All are as long as the longest stem. What a bus compressor does is the same for all that it holds, and left out.
    """
    steps, strips = max((one.trace.steps for one in session.stems), default=0), {s.stem_id: s for s in settings.stems}
    heard, found = session.heard(), {}
    for stem_id, strip in strips.items():
        if strip.use and stem_id in heard:
            bands = strip_bands(heard[stem_id], strip, settings.rate_hz)
            found[stem_id] = np.pad(bands, ((0, steps - len(bands)), (0, 0)))
    bus_db = {bus.name: bus.gain_db for bus in settings.buses}
    return {
        stem_id: bands
        * _ducked(strips[stem_id].ducks, found, heard)
        * 10.0 ** (bus_db.get(strips[stem_id].bus, 0.0) / 10.0)
        for stem_id, bands in found.items()
    }


def overlap_ratio(low_hz: float, high_hz: float) -> Floats:
    """(24,) The share of each Bark band that lies between two frequencies."""
    lows, highs = np.array(BARK_EDGES_HZ[:-1]), np.array(BARK_EDGES_HZ[1:])
    return np.asarray(np.clip((np.minimum(highs, high_hz) - np.maximum(lows, low_hz)) / (highs - lows), 0.0, 1.0))


def spread_db(energies: Floats, active: NDArray[np.bool_], window_s: float) -> float:
    """Distance of the 10th from the 90th percentile of the loudness in windows: of what sounds, in half of each at least.

    0 where a stem is too short to tell.
    """
    box = np.ones(max(1, round(window_s * STEPS_PER_S)))
    if len(energies) < len(box):
        return 0.0
    count = np.convolve(active.astype(np.float64), box, mode="valid")
    sums, enough = np.convolve(energies * active, box, mode="valid"), count > 0.5 * len(box) - 0.25
    if not enough.any():
        return 0.0
    low, high = np.percentile(to_level(sums[enough] / count[enough]), (10, 90))
    return float(high - low)


def key_level_dbfs(bands: Floats, low_hz: float, high_hz: float, channels: int) -> Floats:
    """(steps,) About how high a key peaks in the band that a ducker listens to: a sine's peak over its root mean square."""
    heard = bands @ np.square(np.abs(_passed(low_hz, high_hz))).reshape(BARK_BANDS, PLACES).mean(axis=1)
    return to_level(heard / channels) + SINE_DB


def ducked_gain(less_db: Floats, low_hz: float, high_hz: float) -> Floats:
    """(steps, 24) Power gain of a ducker's bell, x + (g - 1) bp(x), that is so deep (`dsp.mixing.ducker`)."""
    moves = 10.0 ** (-np.atleast_1d(less_db) / 20.0) - 1.0
    levels = np.square(np.abs(1.0 + moves[:, None] * _passed(low_hz, high_hz)))
    return np.asarray(levels.reshape(len(moves), BARK_BANDS, PLACES).mean(axis=2))


def local_spread_db(energies: Floats, active: NDArray[np.bool_]) -> float:
    """How far the loudness over 0.4 s swings about that over 3 s, 10th to 90th percentile: without the form of the song,
    and without rests (20 dB below the mean).
    """
    short, wide = (max(1, min(round(s * STEPS_PER_S), len(energies))) for s in (0.4, 3.0))
    swing_db = to_level(_running(energies, short)) - to_level(_running(energies, wide))
    loud = _running(energies, short) > 0.01 * float(energies[active].mean()) if active.any() else active
    inside = (_running(active.astype(np.float64), wide) > 1.0 - 0.5 / wide) & loud
    if not inside.any():
        return 0.0
    low, high = np.percentile(swing_db[inside], (10, 90))
    return float(high - low)


def _running(values: Floats, width: int) -> Floats:
    return np.convolve(values, np.full(width, 1.0 / width), mode="same")


def _processed(one: HeardStem, strip: Strip | None, settings: MixSettings) -> HeardStem:
    if strip is None or not strip.use or not (strip.inserts or strip.automation_db):
        return one
    bands = strip_bands(one, strip, settings.rate_hz).astype(np.float32)
    trace = one.trace._replace(energies=strip_energies(one, strip, settings.rate_hz), bands=bands)
    return one._replace(trace=trace)


def _ducked(ducks: tuple[Duck, ...], found: Mapping[str, Floats], heard: Mapping[str, HeardStem]) -> Floats:
    """(steps, 24) power gain of some ducks, or 1 for none: as the key is over its threshold, so much less, to the depth."""
    gain: Floats = np.ones((1, BARK_BANDS))
    for duck in ducks:
        if duck.key in found:
            channels = heard[duck.key].figures.format.channels
            level_dbfs = key_level_dbfs(found[duck.key], duck.low_hz, duck.high_hz, channels)
            less_db = np.clip(level_dbfs - duck.threshold_dbfs, 0.0, duck.depth_db)
            gain = gain * ducked_gain(less_db, duck.low_hz, duck.high_hz)
    return gain


@lru_cache(maxsize=16)
def _passed(low_hz: float, high_hz: float) -> NDArray[np.complex128]:
    """Response of the band-pass between two frequencies at the places looked up: 1 / (1 + j Q (f / f0 - f0 / f))."""
    centre_hz = math.sqrt(low_hz * high_hz)
    quality, ratio = centre_hz / (high_hz - low_hz), _places() / centre_hz
    return np.asarray(1.0 / (1.0 + 1j * quality * (ratio - 1.0 / ratio)))


@lru_cache(maxsize=1)
def _places() -> Floats:
    lows, highs = np.array(BARK_EDGES_HZ[:-1]), np.array(BARK_EDGES_HZ[1:])
    return np.asarray((lows[:, None] + (highs - lows)[:, None] * (np.arange(PLACES) + 0.5) / PLACES).ravel())
