"""The dynamic equaliser turns a band down while it sticks out, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.dynamic_equaliser import DynamicEqualiser
from dsp.settings import DynamicBand, DynamicEqualiserSettings
from tests.dsp.signals import EBU_HZ, level_db, without_tone
from tests.makers import music, noise, sine

CURVE_DB = 0.15  # a steady tone; its detector averages over two periods, and the release holds its peaks
NOISE_DB = 0.5  # the level of noise wanders within the averaging of the detector

HARSH = DynamicBand(freq_hz=3_000.0, threshold_db=-30.0, quality_ratio=2.0, max_cut_db=12.0)


def equalised(audio: Audio, *bands: DynamicBand) -> Audio:
    return process(audio, EBU_HZ, DynamicEqualiserSettings(bands=bands or (HARSH,)))


def gain_db(audio: Audio, hz: float, *bands: DynamicBand) -> float:
    """What becomes of a tone in the last second."""
    before, after = (without_tone(one[-EBU_HZ:, 0], hz, EBU_HZ)[1] for one in (audio, equalised(audio, *bands)))
    return level_db(after / before)


@pytest.mark.parametrize("hz", [120.0, 1_000.0, 3_000.0, 10_000.0])
@pytest.mark.parametrize(("level_dbfs", "ratio", "expected_db"), [(-20.0, 2.0, -5.0), (-18.0, 4.0, -9.0), (-31, 4, 0)])
def test_a_steady_tone_is_turned_down_by_the_curve(hz, level_dbfs, ratio, expected_db):
    band = replace(HARSH, freq_hz=hz, compression_ratio=ratio)
    tone = sine(hz, level_dbfs=level_dbfs, seconds=3.0, rate_hz=EBU_HZ)
    assert expected_db == pytest.approx(gain_db(tone, hz, band), abs=CURVE_DB)


def test_no_band_is_cut_deeper_than_its_limit():
    tone = sine(3_000.0, level_dbfs=0.0, seconds=2.0, rate_hz=EBU_HZ)
    assert gain_db(tone, 3_000.0, replace(HARSH, max_cut_db=4.0)) == pytest.approx(-4.0, abs=1e-6)


def test_the_cut_is_a_bell_around_its_frequency():
    band = replace(HARSH, max_cut_db=6.0, quality_ratio=1.0)
    loud = sine(3_000.0, level_dbfs=0.0, seconds=3.0, rate_hz=EBU_HZ)
    found = {
        hz: gain_db(loud + sine(hz, level_dbfs=-60.0, seconds=3.0, rate_hz=EBU_HZ), hz, band) for hz in (300, 1_854)
    }
    one, gain = 1_854.0 / 3_000.0, 10 ** (-6 / 20)
    bell_db = level_db(abs((1 - one**2 + 1j * gain * one) / (1 - one**2 + 1j * one)))
    assert found[1_854] == pytest.approx(bell_db, abs=CURVE_DB)
    assert found[300] == pytest.approx(0.0, abs=CURVE_DB)


def test_music_whose_bands_do_not_stick_out_passes_every_bit():
    quiet = music(level_dbfs=-50.0, rate_hz=EBU_HZ)
    boom = replace(HARSH, freq_hz=150.0)
    assert quiet.tobytes() == equalised(quiet, HARSH, boom).tobytes()


@pytest.mark.parametrize("change", [{"compression_ratio": 1.0}, {"max_cut_db": 0.0}])
def test_a_band_that_may_not_act_passes_every_bit(change):
    loud = music(level_dbfs=-6.0, rate_hz=EBU_HZ)
    assert loud.tobytes() == equalised(loud, replace(HARSH, threshold_db=-60.0, **change)).tobytes()


@pytest.mark.parametrize("level_dbfs", [-6.0, -20.0, -34.0])
def test_a_resonance_is_found_however_loud_the_music(level_dbfs):
    ringing = replace(HARSH, threshold_db=-10.0, relative=True, compression_ratio=20.0, max_cut_db=6.0)
    bed = noise(level_dbfs=level_dbfs - 20.0, seconds=3.0, rate_hz=EBU_HZ)
    tone = sine(3_000.0, level_dbfs=level_dbfs, seconds=3.0, rate_hz=EBU_HZ)
    assert gain_db(bed + tone, 3_000.0, ringing) == pytest.approx(-6.0, abs=NOISE_DB)


@pytest.mark.parametrize("level_dbfs", [-6.0, -20.0, -34.0])
def test_the_same_band_in_even_noise_is_left_alone(level_dbfs):
    ringing = replace(HARSH, threshold_db=-3.0, relative=True)
    even = noise(level_dbfs=level_dbfs, seconds=2.0, rate_hz=EBU_HZ)
    assert np.array_equal(even, equalised(even, ringing))


def test_hiss_below_the_floor_is_no_resonance():
    hiss = sine(3_000.0, level_dbfs=-62.0, seconds=1.0, rate_hz=EBU_HZ)
    assert np.array_equal(hiss, equalised(hiss, replace(HARSH, threshold_db=-20.0, relative=True)))


@pytest.mark.parametrize(("times", "at_s", "expected_db"), [
    ({"attack_s": 0.1, "release_s": 0.5}, 0.1, -10.0 * (1.0 - np.exp(-1.0))),
    ({"attack_s": 0.001, "release_s": 0.2}, 1.2, -10.0 * np.exp(-1.0)),
])  # fmt: skip
def test_the_cut_comes_and_goes_in_its_times(times, at_s, expected_db):
    band = replace(HARSH, compression_ratio=20.0, max_cut_db=10.0, **times)
    audio = np.concatenate([sine(3_000.0, level_dbfs=level, rate_hz=EBU_HZ) for level in (-10.0, -40.0)])
    window = slice(round(at_s * EBU_HZ) - 120, round(at_s * EBU_HZ) + 120)
    before, after = (without_tone(one[window, 0], 3_000.0, EBU_HZ)[1] for one in (audio, equalised(audio, band)))
    assert expected_db == pytest.approx(level_db(after / before), abs=0.5)  # the detector's own 5 ms and more


def test_after_a_cut_the_music_is_itself_again():
    quiet = noise(level_dbfs=-60.0, rate_hz=EBU_HZ)
    loud = sine(3_000.0, level_dbfs=-6.0, rate_hz=EBU_HZ)
    out = equalised(np.concatenate([loud, np.zeros((4 * EBU_HZ, 2)), quiet]))
    assert np.array_equal(quiet, out[-len(quiet) :])


def test_both_channels_are_cut_together():
    left = noise(level_dbfs=-12.0, rate_hz=EBU_HZ, channels=1)
    out = equalised(np.concatenate([left, -0.25 * left], axis=1))
    assert np.array_equal(-0.25 * out[:, 0], out[:, 1])
    assert not np.array_equal(left[:, 0], out[:, 0])


def test_it_tells_how_deep_each_band_was_cut():
    stage = DynamicEqualiser(DynamicEqualiserSettings(bands=(HARSH, replace(HARSH, freq_hz=200.0))), EBU_HZ, 2)
    stage.push(sine(3_000.0, level_dbfs=-12.0, rate_hz=EBU_HZ))
    assert [12.0, 0.0] == pytest.approx(list(stage.max_reductions_db), abs=CURVE_DB)
