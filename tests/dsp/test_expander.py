"""The expander: makes pauses quieter by its curve, opens at once, and leaves the music alone."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import ExpanderSettings
from tests.dsp.signals import EBU_HZ, level_db, tones
from tests.makers import music, noise, sine

CURVE_DB = 0.02  # a steady tone, its peaks held

SETTINGS = ExpanderSettings(threshold_dbfs=-40.0, expansion_ratio=2.0, range_db=20.0, knee_db=6.0)


def expanded(audio: Audio, settings: ExpanderSettings = SETTINGS) -> Audio:
    return process(audio, EBU_HZ, settings)


def gains_db(audio: Audio, out: Audio) -> np.ndarray:
    """The gain of every frame that is no zero."""
    heard = np.abs(audio[:, 0]) > 0.0
    return 20.0 * np.log10(out[heard, 0] / audio[heard, 0])


@pytest.mark.parametrize(
    ("level_dbfs", "expected_db"),
    [(-20.0, 0.0), (-37.0, 0.0), (-40.0, -0.75), (-43.0, -3.0), (-50.0, -10.0), (-60.0, -20.0), (-80.0, -20.0)],
)
def test_a_steady_tone_is_turned_down_by_the_curve(level_dbfs, expected_db):
    audio = sine(997.0, level_dbfs=level_dbfs, seconds=3.0, rate_hz=EBU_HZ)
    assert expected_db == pytest.approx(gains_db(audio, expanded(audio))[-1], abs=CURVE_DB)


def test_music_above_the_threshold_passes_untouched():
    loud = music(level_dbfs=-12.0, rate_hz=EBU_HZ)
    assert np.array_equal(loud, expanded(loud))


@pytest.mark.parametrize("settings", [{"expansion_ratio": 1.0}, {"range_db": 0.0}])
def test_a_ratio_of_1_or_no_range_changes_nothing(settings):
    quiet = noise(level_dbfs=-70.0, rate_hz=EBU_HZ)
    assert np.array_equal(quiet, expanded(quiet, ExpanderSettings(threshold_dbfs=-20.0, **settings)))


def test_the_lowest_notes_are_not_taken_for_pauses():
    bass = sine(20.0, level_dbfs=-34.0, rate_hz=EBU_HZ)
    assert np.array_equal(bass, expanded(bass))


def test_it_opens_in_its_attack():
    settings = ExpanderSettings(threshold_dbfs=-40.0, range_db=20.0, attack_s=0.005, hold_s=0.0)
    audio = tones((1.0, -80.0), (1.0, -20.0), hz=997.0)
    gains = gains_db(audio, expanded(audio, settings))
    assert gains[EBU_HZ - 10] == pytest.approx(-20.0, abs=0.2)
    assert gains[EBU_HZ + round(0.005 * EBU_HZ)] == pytest.approx(-20.0 * np.exp(-1.0), abs=0.5)


def test_it_stays_open_for_its_hold_and_closes_with_its_release():
    settings = ExpanderSettings(threshold_dbfs=-40.0, range_db=20.0, hold_s=0.2, release_s=0.1)
    audio = tones((1.0, -20.0), (2.0, -80.0), hz=997.0)
    gains = gains_db(audio, expanded(audio, settings))
    end = EBU_HZ + round(0.2 * EBU_HZ)
    assert not gains[: end - 100].any()
    assert gains[end + round(0.12 * EBU_HZ)] == pytest.approx(-20.0 * (1.0 - np.exp(-1.0)), abs=1.0)
    assert gains[-1] == pytest.approx(-20.0, abs=CURVE_DB)


def test_channels_are_turned_down_together():
    left = noise(level_dbfs=-50.0, rate_hz=EBU_HZ, channels=1)
    out = expanded(np.concatenate([left, -0.25 * left], axis=1))
    assert np.array_equal(-0.25 * out[:, 0], out[:, 1])


def test_back_above_the_threshold_nothing_is_left_of_the_reduction():
    loud = music(level_dbfs=-12.0, rate_hz=EBU_HZ)
    audio = np.concatenate([noise(level_dbfs=-80.0, rate_hz=EBU_HZ), loud, loud])
    assert np.array_equal(loud, expanded(audio)[-len(loud) :])


def test_a_hiss_between_notes_goes_down_by_the_range_and_the_notes_keep_their_peak():
    hiss = noise(level_dbfs=-80.0, seconds=3.0, rate_hz=EBU_HZ)
    note = sine(440.0, level_dbfs=-12.0, seconds=1.0, rate_hz=EBU_HZ)
    audio = hiss + np.concatenate([np.zeros_like(note), note, np.zeros_like(note)])
    out = expanded(audio, ExpanderSettings(threshold_dbfs=-40.0, range_db=20.0, release_s=0.05))
    before, after = (float(np.square(a[-EBU_HZ // 4 :]).mean()) for a in (audio, out))
    assert 10.0 * np.log10(after / before) == pytest.approx(-20.0, abs=0.1)
    assert level_db(float(np.abs(out).max() / np.abs(audio).max())) == pytest.approx(0.0, abs=1e-9)
