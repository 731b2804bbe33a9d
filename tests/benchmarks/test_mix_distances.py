"""What the benchmark of mixes calls near and far."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def distances() -> Any:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        return importlib.import_module("mix_distances")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def noise() -> Any:
    return np.random.default_rng(1).standard_normal((4 * RATE_HZ, 2)) * 0.1


def test_a_gain_of_all_stems_is_no_error_of_balance(distances):
    found = distances.balance({"a": 4.0, "b": 4.0, "c": 4.0})
    assert (found.mae_lu, found.max_lu) == (0.0, 0.0)
    assert distances.mix_angle({"a": 4.0, "b": 4.0, "c": 4.0}) == pytest.approx(0.0, abs=1e-7)


def test_one_stem_off_is_an_error_shared_by_the_mean(distances):
    found = distances.balance({"a": 0.0, "b": 0.0, "c": 6.0})
    assert (found.mae_lu, found.max_lu) == pytest.approx((8.0 / 3.0, 4.0))


def test_a_louder_copy_of_a_mix_has_the_same_features(distances, noise):
    here, louder = (distances.features(noise * gain, RATE_HZ) for gain in (1.0, 3.0))
    assert distances.feature_distance(here, louder) == pytest.approx(0.0, abs=1e-6)
    assert distances.bark_distance_db(here, louder) == pytest.approx(0.0, abs=1e-6)


def test_what_a_filter_or_a_narrower_image_changes_is_seen(distances, noise):
    here = distances.features(noise, RATE_HZ)
    dull = distances.features(np.cumsum(noise, axis=0) * 0.01, RATE_HZ)
    mono = distances.features(np.repeat(noise.mean(axis=1, keepdims=True), 2, axis=1), RATE_HZ)
    assert distances.bark_distance_db(here, dull) > 3.0
    assert mono.width_ratio < 0.01 < here.width_ratio
    assert distances.feature_distance(here, mono) > distances.feature_distance(here, here) == 0.0
