"""The common time grid: ticks end at the nearest sample, and are folded the same however they arrive."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.ticks import Folder, TickGrid, window_sums

RATES_HZ = st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 192_000, 44_101, 37_799])


def nearest_ends(rate_hz: int, frames: int) -> list[int]:
    """The ends of all ticks within so many frames: multiples of 10 ms, halves upwards."""
    ends = [int(Fraction(tick * rate_hz, 100) + Fraction(1, 2)) for tick in range(1, frames * 100 // rate_hz + 2)]
    return [end for end in ends if end <= frames]


@given(rate_hz=RATES_HZ, lengths=st.lists(st.integers(0, 20_000), max_size=8), start=st.integers(0, 100_000))
def test_ticks_end_at_the_sample_nearest_to_10_ms_wherever_a_programme_is_cut(rate_hz, lengths, start):
    grid, at, found = TickGrid(rate_hz, start), start, []
    for frames in lengths:
        found += [at + end for end in grid.ends(frames).tolist()]
        at += frames
    assert found == [end for end in nearest_ends(rate_hz, at) if end > start]


@pytest.mark.parametrize(("window", "hop"), [(40, 10), (300, 1), (1, 1)])
def test_a_window_is_as_long_as_its_ticks(window, hop):
    ends = [0, *nearest_ends(22_050, 22_050 * 5)]
    expected = [ends[at + window] - ends[at] for at in range(0, len(ends) - window, hop)]
    grid = TickGrid(22_050)
    assert grid.window_frames(len(expected), window, hop).tolist() == expected
    assert grid.window_frames(len(expected) - 3, window, hop, first_tick=3 * hop).tolist() == expected[3:]


@given(
    columns=st.integers(1, 6),
    ticks=st.sampled_from([1, 5, 10]),
    lengths=st.lists(st.integers(0, 40), max_size=12),
    by_columns=st.booleans(),
)
@pytest.mark.parametrize("combine", [np.add, np.maximum])
def test_ticks_fold_to_the_same_rows_however_they_arrive(combine, columns, ticks, lengths, by_columns):
    rows = np.random.default_rng(4).random((sum(lengths), columns))
    whole, parts = Folder(ticks, columns, combine), Folder(ticks, columns, combine)
    whole.push(rows)
    for part in np.split(rows, np.cumsum(lengths, dtype=int)):
        parts.push(np.asfortranarray(part) if by_columns else part)
    assert whole.rows().tobytes() == parts.rows().tobytes()
    complete = len(rows) // ticks
    expected = combine.reduce(rows[: complete * ticks].reshape(complete, ticks, columns), axis=1)
    assert whole.rows() == pytest.approx(expected, rel=1e-6)  # kept as float32
    assert whole.rows().shape == (complete, columns)


def test_what_completes_no_row_is_left_out():
    folder = Folder(5, columns=2, combine=np.add)
    assert folder.rows().shape == (0, 2)
    folder.push(np.ones((4, 2)))
    assert folder.rows().shape == (0, 2)


@pytest.mark.parametrize(("window", "hop", "expected"), [(2, 1, [3, 6, 12]), (2, 2, [3, 12]), (4, 1, [15]), (5, 1, [])])
def test_an_incomplete_last_window_is_left_out(window, hop, expected):
    assert window_sums(np.array([1.0, 2.0, 4.0, 8.0]), window, hop).tolist() == expected
