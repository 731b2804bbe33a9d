"""The subsonic filter: takes away what lies below the music, starts without a thump, leaves the music alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import SubsonicSettings
from dsp.subsonic import butterworth_highpass
from tests.dsp.signals import level_db, without_tone
from tests.makers import music, sine

RESPONSE_DB = 0.01  # the bilinear transform bends the curve by less, far below half the rate
SETTINGS = SubsonicSettings(cutoff_hz=16.0)


def filtered(audio: Audio, settings: SubsonicSettings = SETTINGS, rate_hz: int = 44_100) -> Audio:
    return process(audio, rate_hz, settings)


@pytest.mark.parametrize("cutoff_hz", [1.0, 16.0, 200.0])
@pytest.mark.parametrize("rate_hz", [44_100, 192_000])
@pytest.mark.parametrize("ratio", [0.25, 0.5, 1.0, 2.0, 8.0])
def test_the_response_is_that_of_a_butterworth_filter(cutoff_hz, rate_hz, ratio):
    b0, b1, b2, a1, a2 = butterworth_highpass(cutoff_hz, rate_hz)
    z = np.exp(-2j * np.pi * cutoff_hz * ratio / rate_hz)
    found = level_db(abs((b0 + b1 * z + b2 * z * z) / (1.0 + a1 * z + a2 * z * z)))
    assert -10.0 * math.log10(1.0 + ratio**-4.0) == pytest.approx(found, abs=RESPONSE_DB)


@pytest.mark.parametrize(("hz", "expected_db"), [(16.0, -3.01), (8.0, -12.30), (32.0, -0.26), (100.0, -0.003)])
def test_a_tone_comes_out_at_the_level_of_the_curve(hz, expected_db):
    out = filtered(sine(hz, level_dbfs=-6.0, seconds=4.0))[44_100:, 0]
    assert level_db(without_tone(out, hz, 44_100)[1]) == pytest.approx(-6.0 + expected_db, abs=RESPONSE_DB)


def test_a_constant_offset_is_taken_away():
    out = filtered(music(level_dbfs=-20.0) + 0.05)
    assert abs(out[88_200:].mean()) < 1e-4


def test_an_offset_that_begins_with_the_track_makes_no_thump_when_it_is_known():
    offset = np.tile([0.1, -0.03], (44_100, 1))
    settled = SubsonicSettings(cutoff_hz=16.0, offset_ratio=(0.1, -0.03))
    assert np.abs(filtered(offset, settled)).max() < 1e-12
    assert np.abs(filtered(offset)).max() > 0.09


def test_music_on_a_known_offset_sounds_as_it_would_without():
    audio = music(level_dbfs=-20.0)
    settled = SubsonicSettings(cutoff_hz=16.0, offset_ratio=(0.02, 0.02))
    assert np.abs(filtered(audio) - filtered(audio + 0.02, settled)).max() < 1e-10


def test_a_step_dies_away_within_the_time_of_the_filter():
    step = np.full((44_100, 1), 0.5)
    out = np.abs(filtered(step)[:, 0])
    assert out[0] == pytest.approx(0.5, rel=0.01)
    assert out[int(44_100 * 10.0 / (2.0 * np.pi * 16.0)) :].max() < 0.5 * 0.002  # ten time constants of its envelope


def test_channels_are_filtered_apart():
    audio = music(level_dbfs=-20.0)
    left_only = audio * np.array([1.0, 0.0])
    assert np.array_equal(filtered(audio)[:, 0], filtered(left_only)[:, 0])
    assert not filtered(left_only)[:, 1].any()
