"""Dynamic range as the TT meter reads it, the noise floor, and how densely a limiter has packed the peaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.dynamics import dynamic_range_db, limited_ratio, noise_floor_dbfs
from dsp.levels import LevelMeter
from dsp.loudness import LoudnessMeter
from dsp.settings import GainSettings, LimiterSettings
from tests.dsp.signals import programme, square
from tests.makers import music, noise, sine

RATE_HZ = 44_100
RANGE_DB = 0.01  # sums of 50 ms kept as float32; a 50 ms is a whole number of samples at this rate
FLOOR_DB = 0.3

Frames = tuple[np.ndarray, np.ndarray]


def limited(audio: Audio, lufs: float | None = None) -> float | None:
    """The share of limited music, at the loudness that the audio has or at another."""
    meter = LoudnessMeter(RATE_HZ, audio.shape[1])
    meter.push(audio)
    return limited_ratio(*frames_of(audio), meter.loudness().integrated_lufs if lufs is None else lufs)


def frames_of(audio: Audio, rate_hz: int = RATE_HZ) -> Frames:
    meter = LevelMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter.levels().frame_squares, meter.levels().frame_peaks


def dynamic_range_of(audio: Audio) -> float:
    """TT dynamic range, specification 1.3, in five lines."""
    blocks = [audio[at : at + 3 * RATE_HZ] for at in range(0, len(audio), 3 * RATE_HZ)]
    rms = np.sort(np.sqrt([2.0 * np.square(block).mean(axis=0) for block in blocks]), axis=0)
    loudest = np.sqrt(np.square(rms[-max(1, len(rms) // 5) :]).mean(axis=0))
    second = np.sort([np.abs(block).max(axis=0) for block in blocks], axis=0)[-min(2, len(blocks))]
    return float((-20.0 * np.log10(loudest / second)).mean())


# Dynamic range


@pytest.mark.parametrize("level_dbfs", [0.0, -30.0])
def test_a_sine_has_no_dynamic_range(level_dbfs):
    tone = sine(441.0, level_dbfs=level_dbfs, seconds=12.0)
    assert dynamic_range_db(*frames_of(tone)) == pytest.approx(0.0, abs=RANGE_DB)


def test_a_square_wave_has_even_less():
    wave = square(100.0, amplitude=0.5, seconds=12.0, rate_hz=RATE_HZ)
    assert dynamic_range_db(*frames_of(wave)) == pytest.approx(-3.01, abs=RANGE_DB)


MIXTURES = {
    "a loud half and a soft half": [
        sine(441.0, level_dbfs=-6.0, seconds=15.0),
        sine(441.0, level_dbfs=-26.0, seconds=15.0),
    ],
    "one louder block is not the second highest": [
        sine(441.0, level_dbfs=-20.0, seconds=27.0),
        square(100.0, amplitude=0.9, seconds=3.0, rate_hz=RATE_HZ),
    ],
    "two louder blocks are": [
        sine(441.0, level_dbfs=-20.0, seconds=24.0),
        square(100.0, amplitude=0.9, seconds=6.0, rate_hz=RATE_HZ),
    ],
    "a block that is not full": [
        sine(441.0, level_dbfs=-20.0, seconds=12.0),
        sine(441.0, level_dbfs=-3.0, seconds=1.0),
    ],
    "a wandering programme": [programme(seconds=61.0, rate_hz=RATE_HZ)],
    "notes": [music(seconds=20.0)],
    "channels of different range": [music(seconds=20.0) * 0.1, noise(seconds=4.0) * np.array([1.0, 0.01])],
}


@pytest.mark.parametrize("parts", MIXTURES.values(), ids=MIXTURES)
def test_the_dynamic_range_is_that_of_the_specification(parts):
    audio = np.concatenate(parts)
    assert dynamic_range_db(*frames_of(audio)) == pytest.approx(dynamic_range_of(audio), abs=RANGE_DB)


@pytest.mark.parametrize("rate_hz", [22_050, 48_000, 96_000, 192_000])
def test_the_dynamic_range_of_a_sine_does_not_depend_on_the_rate(rate_hz):
    tone = sine(441.0, level_dbfs=-6.0, seconds=7.0, rate_hz=rate_hz)
    assert dynamic_range_db(*frames_of(tone, rate_hz)) == pytest.approx(0.0, abs=0.02)


def test_a_gain_does_not_change_the_dynamic_range():
    audio = programme(seconds=20.0, rate_hz=RATE_HZ)
    assert dynamic_range_db(*frames_of(audio)) == pytest.approx(dynamic_range_db(*frames_of(audio * 0.01)), abs=1e-5)


def test_a_silent_channel_does_not_count():
    left = music(seconds=12.0, channels=1)
    both = np.concatenate([left, 0.0 * left], axis=1)
    assert dynamic_range_db(*frames_of(both)) == pytest.approx(dynamic_range_db(*frames_of(left)), abs=1e-9)


# Noise floor


@pytest.mark.parametrize("level_dbfs", [-60.0, -90.0])
@pytest.mark.parametrize("loud_s", [0.0, 30.0])
def test_the_noise_floor_is_the_level_of_the_noise_in_the_pauses(level_dbfs, loud_s):
    pauses = noise(level_dbfs=level_dbfs, seconds=6.0)
    audio = np.concatenate([programme(seconds=loud_s, rate_hz=RATE_HZ), pauses])
    assert noise_floor_dbfs(frames_of(audio)[0]) == pytest.approx(level_dbfs, abs=FLOOR_DB)


def test_digital_silence_is_no_noise():
    hiss = noise(level_dbfs=-70.0, seconds=5.0)
    audio = np.concatenate([np.zeros((RATE_HZ * 20, 2)), hiss])
    assert noise_floor_dbfs(frames_of(audio)[0]) == pytest.approx(-70.0, abs=FLOOR_DB)


# Density of peaks


def test_limited_music_has_its_peaks_at_the_ceiling_and_music_left_alone_has_not():
    audio = programme(seconds=20.0, rate_hz=RATE_HZ)
    pressed = process(audio, RATE_HZ, GainSettings(gain_db=24.0), LimiterSettings(ceiling_dbtp=-1.0))
    assert (limited(audio) < 0.05, limited(pressed) > 0.5) == (True, True)


def test_soft_clipping_is_seen_as_limiting_is():
    audio = programme(seconds=20.0, rate_hz=RATE_HZ)
    assert limited(np.tanh(30.0 * audio)) > 0.5


def test_a_click_does_not_hide_a_limiter():
    audio = programme(seconds=20.0, rate_hz=RATE_HZ)
    pressed = process(audio, RATE_HZ, GainSettings(gain_db=24.0), LimiterSettings(ceiling_dbtp=-6.0))
    pressed[300_000] = 1.0
    assert limited(pressed) > 0.5


def test_steady_noise_is_not_limited_music():
    """Noise that falls as music does."""
    hiss = lfilter([0.1], [1.0, -0.95], noise(level_dbfs=-10.0, seconds=10.0), axis=0)
    assert limited(hiss) == 0.0


def test_clipped_music_has_all_its_peaks_at_the_top():
    audio = programme(seconds=20.0, rate_hz=RATE_HZ)
    assert limited(np.clip(audio, -0.05, 0.05)) > 0.95
    assert limited(audio) < 0.2


def test_pauses_and_fades_do_not_count():
    loud = np.clip(noise(level_dbfs=-6.0, seconds=5.0), -0.5, 0.5)
    audio = np.concatenate([loud, noise(level_dbfs=-50.0, seconds=20.0)])
    assert limited(audio) == pytest.approx(1.0, abs=0.01)


# What has no dynamics


@pytest.mark.parametrize(
    "audio", [np.zeros((44_100, 2)), np.zeros((0, 1)), np.full((1, 2), 0.5), sine(50, seconds=0.04)]
)
def test_silence_and_what_is_shorter_than_50_ms_have_no_dynamics(audio):
    squares, peaks = frames_of(audio)
    assert (dynamic_range_db(squares, peaks), noise_floor_dbfs(squares), limited_ratio(squares, peaks, -20.0)) == (
        None,
    ) * 3


@pytest.mark.parametrize("seconds", [0.05, 0.1, 1.0, 2.99, 3.0, 3.05])
def test_short_music_has_finite_dynamics(seconds):
    squares, peaks = frames_of(music(seconds=seconds))
    found = [dynamic_range_db(squares, peaks), noise_floor_dbfs(squares), limited_ratio(squares, peaks, -20.0)]
    assert all(math.isfinite(value) for value in found)


def test_the_quietest_sound_of_24_bits_has_dynamics():
    step = to_gain(-138.5)
    audio = step * np.where(noise(seconds=4.0) > 0.0, 1.0, -1.0)
    assert dynamic_range_db(*frames_of(audio)) == pytest.approx(-3.01, abs=RANGE_DB)
