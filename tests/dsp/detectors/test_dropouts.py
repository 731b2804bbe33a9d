"""Dropouts are found to the sample; rests, fades and waveforms that are flat by nature are not dropouts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.detectors.dropouts import DropoutDetector
from dsp.detectors.sightings import Sightings
from tests.dsp.detectors.segmented import BARE, CLEAN, RATES_HZ, heard
from tests.makers import RATE_HZ, music

PLACES_S = (0.36, 1.3, 2.2, 3.1)  # the first across the edge of a window if it is long
WITHIN_S = 0.001


def dropouts(audio: Audio, rate_hz: int = RATE_HZ) -> Sightings:
    return heard(DropoutDetector(rate_hz, audio.shape[1]), audio, rate_hz)


def gapped(
    audio: Audio, length_s: float, *, rate_hz: int = RATE_HZ, value: float = 0.0, channel: int | slice = slice(None)
) -> Audio:
    out = audio.copy()
    for place_s in PLACES_S:
        start = round(place_s * rate_hz)
        out[start : start + round(length_s * rate_hz), channel] = value
    return out


@pytest.mark.parametrize("length_s", [0.001, 0.002, 0.01, 0.1, 0.2, 0.249])
@pytest.mark.parametrize("channel", [0, 1, slice(None)])
def test_every_dropout_is_found_where_it_is(length_s, channel):
    found = dropouts(gapped(music(), length_s, channel=channel))
    assert len(PLACES_S) == found.count
    assert found.at_s == pytest.approx(PLACES_S, abs=WITHIN_S)
    assert length_s == pytest.approx(found.worst, abs=WITHIN_S)


@pytest.mark.parametrize("rate_hz", [22_050, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 6])
def test_the_place_is_right_at_every_rate(rate_hz, channels):
    audio = gapped(music(rate_hz=rate_hz, channels=channels), 0.02, rate_hz=rate_hz)
    assert dropouts(audio, rate_hz).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_dither_over_a_dropout_does_not_hide_it():
    rng = np.random.default_rng(3)
    audio = gapped(music(), 0.02)
    audio += (rng.random(audio.shape) - rng.random(audio.shape)) / 32_768
    assert dropouts(np.rint(audio * 32_768) / 32_768).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_a_value_that_sticks_is_a_dropout():
    assert dropouts(gapped(music(), 0.01, value=0.05)).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_gaps_that_overlap_in_two_channels_are_one_as_long_as_both():
    audio = music()
    audio[50_000:51_000, 0] = 0.0
    audio[50_500:52_000, 1] = 0.0
    assert dropouts(audio) == Sightings(1, round(2_000 / RATE_HZ, 3), (round(50_000 / RATE_HZ, 3),))


@pytest.mark.parametrize("name", CLEAN)
def test_clean_sound_has_none(name):
    assert Sightings() == dropouts(CLEAN[name])


@pytest.mark.parametrize("length_s", [0.3, 0.9, 12.0])
@pytest.mark.parametrize("rate_hz", [44_100, 192_000])
@pytest.mark.parametrize("channel", [0, slice(None)])
def test_a_dropout_is_found_though_what_went_before_it_is_long_gone(length_s, rate_hz, channel):
    audio, start = music(seconds=13.5, rate_hz=rate_hz), round(1.1 * rate_hz)
    audio[start : start + round(length_s * rate_hz), channel] = 0.0
    audio[start + round((length_s + 0.17) * rate_hz) :][: rate_hz // 100, channel] = 0.0  # another soon
    found = dropouts(audio, rate_hz)
    assert (found.count, found.at_s[0]) == (2, pytest.approx(1.1, abs=WITHIN_S))
    assert found.worst == pytest.approx(length_s, abs=WITHIN_S)


def test_music_that_fades_into_a_rest_and_out_of_it_has_no_dropout():
    audio, ramp = gapped(music(), 0.05), np.linspace(0.0, 1.0, 300)[:, None]
    for start in (round(place_s * RATE_HZ) for place_s in PLACES_S):
        end = start + round(0.05 * RATE_HZ)
        audio[start - 300 : start] *= ramp[::-1] ** 2
        audio[end : end + 300] *= ramp**2
    assert Sightings() == dropouts(audio)


def test_a_gap_in_music_too_soft_to_hear_is_none():
    assert Sightings() == dropouts(gapped(music(level_dbfs=-60.0), 0.02))


def test_a_gap_before_silence_is_none():
    audio = music()
    audio[88_200:88_500] = 0.0
    audio[88_500:] *= 1e-4
    assert Sightings() == dropouts(audio)


def test_gaps_that_keep_time_are_music():
    audio = music(seconds=12.0)
    for step in np.random.default_rng(1).choice(90, 20, replace=False):
        audio[10_000 + step * 5_000 : 11_500 + step * 5_000] = 0.0
    assert Sightings() == dropouts(audio)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_bare_sound_is_borne_in_silence(name, rate_hz):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Sightings() == dropouts(BARE[name], rate_hz)
