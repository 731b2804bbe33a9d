"""The reverb decays as told in every octave, is dense before long, rings nowhere, and the rooms of two sounds add up."""

from __future__ import annotations

import re
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import sosfilt

from benchmarks.rooms import (
    OCTAVES_HZ,
    echo_density,
    measured_decay_s,
    octave,
    opened,
    responses,
    ringing_db,
    wanted_decay_s,
)
from dsp.audio import Audio
from dsp.mixing.reverb import SMALLEST_RATIO, Reverb, _room, decay_s
from dsp.settings import ReverbSettings
from tests.dsp.signals import EBU_HZ, null_db, track_with_everything
from tests.makers import noise

DECAY_TOLERANCE = 0.05  # figure 19, all of these
DENSITY, DENSE_S = 0.9, 0.1
RINGING_DB = 6.0
LINEAR_DB = -130.0
LEVEL_DB = 1.0  # of the middle octaves, as sent

ROOMS_S = (0.5, 1.4, 2.2)  # room, plate, hall
RATES_HZ = (44_100, 48_000, 96_000)
EVERY_RATE = pytest.mark.parametrize("rate_hz", [44_100, 48_000, pytest.param(96_000, marks=pytest.mark.slow)])
TRACK = track_with_everything()
SETTINGS = ReverbSettings(decay_s=0.5)


def wet(audio: Audio, settings: ReverbSettings = SETTINGS, cuts: tuple[int, ...] = ()) -> Audio:
    room = Reverb(settings, EBU_HZ)
    ends = np.minimum(np.cumsum([0, *cuts]), len(audio))
    return np.concatenate([room.push(block) for block in np.split(audio, ends)])


def octave_levels_db(heard: Audio, rate_hz: int) -> np.ndarray:
    """Of what both ears hear of noise on both sides, over what was sent."""
    powers = [np.square(sosfilt(octave(hz, rate_hz), heard, axis=0)).sum() for hz in OCTAVES_HZ]
    shares = [2.0 * hz / np.sqrt(2.0) / rate_hz for hz in OCTAVES_HZ]
    return 10.0 * np.log10(np.array(powers) / np.array(shares) / 2.0)


@given(st.lists(st.one_of(st.sampled_from([0, 1, 7, 64, 4096]), st.integers(0, 9_000)), max_size=12))
def test_cutting_a_sound_into_blocks_never_changes_its_room(cuts):
    assert np.array_equal(wet(TRACK), wet(TRACK, cuts=tuple(cuts)))


def test_frame_by_frame_it_sounds_the_same():
    assert np.array_equal(wet(TRACK[4_000:6_000]), wet(TRACK[4_000:6_000], cuts=(1,) * 2_000))


@EVERY_RATE
@pytest.mark.parametrize("seconds", ROOMS_S)
def test_every_octave_decays_in_its_time(seconds, rate_hz):
    settings = opened(seconds)
    heard = responses(settings, rate_hz, 2.0 * seconds)
    expected = [wanted_decay_s(settings, hz, rate_hz) for hz in OCTAVES_HZ]
    assert expected == pytest.approx([measured_decay_s(heard, hz, rate_hz) for hz in OCTAVES_HZ], rel=DECAY_TOLERANCE)


def test_the_wanted_decay_is_the_one_that_was_asked_for():
    settings = ReverbSettings(decay_s=2.0, high_decay_ratio=0.25)
    assert (decay_s(settings, 0.0), decay_s(settings, 8_000.0)) == pytest.approx((2.0, 0.5))


@EVERY_RATE
@pytest.mark.parametrize("seconds", ROOMS_S)
def test_it_is_as_dense_as_noise_after_a_tenth_of_a_second(seconds, rate_hz):
    heard = responses(opened(seconds), rate_hz, 2.0 * seconds)
    assert np.mean([echo_density(line, rate_hz, DENSE_S) for line in heard.T]) >= DENSITY


def test_the_measure_of_density_knows_noise_from_few_echoes():
    draw = np.random.default_rng(1)
    few = np.zeros(EBU_HZ)
    few[::400] = draw.standard_normal(EBU_HZ // 400)
    assert echo_density(draw.standard_normal(EBU_HZ), EBU_HZ, 0.5) == pytest.approx(1.0, abs=0.1)
    assert echo_density(few, EBU_HZ, 0.5) < 0.1


@EVERY_RATE
@pytest.mark.parametrize("seconds", ROOMS_S)
def test_no_mode_rings_longer_than_its_neighbours(seconds, rate_hz):
    assert ringing_db(responses(opened(seconds), rate_hz, 2.0 * seconds), rate_hz, seconds) < RINGING_DB


def test_the_measure_of_ringing_hears_a_mode_that_decays_a_tenth_slower():
    heard = responses(opened(1.4), EBU_HZ, 2.8)
    time_s = np.arange(len(heard)) / EBU_HZ
    mode = 0.01 * np.sin(2.0 * np.pi * 1_000.0 * time_s) * 10.0 ** (-2.7 * time_s / 1.4)
    assert ringing_db(heard + mode[:, None], EBU_HZ, 1.4) > RINGING_DB


def test_the_rooms_of_two_sounds_add_up():
    one, other = noise(seconds=1.0, seed=1), noise(seconds=1.0, seed=2)
    assert null_db(wet(one + other), wet(one) + wet(other)) < LINEAR_DB


def test_the_room_does_not_change_over_time():
    sound = noise(seconds=0.2)
    early = wet(np.concatenate([sound, np.zeros((30_000, 2))]))
    late = wet(np.concatenate([np.zeros((12_345, 2)), sound, np.zeros((30_000, 2))]))
    assert null_db(early, late[12_345:]) < LINEAR_DB


def test_it_ends_in_exact_silence_without_numbers_that_processors_are_slow_at():
    settings = ReverbSettings(decay_s=0.1, predelay_s=0.0)
    room = Reverb(settings, EBU_HZ)
    room.push(noise(seconds=0.5))
    tail = np.concatenate([room.push(np.zeros((4_800, 2))) for _ in range(60)])
    assert not tail[-4_800:].any()
    held = np.concatenate([tail.ravel(), room._room.memory, room._room.rest.ravel()])
    assert not ((held != 0.0) & (np.abs(held) < np.finfo(float).tiny)).any()


def test_silence_stays_silent():
    assert not wet(np.zeros((EBU_HZ, 2))).any()


@pytest.mark.parametrize("sides", [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_the_ears_hear_different_rooms_wherever_the_sound_comes_from(sides):
    sound = noise(seconds=2.0, channels=1, rate_hz=EBU_HZ) * np.array(sides)
    assert abs(np.corrcoef(wet(sound, opened(1.4)).T)[0, 1]) < 0.15


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.4, 2.2])
def test_middle_octaves_come_out_as_loud_as_they_were_sent(seconds):
    levels_db = octave_levels_db(responses(opened(seconds), EBU_HZ, 2.0 * seconds), EBU_HZ)
    assert levels_db[2:4] == pytest.approx(0.0, abs=LEVEL_DB)


def test_a_room_sounds_the_same_at_every_rate():
    levels_db = [octave_levels_db(responses(opened(1.4), rate_hz, 2.8), rate_hz) for rate_hz in RATES_HZ]
    assert np.ptp(levels_db, axis=0).max() < 0.5


def test_only_what_lies_between_its_cuts_is_sent():
    levels_db = octave_levels_db(responses(opened(1.4, low_cut_hz=500.0, high_cut_hz=2_000.0), EBU_HZ, 2.8), EBU_HZ)
    whole_db = octave_levels_db(responses(opened(1.4), EBU_HZ, 2.8), EBU_HZ)
    change_db = levels_db - whole_db
    assert change_db[0] == pytest.approx(-24.0, abs=2.5)  # two octaves down, 12 dB each
    assert change_db[3] > -1.5
    assert change_db[6] < -20.0


def test_nothing_is_heard_before_the_pre_delay():
    click = np.zeros((EBU_HZ, 2))
    click[0] = 1.0
    first = int(np.flatnonzero(wet(click, ReverbSettings(predelay_s=0.1)).any(axis=1))[0])
    assert 4_800 < first < 4_800 + 0.01 * EBU_HZ


@pytest.mark.parametrize("size", [SMALLEST_RATIO, 1.0])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_no_two_lines_share_a_divisor(rate_hz, size):
    lengths = np.diff(_room(SETTINGS, size, rate_hz).starts)
    assert all(gcd(int(a), int(b)) == 1 for n, a in enumerate(lengths) for b in lengths[:n])


@pytest.mark.parametrize("decay", [0.1, 0.3, 2.0])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_every_room_that_can_be_asked_for_dies_away(decay, ratio, rate_hz):
    settings = ReverbSettings(decay_s=decay, high_decay_ratio=ratio, predelay_s=0.0)
    heard = responses(settings, rate_hz, 1.3 * decay)
    thirds = np.array_split(np.square(heard).sum(axis=1), 3)
    assert np.isfinite(heard).all()
    assert thirds[2].sum() < 0.01 * thirds[0].sum()


def test_one_channel_is_refused():
    with pytest.raises(ValueError, match=re.escape("a reverb takes 2 channels, got 1")):
        Reverb(SETTINGS, EBU_HZ).push(np.zeros((3, 1)))
