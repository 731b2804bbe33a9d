"""The parametric equaliser does what its curve says, and nothing where it says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import sosfilt

from dsp.audio import Audio
from dsp.chain import process
from dsp.parametric import Parametric, filters, response_db
from dsp.settings import Band, ParametricSettings
from tests.dsp.signals import level_db, without_tone
from tests.makers import RATE_HZ, music, noise, sine

TONE_DB = 1e-4  # a settled tone

BELL = Band(kind="bell", freq_hz=1_000.0, gain_db=4.0, quality_ratio=1.4)
DESK = ParametricSettings(
    bands=(
        Band(kind="highpass", freq_hz=30.0),
        Band(kind="low_shelf", freq_hz=120.0, gain_db=2.0),
        BELL,
        Band(kind="bell", freq_hz=3_500.0, gain_db=-2.5, quality_ratio=4.0),
        Band(kind="high_shelf", freq_hz=9_000.0, gain_db=-1.5),
        Band(kind="tilt", freq_hz=800.0, gain_db=1.0),
        Band(kind="lowpass", freq_hz=19_000.0),
    )
)


def equalised(audio: Audio, settings: ParametricSettings = DESK) -> Audio:
    return process(audio, RATE_HZ, settings)


@pytest.mark.parametrize("hz", [40.0, 120.0, 1_000.0, 3_500.0, 9_000.0, 17_000.0])
def test_a_tone_comes_out_with_the_gain_that_the_response_tells(hz):
    expected = float(response_db(DESK, np.array([hz]), RATE_HZ)[0])
    out = equalised(sine(hz, level_dbfs=-12.0, seconds=2.0))[RATE_HZ:, 0]
    assert expected == pytest.approx(level_db(without_tone(out, hz, RATE_HZ)[1]) + 12.0, abs=TONE_DB)


def test_a_tilt_turns_the_music_around_its_pivot():
    tilt = ParametricSettings(bands=(Band(kind="tilt", freq_hz=1_000.0, gain_db=6.0),))
    assert [-3.0, 0.0, 3.0] == pytest.approx(response_db(tilt, np.array([10.0, 1_000.0, 20_000.0]), 96_000), abs=0.05)


def test_the_bands_follow_one_another_as_in_scipy():
    audio = noise(seconds=0.5)
    table = filters(DESK, RATE_HZ)
    sections = np.concatenate([table[:, :3], np.ones((len(table), 1)), table[:, 3:]], axis=1)
    assert np.abs(sosfilt(sections, audio, axis=0) - equalised(audio)).max() < 1e-12


@pytest.mark.parametrize("kind", ["bell", "low_shelf", "high_shelf", "tilt"])
def test_a_band_of_0_db_passes_every_bit(kind):
    audio = music(level_dbfs=-6.0)
    assert audio.tobytes() == equalised(audio, ParametricSettings(bands=(Band(kind=kind, freq_hz=500.0),))).tobytes()


def test_a_band_of_0_db_beside_others_changes_nothing():
    audio = music(level_dbfs=-20.0)
    expected = equalised(audio, ParametricSettings(bands=(BELL,)))
    assert np.array_equal(expected, equalised(audio, ParametricSettings(bands=(replace(BELL, gain_db=0.0), BELL))))


def test_two_opposite_bells_take_each_other_back():
    audio = music(level_dbfs=-20.0)
    out = equalised(audio, ParametricSettings(bands=(BELL, replace(BELL, gain_db=-BELL.gain_db))))
    assert np.abs(out - audio).max() < 1e-13


def test_nothing_sounds_before_its_cause():
    click = np.zeros((2_000, 2))
    click[1_000] = 1.0
    assert not equalised(click)[:1_000].any()


def test_after_the_music_the_filters_come_to_rest():
    stage = Parametric(DESK, RATE_HZ, 2)
    stage.push(noise(seconds=0.1))
    stage.push(np.zeros((20 * RATE_HZ, 2)))
    assert not stage.push(np.zeros((100, 2))).any()


def test_two_channels_are_filtered_each_for_itself():
    audio = noise(seconds=0.2)
    apart = [equalised(audio[:, channel : channel + 1]) for channel in (0, 1)]
    assert np.array_equal(np.concatenate(apart, axis=1), equalised(audio))
