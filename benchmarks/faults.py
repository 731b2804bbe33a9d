"""Puts faults into clean music, each of a given size and drawn from a seed: what detectors must find.

An injector takes (audio, rate_hz, size, rng) and returns the spoilt sound with the places where it was spoilt; it raises
UnsuitableError for music that cannot have the fault. `FAULTS` lists them all, with sizes from gross to faint.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import soundfile
import soxr
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import firwin, oaconvolve

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.chain import process
from dsp.settings import LimiterSettings
from dsp.true_peak import TruePeakMeter

LOCAL_S = 0.05
"""Stretch over which the level around a place is taken."""
APART_S = 1.0
"""Least distance of places from each other and from both ends."""
SOUNDING_DBFS, BELOW_LOUDEST_DB = -40.0, 20.0
"""A place sounds if it is louder than this, or, in a quiet piece, this close to its loudest place."""
EDGE_S = 0.005
"""Stretch whose peak is the level of a cut (standards.md, section 3: head and tail)."""
FILE_BITS = 24
ROOM_DBFS = -0.1


class Injected(NamedTuple):
    """Spoilt sound."""

    audio: Audio
    at_s: tuple[float, ...] = ()
    """Where, in seconds; empty for a fault of the whole piece."""
    rate_hz: int | None = None
    """None: the rate of the clean piece."""


Injector = Callable[[Audio, int, float, np.random.Generator], Injected]
Part = Literal["anywhere", "start", "end"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A kind of fault, and what is asked of the detector that finds it."""

    inject: Injector
    sizes: tuple[float, ...]
    """From gross to faint."""
    unit: str
    stated: float
    """The size at which 95 of 100 must be found."""
    code: str
    within_s: float | None = None
    """How near to each place a finding must lie; None: its place does not matter."""
    part: Part = "anywhere"
    """Which part of a piece is spoilt: its own start and end are kept where the fault concerns them."""
    at_info: bool = False
    """Counts from `info` on, though the profile can also warn of it: what it says is a fact at any weight."""
    never_coded: bool = False
    """Only pieces that were never coded with loss can show this one."""


class UnsuitableError(ValueError):
    """Music that cannot have a fault: too quiet, too short, or of one channel."""


def sounding_places(
    audio: Audio, rate_hz: int, rng: np.random.Generator, count: int, lasting_s: float = 0.0
) -> list[int]:
    """At most `count` random frames, in order, around which the music sounds, and still does `lasting_s` later."""
    hop = round(LOCAL_S * rate_hz)
    start = int(rng.integers(hop))
    stretches = max(0, len(audio) - start) // hop
    squares = np.square(audio[start : start + stretches * hop]).mean(axis=1).reshape(stretches, hop).mean(axis=1)
    floor = min(to_gain(SOUNDING_DBFS) ** 2, float(squares.max(initial=0.0)) * to_gain(-BELOW_LOUDEST_DB) ** 2)
    later = math.ceil(lasting_s * rate_hz / hop)
    sounds = squares[: stretches - later] > floor
    sounds &= squares[later:] > floor
    middles = start + np.flatnonzero(sounds) * hop + hop // 2
    middles += rng.integers(-hop // 2, hop // 2, len(middles))  # damage does not keep time
    inside = middles[(middles >= APART_S * rate_hz) & (middles <= len(audio) - (APART_S + lasting_s) * rate_hz)]
    return _some_apart(rng.permutation(inside).tolist(), round((APART_S + lasting_s) * rate_hz), count)


def as_stored(audio: Audio, bits: int = FILE_BITS, rng: np.random.Generator | None = None) -> Audio:
    """The samples that a file of integers would hold: rounded, with triangular dither if there is a generator for it."""
    steps = 2.0 ** (bits - 1)
    dither = 0.0 if rng is None else rng.random(audio.shape) - rng.random(audio.shape)
    return np.asarray(np.clip(np.rint(audio * steps + dither), -steps, steps - 1.0) / steps)


def _some_apart(places: list[int], apart: int, count: int) -> list[int]:
    chosen: list[int] = []
    for place in places:
        if len(chosen) < count and all(abs(place - other) >= apart for other in chosen):
            chosen.append(place)
    return sorted(chosen)


def _places(audio: Audio, rate_hz: int, rng: np.random.Generator, count: int, lasting_s: float = 0.0) -> list[int]:
    places = sounding_places(audio, rate_hz, rng, count, lasting_s)
    if not places:
        raise UnsuitableError("no place sounds")
    return places


def _seconds(places: list[int], rate_hz: int) -> tuple[float, ...]:
    return tuple(place / rate_hz for place in places)


def _local_rms(audio: Audio, place: int, rate_hz: int) -> Floats:
    """Of each channel, over 50 ms around a place."""
    half = round(LOCAL_S * rate_hz) // 2
    return np.asarray(np.sqrt(np.square(audio[max(0, place - half) : place + half]).mean(axis=0)))


def _peak(audio: Audio) -> float:
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < to_gain(-60.0):
        raise UnsuitableError("silent")
    return peak


def _with_room(audio: Audio) -> Audio:
    """Turned down as far as it comes nearer to full scale: what reaches it may as well have been clipped there."""
    return np.asarray(audio / max(1.0, float(np.abs(audio).max(initial=0.0)) / to_gain(ROOM_DBFS)))


def _stereo(audio: Audio) -> Audio:
    if audio.shape[1] != 2:
        raise UnsuitableError("not of two channels")
    return audio.copy()


def _some_channels(rms: Floats, rng: np.random.Generator) -> list[int]:
    """All channels, or the loudest alone."""
    return [int(rms.argmax())] if rng.random() < 0.5 else list(range(len(rms)))


# Clipping and levels.


def clipped(audio: Audio, rate_hz: int, over_db: float, rng: np.random.Generator) -> Injected:
    """Raised until the peak is `over_db` over full scale, and cut off there."""
    return Injected(np.clip(audio * (to_gain(over_db) / _peak(audio)), -1.0, 1.0))


def clipped_and_turned_down(audio: Audio, rate_hz: int, over_db: float, rng: np.random.Generator) -> Injected:
    """Clipped, then turned down by 1 to 6 dB."""
    whole = as_stored(clipped(audio, rate_hz, over_db, rng).audio)
    return Injected(as_stored(whole * to_gain(-rng.uniform(1.0, 6.0))))


def inter_sample_overs(audio: Audio, rate_hz: int, over_dbtp: float, rng: np.random.Generator) -> Injected:
    """Raised until the true peak is `over_dbtp`; samples are held below full scale by as slow a limiter as allows it."""
    loud = audio / _peak(audio)
    for reach_frames in (256, 64, 16, 4, 1, 0):  # 0: cut off
        if _overs_at(loud, rate_hz, 12.0, reach_frames) >= to_gain(over_dbtp):
            return Injected(_driven(loud, _drive_db(loud, rate_hz, over_dbtp, reach_frames), reach_frames))
    raise UnsuitableError("its samples lie too close to its peaks")


def _drive_db(audio: Audio, rate_hz: int, over_dbtp: float, reach_frames: int) -> float:
    """By how much audio must be driven for a true peak (bisection)."""
    low_db, high_db = -3.0, 12.0
    for _ in range(8):
        middle_db = (low_db + high_db) / 2.0
        enough = _overs_at(audio, rate_hz, middle_db, reach_frames) >= to_gain(over_dbtp)
        low_db, high_db = (low_db, middle_db) if enough else (middle_db, high_db)
    return high_db


def _overs_at(audio: Audio, rate_hz: int, drive_db: float, reach_frames: int) -> float:
    meter = TruePeakMeter(rate_hz, audio.shape[1])
    meter.push(_driven(audio, drive_db, reach_frames))
    return float(meter.finish().max())


def _driven(audio: Audio, drive_db: float, reach_frames: int) -> Audio:
    """Limited at its samples alone, as limiters were before true peaks were known."""
    raised = audio * to_gain(drive_db)
    wanted = np.minimum(1.0, 0.999 / np.maximum(np.abs(raised).max(axis=1), 1e-9))
    width = 2 * reach_frames + 1
    return np.asarray(raised * uniform_filter1d(minimum_filter1d(wanted, width), width)[:, None])


def limited(audio: Audio, rate_hz: int, drive_db: float, rng: np.random.Generator) -> Injected:
    """Raised until the peak is `drive_db` over full scale, into a look-ahead limiter."""
    raised = audio * (to_gain(drive_db) / _peak(audio))
    return Injected(process(raised, rate_hz, LimiterSettings(ceiling_dbtp=-0.1, release_s=0.05)))


def soft_clipped(audio: Audio, rate_hz: int, drive_db: float, rng: np.random.Generator) -> Injected:
    """Raised until the peak is `drive_db` over full scale, into a saturating curve."""
    return Injected(np.tanh(audio * (to_gain(drive_db) / _peak(audio))))


def offset(audio: Audio, rate_hz: int, level_dbfs: float, rng: np.random.Generator) -> Injected:
    """A constant on one channel or on all, up or down."""
    shift = rng.choice([-1.0, 1.0]) * to_gain(level_dbfs) * np.ones(audio.shape[1])
    if rng.random() < 0.5:
        shift[1:] = 0.0
    return Injected(audio + shift)


# Events.


def clicks(audio: Audio, rate_hz: int, level_db: float, rng: np.random.Generator) -> Injected:
    """Five clicks of 1 to 8 samples, their peak `level_db` above the level around them, in one channel or all; all is
    turned down if they need more room."""
    out = audio.copy()
    places = _places(audio, rate_hz, rng, 5)
    for place in places:
        shape = _click_shape(int(rng.integers(1, 9)), rng)
        rms = _local_rms(audio, place, rate_hz)
        for channel in _some_channels(rms, rng):
            out[place : place + len(shape), channel] += shape * rms[channel] * to_gain(level_db)
    return Injected(_with_room(out), _seconds(places, rate_hz))


def _click_shape(samples: int, rng: np.random.Generator) -> Floats:
    """Random samples, as wrong bits make them, or one swing, as a scratch makes it; its peak is 1."""
    scratch = np.sin(np.pi * (np.arange(samples) + 1.0) / (samples + 1.0)) * rng.choice([-1.0, 1.0])
    shape = scratch if rng.random() < 0.5 else rng.uniform(-1.0, 1.0, samples)
    return np.asarray(shape / np.abs(shape).max())


def dropouts(audio: Audio, rate_hz: int, length_s: float, rng: np.random.Generator) -> Injected:
    """Three stretches of digital zero, in one channel or all."""
    out = audio.copy()
    places = _places(audio, rate_hz, rng, 3, lasting_s=length_s)
    for place in places:
        channels = _some_channels(_local_rms(audio, place, rate_hz), rng)
        out[place : place + round(length_s * rate_hz), channels] = 0.0
    return Injected(out, _seconds(places, rate_hz))


def noise_bursts(audio: Audio, rate_hz: int, level_db: float, rng: np.random.Generator) -> Injected:
    """Three bursts of white noise of 10 to 100 ms, `level_db` above the level around them, without a fade; all is turned
    down if they need more room."""
    out = audio.copy()
    places = _places(audio, rate_hz, rng, 3)
    for place in places:
        rms = _local_rms(audio, place, rate_hz)
        frames = round(rng.uniform(0.01, 0.1) * rate_hz)
        for channel in _some_channels(rms, rng):
            out[place : place + frames, channel] += rng.standard_normal(frames) * rms[channel] * to_gain(level_db)
    return Injected(_with_room(out), _seconds(places, rate_hz))


# Ends and silence.


def abrupt_start(audio: Audio, rate_hz: int, level_dbfs: float, rng: np.random.Generator) -> Injected:
    """Begins in the middle of the music, where 5 ms have a peak of `level_dbfs`."""
    return Injected(audio[_cut(audio, rate_hz, level_dbfs, rng) :].copy())


def abrupt_end(audio: Audio, rate_hz: int, level_dbfs: float, rng: np.random.Generator) -> Injected:
    """Ends in the middle of the music, where 5 ms have a peak of `level_dbfs`."""
    return Injected(audio[: -_cut(audio[::-1], rate_hz, level_dbfs, rng)].copy())


def _cut(audio: Audio, rate_hz: int, level_dbfs: float, rng: np.random.Generator) -> int:
    """A random frame in the first half after which 5 ms have a peak within 2 dB of a level."""
    hop = round(EDGE_S * rate_hz)
    count = len(audio) // 2 // hop
    peaks = np.abs(audio[: count * hop]).max(axis=1).reshape(count, hop).max(axis=1)
    fitting = np.flatnonzero((peaks > to_gain(level_dbfs - 2.0)) & (peaks < to_gain(level_dbfs + 2.0)))
    fitting = fitting[fitting > APART_S / EDGE_S]
    if not len(fitting):
        raise UnsuitableError("nowhere at that level")
    return int(rng.choice(fitting)) * hop


def silence_before(audio: Audio, rate_hz: int, length_s: float, rng: np.random.Generator) -> Injected:
    """Silence before the music."""
    return Injected(np.concatenate([_quiet(audio, rate_hz, length_s, rng), audio]))


def silence_after(audio: Audio, rate_hz: int, length_s: float, rng: np.random.Generator) -> Injected:
    """Silence after the music."""
    return Injected(np.concatenate([audio, _quiet(audio, rate_hz, length_s, rng)]))


def silence_inside(audio: Audio, rate_hz: int, length_s: float, rng: np.random.Generator) -> Injected:
    """Silence between two halves of the music."""
    places = _places(audio, rate_hz, rng, 1)
    parts = audio[: places[0]], _quiet(audio, rate_hz, length_s, rng), audio[places[0] :]
    return Injected(np.concatenate(parts), _seconds(places, rate_hz))


def _quiet(audio: Audio, rate_hz: int, length_s: float, rng: np.random.Generator) -> Audio:
    """Digital zero, or noise of -80 dBFS."""
    frames, channels = round(length_s * rate_hz), audio.shape[1]
    if rng.random() < 0.5:
        return silence(frames, channels)
    return np.asarray(rng.standard_normal((frames, channels)) * to_gain(-80.0))


# Hum.

HUMS = {
    "loop": {1: 1.0, 2: 0.3, 3: 0.3, 5: 0.1},
    "rectifier": {1: 0.2, 2: 1.0, 4: 0.4, 6: 0.2},
    "buzz": {k: 1.0 / math.sqrt(k) for k in range(1, 21)},
}
"""Relative amplitudes of harmonics: an earth loop, a power supply behind its rectifier, a dimmer."""


def hum(audio: Audio, rate_hz: int, level_dbfs: float, rng: np.random.Generator) -> Injected:
    """Mains hum of an rms level through the whole piece: 50 or 60 Hz, as exact as mains are, of one of three kinds."""
    mains_hz = rng.choice([50.0, 60.0]) + rng.uniform(-0.05, 0.05)
    kind = HUMS[list(HUMS)[int(rng.integers(len(HUMS)))]]
    turns = 2.0 * np.pi * mains_hz * np.arange(len(audio)) / rate_hz
    wave = sum(ratio * np.sin(k * turns + rng.uniform(0.0, 2.0 * np.pi)) for k, ratio in kind.items())
    wave = np.asarray(wave) * (to_gain(level_dbfs) / math.sqrt(sum(r * r for r in kind.values()) / 2.0))
    return Injected(audio + wave[:, None])


# Channels.


def dual_mono(audio: Audio, rate_hz: int, right_ratio: float, rng: np.random.Generator) -> Injected:
    """The left channel on both sides, on the right at `right_ratio`."""
    out = _stereo(audio)
    _peak(out[:, :1])
    out[:, 1] = out[:, 0] * right_ratio
    return Injected(out)


def missing_channel(audio: Audio, rate_hz: int, noise_dbfs: float, rng: np.random.Generator) -> Injected:
    """One channel holds noise of an rms level alone, or nothing (-inf)."""
    out, dead = _stereo(audio), int(rng.integers(2))
    _peak(out[:, [1 - dead]])
    out[:, dead] = rng.standard_normal(len(out)) * to_gain(noise_dbfs)
    return Injected(out)


def weak_channel(audio: Audio, rate_hz: int, lower_db: float, rng: np.random.Generator) -> Injected:
    """The quieter channel is turned down by `lower_db`."""
    out = _stereo(audio)
    out[:, int(np.square(out).sum(axis=0).argmin())] *= to_gain(-lower_db)
    return Injected(out)


def inverted(audio: Audio, rate_hz: int, side_ratio: float, rng: np.random.Generator) -> Injected:
    """The right channel is turned over; before that the width is brought to `side_ratio` of what it was."""
    out = _stereo(audio)
    middle, side = out.mean(axis=1), (out[:, 0] - out[:, 1]) / 2.0
    if np.square(middle).sum() <= np.square(side).sum():
        raise UnsuitableError("its channels do not go together")
    return Injected(np.stack([middle + side_ratio * side, side_ratio * side - middle], axis=1))


BASS_IN_STEP = 0.5
"""Least correlation of bass that is worth turning over: bass that never was in step sounds no worse."""


def inverted_bass(audio: Audio, rate_hz: int, split_hz: float, rng: np.random.Generator) -> Injected:
    """What lies below `split_hz` is turned over in one channel (linear phase); turned down if it needs more room."""
    out = _stereo(audio)
    taps = firwin(2 * round(0.04 * rate_hz) + 1, split_hz, fs=rate_hz)
    bass = oaconvolve(out, taps[:, None], mode="same", axes=0)
    power = np.square(bass).sum(axis=0)
    if power.min() < 0.001 * np.square(out).sum() or (bass[:, 0] @ bass[:, 1]) < BASS_IN_STEP * math.sqrt(power.prod()):
        raise UnsuitableError("no bass that both channels share")
    channel = int(rng.integers(2))
    out[:, channel] -= 2.0 * bass[:, channel]
    return Injected(_with_room(out))


# What a file says of itself, and is not.


def fewer_bits(audio: Audio, rate_hz: int, bits: float, rng: np.random.Generator) -> Injected:
    """Rounded to `bits` with dither; the file goes on saying 24."""
    return Injected(as_stored(audio, round(bits), rng))


def upsampled(audio: Audio, rate_hz: int, new_hz: float, rng: np.random.Generator) -> Injected:
    """Brought to 44.1 or 48 kHz, and from there to `new_hz`."""
    first_hz = {88_200: 44_100, 176_400: 44_100}.get(round(new_hz)) or int(rng.choice([44_100, 48_000]))
    small = _at_rate(audio, rate_hz, first_hz)
    return Injected(_at_rate(small, first_hz, round(new_hz), str(rng.choice(["HQ", "VHQ"]))), rate_hz=round(new_hz))


def _at_rate(audio: Audio, rate_hz: int, new_hz: int, quality: str = "VHQ") -> Audio:
    return audio if rate_hz == new_hz else np.asarray(soxr.resample(audio, rate_hz, new_hz, quality))


# Compression levels of libsndfile 1.2.2 (libsndfile_1_2_2_encoder_map.csv; measured on white noise in stereo).
MP3_LEVELS = {56: 0.9, 96: 0.75, 128: 0.65, 192: 0.4, 256: 0.25, 320: 0.0}
VORBIS_LEVELS = {81: 0.95, 108: 0.8, 134: 0.58, 194: 0.45, 232: 0.3, 268: 0.2}
OPUS_LEVELS = {64: 0.9, 116: 0.8, 140: 0.75, 191: 0.65, 265: 0.5}


def through_mp3(audio: Audio, rate_hz: int, kbps: float, rng: np.random.Generator) -> Injected:
    """Through LAME at a constant bitrate and back."""
    return _through(audio, rate_hz, "MP3", "MPEG_LAYER_III", MP3_LEVELS[round(kbps)], (44_100, 48_000))


def through_vorbis(audio: Audio, rate_hz: int, kbps: float, rng: np.random.Generator) -> Injected:
    """Through Ogg Vorbis and back."""
    return _through(audio, rate_hz, "OGG", "VORBIS", VORBIS_LEVELS[round(kbps)], (44_100, 48_000))


def through_opus(audio: Audio, rate_hz: int, kbps: float, rng: np.random.Generator) -> Injected:
    """Through Opus and back; it leaves at 48 kHz."""
    return _through(audio, rate_hz, "OGG", "OPUS", OPUS_LEVELS[round(kbps)], (48_000,))


def _through(
    audio: Audio, rate_hz: int, container: str, codec: str, level: float, rates_hz: tuple[int, ...]
) -> Injected:
    coded_hz = rate_hz if rate_hz in rates_hz else rates_hz[-1]
    sound = _at_rate(audio, rate_hz, coded_hz)
    file = io.BytesIO()
    mode = {"bitrate_mode": "CONSTANT"} if container == "MP3" else {}
    layout = {"samplerate": coded_hz, "channels": audio.shape[1], "format": container, "subtype": codec}
    with soundfile.SoundFile(file, "w", **layout, compression_level=level, **mode) as handle:
        for start in range(0, len(sound), coded_hz):  # libsndfile's Vorbis overflows its stack on a whole piece
            handle.write(sound[start : start + coded_hz])
    file.seek(0)
    return Injected(soundfile.read(file, always_2d=True)[0], rate_hz=coded_hz)


FAULTS: dict[str, Fault] = {
    "clipped": Fault(inject=clipped, sizes=(6, 3, 2, 1, 0.5), unit="dB over", stated=1, code="SOURCE_CLIPPED"),
    "clipped and turned down": Fault(
        inject=clipped_and_turned_down, sizes=(6, 3, 2, 1, 0.5), unit="dB over", stated=1, code="SOURCE_CLIPPED"
    ),
    "inter-sample overs": Fault(
        inject=inter_sample_overs, sizes=(3, 2, 1, 0.5), unit="dBTP", stated=0.5, code="INTER_SAMPLE_OVERS", at_info=True
    ),
    "limited": Fault(inject=limited, sizes=(15, 12, 9, 6, 3), unit="dB drive", stated=12, code="HEAVILY_LIMITED", at_info=True),
    "soft clipped": Fault(
        inject=soft_clipped, sizes=(15, 12, 9, 6, 3), unit="dB drive", stated=12, code="HEAVILY_LIMITED", at_info=True
    ),
    "constant offset": Fault(
        inject=offset, sizes=(-20, -30, -40, -50, -60, -70), unit="dBFS", stated=-50, code="DC_OFFSET"
    ),
    "clicks": Fault(
        inject=clicks, sizes=(12, 6, 0, -10, -20, -40), unit="dB re rms", stated=12, code="CLICKS", within_s=0.02
    ),
    "dropouts": Fault(
        inject=dropouts, sizes=(2, 0.2, 0.05, 0.01, 0.005, 0.002), unit="s", stated=0.005, code="DROPOUTS", within_s=0.02
    ),
    "noise bursts": Fault(
        inject=noise_bursts, sizes=(12, 6, 0, -10, -20), unit="dB re rms", stated=6, code="NOISE_BURSTS", within_s=0.1
    ),
    "abrupt start": Fault(
        inject=abrupt_start, sizes=(-6, -12, -20, -30, -40), unit="dBFS", stated=-20, code="ABRUPT_START", part="start"
    ),
    "abrupt end": Fault(
        inject=abrupt_end, sizes=(-6, -12, -20, -30, -40), unit="dBFS", stated=-20, code="ABRUPT_END", part="end"
    ),
    "silence before": Fault(
        inject=silence_before, sizes=(15, 11, 10, 5, 2), unit="s", stated=11, code="LONG_SILENCE_HEAD", part="start"
    ),
    "silence after": Fault(
        inject=silence_after, sizes=(15, 11, 10, 5, 2), unit="s", stated=11, code="LONG_SILENCE_TAIL", part="end"
    ),
    "silence inside": Fault(
        inject=silence_inside, sizes=(15, 11, 10, 5, 2), unit="s", stated=11, code="LONG_SILENCE_INSIDE", within_s=1.0
    ),
    "hum": Fault(inject=hum, sizes=(-40, -50, -60, -70), unit="dBFS", stated=-40, code="HUM", at_info=True),
    "dual mono": Fault(inject=dual_mono, sizes=(1.0, 0.8, 0.5), unit="x right", stated=0.5, code="DUAL_MONO"),
    "missing channel": Fault(
        inject=missing_channel, sizes=(-math.inf, -80, -60), unit="dBFS noise", stated=-80, code="CHANNEL_MISSING"
    ),
    "weak channel": Fault(inject=weak_channel, sizes=(20, 12, 8, 6, 3), unit="dB lower", stated=8, code="CHANNEL_WEAK"),
    "inverted": Fault(
        inject=inverted, sizes=(0, 0.25, 0.5, 1), unit="x width", stated=0.25, code="POLARITY_INVERTED"
    ),
    "inverted bass": Fault(
        inject=inverted_bass, sizes=(300, 200, 150, 100), unit="Hz", stated=150, code="BASS_OUT_OF_PHASE"
    ),
    "fewer bits": Fault(inject=fewer_bits, sizes=(16, 20), unit="bits of 24", stated=20, code="UNUSED_BITS"),
    "upsampled": Fault(
        inject=upsampled, sizes=(192_000, 96_000, 88_200), unit="Hz", stated=88_200, code="UPSAMPLED", never_coded=True
    ),
    "through MP3": Fault(
        inject=through_mp3, sizes=tuple(MP3_LEVELS), unit="kbit/s", stated=128, code="LOSSY_TRANSCODE", never_coded=True
    ),
    "through Vorbis": Fault(
        inject=through_vorbis, sizes=tuple(VORBIS_LEVELS), unit="kbit/s", stated=134, code="LOSSY_TRANSCODE",
        never_coded=True,
    ),
    "through Opus": Fault(
        inject=through_opus, sizes=tuple(OPUS_LEVELS), unit="kbit/s", stated=140, code="LOSSY_TRANSCODE", never_coded=True
    ),
}  # fmt: skip
"""Recipes and sizes follow standards.md, section 3; where two recipes share a code, both must be found."""
