"""The bands of a splitter: they add up to the sound, lie where their edges say, and move nothing in time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dsp.audio import Audio, Floats
from dsp.splitter import Bands, BandSplitter, band_responses, gathered, half_length, usable_edges
from tests.dsp.signals import EBU_HZ, level_db, null_db
from tests.makers import music, noise, sine

SUM_DB = 0.01  # asked for: the bands add up flat
NULL_DB = -120.0  # of the bands' sum against the sound; asked for: -100. They are float32: -150 dB a value
PLAIN_NULL = 1e-6  # float32 transforms against a plain float64 convolution
EDGES_HZ = (100.0, 1000.0, 5000.0)


def split(audio: Audio, rate_hz: int = EBU_HZ, edges_hz: tuple[float, ...] = EDGES_HZ) -> tuple[Audio, Bands]:
    """The whole track: what comes back of it, and its bands."""
    splitter = BandSplitter(edges_hz, rate_hz, audio.shape[1])
    pairs = [(s.audio, s.bands.copy()) for part in (splitter.push(audio), splitter.finish()) for s in part]
    return gathered((one for one, _ in pairs), audio.shape[1]), np.concatenate([bands for _, bands in pairs], axis=2)


def gain_db(responses: Floats, hz: float, rate_hz: int) -> Floats:
    freqs_hz = np.linspace(0.0, rate_hz / 2.0, responses.shape[1])
    return np.array([level_db(abs(np.interp(hz, freqs_hz, response))) for response in responses])


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000, 192_000])
def test_the_bands_add_up_to_the_sound(rate_hz):
    audio = noise(level_dbfs=-12.0, seconds=2.0, rate_hz=rate_hz)
    passed, bands = split(audio, rate_hz)
    assert np.array_equal(audio, passed)
    assert null_db(audio, bands.sum(axis=0, dtype=np.float64).T) <= NULL_DB


@pytest.mark.parametrize("edges_hz", [(40.0,), EDGES_HZ, (50.0, 120.0, 500.0, 2000.0, 8000.0)])
def test_the_sum_of_the_bands_is_flat(edges_hz):
    total = band_responses(edges_hz, 48_000, 32_768).sum(axis=0)
    assert float(np.abs(20.0 * np.log10(total)).max()) <= SUM_DB


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_at_an_edge_both_bands_are_6_db_down(rate_hz):
    responses = band_responses(EDGES_HZ, rate_hz, 65_536)
    for number, edge_hz in enumerate(EDGES_HZ):
        assert gain_db(responses, edge_hz, rate_hz)[number : number + 2] == pytest.approx([-6.02, -6.02], abs=0.05)


def test_an_edge_falls_by_27_db_per_octave_and_60_db_in_the_first():
    responses = band_responses((1000.0,), 48_000, 65_536)
    at_edge = [gain_db(responses, 1000.0 * 2.0**octaves, 48_000)[0] for octaves in (-0.25, 0.25)]
    assert at_edge[0] - at_edge[1] == pytest.approx(27.0 / 2.0, abs=0.5)
    assert gain_db(responses, 2000.0, 48_000)[0] < -60.0
    assert gain_db(responses, 500.0, 48_000)[1] < -60.0


def test_a_low_pass_rings_little_before_a_click():
    click = np.zeros((20_000, 1))
    click[10_000] = 1.0
    low = np.abs(split(click, edges_hz=(100.0,))[1][0, 0])
    period = EBU_HZ // 100
    assert int(low.argmax()) == 10_000
    assert level_db(float(low[: 10_000 - period].max() / low.max())) < -26.0
    assert level_db(float(low[: 10_000 - 3 * period // 2].max() / low.max())) < -40.0
    assert not low[: 10_000 - half_length(100.0, EBU_HZ) - 1].max() > 1e-7


@pytest.mark.parametrize(("hz", "number"), [(40.0, 0), (300.0, 1), (2200.0, 2), (12_000.0, 3)])
def test_a_tone_lies_in_its_band_alone(hz, number):
    audio = sine(hz, level_dbfs=-6.0, seconds=2.0, rate_hz=EBU_HZ)
    peaks = np.abs(split(audio)[1][:, 0, 20_000:-20_000]).max(axis=1) / 10 ** (-6.0 / 20.0)
    assert level_db(float(peaks[number])) == pytest.approx(0.0, abs=0.05)
    assert all(level_db(float(peak)) < -45.0 for peak in np.delete(peaks, number))


@pytest.mark.parametrize("seconds", [0.01, 0.1, 1.0, 4.0])
def test_a_band_is_the_plain_convolution(seconds):
    audio = noise(seconds=seconds, rate_hz=EBU_HZ)
    half = half_length(100.0, EBU_HZ)
    response = np.fft.fftshift(np.fft.irfft(band_responses((100.0,), EBU_HZ, 8_192)[0]))[4_096 - half :][: 2 * half + 1]
    expected = np.stack([np.convolve(channel, response)[half : half + len(audio)] for channel in audio.T])
    assert np.abs(expected - split(audio, edges_hz=(100.0,))[1][0]).max() < PLAIN_NULL


def test_edges_that_the_rate_does_not_reach_are_dropped():
    assert (100.0, 3000.0) == usable_edges((100.0, 3000.0, 3600.0, 15_000.0), 8_000)
    bands = split(noise(rate_hz=8_000), 8_000, (5000.0, 9000.0))[1]
    assert len(bands) == 1


def test_a_pause_between_two_sounds_stays_digital_silence_in_all_bands():
    loud = noise(level_dbfs=-6.0, seconds=0.5, rate_hz=EBU_HZ)
    track = np.concatenate([loud, np.zeros((EBU_HZ, 2)), loud])
    bands, half = split(track)[1], half_length(100.0, EBU_HZ)
    reach = len(loud) + half + 8
    assert not bands[:, :, reach : len(loud) + EBU_HZ - half - 8].any()
    assert bands[0, :, len(loud) + 10 : reach - 100].all()


def test_a_mix_gives_out_sums_of_bands():
    audio = music(rate_hz=EBU_HZ, seconds=1.0)
    splitter = BandSplitter(EDGES_HZ, EBU_HZ, 2, mix=np.array([[0.5, 0.0, 0.0, -1.0]]))
    [mixed] = splitter.finish() if not list(splitter.push(audio)) else []
    bands = split(audio)[1]
    assert np.abs(0.5 * bands[0] - bands[3] - mixed.bands[0]).max() < PLAIN_NULL


LONG = music(level_dbfs=-12.0, seconds=5.0)


@hypothesis_settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, len(LONG)), max_size=8))
def test_blocks_never_change_a_band_over_many_stretches(cuts):
    splitter = BandSplitter((200.0, 2000.0), 44_100, 2)
    bands = []
    for start, end in pairwise([0, *sorted(cuts), len(LONG)]):
        bands += [stretch.bands.copy() for stretch in splitter.push(LONG[start:end])]
    bands += [stretch.bands.copy() for stretch in splitter.finish()]
    assert np.array_equal(split(LONG, 44_100, (200.0, 2000.0))[1], np.concatenate(bands, axis=2))
