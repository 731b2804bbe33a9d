"""Where a band ends: at the filters of converters and coders, in the noise of tape, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, firwin, oaconvolve, sosfilt

from dsp.audio import Audio
from dsp.detectors.bandwidth import BandEnd, band_end
from dsp.spectrum import SpectrumMeter
from tests.makers import noise, sine

STRIP_HZ = 100.0  # band_end's resolution


def end_of(audio: Audio, rate_hz: int = 44_100) -> BandEnd:
    meter = SpectrumMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return band_end(meter.fine_power(), meter.bin_hz)


def falling(*, seconds: float = 8.0, rate_hz: int = 44_100, db_per_octave: float = -6.0, seed: int = 1) -> Audio:
    """Noise that falls as music does."""
    line = noise(seconds=seconds, rate_hz=rate_hz, channels=1, seed=seed)[:, 0]
    hz = np.maximum(np.fft.rfftfreq(len(line), 1.0 / rate_hz), 100.0)
    return np.fft.irfft(np.fft.rfft(line) * (hz / 1000.0) ** (db_per_octave / 6.02), len(line))[:, None]


def stored(audio: Audio, bits: int) -> Audio:
    """Rounded with triangular dither."""
    draw = np.random.default_rng(3)
    dither = draw.random(audio.shape) - draw.random(audio.shape)
    return np.rint(audio * 2.0 ** (bits - 1) + dither) / 2.0 ** (bits - 1)


def cut(audio: Audio, hz: float, rate_hz: int = 44_100, width_hz: float = 400.0) -> Audio:
    """Behind a filter as steep as a coder's."""
    taps = firwin(2 * round(2.5 * rate_hz / width_hz) + 1, hz, fs=rate_hz, window=("kaiser", 8.0))
    return oaconvolve(audio, taps[:, None], mode="same", axes=0)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("db_per_octave", [0.0, -6.0, -12.0])
def test_music_without_a_filter_has_the_whole_band(rate_hz, db_per_octave):
    found = end_of(falling(rate_hz=rate_hz, db_per_octave=db_per_octave), rate_hz)
    assert (found.edge_hz, found.upsampled_from_hz) == (None, None)
    assert found.bandwidth_hz == pytest.approx(rate_hz / 2, abs=2 * STRIP_HZ)


@pytest.mark.parametrize("hz", [5_000, 11_000, 16_000, 17_500, 19_000, 20_200])
@pytest.mark.parametrize("bits", [16, 24])
def test_the_cut_of_a_coder_is_an_edge_where_it_is(hz, bits):
    found = end_of(stored(cut(falling(), hz), bits))
    assert found.edge_hz == found.bandwidth_hz
    assert hz - STRIP_HZ < found.bandwidth_hz < hz + 500.0  # where it reaches the floor


@pytest.mark.parametrize("hz", [6_000, 10_000, 14_000])
@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_a_band_that_fades_out_has_no_edge(hz, order):
    faded = sosfilt(butter(order, hz, fs=44_100, output="sos"), falling(), axis=0)
    assert end_of(stored(faded, 16)).edge_hz is None


def test_music_that_fades_into_hiss_ends_where_it_stands_out_of_it():
    music = sosfilt(butter(4, 5_000, fs=44_100, output="sos"), noise(level_dbfs=-20.0, seconds=8.0), axis=0)
    found = end_of(music + noise(level_dbfs=-60.0, seconds=8.0, seed=9))
    assert 9_000 < found.bandwidth_hz < 12_500  # 40 dB down, by 24 dB an octave and more towards half the rate


def test_a_last_harmonic_too_faint_beside_the_music_is_no_edge():
    bass = sine(100, level_dbfs=-6.0, seconds=8.0, channels=1)
    assert end_of(stored(bass + cut(falling() * 1e-3, 15_000), 24)).edge_hz is None


@given(gain_db=st.floats(-60.0, 12.0), hz=st.sampled_from([7_000.0, 15_000.0, 30_000.0]), depth_db=st.floats(0.0, 60.0))
def test_how_loud_a_recording_is_does_not_change_where_it_ends(gain_db, hz, depth_db):
    """A source and its louder master are told the same."""
    bin_hz = 96_000 / 32_768
    hz_of_bins = bin_hz * np.arange(16_384)
    power = np.where(hz_of_bins < hz, 1.0, 10.0 ** (-depth_db / 10.0)) * 1e-6 * (1.0 + hz_of_bins / 100.0) ** -2.0
    assert band_end(power * 10.0 ** (gain_db / 10.0), bin_hz) == band_end(power, bin_hz)


def test_a_single_tone_is_no_edge():
    tone = sine(9_000, level_dbfs=-30.0, seconds=8.0, channels=1)
    assert end_of(stored(tone + falling(db_per_octave=-24.0), 24)).edge_hz is None


@pytest.mark.parametrize("from_hz", [44_100, 48_000])
@pytest.mark.parametrize("to_hz", [88_200, 96_000, 176_400, 192_000])
@pytest.mark.parametrize("quality", ["HQ", "VHQ"])
@pytest.mark.parametrize("bits", [16, 24])
def test_a_recording_of_a_lower_rate_is_found_in_a_file_of_a_high_one(from_hz, to_hz, quality, bits):
    low = falling(rate_hz=from_hz)
    high = stored(soxr.resample(low, from_hz, to_hz, quality=quality), bits)
    assert end_of(high, to_hz).upsampled_from_hz == from_hz


def test_the_filter_of_a_cheap_converter_is_found_in_a_file_of_a_high_rate():
    images = np.repeat(falling(), 2, axis=0)
    taps = firwin(65, 22_050, fs=88_200, window=("kaiser", 5.0))
    high = stored(oaconvolve(images, taps[:, None], mode="same", axes=0), 24)
    assert end_of(high, 88_200).upsampled_from_hz in (44_100, 48_000)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(16_000, 44_100), (22_050, 44_100), (24_000, 48_000), (32_000, 48_000), (44_100, 48_000)]
)
def test_a_recording_of_a_low_rate_is_found_in_a_file_of_a_common_one(from_hz, to_hz):
    high = stored(soxr.resample(falling(rate_hz=from_hz), from_hz, to_hz, quality="HQ"), 24)
    assert end_of(high, to_hz).upsampled_from_hz == from_hz


@pytest.mark.parametrize("hz", [12_500, 15_000, 16_700, 17_200, 18_800, 19_500, 20_100])
def test_the_cut_of_a_coder_is_not_taken_for_half_a_lower_rate(hz):
    assert end_of(stored(cut(falling(), hz), 16)).upsampled_from_hz is None


@pytest.mark.parametrize("hz", [29_000, 32_000, 40_000])
def test_a_high_rate_that_is_used_is_not_taken_for_a_low_one(hz):
    assert end_of(stored(cut(falling(rate_hz=96_000), hz, 96_000), 24), 96_000).upsampled_from_hz is None


def test_music_that_fades_out_below_half_a_lower_rate_tells_nothing_of_it():
    dark = sosfilt(butter(8, 6_000, fs=96_000, output="sos"), falling(rate_hz=96_000), axis=0)
    assert end_of(stored(dark, 16), 96_000).upsampled_from_hz is None


@pytest.mark.parametrize("audio", [np.zeros((0, 1)), np.zeros((44_100, 2))], ids=["nothing", "silence"])
def test_silence_has_no_band(audio):
    assert end_of(audio) == BandEnd(None, None, None)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 384_000])
def test_a_single_sample_has_the_whole_band(rate_hz):
    assert end_of(np.ones((1, 1)), rate_hz).upsampled_from_hz is None
