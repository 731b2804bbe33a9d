"""Automation follows its points to the frame, in straight lines of decibels, and stays at the last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.chain import process
from dsp.settings import AutomationSettings
from tests.makers import noise


def gains_db(points_db: tuple[float, ...], frames: int, rate_hz: int) -> np.ndarray:
    out = process(np.ones((frames, 1)), rate_hz, AutomationSettings(gains_db=points_db))
    return 20.0 * np.log10(out[:, 0])


@given(
    st.lists(st.floats(-80.0, 24.0), min_size=1, max_size=12), st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000])
)
def test_the_gain_runs_straight_from_point_to_point_and_the_last_holds(points_db, rate_hz):
    frames = rate_hz * (len(points_db) + 2) // 10
    expected = np.interp(np.arange(frames) / rate_hz, 0.1 * np.arange(len(points_db)), points_db)
    assert expected == pytest.approx(gains_db(tuple(points_db), frames, rate_hz), abs=1e-9)


@pytest.mark.parametrize("points_db", [(), (0.0,), (0.0, -0.0, 0.0)])
def test_no_gain_passes_every_bit(points_db):
    audio = noise(seconds=0.5)
    assert np.array_equal(audio, process(audio, 44_100, AutomationSettings(gains_db=points_db)))


def test_where_the_gain_is_0_db_every_bit_passes():
    audio = noise(seconds=0.5)
    out = process(audio, 44_100, AutomationSettings(gains_db=(0.0, 0.0, -6.0, 0.0)))
    assert np.array_equal(audio[:4_411], out[:4_411])
    assert np.array_equal(audio[3 * 4_410 :], out[3 * 4_410 :])
    assert not np.array_equal(audio, out)


def test_an_hour_in_the_gain_is_still_on_its_line():
    points_db, rate_hz = tuple(float(k % 7) - 3.0 for k in range(36_000)), 1_000
    expected = np.interp(np.arange(3_590_000, 3_600_000) / rate_hz, 0.1 * np.arange(36_000), points_db)
    assert expected == pytest.approx(gains_db(points_db, 3_600_000, rate_hz)[-10_000:], abs=1e-6)
