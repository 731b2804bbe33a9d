"""The level meter: peaks, sums and correlation, and what it keeps of each 10 and 50 ms."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.levels import LevelMeter, Levels
from tests.makers import music, noise, sine

RATE_HZ = 48_000
SUM_RATIO = 1e-12  # one rounding a sample, against numpy's pairwise sums
ROUNDING_RATIO = 2.0**-25  # to float32, below 1.0


def levels(*blocks: Audio, rate_hz: int = RATE_HZ) -> Levels:
    meter = LevelMeter(rate_hz, blocks[0].shape[1])
    for block in blocks:
        meter.push(block)
    return meter.levels()


def exact(audio: Audio) -> Audio:
    """Rounded to what a window holds."""
    return audio.astype(np.float32).astype(np.float64)


def test_the_sample_peak_is_the_largest_magnitude_of_each_channel():
    audio = exact(np.stack([music()[:, 0], -0.5 * music()[:, 1]], axis=1))
    assert np.abs(audio).max(axis=0).tolist() == levels(audio).sample_peaks.tolist()


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("frames", [100, 4_800, 5_000])
def test_a_peak_of_either_sign_is_found_in_a_finished_tick_and_in_an_open_one(sign, frames):
    audio = sign * np.abs(exact(noise(seconds=1.0, channels=2)))[:frames]
    assert np.abs(audio).max(axis=0).tolist() == levels(audio).sample_peaks.tolist()


def test_sums_are_the_sums():
    audio = exact(music(seconds=3.0) + 0.01)
    found = levels(audio)
    assert audio.sum(axis=0).tolist() == pytest.approx(found.sums.tolist(), rel=SUM_RATIO)
    assert np.square(audio).sum(axis=0).tolist() == pytest.approx(found.square_sums.tolist(), rel=SUM_RATIO)
    assert (audio[:, 0] @ audio[:, 1]) == pytest.approx(found.cross_sum, rel=SUM_RATIO)
    assert found.frames == len(audio)


def test_an_offset_shows_in_the_sums():
    tone = sine(100.0, level_dbfs=-6.0, seconds=1.0, rate_hz=RATE_HZ) + np.array([0.01, -0.02])
    assert (levels(tone).sums / RATE_HZ).tolist() == pytest.approx([0.01, -0.02], abs=ROUNDING_RATIO)


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


def test_every_tick_of_10_ms_has_its_extremes():
    audio = noise(seconds=1.0, rate_hz=RATE_HZ)
    ticks = audio.reshape(100, -1)
    expected = np.stack([ticks.min(axis=1), ticks.max(axis=1)], axis=1).astype(np.float32)
    assert np.array_equal(expected, levels(audio).tick_peaks)


def test_a_tick_above_the_line_reaches_down_to_it():
    found = levels(0.5 + noise(level_dbfs=-40.0, seconds=0.1, rate_hz=RATE_HZ)).tick_peaks
    assert (found[:, 0] == 0.0).all() and (found[:, 1] > 0.5).all()


def test_every_50_ms_has_its_mean_square_and_its_peak():
    audio = exact(noise(seconds=1.02, rate_hz=RATE_HZ))
    frames = audio[: 20 * 2_400].reshape(20, 2_400, 2)
    found = levels(audio)
    assert np.square(frames).mean(axis=1).ravel().tolist() == pytest.approx(
        found.frame_squares.ravel().tolist(), rel=1e-6
    )
    assert np.array_equal(np.abs(frames).max(axis=1).astype(np.float32), found.frame_peaks)


def test_nothing_has_no_peak():
    found = levels(np.zeros((0, 2)))
    assert (found.frames, found.sample_peaks.tolist(), found.tick_peaks.shape) == (0, [0.0, 0.0], (0, 2))
