"""What differs is mostly the song: only what recordings agree on is taken for a fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.deviation import (
    EMPTY_DB,
    LEVEL_BANDS,
    beyond,
    mean_known,
    mid_and_side_db,
    probable_fault_db,
    tone_deviation_db,
    width_deviation_db,
)
from decisions.taste_files import load_norm
from dsp.audio import Floats
from schemas.figures import Figures

POPULAR = load_norm("popular")
ROUNDING_DB = 1e-9
DEVIATIONS = st.lists(st.floats(-20.0, 20.0), min_size=31, max_size=31).map(np.array)


def heard(middle_db: Floats, side_db: Floats) -> Figures:
    """Figures of a recording with these third octaves of middle and side."""
    whole = 10.0 * np.log10(10.0 ** (middle_db / 10.0) + 10.0 ** (side_db / 10.0))
    return Figures(spectrum_db=tuple(whole.tolist()), side_spectrum_db=tuple(side_db.tolist()))


def test_middle_and_side_are_what_was_put_in():
    middle, side = np.linspace(-30.0, -60.0, 31), np.linspace(-42.0, -70.0, 31)
    found_middle, width = mid_and_side_db(heard(middle, side))
    assert middle == pytest.approx(found_middle, abs=ROUNDING_DB)
    assert side - middle == pytest.approx(width, abs=ROUNDING_DB)


def test_a_mono_recording_has_no_width():
    assert np.isnan(width_deviation_db(Figures(spectrum_db=(-30.0,) * 31), POPULAR)).all()


def test_the_level_of_the_music_does_not_matter():
    shape = np.linspace(0.0, -20.0, 31)
    one, other = (tone_deviation_db(heard(shape + level, shape + level - 10.0), POPULAR) for level in (-10.0, -45.0))
    assert one == pytest.approx(other, abs=ROUNDING_DB, nan_ok=True)


def test_a_band_without_music_is_not_judged():
    shape = np.array(POPULAR.mid_db) - 30.0
    shape[26:] -= EMPTY_DB + 5.0
    assert np.isnan(tone_deviation_db(heard(shape, shape - 40.0), POPULAR)[26:]).all()


def test_a_recording_without_a_middle_is_not_judged():
    assert np.isnan(tone_deviation_db(Figures(spectrum_db=(None,) * 31), POPULAR)).all()


@given(st.floats(-20.0, 20.0), st.floats(0.5, 12.0))
def test_an_even_deviation_is_never_over_corrected(deviation_db, spread_db):
    found = probable_fault_db(np.full(31, deviation_db), np.full(31, spread_db))
    assert np.abs(found).max() <= abs(deviation_db) + ROUNDING_DB


def test_where_recordings_agree_more_is_taken_for_a_fault():
    shares = [
        probable_fault_db(np.full(31, 4.0), np.full(31, spread))[15] / 4.0 for spread in (0.5, 1.0, 2.0, 5.0, 10.0)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.7 and shares[-1] < 0.1


def test_a_local_fault_is_more_suspect_than_a_tilt_of_the_same_size():
    bump, tilt = np.zeros(31), np.linspace(-6.0, 6.0, 31)
    bump[13:18] = [3.0, 6.0, 6.0, 6.0, 3.0]
    spread = np.full(31, 3.0)
    shares = [np.linalg.norm(probable_fault_db(d, spread)) / np.linalg.norm(d) for d in (bump, tilt)]
    assert shares[0] > 1.1 * shares[1]


def test_an_unknown_band_is_left_alone():
    deviation_db = np.full(31, 5.0)
    deviation_db[3] = np.nan
    assert probable_fault_db(deviation_db, np.full(31, 2.0))[3] == 0.0


@given(DEVIATIONS, st.floats(0.0, 10.0))
def test_a_deadband_swallows_what_lies_within_it(deviation_db, width_db):
    left = beyond(deviation_db, np.full(31, width_db))
    assert np.all(np.abs(left) <= np.maximum(np.abs(deviation_db) - width_db, 0.0) + ROUNDING_DB)
    assert np.all(left * deviation_db >= 0.0)


def test_a_mean_is_of_the_rows_that_know_a_band():
    rows = [np.array([1.0, np.nan, np.nan]), np.array([4.0, 2.0, np.nan])]
    assert mean_known(rows, [2.0, 1.0]) == pytest.approx([2.0, 2.0, np.nan], nan_ok=True)


def test_levels_are_compared_where_recordings_agree_best():
    from dsp.spectrum import CENTRES_HZ

    assert (round(CENTRES_HZ[LEVEL_BANDS][0]), round(CENTRES_HZ[LEVEL_BANDS][-1])) == (200, 3981)
