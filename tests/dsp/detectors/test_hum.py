"""Hum is found where it is steady and at the mains' multiples; notes beside them are none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.bands import BandMeter
from dsp.detectors.hum import Hum, HumDetector
from dsp.windows import Windows
from tests.dsp.detectors.segmented import BARE
from tests.makers import RATE_HZ, noise

SECONDS = 40.0
LIMIT_DB = 15.0  # of the profile `streaming`
WITHIN_HZ = 0.06  # a step of the search


def hum_of(audio: Audio, rate_hz: int = RATE_HZ) -> Hum:
    """What is heard in the low end of a track, window by window as it is measured."""
    bands, windows = BandMeter(rate_hz, audio.shape[1]), Windows(audio.shape[1])
    detector = HumDetector(bands.low_rate_hz, audio.shape[1])
    for lines in [*(lines.copy() for lines in windows.push(audio)), *windows.finish()]:
        bands.push(lines.T)
        detector.push(bands.low)
    return detector.finish()


def humming(hz: float, *, level_dbfs: float = -50.0, rate_hz: int = RATE_HZ, channels: int = 2) -> Audio:
    """Music that comes and goes, over a hum with a second and a third harmonic."""
    bed = noise(level_dbfs=-30.0, seconds=SECONDS, rate_hz=rate_hz, channels=channels)
    time_s = np.arange(len(bed)) / rate_hz
    bed *= (0.55 + 0.45 * np.sin(2 * np.pi * 0.11 * time_s))[:, None]
    wave = sum(np.sin(2 * np.pi * k * hz * time_s) / k for k in (1, 2, 3))
    return bed + 10 ** (level_dbfs / 20) * np.asarray(wave)[:, None]


@pytest.mark.parametrize("hz", [49.85, 50.0, 50.2, 59.9, 60.0])
def test_hum_is_found_at_the_frequency_that_the_mains_have(hz):
    found = hum_of(humming(hz))
    assert found.db is not None and found.db > LIMIT_DB
    assert found.hz == pytest.approx(hz, abs=WITHIN_HZ)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (48_000, 6), (192_000, 2)])
def test_hum_is_found_at_every_rate_and_in_any_number_of_channels(rate_hz, channels):
    found = hum_of(humming(50.0, rate_hz=rate_hz, channels=channels), rate_hz)
    assert found.db is not None and found.db > LIMIT_DB


@pytest.mark.parametrize("hz", [46.25, 49.0, 51.91, 55.0, 58.27, 61.74])
def test_a_held_bass_note_beside_the_mains_is_no_hum(hz):
    found = hum_of(humming(hz))
    assert found.db is None or found.db < LIMIT_DB


def test_music_without_hum_has_none():
    found = hum_of(humming(50.0, level_dbfs=-120.0))
    assert found.db is None or found.db < LIMIT_DB


def test_a_note_at_50_hz_that_comes_and_goes_is_no_hum():
    audio = humming(50.0)
    clean = humming(50.0, level_dbfs=-120.0)
    sounding = (np.arange(len(audio)) // (10 * RATE_HZ)) % 2 == 0
    found = hum_of(np.where(sounding[:, None], audio, clean))
    assert found.db is None or found.db < LIMIT_DB


def test_louder_hum_stands_out_further():
    soft, loud = (hum_of(humming(50.0, level_dbfs=level)).db for level in (-50.0, -40.0))
    assert loud == pytest.approx(soft + 10.0, abs=1.5)


def test_too_short_a_track_is_not_judged():
    assert hum_of(humming(50.0)[: 20 * RATE_HZ]) == Hum(None, None)


@pytest.mark.parametrize("name", BARE)
def test_bare_sound_is_borne_in_silence(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hum_of(BARE[name]) == Hum(None, None)
