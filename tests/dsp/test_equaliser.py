"""The equaliser follows its curve and moves nothing in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.fft import rfft
from scipy.signal import fftconvolve

from dsp.audio import Audio, Floats, to_gain
from dsp.chain import process
from dsp.equaliser import Equaliser, impulse_response
from dsp.settings import EqualiserSettings
from tests.dsp.signals import level_db, null_db, without_tone
from tests.makers import music, noise, sine

CURVE_DB = 0.05  # a gentle curve over the audio band: its corners are rounded by the window
SINGLE_DB = -150.0  # the change is made in float32: -18 dB for a correction of 1 dB, and 24 bits below that

GENTLE = EqualiserSettings(
    freqs_hz=(31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0),
    gains_db=(0.6, 1.0, 0.8, 0.3, 0.0, -0.2, -0.5, -0.2, 0.3, 0.8),
)


def gain_at(response: Floats, hz: float, rate_hz: int) -> float:
    angle = -2j * np.pi * hz / rate_hz * (np.arange(len(response)) - len(response) // 2)
    return level_db(abs(response @ np.exp(angle)))


def equalised(audio: Audio, settings: EqualiserSettings = GENTLE, rate_hz: int = 44_100) -> Audio:
    return process(audio, rate_hz, settings)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000, 192_000])
def test_a_gentle_curve_is_followed_at_its_points(rate_hz):
    response = impulse_response(GENTLE, rate_hz)
    found = [gain_at(response, hz, rate_hz) for hz in GENTLE.freqs_hz]
    assert list(GENTLE.gains_db) == pytest.approx(found, abs=CURVE_DB)


@pytest.mark.parametrize(("hz", "expected_db"), [(63.0, 1.0), (1000.0, -0.2), (2000.0, -0.5), (16_000.0, 0.8)])
def test_a_tone_comes_out_with_the_gain_of_the_curve(hz, expected_db):
    out = equalised(sine(hz, level_dbfs=-12.0, seconds=2.0))[20_000:-20_000, 0]
    assert level_db(without_tone(out, hz, 44_100)[1]) == pytest.approx(-12.0 + expected_db, abs=CURVE_DB)


def test_beyond_its_points_the_curve_goes_on_level():
    response = impulse_response(GENTLE, 44_100)
    assert gain_at(response, 20_000.0, 44_100) == pytest.approx(0.8, abs=CURVE_DB)
    assert gain_at(response, 5.0, 44_100) == pytest.approx(0.6, abs=CURVE_DB)


def test_between_two_points_the_curve_is_straight_over_the_octaves():
    response = impulse_response(EqualiserSettings(freqs_hz=(500.0, 2000.0), gains_db=(0.0, -4.0)), 44_100)
    assert gain_at(response, 1000.0, 44_100) == pytest.approx(-2.0, abs=CURVE_DB)


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_the_response_is_symmetric(rate_hz):
    response = impulse_response(GENTLE, rate_hz)
    assert len(response) % 2 == 1
    assert np.abs(response - response[::-1]).max() < 1e-12 * np.abs(response).max() * len(response)


@pytest.mark.parametrize("at", [0, 1, 20_000, 40_000, 59_999])
def test_a_click_stays_on_its_sample(at):
    click = np.zeros((60_000, 1))
    click[at] = 1.0
    assert int(np.abs(equalised(click)).argmax()) == at


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3, 3.0, 6.0])
def test_the_convolution_is_the_plain_one(seconds, phase):
    audio = noise(seconds=seconds)
    settings = replace(GENTLE, phase=phase)
    response = impulse_response(settings, 44_100)
    lead = len(response) // 2 if phase == "linear" else 0
    whole = np.stack([fftconvolve(channel, response) for channel in audio.T], axis=1)
    error = equalised(audio, settings) - whole[lead : lead + len(audio)]
    assert level_db(float(np.sqrt(np.square(error).mean() / np.square(audio).mean()))) < SINGLE_DB


@pytest.mark.parametrize("gain_db", [1.0, -1.0])
def test_music_corrected_by_1_db_keeps_the_precision_of_24_bits(gain_db):
    audio = music(level_dbfs=-20.0, seconds=6.0)
    settings = EqualiserSettings(freqs_hz=(200.0, 400.0), gains_db=(gain_db, 0.0))
    response = impulse_response(settings, 44_100)
    half = len(response) // 2
    expected = np.stack([fftconvolve(channel, response)[half:-half] for channel in audio.T], axis=1)
    assert null_db(expected, equalised(audio, settings)) < SINGLE_DB


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize("side_gains_db", [(), (0.0, 0.0)])
def test_a_flat_curve_passes_every_bit(phase, side_gains_db):
    audio = music(level_dbfs=-6.0)
    flat = EqualiserSettings(freqs_hz=(100.0, 1000.0), gains_db=(0.0, 0.0), side_gains_db=side_gains_db, phase=phase)
    assert audio.tobytes() == equalised(audio, flat).tobytes()


@pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000])
def test_minimum_phase_has_the_gain_of_linear_phase(rate_hz):
    linear, minimum = (impulse_response(replace(GENTLE, phase=phase), rate_hz) for phase in ("linear", "minimum"))
    gains_db = [20.0 * np.log10(np.abs(rfft(response, 1 << 17))) for response in (linear, minimum)]
    assert len(linear) == len(minimum)
    assert np.abs(gains_db[0] - gains_db[1]).max() < 1e-9


@pytest.mark.parametrize("phase", ["linear", "minimum"])
@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_a_gentle_curve_is_followed_over_the_whole_audio_band(phase, rate_hz):
    freqs_hz = np.geomspace(20.0, 20_000.0, 60)
    wanted_db = np.interp(np.log(freqs_hz), np.log(GENTLE.freqs_hz), GENTLE.gains_db)
    response = impulse_response(replace(GENTLE, phase=phase), rate_hz)
    assert wanted_db == pytest.approx([gain_at(response, hz, rate_hz) for hz in freqs_hz], abs=CURVE_DB)


def test_minimum_phase_is_silent_before_its_cause():
    click = np.zeros((60_000, 1))
    click[30_000] = 1.0
    steep = EqualiserSettings(freqs_hz=(1000.0, 1100.0), gains_db=(-12.0, 12.0), phase="minimum")
    before = [np.abs(equalised(click, one)[:30_000]).max() for one in (replace(steep, phase="linear"), steep)]
    assert level_db(before[0]) > -20.0
    assert level_db(before[1]) < -140.0  # rounding of float32


def test_the_steepest_curve_has_a_minimum_phase():
    cliff = EqualiserSettings(freqs_hz=(1000.0, 1001.0), gains_db=(24.0, -24.0), phase="minimum")
    response = impulse_response(cliff, 44_100)
    assert [24.0, -24.0] == pytest.approx([gain_at(response, hz, 44_100) for hz in (800.0, 8_000.0)], abs=0.1)


def test_middle_and_side_have_a_curve_each():
    settings = EqualiserSettings(freqs_hz=(1000.0,), gains_db=(-2.0,), side_gains_db=(3.0,))
    middle, side = noise(channels=1, seed=1), noise(channels=1, seed=2)
    out = equalised(np.concatenate([middle + side, middle - side], axis=1), settings)
    expected = to_gain(-2.0) * middle[:, 0], to_gain(3.0) * side[:, 0]
    assert np.abs(expected[0] - (out[:, 0] + out[:, 1]) / 2.0).max() < 1e-12
    assert np.abs(expected[1] - (out[:, 0] - out[:, 1]) / 2.0).max() < 1e-12


def test_a_mono_track_has_no_side():
    settings = EqualiserSettings(freqs_hz=(1000.0,), gains_db=(-2.0,), side_gains_db=(3.0,))
    audio = noise(channels=1)
    assert np.abs(to_gain(-2.0) * audio - equalised(audio, settings)).max() < 1e-12


@pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000, 384_000])
def test_four_transforms_hold_back_a_quarter_of_a_million_frames_at_most(rate_hz):
    assert Equaliser(GENTLE, rate_hz, 2).latency <= 5 << 16


def test_two_opposite_curves_take_each_other_back():
    opposite = EqualiserSettings(freqs_hz=GENTLE.freqs_hz, gains_db=tuple(-gain for gain in GENTLE.gains_db))
    audio = music(level_dbfs=-20.0)
    rest = equalised(equalised(audio), opposite) - audio
    assert level_db(float(np.sqrt(np.square(rest).mean() / np.square(audio).mean()))) < -50.0


def test_a_whole_curve_in_one_point_is_a_gain():
    audio = music(level_dbfs=-20.0)
    out = equalised(audio, EqualiserSettings(freqs_hz=(1000.0,), gains_db=(-6.0,)))
    assert np.abs(out - audio * 10 ** (-6 / 20)).max() < 1e-12
