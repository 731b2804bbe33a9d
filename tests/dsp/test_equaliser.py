"""The equaliser follows its curve and moves nothing in time."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio, Floats
from dsp.chain import process
from dsp.equaliser import impulse_response
from dsp.settings import EqualiserSettings
from tests.dsp.signals import level_db, without_tone
from tests.makers import music, noise, sine

CURVE_DB = 0.1  # a gentle curve, at its own points

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


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3, 0.6, 2.0])
def test_the_convolution_is_the_plain_one(seconds):
    audio = noise(seconds=seconds)
    response = impulse_response(GENTLE, 44_100)
    half = len(response) // 2
    expected = np.stack([np.convolve(channel, response)[half:-half] for channel in audio.T], axis=1)
    assert np.abs(expected - equalised(audio)).max() < 1e-13 * len(response)


def test_two_opposite_curves_take_each_other_back():
    opposite = EqualiserSettings(freqs_hz=GENTLE.freqs_hz, gains_db=tuple(-gain for gain in GENTLE.gains_db))
    audio = music(level_dbfs=-20.0)
    rest = equalised(equalised(audio), opposite) - audio
    assert level_db(float(np.sqrt(np.square(rest).mean() / np.square(audio).mean()))) < -50.0


def test_a_whole_curve_in_one_point_is_a_gain():
    audio = music(level_dbfs=-20.0)
    out = equalised(audio, EqualiserSettings(freqs_hz=(1000.0,), gains_db=(-6.0,)))
    assert np.abs(out - audio * 10 ** (-6 / 20)).max() < 1e-12
