"""The long-term spectrum in third octaves: power goes into the band where it belongs, all of it, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio, Floats
from dsp.spectrum import CENTRES_HZ, SpectrumMeter
from tests.makers import music, noise, sine

NOMINAL_HZ = {0: 20, 2: 31.5, 7: 100, 14: 500, 17: 1000, 20: 2000, 27: 10_000, 30: 20_000}  # IEC 61260-1, rounded names
TONE_DB = 0.1  # Hann leakage over a band's edge
NOISE_DB = 0.3  # mean of 30 s of noise in a band of at least 23 Hz


def spectrum(audio: Audio, rate_hz: int = 44_100) -> Floats:
    meter = SpectrumMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter.power()


def in_db(power: Floats) -> Floats:
    return 10.0 * np.log10(np.maximum(power, 1e-30))


@pytest.mark.parametrize("band", NOMINAL_HZ)
def test_bands_lie_where_their_names_say(band):
    assert CENTRES_HZ[band] == pytest.approx(NOMINAL_HZ[band], rel=0.02)


@pytest.mark.parametrize("band", range(3, 31, 3))
@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_a_tone_puts_its_power_into_its_own_band(band, rate_hz):
    levels = in_db(spectrum(sine(CENTRES_HZ[band], level_dbfs=-10.0, seconds=4.0, rate_hz=rate_hz), rate_hz))
    assert levels[band] == pytest.approx(-13.01, abs=TONE_DB)  # a sine has half the power of a square
    assert int(np.nanargmax(levels)) == band


def test_a_tone_is_40_db_down_two_bands_away():
    levels = in_db(spectrum(sine(1000.0, level_dbfs=-10.0, seconds=4.0)))
    assert max(levels[15], levels[19]) < -13.0 - 40.0


def test_white_noise_rises_1_db_a_band():
    levels = in_db(spectrum(noise(level_dbfs=-20.0, seconds=30.0)))[10:30]
    expected = levels[0] + np.arange(20)  # every band is 10^(1/10) as wide as the one before
    assert expected.tolist() == pytest.approx(levels.tolist(), abs=NOISE_DB)


def test_the_bands_hold_all_the_power_of_music():
    audio = music(level_dbfs=-20.0, seconds=20.0)
    assert 10.0 * np.log10(np.nansum(spectrum(audio)[:-1])) == pytest.approx(-20.0, abs=0.5)  # the last second is cut


def test_the_spectrum_is_the_mean_over_channels():
    left = sine(1000.0, level_dbfs=-10.0, seconds=2.0)
    left[:, 1] = 0.0
    assert in_db(spectrum(left))[17] == pytest.approx(-16.02, abs=TONE_DB)


def test_rumble_below_the_music_is_told_apart():
    power = in_db(spectrum(sine(10.0, level_dbfs=-20.0, seconds=10.0)))
    assert power[-1] == pytest.approx(-23.01, abs=0.3)
    assert np.nanmax(power[:31]) < -40.0


def test_a_constant_offset_is_no_rumble():
    assert in_db(spectrum(np.full((88_200, 1), 0.1)))[-1] < -80.0


def test_bands_beyond_half_the_rate_have_no_level():
    power = spectrum(noise(seconds=2.0, rate_hz=22_050), 22_050)
    assert np.isnan(power[:31]).tolist() == [hz >= 22_050 / 2 for hz in CENTRES_HZ]


def test_a_track_shorter_than_a_window_still_has_a_spectrum():
    levels = in_db(spectrum(sine(1000.0, level_dbfs=-10.0, seconds=0.1)))
    assert int(np.nanargmax(levels[:-1])) == 17


def test_silence_has_no_power_and_nothing_gives_no_warning():
    assert not np.nansum(spectrum(np.zeros((44_100, 2))))
    assert not np.nansum(spectrum(np.zeros((0, 2))))
