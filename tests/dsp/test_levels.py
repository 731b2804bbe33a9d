"""The level meter: peaks, sums, correlation and flat tops, also where they lie across the borders of blocks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.levels import PLACES_KEPT, LevelMeter, Levels
from tests.makers import music, noise, sine

RATE_HZ = 48_000
SUM_RATIO = 1e-12  # one rounding a sample, against numpy's pairwise sums


def levels(*blocks: Audio, rate_hz: int = RATE_HZ) -> Levels:
    meter = LevelMeter(rate_hz, blocks[0].shape[1])
    for block in blocks:
        meter.push(block)
    return meter.levels()


def line(*values: float) -> Audio:
    return np.array(values, np.float64)[:, None]


def test_the_sample_peak_is_the_largest_magnitude_of_each_channel():
    audio = np.stack([music()[:, 0], -0.5 * music()[:, 1]], axis=1)
    assert np.abs(audio).max(axis=0).tolist() == levels(audio).sample_peaks.tolist()


def test_sums_are_the_sums():
    audio = music(seconds=3.0) + 0.01
    found = levels(audio)
    assert audio.sum(axis=0).tolist() == pytest.approx(found.sums.tolist(), rel=SUM_RATIO)
    assert np.square(audio).sum(axis=0).tolist() == pytest.approx(found.square_sums.tolist(), rel=SUM_RATIO)
    assert (audio[:, 0] @ audio[:, 1]) == pytest.approx(found.cross_sum, rel=SUM_RATIO)
    assert found.frames == len(audio)


def test_an_offset_shows_in_the_sums():
    tone = sine(100.0, level_dbfs=-6.0, seconds=1.0, rate_hz=RATE_HZ) + np.array([0.01, -0.02])
    assert (levels(tone).sums / RATE_HZ).tolist() == pytest.approx([0.01, -0.02], abs=1e-12)


@pytest.mark.parametrize(("right", "expected"), [(1.0, 1.0), (-1.0, -1.0), (0.3, 1.0)])
def test_scaled_channels_are_fully_correlated(right, expected):
    left = noise(seconds=0.5, channels=1)
    found = levels(np.concatenate([left, right * left], axis=1))
    assert expected == pytest.approx(found.cross_sum / np.sqrt(np.prod(found.square_sums)), abs=1e-12)


def test_independent_channels_are_not_correlated():
    found = levels(noise(seconds=10.0))
    assert abs(found.cross_sum / np.sqrt(np.prod(found.square_sums))) < 0.01  # 1 / sqrt(441000) = 0.0015


@pytest.mark.parametrize("channels", [1, 3])
def test_only_two_channels_have_a_correlation(channels):
    assert levels(noise(seconds=0.1, channels=channels)).cross_sum == 0.0


@pytest.mark.parametrize(
    ("samples", "tops", "places"),
    [
        ([0.0, 1.0, 1.0, 0.0], 0, []),
        ([0.0, 1.0, 1.0, 1.0, 0.0], 1, [1]),
        ([-1.0, -1.0, -1.0], 1, [0]),
        ([1.0] * 9, 1, [0]),
        ([0.999, 0.999, 0.999], 1, [0]),
        ([0.9989, 0.9989, 0.9989], 0, []),
        ([1.0, 1.0, -1.0, -1.0, 1.0, 1.0], 0, []),
        ([1.0, 1.0, 0.9995, 1.0, 1.0], 0, []),
        ([1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0], 2, [0, 4]),
        ([1.2, 1.2, 1.2], 1, [0]),
        ([0.0, 0.0, 0.0, 0.0], 0, []),
    ],
)
def test_three_equal_samples_at_full_scale_are_a_flat_top(samples, tops, places):
    found = levels(line(*samples))
    assert (tops, tuple(places)) == (found.flat_tops, found.flat_top_places)


@pytest.mark.parametrize("at", range(1, 7))
def test_a_flat_top_across_the_border_of_two_blocks_is_found_once_where_it_begins(at):
    audio = line(0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5)
    found = levels(audio[:at], audio[at:])
    assert (1, (2,)) == (found.flat_tops, found.flat_top_places)


def test_a_flat_top_across_three_blocks_is_found_where_it_begins():
    found = levels(line(0.0, 1.0), line(1.0), line(), line(1.0, 0.0))
    assert (1, (1,)) == (found.flat_tops, found.flat_top_places)


def test_a_quiet_block_ends_a_run_at_full_scale():
    touch, quiet = np.zeros((480, 1)), np.zeros((4_800, 1))
    touch[-2:] = 1.0
    assert levels(touch, quiet, line(1.0, 0.0)).flat_tops == 0


def test_flat_tops_of_all_channels_count_and_the_first_places_are_kept_in_order():
    audio = np.zeros((1_000, 2))
    for start in range(10, 1_000, 20):
        audio[start : start + 3, (start // 20) % 2] = 1.0
    found = levels(audio)
    assert found.flat_tops == 50
    assert tuple(range(10, 10 + 20 * PLACES_KEPT, 20)) == found.flat_top_places


def test_a_clipped_song_has_flat_tops_and_a_whole_one_has_none():
    whole = music(level_dbfs=-20.0, seconds=2.0)
    assert levels(whole).flat_tops == 0
    assert levels(np.clip(6.0 * whole / np.abs(whole).max(), -1.0, 1.0)).flat_tops > 10


def test_every_tick_of_10_ms_has_its_extremes():
    audio = noise(seconds=1.0, rate_hz=RATE_HZ)
    ticks = audio.reshape(100, -1)
    expected = np.stack([ticks.min(axis=1), ticks.max(axis=1)], axis=1).astype(np.float32)
    assert np.array_equal(expected, levels(audio).tick_peaks)


@given(st.lists(st.sampled_from([0.0, 0.5, 0.999, 1.0, -1.0]), max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_flat_tops_are_the_same_for_every_cut(samples, ends):
    audio = line(*samples)
    bounds = [0, *sorted(min(end, len(audio)) for end in ends), len(audio)]
    pieces = [audio[a:b] for a, b in pairwise(bounds)]
    whole, parts = levels(audio), levels(*pieces)
    assert (whole.flat_tops, whole.flat_top_places) == (parts.flat_tops, parts.flat_top_places)


def test_nothing_has_no_peak():
    found = levels(np.zeros((0, 2)))
    assert (found.frames, found.sample_peaks.tolist(), found.tick_peaks.shape) == (0, [0.0, 0.0], (0, 2))
