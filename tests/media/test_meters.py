"""All meters on one stream: every figure is in its place, and nothing that a file may hold makes one of them stumble."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from dsp.audio import Audio, to_gain
from dsp.detectors.sightings import Sightings
from dsp.windows import Windows
from media.analysis import LoudnessFigures, analyse, measure_loudness
from media.meters import measured
from schemas.errors import TrackError
from schemas.figures import Analysis, AudioFormat
from tests.dsp.signals import programme, square
from tests.makers import RATE_HZ, music, noise, sine, write

SAME_DB = 0.01


def format_of(audio: Audio, rate_hz: int, bits: int, floating: bool) -> AudioFormat:
    frames, channels = audio.shape
    return AudioFormat(
        container="WAV", codec="", rate_hz=rate_hz, channels=channels, frames=frames, bits=bits, floating=floating
    )


def seen(audio: Audio, rate_hz: int = RATE_HZ, *, bits: int = 24, floating: bool = False, **options: bool) -> Analysis:
    """The analysis of a stream, made without a warning."""
    windows = Windows(audio.shape[1])

    def both() -> Iterator[np.ndarray]:
        yield from windows.push(audio)
        yield from windows.finish()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return measured(both(), format_of(audio, rate_hz, bits, floating), **options)


def read(path: Path) -> Analysis:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return analyse(path)


def numbers(value: object) -> Iterator[float]:
    """Every number of a record, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)):
        yield value


def assert_sound(found: Analysis) -> None:
    """Every figure is a finite number or none, and the record survives its journey."""
    plain = msgspec.to_builtins(found)
    assert [number for number in numbers(plain) if not math.isfinite(number)] == []
    assert json.loads(json.dumps(plain, allow_nan=False)) == json.loads(msgspec.json.encode(found))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Analysis) == found


# Every figure in its place


def test_loudness_alone_reads_what_all_meters_read(tmp_path):
    path = write(tmp_path / "a.flac", programme(seconds=61.0, rate_hz=RATE_HZ))
    figures = analyse(path).figures
    assert measure_loudness(path) == LoudnessFigures(
        figures.integrated_lufs,
        figures.loudness_range_lu,
        figures.max_momentary_lufs,
        figures.max_short_term_lufs,
        figures.true_peak_dbtp,
    )


def test_a_mono_file_may_be_measured_as_it_is_played_on_two_loudspeakers(tmp_path):
    path = write(tmp_path / "a.flac", music(channels=1))
    one, both = analyse(path), analyse(path, dual_mono=True)
    assert both.figures.integrated_lufs - one.figures.integrated_lufs == pytest.approx(3.0103, abs=1e-3)
    assert both.figures.integrated_lufs == pytest.approx(
        measure_loudness(path, dual_mono=True).integrated_lufs, abs=1e-9
    )
    assert (one.dual_mono, both.dual_mono) == (False, True)


def test_stereo_figures_are_those_of_the_two_channels():
    left = programme(seconds=6.0, rate_hz=RATE_HZ, channels=1)
    figures = seen(np.concatenate([to_gain(6.0) * left, left], axis=1)).figures
    assert (figures.balance_lu, figures.correlation) == pytest.approx((6.0, 1.0), abs=SAME_DB)
    half_sum, half_difference = (to_gain(6.0) + 1.0) / 2, (to_gain(6.0) - 1.0) / 2
    assert figures.side_mid_lu == pytest.approx(20.0 * math.log10(half_difference / half_sum), abs=SAME_DB)
    lost = 10.0 * math.log10((to_gain(6.0) ** 2 + 1.0) / (2.0 * half_sum**2))
    assert figures.mono_loss_lu == pytest.approx(lost, abs=SAME_DB)


def test_a_sine_has_the_dynamics_of_a_sine():
    figures = seen(sine(997.0, level_dbfs=-6.0, seconds=9.0)).figures
    assert (figures.dynamic_range_db, figures.crest_db, figures.plr_lu) == pytest.approx((0.0, 3.01, 0.0), abs=0.02)
    assert (figures.psr_min_lu, figures.psr_min_at_s) == (pytest.approx(0.0, abs=0.05), pytest.approx(0.0, abs=6.1))
    assert [band is None for band in figures.crest_bands_db] == [False] * 4


def test_the_noise_floor_and_the_density_of_peaks_are_there():
    loud = np.clip(noise(level_dbfs=-6.0, seconds=5.0), -0.5, 0.5)
    found = seen(np.concatenate([loud, noise(level_dbfs=-60.0, seconds=2.0)]))
    assert found.figures.noise_floor_dbfs == pytest.approx(-60.0, abs=0.3)
    assert found.detected.limited_ratio == pytest.approx(1.0, abs=0.01)


def test_overs_and_flat_tops_are_there():
    tone = np.zeros((RATE_HZ, 1))
    tone[22_100:24_500, 0] = 1.2 * np.sin(np.pi / 2 * np.arange(2_400) + np.pi / 4) * np.hanning(2_400)
    found = seen(tone)
    assert found.detected.inter_sample_overs.count == 1
    assert found.detected.inter_sample_overs.worst == pytest.approx(found.figures.true_peak_dbtp, abs=6e-4)
    clipped = seen(np.clip(sine(441.0, level_dbfs=6.0), -0.7, 0.7)).detected
    assert (clipped.flat_tops.count, clipped.flat_tops_dbfs) == (4 * 441, pytest.approx(-3.098, abs=1e-3))


@pytest.mark.parametrize(
    ("subtype", "bits", "expected"),
    [
        ("PCM_24", 24, 24),
        ("PCM_24", 16, 16),
        ("PCM_24", 20, 20),
        ("PCM_16", 16, 16),
        ("PCM_16", 12, 12),
        ("PCM_32", 16, 16),
    ],
)
def test_the_true_bits_of_an_integer_file_are_told(tmp_path, subtype, bits, expected):
    audio = np.rint(music(seconds=1.0) * 2 ** (bits - 1)) / 2 ** (bits - 1)
    assert read(write(tmp_path / "a.wav", audio, subtype=subtype)).figures.true_bits == expected


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_have_no_word_length(tmp_path, subtype):
    assert read(write(tmp_path / "a.wav", music(seconds=1.0), subtype=subtype)).figures.true_bits is None


def test_a_lossy_file_has_no_word_length(tmp_path):
    soundfile.write(tmp_path / "a.ogg", music(seconds=1.0), RATE_HZ, format="OGG", subtype="VORBIS")
    found = read(tmp_path / "a.ogg")
    assert (found.figures.true_bits, found.format.lossy) == (None, True)


# What a file may hold

SECOND = RATE_HZ
LEFT_ONLY = np.array([1.0, 0.0])
ODD: dict[str, Audio] = {
    "silence": np.zeros((4 * SECOND, 2)),
    "nothing": np.zeros((0, 2)),
    "one sample": np.full((1, 2), 0.5),
    "one silent sample": np.zeros((1, 1)),
    "two samples": np.array([[0.5], [-0.5]]),
    "one silent channel": music() * LEFT_ONLY,
    "a constant": np.full((4 * SECOND, 2), 0.25),
    "a constant of full scale": np.full((4 * SECOND, 2), -1.0),
    "an impulse": np.eye(4 * SECOND, 1, k=-30_000),
    "an impulse at the start": np.eye(SECOND, 2),
    "an impulse at the end": np.eye(SECOND, 1)[::-1],
    "shorter than a gating block": music(seconds=0.39),
    "shorter than 50 ms": music(seconds=0.049),
    "shorter than a tick": music(seconds=0.009),
    "shorter than 3 s": music(seconds=2.9),
    "noise of one bit": np.where(noise(seconds=4.0) > 0.0, 1.0, -1.0),
    "a square of full scale": square(100.0, amplitude=1.0, seconds=4.0, rate_hz=RATE_HZ),
    "the last bit": np.where(noise(seconds=4.0) > 0.0, 2.0**-23, 0.0),
    "music, then silence": np.concatenate([music(), np.zeros((4 * SECOND, 2))]),
    "silence, then music": np.concatenate([np.zeros((4 * SECOND, 2)), music()]),
    "a click in silence": np.concatenate([np.zeros((SECOND, 2)), np.full((1, 2), 0.9), np.zeros((3 * SECOND, 2))]),
    "the highest tone": np.repeat(np.resize([0.9, -0.9], 4 * SECOND)[:, None], 2, axis=1),
    "opposite channels": music(channels=1) * np.array([1.0, -1.0]),
    "equal channels": music(channels=1) * np.array([1.0, 1.0]),
}
FLOATS: dict[str, Audio] = {
    "denormals": noise(seconds=2.0) * 1e-42,
    "hardly any sound": noise(seconds=4.0) * 1e-18,
    "music, then denormals": np.concatenate([music(), noise(seconds=2.0) * 1e-41]),
    "music, then what no float32 holds": np.concatenate([music(), noise(seconds=2.0) * 1e-60]),
    "far over full scale": music(level_dbfs=0.0) * 2.0,
}
ALL = {**ODD, **FLOATS}


@pytest.mark.parametrize("name", ALL)
def test_whatever_comes_gives_numbers_or_none_and_no_warning(name):
    assert_sound(seen(ALL[name], floating=name in FLOATS))


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_file_holds_gives_numbers_or_none_and_no_warning(tmp_path, name):
    found = read(write(tmp_path / "a.flac" if len(ODD[name]) else tmp_path / "a.wav", ODD[name]))
    assert_sound(found)
    assert found.format.frames == len(ODD[name])


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_whatever_floats_a_file_holds_gives_numbers_or_none_and_no_warning(tmp_path, name, subtype):
    assert_sound(read(write(tmp_path / "a.wav", FLOATS[name], subtype=subtype)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 192_000, 384_000])
def test_every_layout_has_figures_at_every_rate(channels, rate_hz):
    found = seen(noise(level_dbfs=-20.0, seconds=0.7, rate_hz=rate_hz, channels=channels), rate_hz)
    assert_sound(found)
    assert found.figures.integrated_lufs is not None
    assert (found.figures.correlation is None) == (channels != 2)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 96_000, 192_000, 384_000])
@pytest.mark.parametrize("name", ["silence", "one sample", "an impulse", "a square of full scale", "a constant"])
def test_odd_sound_gives_numbers_or_none_at_every_rate(name, rate_hz):
    assert_sound(seen(ODD[name], rate_hz))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("frames", [0, 1, 31, 441, 2_206, 16_384, 16_385])
def test_silence_and_sound_of_any_length_give_numbers_or_none(channels, frames):
    assert_sound(seen(np.zeros((frames, channels))))
    assert_sound(seen(noise(channels=channels)[:frames]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("frame", [0, 30_000, 44_099])
def test_what_is_no_number_is_refused(tmp_path, bad, frame):
    audio = noise()
    audio[frame, 1] = bad
    with pytest.raises(TrackError, match="NaN or infinity") as refused:
        read(write(tmp_path / "a.wav", audio, subtype="FLOAT"))
    assert refused.value.code == "SOURCE_NOT_FINITE"


def test_integers_stored_as_floats_are_refused(tmp_path):
    with pytest.raises(TrackError, match=r"values up to .* full scale is 1\.0") as refused:
        read(write(tmp_path / "a.wav", noise() * 32_768.0, subtype="FLOAT"))
    assert refused.value.code == "SOURCE_OUT_OF_RANGE"


@pytest.mark.parametrize("channels", [7, 32])
def test_more_channels_than_six_are_refused(tmp_path, channels):
    path = write(tmp_path / "a.wav", noise(channels=channels, seconds=0.1))
    with pytest.raises(TrackError, match=f"{channels} channels; 1 to 6 can be measured") as refused:
        read(path)
    assert refused.value.code == "CHANNELS_UNSUPPORTED"


# What odd sound reads


@pytest.mark.parametrize("name", ["silence", "nothing", "one silent sample"])
def test_silence_has_neither_figures_nor_faults(name):
    found = seen(ODD[name])
    known = {key: value for key, value in msgspec.to_builtins(found.figures).items() if value not in (None, 0.0)}
    assert set(numbers(known)) == set()
    assert (found.detected.flat_tops, found.detected.inter_sample_overs) == (Sightings(), Sightings())
    assert (found.gating.counts, found.subsonic_dbfs) == ((), None)


def test_a_silent_channel_shows_in_the_balance():
    figures = seen(ODD["one silent channel"]).figures
    assert (figures.correlation, figures.width_ratio) == (None, pytest.approx(1.0, abs=1e-9))
    assert figures.balance_lu == pytest.approx(figures.integrated_lufs + 70.0, abs=SAME_DB)
    assert figures.mono_loss_lu == pytest.approx(3.01, abs=SAME_DB)


def test_a_constant_has_an_offset_and_next_to_no_loudness():
    figures = seen(ODD["a constant"]).figures
    assert (figures.dc_ratio, figures.sample_peak_dbfs) == (0.25, pytest.approx(-12.04, abs=SAME_DB))
    assert figures.dynamic_range_db == pytest.approx(-3.01, abs=SAME_DB)


def test_a_square_of_full_scale_has_no_crest_and_rings_between_samples():
    figures = seen(ODD["a square of full scale"]).figures
    assert (figures.crest_db, figures.dynamic_range_db) == pytest.approx((0.0, -3.01), abs=SAME_DB)
    assert figures.true_peak_dbtp > 1.0


def test_opposite_channels_vanish_in_mono_and_equal_ones_do_not():
    opposite, equal = seen(ODD["opposite channels"]).figures, seen(ODD["equal channels"]).figures
    assert (opposite.correlation, equal.correlation) == pytest.approx((-1.0, 1.0), abs=1e-9)
    assert opposite.mono_loss_lu == pytest.approx(opposite.integrated_lufs + 70.0, abs=SAME_DB)
    assert equal.mono_loss_lu == pytest.approx(0.0, abs=SAME_DB)


@pytest.mark.parametrize(
    "name", ["one sample", "two samples", "an impulse", "an impulse at the end", "music, then silence"]
)
def test_the_true_peak_is_never_below_the_sample_peak(name):
    figures = seen(ODD[name]).figures
    assert figures.true_peak_dbtp >= figures.sample_peak_dbfs
