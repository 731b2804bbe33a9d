"""What keeps time is music, what fills its grid or follows none is damage; and hours of it cost little."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from dsp.detectors.rhythm import LEAST_EVENTS, keeps_time

MIB = 2**20


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("step_s", [0.1, 0.125, 0.357, 0.5])
@pytest.mark.parametrize("count", [10, 20, 60])
def test_strokes_on_some_places_of_a_grid_keep_time(step_s, count):
    places = np.sort(drawn(1).choice(count * 5, count, replace=False))
    assert keeps_time((3.3 + step_s * places).tolist())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [8, 12, 40])
def test_damage_at_random_does_not(seed, count):
    assert not keeps_time(np.sort(drawn(seed).uniform(0.0, 240.0, count)).tolist())


@pytest.mark.parametrize("turn_s", [0.769, 1.0, 1.8])
def test_damage_that_comes_back_with_every_turn_is_damage(turn_s):
    assert not keeps_time([2.0 + turn_s * turn for turn in range(30)])


def test_few_events_tell_nothing():
    assert not keeps_time([0.5 * step for step in range(0, 3 * LEAST_EVENTS - 3, 3)])


def test_nothing_keeps_no_time():
    assert not keeps_time([]) and not keeps_time([1.0] * 3)


def test_two_hours_of_events_are_judged_in_little_memory():
    times = np.sort(drawn(2).uniform(0.0, 7_200.0, 400)).tolist()
    tracemalloc.start()
    try:
        assert not keeps_time(times)
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB  # law 2 allows 64 for all
    finally:
        tracemalloc.stop()
