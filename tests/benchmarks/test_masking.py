"""The noise-to-mask ratio hears noise where it is not masked, and neither level nor tone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from dsp.audio import to_gain
from dsp.chain import process
from dsp.settings import GainSettings, LimiterSettings
from tests.makers import music, noise, sine

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
noise_to_mask_db: Any = importlib.import_module("masking").noise_to_mask_db

RATE_HZ = 48_000
MUSIC = music(level_dbfs=-18.0, seconds=3.0, rate_hz=RATE_HZ)
INAUDIBLE_DB = -60.0
STEP_DB = 0.5  # noise grows by as many dB as the measure, but for the slow gain, which takes a little of it out


def band_of_noise(low_hz: float, high_hz: float, level_dbfs: float) -> Any:
    """Noise of one band with an rms level, the same in both channels."""
    spectrum = np.fft.rfft(noise(seconds=3.0, rate_hz=RATE_HZ, channels=1)[:, 0])
    hz = np.arange(len(spectrum)) * RATE_HZ / (3.0 * RATE_HZ)
    line = np.fft.irfft(np.where((hz > low_hz) & (hz < high_hz), spectrum, 0.0))
    return np.repeat(to_gain(level_dbfs) * line[:, None] / np.sqrt(np.square(line).mean()), 2, axis=1)


def test_a_sound_has_no_noise_against_itself():
    assert noise_to_mask_db(MUSIC, MUSIC, RATE_HZ) < -200.0


@pytest.mark.parametrize("gain_db", [-12.0, 0.5, 9.0])
def test_a_plain_change_of_level_is_no_noise(gain_db):
    assert noise_to_mask_db(MUSIC, MUSIC * to_gain(gain_db), RATE_HZ) < -200.0


def test_a_change_of_tone_is_hardly_noise():
    darker = lfilter([0.8, 0.2], [1.0], MUSIC, axis=0)
    assert noise_to_mask_db(MUSIC, darker, RATE_HZ) < -20.0


def test_a_slow_fade_is_hardly_noise_and_a_fast_tremolo_is():
    time_s = np.arange(len(MUSIC))[:, None] / RATE_HZ
    slow, fast = (MUSIC * (1.0 + 0.3 * np.sin(2.0 * np.pi * hz * time_s)) for hz in (0.3, 8.0))
    assert noise_to_mask_db(MUSIC, slow, RATE_HZ) < noise_to_mask_db(MUSIC, fast, RATE_HZ) - 15.0


@pytest.mark.parametrize("level_dbfs", [-80.0, -70.0, -60.0])
def test_the_measure_follows_the_level_of_a_soft_noise(level_dbfs):
    found = [
        noise_to_mask_db(MUSIC, MUSIC + band_of_noise(100.0, 15_000.0, a), RATE_HZ)
        for a in (level_dbfs, level_dbfs - 10.0)
    ]
    assert found[0] - found[1] == pytest.approx(10.0, abs=STEP_DB)


def test_a_tone_masks_noise_beside_it_and_not_noise_far_from_it():
    tone = sine(1_000.0, level_dbfs=-10.0, seconds=3.0, rate_hz=RATE_HZ)
    beside, far = (tone + band_of_noise(low, high, -50.0) for low, high in ((950.0, 1_060.0), (6_000.0, 6_600.0)))
    assert noise_to_mask_db(tone, beside, RATE_HZ) < -35.0
    assert noise_to_mask_db(tone, far, RATE_HZ) > 0.0


def test_noise_in_the_band_of_a_tone_reads_its_distance_less_the_offset_of_the_standard():
    """Noise of one quarter Bark 40 dB under a tone, mask 3 dB under it: -37 dB in that band, and the others add little."""
    tone = sine(1_000.0, level_dbfs=-10.0, seconds=3.0, rate_hz=RATE_HZ)
    under = tone + band_of_noise(985.0, 1_015.0, -53.0)  # -10 dBFS peak is -13 dBFS rms
    bands = 102
    worst = noise_to_mask_db(tone, under, RATE_HZ) + 10.0 * np.log10(bands)
    assert worst == pytest.approx(-37.0, abs=9.0)


def test_noise_above_a_tone_is_masked_better_than_noise_below_it():
    tone = sine(1_000.0, level_dbfs=-10.0, seconds=3.0, rate_hz=RATE_HZ)
    below, above = (tone + band_of_noise(low, high, -50.0) for low, high in ((660.0, 740.0), (1_400.0, 1_500.0)))
    assert noise_to_mask_db(tone, above, RATE_HZ) < noise_to_mask_db(tone, below, RATE_HZ) - 10.0


@pytest.mark.parametrize("drive_db", [6.0, 12.0])
def test_hard_clipping_is_noisier_than_limiting(drive_db):
    sound = MUSIC * to_gain(-1.0) / np.abs(MUSIC).max()
    limited = process(sound, RATE_HZ, GainSettings(gain_db=drive_db), LimiterSettings())
    clipped = np.clip(sound * to_gain(drive_db), -to_gain(-1.0), to_gain(-1.0))
    assert noise_to_mask_db(sound, limited, RATE_HZ) < noise_to_mask_db(sound, clipped, RATE_HZ) - 3.0


def test_silence_has_no_noise():
    assert noise_to_mask_db(MUSIC * 0.0, MUSIC * 0.0, RATE_HZ) < INAUDIBLE_DB
