"""Four bands: a tone is heard in its own, its crest is that of a sine, and what a file has no room for is not made up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, firwin, sosfilt

from dsp.audio import Audio, Floats
from dsp.bands import BANDS, BandMeter
from tests.makers import music, noise, sine

SINE_DB = 3.01
CREST_DB = 0.06  # the rise at its start takes 0.03 dB
ORACLE_DB, BASS_DB = 0.35, 1.0  # a filter of another kind below each edge; the bass is read at four times its edge
LEAK_DB = -38.0  # one and a half octaves below an edge at 24 dB an octave
FAR_DB = -80.0  # two edges away

RATES_HZ = (44_100, 48_000, 96_000, 192_000)


def meter_of(audio: Audio, rate_hz: int = 48_000) -> BandMeter:
    meter = BandMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter


def crests_db(audio: Audio, rate_hz: int = 48_000) -> tuple[float | None, ...]:
    return meter_of(audio, rate_hz).crest_db()


def energies(audio: Audio, rate_hz: int = 48_000) -> list[float]:
    """Mean square of each band, from the sums behind the figures."""
    meter = meter_of(audio, rate_hz)
    sums = [meter._lowest, *(branch.sums for branch in reversed(meter._levels))]
    return [float(one[:, 1].sum() / one[:, 2].sum()) for one in sums]


def twice(line: Floats, hz: float, kind: str) -> Floats:
    """Half of a Linkwitz-Riley crossover: a Butterworth filter, twice."""
    sections = butter(2, hz, kind, fs=48_000, output="sos")
    return np.asarray(sosfilt(sections, sosfilt(sections, line)))


def crest_db(line: Floats) -> float:
    return float(20.0 * np.log10(np.abs(line).max() / np.sqrt(np.square(line).mean())))


def swelling(hz: float, rate_hz: int, seconds: float = 10.0) -> Audio:
    """A tone that rises within a tenth of a second and falls likewise: all of it lies in its band."""
    tone = sine(hz, level_dbfs=-6.0, seconds=seconds, rate_hz=rate_hz)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.minimum(1.0, np.arange(len(tone)) / (0.1 * rate_hz)))
    return tone * (rise * rise[::-1])[:, None]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(("hz", "band"), [(40, 0), (70, 0), (400, 1), (2_500, 2), (12_000, 3)])
def test_a_tone_has_the_crest_of_a_sine_in_its_band(hz, band, rate_hz):
    found = crests_db(swelling(hz + 0.37, rate_hz), rate_hz)
    assert found[band] == pytest.approx(SINE_DB, abs=CREST_DB)


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
@pytest.mark.parametrize(("hz", "band"), [(50, 0), (400, 1), (2_500, 2), (14_000, 3)])
def test_a_tone_is_heard_in_its_own_band_and_not_two_bands_away(hz, band, rate_hz):
    levels_db = 10.0 * np.log10(np.maximum(energies(swelling(float(hz), rate_hz), rate_hz), 1e-30))
    assert levels_db[band] == pytest.approx(-9.01, abs=0.3)
    assert levels_db[abs(np.arange(BANDS) - band) > 1].max() < levels_db[band] + FAR_DB + 20.0 * (band > 1)


def test_a_bass_of_50_hz_hardly_leaks_into_any_other_band():
    levels_db = 10.0 * np.log10(np.maximum(energies(swelling(50.0, 44_100), 44_100), 1e-30))
    assert levels_db[1] < levels_db[0] + LEAK_DB
    assert max(levels_db[2:]) < levels_db[0] + FAR_DB


def test_a_click_stands_out_of_the_noise_in_the_band_where_it_lies():
    quiet = noise(level_dbfs=-50.0, seconds=4.0, rate_hz=48_000)
    clicked = quiet.copy()
    clicked[96_000] = 1.0
    before, after = crests_db(quiet), crests_db(clicked)
    assert after[3] > before[3] + 20.0


@pytest.mark.parametrize("every_frames", [480, 4_800])
def test_an_impulse_train_has_the_crest_of_its_filtered_self(every_frames):
    train = np.zeros((96_000, 1))
    train[::every_frames] = 0.5
    assert crests_db(train)[3] == pytest.approx(crest_db(twice(train[:, 0], 6000.0, "highpass")), abs=0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_bands_of_music_have_the_crests_of_an_offline_crossover(seed):
    line = music(level_dbfs=-12.0, seconds=8.0, rate_hz=48_000, channels=1, seed=seed)[:, 0]
    found = crests_db(line[:, None])
    assert found[0] == pytest.approx(crest_db(twice(line, 150.0, "lowpass")), abs=BASS_DB)
    for band, (low_hz, high_hz) in enumerate([(150.0, 1000.0), (1000.0, 6000.0)], 1):
        below = fftconvolve(line, firwin(2_001, high_hz, fs=48_000))
        assert found[band] == pytest.approx(crest_db(twice(below, low_hz, "highpass")), abs=ORACLE_DB)
    assert found[3] == pytest.approx(crest_db(twice(line, 6000.0, "highpass")), abs=0.01)


@pytest.mark.parametrize(("rate_hz", "missing"), [(8_000, 1), (11_025, 1), (16_000, 0), (384_000, 0)])
def test_a_band_beyond_the_rate_has_no_crest(rate_hz, missing):
    found = crests_db(noise(seconds=2.0, rate_hz=rate_hz), rate_hz)
    assert [crest is None for crest in found] == [False] * (BANDS - missing) + [True] * missing


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_a_mono_track_has_the_crests_of_its_copies(channels):
    mono = music(seconds=2.0, channels=1)
    assert crests_db(mono) == pytest.approx(crests_db(np.repeat(mono, channels, axis=1)), abs=1e-12)


def test_the_crest_is_taken_over_all_channels():
    both = music(seconds=2.0, channels=1) * np.ones(2)
    found = np.subtract(crests_db(both * np.array([1.0, 0.0])), crests_db(both))
    assert found == pytest.approx([3.0103] * BANDS, abs=1e-4)  # the same peak over half the power


@pytest.mark.parametrize("ratio", [1e-3, 0.5, 1.0, 16.0])
def test_a_gain_does_not_change_a_crest(ratio):
    audio = music(seconds=2.0)
    assert crests_db(audio * ratio) == pytest.approx(crests_db(audio), abs=1e-4)


@pytest.mark.parametrize("audio", [np.zeros((48_000, 2)), np.zeros((0, 2)), np.full((48_000, 1), 1e-30)])
def test_silence_has_no_crest(audio):
    assert crests_db(audio) == (None,) * BANDS
