"""Limits: the severest bound counts, a number on a bound does not cross it, and bounds that cannot all be meant are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.limits import Crossing, Limit

NUMBERS = st.floats(-100.0, 100.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-7.0, Crossing("fail", "below", -6.0)),
        (-6.0, Crossing("warn", "below", -3.0)),
        (-2.0, Crossing("info", "below", -1.0)),
        (-1.0, None),
        (1.0, None),
        (1.1, Crossing("info", "above", 1.0)),
        (4.0, Crossing("warn", "above", 3.0)),
        (6.1, Crossing("fail", "above", 6.0)),
    ],
)
def test_the_severest_bound_that_is_crossed_counts(value, expected):
    limit = Limit(info_below=-1, warn_below=-3, fail_below=-6, info_above=1, warn_above=3, fail_above=6)
    assert expected == limit.crossed_by(value)


def test_a_limit_without_bounds_is_never_crossed():
    assert (Limit().crossed_by(1e9), Limit().bounds()) == (None, [])


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_milder_bound_never_changes_that_a_severe_one_is_crossed(value, warn, fail):
    alone, both = Limit(fail_above=fail), Limit(fail_above=fail, warn_above=warn)
    assert (alone.crossed_by(value) is None) or both.crossed_by(value) == alone.crossed_by(value)


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({"warn_above": 5, "fail_above": 3}, "warn_above = 5 must not exceed fail_above = 3"),
        ({"info_above": 5, "fail_above": 3}, "info_above = 5 must not exceed fail_above = 3"),
        ({"info_below": -3, "warn_below": -2}, "warn_below = -2 must not exceed info_below = -3"),
        ({"fail_below": 1, "warn_below": 0}, "fail_below = 1 must not exceed warn_below = 0"),
        ({"warn_below": 3, "fail_above": 2}, "no number is neither below 3 nor above 2"),
    ],
)
def test_bounds_that_cannot_all_be_meant_are_told(bounds, told):
    assert told == Limit(**bounds).contradiction()


@pytest.mark.parametrize("bounds", [{}, {"warn_above": 3, "fail_above": 3}, {"info_below": 2, "fail_above": 2}])
def test_bounds_may_touch(bounds):
    assert Limit(**bounds).contradiction() is None


def test_a_bound_is_the_number_it_is_whoever_wrote_an_equal_one_before():
    assert [6, 6.0] == [Limit(fail_above=number).crossed_by(7.0).bound for number in (6, 6.0)]
    assert {float} == {type(Limit(fail_above=number).crossed_by(7.0).bound) for number in (8 - 2, 6.0)}
