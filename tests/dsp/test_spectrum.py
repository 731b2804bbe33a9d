"""The long-term spectrum: power goes where it belongs, all of it, and nowhere else; what channels share is told apart."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio, Floats
from dsp.spectrum import CENTRES_HZ, SpectrumMeter, slope_db_per_octave
from dsp.windows import Windows
from tests.makers import music, noise, sine

NOMINAL_HZ = {0: 20, 2: 31.5, 7: 100, 14: 500, 17: 1000, 20: 2000, 27: 10_000, 30: 20_000}  # IEC 61260-1, rounded names
TONE_DB = 0.1  # Hann leakage over a band's edge
NOISE_DB = 0.3  # mean of 30 s of noise in a band of at least 23 Hz


def measured(audio: Audio, rate_hz: int = 44_100) -> SpectrumMeter:
    meter = SpectrumMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter


def spectrum(audio: Audio, rate_hz: int = 44_100) -> Floats:
    return measured(audio, rate_hz).power()


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


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.5, 2.0])
def test_a_spectrum_reads_the_same_twice_and_goes_on(seconds):
    audio = music(seconds=seconds)
    meter = measured(audio[:2_000])
    first = meter.power(), meter.fine_power(), meter.correlation_bands()
    assert repr(first) == repr((meter.power(), meter.fine_power(), meter.correlation_bands()))
    meter.push(audio[2_000:])
    assert np.array_equal(measured(audio).fine_power(), meter.fine_power())


def test_silence_has_no_power_and_nothing_gives_no_warning():
    assert not np.nansum(spectrum(np.zeros((44_100, 2))))
    assert not np.nansum(spectrum(np.zeros((0, 2))))


def test_fine_power_adds_up_to_the_mean_square():
    audio = music(level_dbfs=-20.0, seconds=20.0)
    assert in_db(measured(audio).fine_power().sum()) == pytest.approx(-20.0, abs=0.5)  # the last second is cut


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_fine_power_is_the_mean_over_the_channels(channels):
    audio = sine(3000.0, level_dbfs=-10.0, seconds=2.0, channels=channels)
    audio[:, 1:] = 0.0
    meter = measured(audio)
    power = meter.fine_power()
    assert in_db(power.sum()) == pytest.approx(-13.01 - 10.0 * np.log10(channels), abs=TONE_DB)
    assert int(power.argmax()) * meter.bin_hz == pytest.approx(3000.0, abs=meter.bin_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000, 192_000])
def test_windows_of_float32_and_blocks_of_float64_have_the_same_spectrum(rate_hz):
    audio = np.asarray(music(seconds=3.0, rate_hz=rate_hz), np.float32).astype(np.float64)
    meter = SpectrumMeter(rate_hz, 2)
    windows = Windows(2)
    for lines in windows.push(audio):
        meter.push(lines.T)
    for lines in windows.finish():
        meter.push(lines.T)
    assert np.array_equal(measured(audio, rate_hz).fine_power(), meter.fine_power())


@pytest.mark.parametrize("shift", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_channels_go_together_in_each_band_as_far_as_they_share_it(shift):
    shared, own = noise(seconds=20.0, channels=1, seed=2)[:, 0], noise(seconds=20.0, channels=1, seed=3)[:, 0]
    audio = np.stack([shared, shift * shared + np.sqrt(1.0 - shift * shift) * own], axis=1)
    assert measured(audio).correlation_bands() == pytest.approx([shift] * 4, abs=0.05)  # 133 Hz of 20 s in the lowest


def test_bass_out_of_step_shows_in_its_own_band_alone():
    bass, treble = sine(80.0, seconds=4.0), sine(3000.0, seconds=4.0)
    bass[:, 1] *= -1.0
    correlations = measured(bass + treble + noise(level_dbfs=-60.0, seconds=4.0)).correlation_bands()
    assert (correlations[0], correlations[2]) == (pytest.approx(-1.0, abs=0.01), pytest.approx(1.0, abs=0.01))


def test_a_quarter_turn_between_the_channels_is_no_correlation():
    time_s = np.arange(4 * 44_100) / 44_100
    audio = np.stack([np.sin(2e3 * np.pi * time_s * 2), np.cos(2e3 * np.pi * time_s * 2)], axis=1)
    assert measured(audio).correlation_bands()[2] == pytest.approx(0.0, abs=0.01)


def test_an_offset_is_no_correlation_of_the_bass():
    audio = noise(seconds=20.0) + np.array([0.3, -0.3])
    assert measured(audio).correlation_bands()[0] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("left_gain", [0.0, 1e-6])
def test_where_a_channel_holds_nothing_there_is_no_correlation(left_gain):
    audio = noise(seconds=2.0)
    audio[:, 0] = audio[:, 1] * left_gain
    assert measured(audio).correlation_bands() == (None,) * 4


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_only_two_channels_have_a_correlation(channels):
    assert measured(noise(seconds=1.0, channels=channels)).correlation_bands() == (None,) * 4


def test_a_band_beyond_the_rate_has_no_correlation():
    audio = np.repeat(noise(seconds=2.0, rate_hz=8_000, channels=1), 2, axis=1)
    assert measured(audio, 8_000).correlation_bands() == (*(pytest.approx(1.0),) * 3, None)


@pytest.mark.parametrize("slope", [0.0, -3.01, -6.02])
def test_the_slope_of_noise_is_that_of_its_density(slope):
    shape = np.maximum(np.fft.rfftfreq(30 * 44_100, 1 / 44_100), 1.0) ** (slope / 6.02)
    line = np.fft.irfft(np.fft.rfft(noise(seconds=30.0, channels=1)[:, 0]) * shape)
    assert slope_db_per_octave(spectrum(line[:, None])) == pytest.approx(slope, abs=0.1)


def test_silence_and_low_rates_have_no_slope():
    short = [np.zeros((44_100, 2)), noise(seconds=1.0, rate_hz=6_000)]
    assert [slope_db_per_octave(spectrum(short[0])), slope_db_per_octave(spectrum(short[1], 6_000))] == [None, None]
