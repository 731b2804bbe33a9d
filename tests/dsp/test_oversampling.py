"""Values between the samples are those of a windowed sinc, however they are reckoned."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Floats
from dsp.oversampling import (
    HALF,
    REACH,
    SEGMENT,
    interpolated_peak,
    interpolated_peaks,
    interpolator,
    raise_peaks,
    treble,
    treble_filter,
    wide_interpolator,
)
from dsp.side_chain import FILTERS

ROUNDING_RATIO = 2e-6  # sums of 48 products in float32
FACTORS = pytest.mark.parametrize("factor", [4, 8, 32])
LINE = np.random.default_rng(3).standard_normal(SEGMENT + 2 * HALF - 1).astype(np.float32)


def between(line: Floats, factor: int) -> Floats:
    """(intervals, factor - 1): what lies between sample i + HALF - 1 and the next, from a Kaiser-windowed sinc in float64."""
    places = np.arange(-HALF + 1, HALF + 1) - np.arange(1, factor)[:, None] / factor
    taps = np.sinc(places) * np.i0(6.0 * np.sqrt(np.maximum(0.0, 1.0 - (places / HALF) ** 2))) / np.i0(6.0)
    taps /= taps.sum(axis=1, keepdims=True)
    return np.lib.stride_tricks.sliding_window_view(line.astype(np.float64), 2 * HALF) @ taps.T


def expected_peaks(line: Floats, factor: int) -> Floats:
    ends = np.abs(line[HALF - 1 : len(line) - HALF + 1])
    return np.max([np.abs(between(line, factor)).max(axis=1), ends[:-1], ends[1:]], axis=0)


def read_together(line: Floats, factor: int) -> Floats:
    peaks = np.empty(len(line) - 2 * HALF + 1, np.float32)
    interpolated_peaks(line, interpolator(factor, HALF).folds, peaks)
    return peaks


@FACTORS
def test_peaks_between_samples_are_those_of_a_windowed_sinc(factor):
    assert read_together(LINE, factor) == pytest.approx(expected_peaks(LINE, factor), rel=ROUNDING_RATIO)


@FACTORS
def test_an_interval_read_alone_is_the_one_read_with_others_to_the_bit(factor):
    by_tap = np.ascontiguousarray(interpolator(factor, HALF).folds.T)
    alone = [interpolated_peak(LINE, at, by_tap) for at in range(SEGMENT)]
    assert read_together(LINE, factor).tolist() == alone


@FACTORS
@given(seed=st.integers(0, 10_000), height=st.floats(1e-6, 4.0))
def test_nothing_between_samples_exceeds_the_bound(factor, seed, height):
    line = (np.random.default_rng(seed).choice([-height, height], LINE.size)).astype(np.float32)
    assert read_together(line, factor).max() <= interpolator(factor, HALF).bound * np.abs(line).max()


@FACTORS
def test_the_worst_line_comes_close_to_the_bound(factor):
    places = np.arange(-HALF + 1, HALF + 1) - 0.5
    line = np.sign(np.sinc(places)).astype(np.float32)
    found = float(read_together(line, factor)[0])
    assert 0.999 * interpolator(factor, HALF).bound <= found <= interpolator(factor, HALF).bound


LONG = np.random.default_rng(4).standard_normal(2 * SEGMENT + 2 * REACH - 1).astype(np.float32)
"""White noise: bright, wherever it is looked at."""


def raised(line: Floats, floor: float) -> Floats:
    peaks = np.zeros(2 * SEGMENT, np.float32)
    raise_peaks(line, floor, *FILTERS, peaks)
    return peaks


@pytest.mark.parametrize("floor", [0.5, 1.5, 2.5, 10.0])
def test_only_what_may_exceed_the_floor_is_raised(floor):
    smooth = np.convolve(LONG, np.hanning(24) / 6.0)[: len(LONG)].astype(np.float32)  # nothing above 0.1 of the rate
    peaks, expected = raised(smooth, floor), expected_peaks(smooth[REACH - HALF : HALF - REACH], 8)
    over = expected > floor
    assert peaks[over] == pytest.approx(expected[over], rel=ROUNDING_RATIO)
    assert (peaks[~over] <= floor).all()


@pytest.mark.parametrize("floor", [0.5, 1.5, 2.5])
def test_in_bright_sound_no_reading_of_the_wide_interpolator_is_missed(floor):
    read = np.empty(2 * SEGMENT, np.float32)
    interpolated_peaks(LONG, wide_interpolator(16).folds, read)
    over = read > floor
    assert (raised(LONG, floor)[over] >= read[over]).all()


@pytest.mark.parametrize(("hz_ratio", "passes"), [(0.1, 0.0), (0.44, 0.05), (0.465, 0.5), (0.49, 0.95)])
def test_treble_is_what_lies_above_the_edge_of_the_short_interpolator(hz_ratio, passes):
    tone = np.cos(2.0 * np.pi * hz_ratio * np.arange(1_000)).astype(np.float32)
    assert passes == pytest.approx(treble(tone, treble_filter()), abs=0.02)


def test_the_wide_interpolator_is_the_one_of_soxr():
    impulse = np.zeros(513)
    impulse[256] = 1.0
    kernel = soxr.resample(impulse, 1.0, 32.0, quality="VHQ")[256 * 32 :][: REACH * 32].reshape(-1, 32)[:, 1:]
    folds = wide_interpolator(32).folds
    even = np.concatenate([folds[:16], folds[:15][::-1]])
    odd = np.concatenate([folds[16:], np.zeros((1, REACH)), -folds[16:][::-1]])
    assert kernel[::-1].T == pytest.approx(even + odd, abs=1e-3)  # the ends that are left out
