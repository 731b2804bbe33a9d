"""The compressor: its static curve, its times, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import CompressorSettings
from tests.dsp.signals import EBU_HZ, level_db
from tests.makers import music, noise, sine

CURVE_DB = 0.01  # a steady input: only smoothing that has not quite settled
RIPPLE_DB = 0.05  # a sine is below its peak most of the time, and 5 s of release hardly let go in between

SETTINGS = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=4.0, knee_db=6.0)


def compressed(audio: Audio, settings: CompressorSettings = SETTINGS) -> Audio:
    return process(audio, EBU_HZ, settings)


def expected_reduction_db(level_dbfs: float, settings: CompressorSettings) -> float:
    """Giannoulis, Massberg and Reiss (2012), equation 4, as a reduction."""
    over, knee, slope = level_dbfs - settings.threshold_dbfs, settings.knee_db, 1.0 - 1.0 / settings.compression_ratio
    if 2.0 * over < -knee:
        return 0.0
    if 2.0 * abs(over) <= knee:
        return slope * (over + knee / 2.0) ** 2 / (2.0 * knee)
    return slope * over


@pytest.mark.parametrize("level_dbfs", [-40.0, -23.5, -22.0, -20.0, -18.0, -17.0, -10.0, 0.0])
@pytest.mark.parametrize(("ratio", "knee_db"), [(4.0, 6.0), (1.5, 6.0), (2.0, 0.5), (20.0, 12.0)])
def test_a_steady_level_is_turned_down_by_the_curve(level_dbfs, ratio, knee_db):
    settings = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=ratio, knee_db=knee_db)
    steady = np.full((4 * EBU_HZ, 1), 10 ** (level_dbfs / 20))
    reduction_db = level_dbfs - level_db(float(compressed(steady, settings)[-1, 0]))
    assert expected_reduction_db(level_dbfs, settings) == pytest.approx(reduction_db, abs=CURVE_DB)


def test_a_steady_sine_is_turned_down_by_the_curve():
    slow = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=4.0, attack_s=0.05, release_s=0.5)
    out = compressed(sine(997.0, level_dbfs=-8.0, seconds=3.0, rate_hz=EBU_HZ), slow)
    assert -8.0 - level_db(float(np.abs(out[-EBU_HZ:]).max())) == pytest.approx(9.0, abs=RIPPLE_DB)


def test_music_below_the_knee_passes_untouched():
    quiet = music(level_dbfs=-50.0, rate_hz=EBU_HZ)
    assert np.array_equal(quiet, compressed(quiet))


def test_a_ratio_of_1_changes_nothing():
    loud = music(level_dbfs=-6.0, rate_hz=EBU_HZ)
    assert np.array_equal(loud, compressed(loud, CompressorSettings(threshold_dbfs=-40.0, compression_ratio=1.0)))


def test_a_louder_level_is_never_turned_down_less():
    levels_db = np.arange(-30.0, 0.5, 0.5)
    out = [level_db(float(compressed(np.full((EBU_HZ, 1), 10 ** (level / 20)))[-1, 0])) for level in levels_db]
    assert min(np.diff(levels_db - out)) >= -1e-9
    assert min(np.diff(out)) > 0.0


@pytest.mark.parametrize("attack_s", [0.005, 0.03, 0.2])
def test_the_attack_reaches_63_percent_in_its_time(attack_s):
    settings = CompressorSettings(threshold_dbfs=-40.0, compression_ratio=2.0, knee_db=0.0, attack_s=attack_s)
    step = np.full((EBU_HZ, 1), 0.1)  # -20 dBFS: 10 dB of reduction in the end
    reductions_db = -20.0 * np.log10(compressed(step, settings)[:, 0] / 0.1)
    assert reductions_db[round(attack_s * EBU_HZ) - 1] == pytest.approx(10.0 * (1.0 - np.exp(-1.0)), abs=0.01)


def test_the_release_lets_go_in_its_time():
    settings = CompressorSettings(threshold_dbfs=-40.0, compression_ratio=2.0, attack_s=0.0001, release_s=0.25)
    loud, quiet = np.full((EBU_HZ, 1), 0.1), np.full((EBU_HZ, 1), 1e-4)
    reductions_db = -20.0 * np.log10(compressed(np.concatenate([loud, quiet]), settings)[EBU_HZ:, 0] / 1e-4)
    assert reductions_db[round(0.25 * EBU_HZ)] == pytest.approx(10.0 * np.exp(-1.0), abs=0.05)


def test_channels_are_turned_down_together():
    left = music(level_dbfs=-6.0, rate_hz=EBU_HZ, channels=1)
    out = compressed(np.concatenate([left, -0.25 * left], axis=1))
    assert np.array_equal(-0.25 * out[:, 0], out[:, 1])


def test_after_a_long_silence_nothing_is_left_of_the_reduction():
    loud, quiet = noise(level_dbfs=-6.0, seconds=0.5, rate_hz=EBU_HZ), noise(level_dbfs=-60.0, rate_hz=EBU_HZ)
    out = compressed(np.concatenate([loud, np.zeros((15 * EBU_HZ, 2)), quiet]))
    assert np.array_equal(quiet, out[-len(quiet) :])
