"""The true-peak meter reads what lies between the samples, all of it; `test_conformance` has the cases of EBU Tech 3341."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, Floats
from dsp.oversampling import interpolated_peaks
from dsp.true_peak import FINE, WIDE, TruePeakMeter
from tests.dsp.signals import EBU_HZ, faded, fraction_tone, level_db, true_peak_32x
from tests.makers import music, noise, sine

PLUS_DB, MINUS_DB = 0.2, 0.4  # EBU Tech 3341, cases 15 to 23
SCALING_RATIO = 1e-6  # the meter works in float32
ORACLE_DB = 0.05  # law 6: what two 32x readings may differ by


def true_peak(audio: Audio) -> float:
    meter = TruePeakMeter(EBU_HZ, audio.shape[1])
    meter.push(audio)
    return float(meter.finish().max())


def test_a_tone_at_a_quarter_of_the_rate_reads_its_amplitude_not_its_samples():
    tone = fraction_tone(4, 45.0, 1.0)
    assert level_db(np.abs(tone).max()) == pytest.approx(-3.01, abs=0.01)
    assert level_db(true_peak(tone)) == pytest.approx(0.0, abs=0.05)


@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 3), st.floats(-100.0, 12.0))
def test_the_true_peak_is_never_below_the_sample_peak(seed, frames, channels, level_dbfs):
    audio = np.random.default_rng(seed).uniform(-1.0, 1.0, (frames, channels)) * 10 ** (level_dbfs / 20)
    audio = audio.astype(np.float32)  # as windows hold it
    meter = TruePeakMeter(EBU_HZ, channels)
    meter.push(audio)
    assert (meter.finish() >= np.abs(audio).max(axis=0)).all()


def wandering(seed: int, frames: int, channels: int) -> Audio:
    """Noise whose level jumps by up to 40 dB every few hundred frames, as float32 holds it."""
    draw = np.random.default_rng(seed)
    levels_db = np.repeat(draw.uniform(-40.0, 0.0, (frames // 300 + 1, channels)), 300, axis=0)[:frames]
    return (draw.uniform(-1.0, 1.0, (frames, channels)) * 10.0 ** (levels_db / 20.0)).astype(np.float32)


def read_everywhere(line: Floats, wide: bool = False) -> Floats:
    """The peak between each sample and the one before, at 32 times the rate."""
    filters, half = (WIDE, 64) if wide else (FINE, 24)
    padded = np.concatenate([np.zeros(half), line, np.zeros(2 * half)]).astype(np.float32)
    peaks = np.empty(len(padded) - 2 * half + 1, np.float32)
    interpolated_peaks(padded, filters.folds, peaks)
    return peaks


def without_treble(audio: Audio) -> Audio:
    """The audio an octave fraction lower, so that nothing lies above 0.425 of the rate."""
    return np.asarray(soxr.resample(audio, 0.85, 1.0, quality="VHQ")).astype(np.float32)


@given(
    rate_hz=st.sampled_from([8_000, 44_100, 48_000]),
    frames=st.integers(700, 20_000),
    channels=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_nothing_between_the_samples_is_missed(rate_hz, frames, channels, seed):
    audio = faded(without_treble(wandering(seed, frames, channels)))
    meter = TruePeakMeter(rate_hz, channels)
    meter.push(audio)
    expected = [float(read_everywhere(line).max()) for line in audio.T]
    assert expected == pytest.approx(meter.finish().tolist(), rel=SCALING_RATIO)
    assert float(max(expected)) == pytest.approx(float(meter.stretches().max()), rel=SCALING_RATIO)


@given(frames=st.one_of(st.integers(0, 300), st.integers(700, 20_000)), seed=st.integers(0, 999))
def test_sound_up_to_half_the_rate_reads_between_what_the_two_interpolators_read(frames, seed):
    audio = wandering(seed, frames, 1)
    meter = TruePeakMeter(EBU_HZ, 1)
    meter.push(audio)
    lowest, highest = sorted(float(read_everywhere(audio[:, 0], wide).max()) for wide in (False, True))
    assert lowest * (1.0 - SCALING_RATIO) <= meter.finish()[0] <= highest * (1.0 + SCALING_RATIO)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hard", [False, True])
def test_noise_up_to_half_the_rate_reads_as_an_independent_meter_at_32_times_the_rate(seed, hard):
    full = noise(seconds=1.0, rate_hz=EBU_HZ, seed=seed)
    audio = faded(np.sign(full) * 0.5 if hard else full)
    assert level_db(true_peak_32x(audio)) == pytest.approx(level_db(true_peak(audio)), abs=ORACLE_DB)


@pytest.mark.parametrize("height", [0.5, 0.7, 0.85])
def test_the_worst_of_bursts_is_read_though_its_samples_are_far_below_others(height):
    audio = np.zeros((4_800, 1))
    audio[1_000:1_200, 0] = np.hanning(200)  # smooth: 1.0 and no more
    audio[3_000:3_048, 0] = height * np.sign(np.sinc(np.arange(-23, 25) - 0.5))  # all samples help to raise one place
    assert true_peak(audio) == pytest.approx(float(read_everywhere(audio[:, 0], wide=True).max()), rel=SCALING_RATIO)
    assert true_peak(audio) > 1.05


@pytest.mark.parametrize("frames", [1, 4_775, 4_776, 4_777, 14_376, 14_377])
def test_there_are_as_many_stretches_as_the_track_is_long(frames):
    meter = TruePeakMeter(EBU_HZ, 1)
    meter.push(noise(seconds=1.0, channels=1)[:frames])
    meter.finish()
    assert len(meter.stretches()) == -(-(frames + 24) // 4_800)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 192_000])
def test_every_tenth_of_a_second_has_its_own_peak(rate_hz):
    audio = music(level_dbfs=-12.0, seconds=2.0, rate_hz=rate_hz, channels=2)
    meter = TruePeakMeter(rate_hz, 2)
    meter.push(audio)
    meter.finish()
    narrow, wide = (np.max([read_everywhere(a, w)[: len(audio) + 24] for a in audio.T], axis=0) for w in (False, True))
    least, most = np.minimum(narrow, wide), np.maximum(narrow, wide)  # they differ where there is treble
    length, found = round(meter.stretch_s * rate_hz), meter.stretches()
    starts = range(0, len(audio) - length, length)
    own = np.array([least[start : start + length].max() for start in starts])
    with_before = np.array([most[max(0, start - 24) : start + length].max() for start in starts])  # half a filter
    assert (0.09 < meter.stretch_s < 0.11, len(found)) == (True, -(-(len(audio) + 24) // length))
    assert (found[: len(own)] >= own * 10 ** (-ORACLE_DB / 20)).all()
    assert (found[: len(own)] <= with_before * (1.0 + SCALING_RATIO)).all()


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
    meter = TruePeakMeter(EBU_HZ, 2)
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
