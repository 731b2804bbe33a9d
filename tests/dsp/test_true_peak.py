"""The true-peak meter reads what lies between the samples: the cases of EBU Tech 3341, and an independent oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import burst_between_samples, faded, fraction_tone, level_db, true_peak_32x
from tests.makers import music, noise, sine

PLUS_DB, MINUS_DB = 0.2, 0.4  # EBU Tech 3341, cases 15 to 23
SCALING_RATIO = 1e-6  # the meter works in float32
ORACLE_DB = 0.05  # law 6: what two 32x readings may differ by


def true_peak(audio: Audio) -> float:
    meter = TruePeakMeter(audio.shape[1])
    meter.push(audio)
    return float(meter.finish().max())


@pytest.mark.parametrize(
    ("audio", "expected_dbtp"),
    [
        pytest.param(fraction_tone(4, 0.0, 0.50), -6.0, id="3341-15"),
        pytest.param(fraction_tone(4, 45.0, 0.50), -6.0, id="3341-16"),
        pytest.param(fraction_tone(6, 60.0, 0.50), -6.0, id="3341-17"),
        pytest.param(fraction_tone(8, 67.5, 0.50), -6.0, id="3341-18"),
        pytest.param(fraction_tone(4, 45.0, 1.41), 3.0, id="3341-19"),
        *(pytest.param(burst_between_samples(k), 0.0, id=f"3341-{20 + k}") for k in range(4)),
    ],
)
def test_the_case_of_ebu_tech_3341_reads_right(audio, expected_dbtp):
    assert expected_dbtp - MINUS_DB <= level_db(true_peak(audio)) <= expected_dbtp + PLUS_DB


def test_a_tone_at_a_quarter_of_the_rate_reads_its_amplitude_not_its_samples():
    tone = fraction_tone(4, 45.0, 1.0)
    assert level_db(np.abs(tone).max()) == pytest.approx(-3.01, abs=0.01)
    assert level_db(true_peak(tone)) == pytest.approx(0.0, abs=0.05)


@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 3), st.floats(-100.0, 12.0))
def test_the_true_peak_is_never_below_the_sample_peak(seed, frames, channels, level_dbfs):
    audio = np.random.default_rng(seed).uniform(-1.0, 1.0, (frames, channels)) * 10 ** (level_dbfs / 20)
    meter = TruePeakMeter(channels)
    meter.push(audio)
    assert (meter.finish() >= np.abs(audio).max(axis=0)).all()


@pytest.mark.parametrize("ratio", [-1.0, 0.5, -0.01, 3.7])
@pytest.mark.parametrize("maker", [music, noise])
def test_scaling_and_polarity_scale_the_reading(maker, ratio):
    audio = maker(level_dbfs=-12.0, seconds=1.0)
    assert abs(ratio) * true_peak(audio) == pytest.approx(true_peak(audio * ratio), rel=SCALING_RATIO)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_music_reads_as_an_independent_meter_at_32_times_the_rate(seed, rate_hz):
    audio = music(level_dbfs=-9.0, seconds=2.0, seed=seed, rate_hz=rate_hz)
    assert level_db(true_peak_32x(audio)) == pytest.approx(level_db(true_peak(audio)), abs=ORACLE_DB)


@pytest.mark.parametrize("hz_ratio", [0.05, 0.21, 0.3, 0.37, 0.41])
@pytest.mark.parametrize("offset", [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5])
def test_a_short_burst_reads_its_height_wherever_it_lies_between_samples(hz_ratio, offset):
    time = np.arange(400) - 200 - offset
    burst = np.cos(2 * np.pi * hz_ratio * time) * np.exp(-((time / 12) ** 2))  # largest at time 0: exactly 1
    assert level_db(true_peak(burst[:, None])) == pytest.approx(0.0, abs=ORACLE_DB)


def test_channels_are_read_apart():
    meter = TruePeakMeter(2)
    meter.push(faded(np.concatenate([sine(1000.0, level_dbfs=-6.0, channels=1), sine(3000.0, channels=1)], axis=1)))
    assert [-6.0, -20.0] == pytest.approx([level_db(peak) for peak in meter.finish()], abs=0.01)


@pytest.mark.parametrize("at", [0, -1])
def test_a_click_on_the_edge_of_the_track_is_read(at):
    click = np.zeros((1_000, 1))
    click[at] = 0.5
    assert true_peak(click) == pytest.approx(0.5, rel=SCALING_RATIO)


def test_a_peak_beyond_the_last_sample_is_read():
    rising = fraction_tone(4, 45.0, 1.0)[:6_002]
    assert true_peak(rising) > np.abs(rising).max()


def test_silence_and_nothing_have_no_peak():
    assert true_peak(np.zeros((4_800, 2))) == true_peak(np.zeros((0, 2))) == 0.0
