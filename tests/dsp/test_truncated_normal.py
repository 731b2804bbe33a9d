"""Expected values between bounds, against numerical integration and against drawing lots."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import truncnorm

from dsp.truncated_normal import expect, invert, truncated

FORMULA = 1e-3  # of a deviation: the tail's series is cut after two terms
LOTS = 0.03  # of a deviation: expectation propagation is an approximation, and lots are lots


@pytest.mark.parametrize("low", [-8.0, -1.0, 0.0, 2.0, 5.9, 6.1, 20.0])
@pytest.mark.parametrize("width", [0.5, 3.0, 50.0])
def test_the_mean_and_variance_between_two_bounds_are_those_of_the_truncated_normal(low, width):
    if low + width < -4.0 or (low > 6.0 and width < 1.0):
        pytest.skip("so improbable that any value between the bounds will do")
    mean, variance = truncated(1.0, 2.0, 1.0 + 2.0 * low, 1.0 + 2.0 * (low + width))
    expected = truncnorm(low, low + width, loc=1.0, scale=2.0)
    assert expected.mean() == pytest.approx(mean, abs=2.0 * FORMULA)
    assert expected.var() == pytest.approx(variance, abs=4.0 * FORMULA)


@pytest.mark.parametrize(
    ("mean", "low", "high"), [(0.0, 50.0, 51.0), (0.0, -51.0, -50.0), (0.0, 1e6, 2e6), (3.0, 1.0, 1.0)]
)
def test_the_expected_value_lies_between_the_bounds_however_improbable_they_are(mean, low, high):
    found, variance = truncated(mean, 1.0, low, high)
    assert low <= found <= high
    assert variance > 0.0


def test_values_that_depend_on_each_other_are_expected_where_lots_fall(rng):
    root = rng.standard_normal((4, 4))
    covariance, means = root @ root.T + 0.5 * np.eye(4), np.array([-0.5, 0.2, 0.0, 0.4])
    low, high = np.zeros(4), np.full(4, 3.0)
    lots = rng.multivariate_normal(means, covariance, 2_000_000)
    kept = lots[((lots >= low) & (lots <= high)).all(axis=1)]
    assert len(kept) > 1_000
    found = means.copy()
    expect(found, covariance.copy(), low, high)
    assert np.abs(kept.mean(axis=0) - found).max() < LOTS * np.sqrt(covariance.max())


def test_bounds_that_say_nothing_change_nothing(rng):
    root = rng.standard_normal((5, 5))
    covariance, means = root @ root.T + np.eye(5), rng.standard_normal(5)
    found = means.copy()
    expect(found, covariance.copy(), np.full(5, -100.0), np.full(5, 100.0))
    assert means == pytest.approx(found, abs=1e-9)


def test_a_table_times_its_inverse_is_one(rng):
    root = rng.standard_normal((20, 20))
    table = root @ root.T + np.eye(20)
    inverse = table.copy()
    invert(inverse)
    assert np.eye(20) == pytest.approx(inverse @ table, abs=1e-9)
