"""Inter-sample overs: what lies between the samples and beyond full scale is counted by tenths of a second, and placed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.detectors.overs import inter_sample_overs
from dsp.detectors.sightings import PLACES_KEPT, Sightings
from dsp.true_peak import TruePeakMeter
from tests.makers import music, noise

RATE_HZ = 48_000  # a stretch is 100 ms to the sample


def measured(audio: Audio) -> tuple[Sightings, float]:
    meter = TruePeakMeter(RATE_HZ, audio.shape[1])
    meter.push(audio)
    peak = float(meter.finish().max())
    return inter_sample_overs(meter), peak


def burst(amplitude: float, seconds: float = 0.05) -> Audio:
    """A tone at a quarter of the rate that runs through its samples at 0.707 of its height, swelling and dying."""
    frames = round(seconds * RATE_HZ)
    return (amplitude * np.sin(np.pi / 2 * np.arange(frames) + np.pi / 4) * np.hanning(frames))[:, None]


def with_bursts(*bursts: tuple[float, float]) -> Audio:
    """Soft noise with bursts of (second, amplitude) in its left channel."""
    audio = noise(level_dbfs=-40.0, seconds=6.0, rate_hz=RATE_HZ)
    for at_s, amplitude in bursts:
        start = round(at_s * RATE_HZ)
        audio[start : start + 2_400, :1] += burst(amplitude)
    return audio


def test_bursts_beyond_full_scale_are_counted_and_placed():
    audio = with_bursts((0.32, 1.2), (2.52, 1.3), (4.72, 1.1), (1.52, 0.9))
    assert np.abs(audio).max() < 1.0
    found, _ = measured(audio)
    assert (found.count, found.worst) == (3, pytest.approx(20.0 * np.log10(1.3), abs=0.2))
    assert found.at_s == (0.3, 2.5, 4.7)


def test_a_burst_longer_than_a_stretch_is_counted_for_each():
    audio = noise(level_dbfs=-60.0, rate_hz=RATE_HZ, channels=1)
    audio[14_400:28_800] += 1.2 * np.sin(np.pi / 2 * np.arange(14_400) + np.pi / 4)[:, None]  # 0.3 s from 0.3 s on
    assert measured(audio)[0].count in (3, 4)


@pytest.mark.parametrize("channel", [0, 1])
def test_either_channel_may_be_over(channel):
    audio = np.zeros((RATE_HZ, 2))
    audio[24_240:26_640, channel : channel + 1] = burst(1.25)
    assert measured(audio)[0].at_s == (0.5,)


def test_an_over_at_the_very_end_is_seen():
    audio = np.zeros((RATE_HZ, 1))
    audio[-4:, 0] = [0.3, -0.5, 0.99, 0.99]
    found, peak = measured(audio)
    assert (found.count, found.at_s, peak > 1.0) == (1, (0.9,), True)


def test_the_worst_places_are_kept_in_the_order_of_time():
    numbers = range(1, PLACES_KEPT + 5)
    heights = {round(0.2 * number, 3): 1.2 + 0.02 * (7 * number % 25) for number in numbers}
    found, _ = measured(with_bursts(*((at_s + 0.02, height) for at_s, height in heights.items())))
    assert found.count == PLACES_KEPT + 4
    assert found.at_s == tuple(sorted(sorted(heights, key=heights.__getitem__)[4:]))


@given(seed=st.integers(0, 1_000), level_dbfs=st.floats(-20.0, 3.0))
def test_there_is_an_over_whenever_the_true_peak_is_beyond_full_scale(seed, level_dbfs):
    """Nothing contradicts the true peak in a report: the worst over is the true peak."""
    found, peak = measured(music(level_dbfs=level_dbfs, seconds=0.5, rate_hz=RATE_HZ, seed=seed))
    assert (found.count > 0) == (peak > 1.0)
    assert found.worst == (pytest.approx(20.0 * np.log10(peak), abs=6e-4) if peak > 1.0 else None)


@pytest.mark.parametrize("audio", [np.zeros((RATE_HZ, 2)), np.zeros((0, 2)), np.ones((1, 1)) * 0.5, music()])
def test_what_stays_below_full_scale_has_no_overs(audio):
    assert measured(audio)[0] == Sightings()
