"""The ducker takes from its band what the key asks for, in its times, and nothing else; left alone, it passes every bit."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.mixing.ducker import Ducker
from dsp.settings import DuckerSettings
from tests.dsp.signals import EBU_HZ, level_db, tones, track_with_everything
from tests.makers import noise, sine

SETTINGS = DuckerSettings(threshold_dbfs=-40.0, depth_db=6.0, low_hz=500.0, high_hz=2_000.0)
BLOCK, KEY = track_with_everything(), track_with_everything()[::-1]


def ducked(audio: Audio, key: Audio, settings: DuckerSettings = SETTINGS, cuts: tuple[int, ...] = ()) -> Audio:
    ducker = Ducker(settings, EBU_HZ, audio.shape[1])
    ends = np.minimum(np.cumsum([0, *cuts]), len(audio))
    return np.concatenate([ducker.push(*both) for both in zip(np.split(audio, ends), np.split(key, ends), strict=True)])


def change_db(hz: float, key: Audio, settings: DuckerSettings = SETTINGS) -> float:
    """Of a tone, once everything has settled."""
    tone = sine(hz, level_dbfs=-20.0, rate_hz=EBU_HZ)
    out = ducked(tone, key, settings)
    half = EBU_HZ // 2
    return level_db(float(np.sqrt(np.square(out[half:]).mean() / np.square(tone[half:]).mean())))


def key_tone(level_dbfs: float, hz: float = 1_000.0) -> Audio:
    return sine(hz, level_dbfs=level_dbfs, rate_hz=EBU_HZ)


@given(st.lists(st.one_of(st.sampled_from([0, 1, 7, 64, 4096]), st.integers(0, 9_000)), max_size=12))
def test_cutting_both_into_blocks_never_changes_the_sound(cuts):
    assert np.array_equal(ducked(BLOCK, KEY), ducked(BLOCK, KEY, cuts=tuple(cuts)))


def test_frame_by_frame_it_sounds_the_same():
    block, key = BLOCK[4_000:5_000], KEY[4_000:5_000]
    assert np.array_equal(ducked(block, key), ducked(block, key, cuts=(1,) * 1_000))


def test_a_silent_key_changes_no_bit():
    assert np.array_equal(BLOCK, ducked(BLOCK, np.zeros_like(BLOCK)))


def test_a_key_below_the_threshold_changes_no_bit():
    assert np.array_equal(BLOCK, ducked(BLOCK, noise(level_dbfs=-70.0, seconds=5.0)[: len(BLOCK)]))


def test_once_the_key_has_ended_every_bit_passes_again():
    key = np.concatenate([key_tone(-10.0), np.zeros((5 * EBU_HZ, 2))])
    audio = noise(seconds=6.0, rate_hz=EBU_HZ)
    out = ducked(audio, key)
    assert not np.array_equal(audio[:EBU_HZ], out[:EBU_HZ])
    assert np.array_equal(audio[4 * EBU_HZ :], out[4 * EBU_HZ :])


@pytest.mark.parametrize(("over_db", "expected_db"), [(-1.0, 0.0), (2.0, -2.0), (5.0, -5.0), (6.0, -6.0), (30.0, -6.0)])
def test_as_many_db_are_taken_as_the_key_is_over_but_never_more_than_the_depth(over_db, expected_db):
    assert change_db(1_000.0, key_tone(-40.0 + over_db)) == pytest.approx(expected_db, abs=0.05)


@pytest.mark.parametrize(
    ("hz", "least_db", "most_db"),
    [(50.0, -0.1, 0.0), (500.0, -2.5, -1.5), (2_000.0, -2.5, -1.5), (15_000.0, -0.1, 0.0)],
)
def test_only_the_band_is_turned_down(hz, least_db, most_db):
    assert least_db <= change_db(hz, key_tone(-20.0)) <= most_db + 1e-9


@pytest.mark.parametrize("hz", [20.0, 1_000.0, 20_000.0])
def test_a_band_without_width_is_a_narrow_bell(hz):
    settings = DuckerSettings(threshold_dbfs=-40.0, depth_db=6.0, low_hz=hz, high_hz=hz)
    assert change_db(hz, key_tone(-20.0, hz), settings) == pytest.approx(-6.0, abs=0.3)


@pytest.mark.parametrize("hz", [30.0, 16_000.0])
def test_a_key_outside_of_the_band_ducks_nothing(hz):
    assert change_db(1_000.0, key_tone(-20.0, hz)) == pytest.approx(0.0, abs=1e-6)


def gains_db(settings: DuckerSettings, *segments: tuple[float, float | None]) -> np.ndarray:
    """The gain over time of the middle of the band."""
    key = tones(*segments, hz=1_000.0)
    angle = 2.0 * np.pi * 1_000.0 / EBU_HZ * np.arange(len(key))
    turning = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return 20.0 * np.log10(np.hypot(*ducked(turning, key, settings).T))


def test_it_goes_down_in_its_attack():
    settings = DuckerSettings(threshold_dbfs=-40.0, depth_db=12.0, low_hz=300.0, high_hz=3_300.0, attack_s=0.05)
    gains = gains_db(settings, (0.5, None), (0.5, 0.0))
    assert gains[EBU_HZ // 2 + round(0.05 * EBU_HZ)] == pytest.approx(-12.0 * (1.0 - np.exp(-1.0)), abs=0.3)


def test_it_holds_and_comes_back_in_its_release():
    settings = DuckerSettings(
        threshold_dbfs=-6.0, depth_db=6.0, low_hz=300.0, high_hz=3_300.0, hold_s=0.2, release_s=0.3
    )
    gains = gains_db(settings, (0.5, 0.0), (1.5, None))
    end = EBU_HZ // 2
    assert gains[end + round(0.19 * EBU_HZ)] == pytest.approx(-6.0, abs=0.05)
    assert gains[end + round((0.2 + 0.3) * EBU_HZ)] == pytest.approx(-6.0 * np.exp(-1.0), abs=0.3)


def test_one_gain_for_both_channels_and_a_key_of_one():
    left = noise(rate_hz=EBU_HZ, channels=1)
    out = ducked(np.concatenate([left, -0.25 * left], axis=1), key_tone(-10.0)[:, :1])
    assert -0.25 * out[:, 0] == pytest.approx(out[:, 1], abs=1e-15)
    assert np.array_equal(out[:, :1], ducked(left, key_tone(-10.0)))


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match=re.escape("must have as many frames as the block (3), got 2")):
        Ducker(SETTINGS, EBU_HZ, 2).push(np.zeros((3, 2)), np.zeros((2, 2)))
