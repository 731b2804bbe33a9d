"""Bursts of white noise are found; drums, cymbals, coloured noise and noise that fades are not bursts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.signal import lfilter

from dsp.audio import Audio, to_gain
from dsp.detectors.noise_bursts import NoiseBurstDetector
from dsp.detectors.sightings import Sightings
from tests.dsp.detectors.segmented import BARE, CLEAN, RATES_HZ, heard
from tests.makers import RATE_HZ, music, sine

PLACES_S = (0.33, 1.33, 2.2, 3.1)  # the first across the edge of a window
WITHIN_S = 0.0015  # the length of a segment


def bursts(audio: Audio, rate_hz: int = RATE_HZ) -> Sightings:
    return heard(NoiseBurstDetector(rate_hz, audio.shape[1]), audio, rate_hz)


def burst(length_s: float, *, rate_hz: int = RATE_HZ, level_db: float = 0.0, level_dbfs: float = -20.0) -> Audio:
    """White noise at a level against music of another, on two channels at once."""
    frames = round(length_s * rate_hz)
    return np.random.default_rng(6).standard_normal((frames, 1)) * to_gain(level_db + level_dbfs)


def spoilt(audio: Audio, noise: Audio, *, rate_hz: int = RATE_HZ, instead: bool = False) -> Audio:
    out = audio.copy()
    for start in (round(place_s * rate_hz) for place_s in PLACES_S):
        out[start : start + len(noise)] = noise + (0.0 if instead else out[start : start + len(noise)])
    return out


@pytest.mark.parametrize("length_s", [0.01, 0.03, 0.1, 0.4])
@pytest.mark.parametrize("level_db", [0.0, -6.0])
@pytest.mark.parametrize("instead", [True, False])
def test_every_burst_is_found_where_it_is(length_s, level_db, instead):
    found = bursts(spoilt(music(), burst(length_s, level_db=level_db), instead=instead))
    assert len(PLACES_S) == found.count
    assert found.at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


@pytest.mark.parametrize("rate_hz", [32_000, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 6])
def test_the_place_is_right_at_every_rate(rate_hz, channels):
    audio = spoilt(music(rate_hz=rate_hz, channels=channels), burst(0.04, rate_hz=rate_hz), rate_hz=rate_hz)
    assert bursts(audio, rate_hz).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_a_burst_in_one_channel_is_found():
    audio = music()
    audio[:, 1:] = spoilt(audio[:, 1:], burst(0.04))
    assert bursts(audio).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_the_size_is_how_far_the_burst_stands_out():
    quiet = 1e-4 * np.random.default_rng(2).standard_normal((4 * RATE_HZ, 1))
    found = bursts(spoilt(quiet, burst(0.1, level_dbfs=-40.0)))
    assert 40.0 == pytest.approx(found.worst, abs=1.5)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_sound_has_none(name):
    assert Sightings() == bursts(CLEAN[name])


@pytest.mark.parametrize("ring_s", [0.005, 0.02, 0.05])
def test_noise_that_rings_down_is_a_drum(ring_s):
    hit = burst(0.2, level_db=6.0)
    hit *= np.exp(-np.arange(len(hit)) / RATE_HZ / ring_s)[:, None]
    assert Sightings() == bursts(spoilt(music(), hit))


def test_noise_that_swells_is_none():
    swell = burst(0.2, level_db=6.0)
    assert Sightings() == bursts(spoilt(music(), swell * np.hanning(len(swell))[:, None]))


@pytest.mark.parametrize("pole", [0.9, -0.9], ids=["dark", "bright"])
def test_coloured_noise_is_an_instrument(pole):
    coloured = lfilter([1.0], [1.0, -pole], burst(0.05, level_db=-6.0), axis=0)
    assert Sightings() == bursts(spoilt(music(), coloured))


def test_a_note_that_is_switched_on_and_off_is_none():
    tone = sine(5_000.0, level_dbfs=-20.0, seconds=0.05, channels=1)
    assert Sightings() == bursts(spoilt(music(), tone))


def test_noise_longer_than_half_a_second_is_a_sound():
    assert Sightings() == bursts(spoilt(music(), burst(0.6)))


def test_bursts_that_keep_time_are_a_cymbal():
    audio = music(seconds=12.0)
    for step in np.random.default_rng(1).choice(90, 20, replace=False):
        audio[10_000 + step * 5_000 : 12_000 + step * 5_000] += burst(2_000 / RATE_HZ)
    assert Sightings() == bursts(audio)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_bare_sound_is_borne_in_silence(name, rate_hz):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Sightings() == bursts(BARE[name], rate_hz)
