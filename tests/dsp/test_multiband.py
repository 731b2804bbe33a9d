"""Multiband dynamics: every band follows its own curve and times, and leaves the others alone."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import BandDynamics, MultibandSettings
from tests.dsp.signals import EBU_HZ, distortion_db, level_db, null_db, tones, without_tone
from tests.makers import music, noise, sine

CURVE_DB = 0.1  # a steady tone: the level read over 10 ms still has some ripple, and its crests count
NEIGHBOUR_DB = 0.01  # a band an octave away holds less than -60 dB of it
EDGES_HZ = (120.0, 1000.0, 5000.0)
IDLE = BandDynamics()


def one_band(number: int, band: BandDynamics) -> MultibandSettings:
    """Settings in which one band works and the others rest."""
    return MultibandSettings(edges_hz=EDGES_HZ, bands=tuple(band if n == number else IDLE for n in range(4)))


def gains_db(audio: Audio, out: Audio, *freqs_hz: float) -> list[float]:
    """What became of some tones of the first channel, once everything has settled."""
    steady = slice(EBU_HZ, -EBU_HZ // 2)
    amplitudes = [[without_tone(a[steady, 0], hz, EBU_HZ)[1] for hz in freqs_hz] for a in (audio, out)]
    return [level_db(after / before) for before, after in zip(*amplitudes, strict=True)]


def three_tones(level_dbfs: float) -> Audio:
    return sum(sine(hz, level_dbfs=level_dbfs, seconds=3.0, rate_hz=EBU_HZ) for hz in (50.0, 400.0, 2000.0))


@pytest.mark.parametrize(("ratio", "expected_db"), [(2.0, -3.0), (4.0, -4.5), (1.5, -2.0)])
def test_a_tone_6_db_over_comes_down_by_its_ratio_and_the_other_bands_stay(ratio, expected_db):
    audio = three_tones(-14.0)
    out = process(audio, EBU_HZ, one_band(1, BandDynamics(threshold_dbfs=-20.0, compression_ratio=ratio)))
    low, middle, high = gains_db(audio, out, 50.0, 400.0, 2000.0)
    assert middle == pytest.approx(expected_db, abs=CURVE_DB)
    assert [0.0, 0.0] == pytest.approx([low, high], abs=NEIGHBOUR_DB)


@pytest.mark.parametrize("level_dbfs", [-25.0, -22.0, -20.0, -18.0, -10.0])
def test_the_knee_is_that_of_the_compressor(level_dbfs):
    over = level_dbfs + 20.0
    expected = 0.5 * (over if over >= 3.0 else (over + 3.0) ** 2 / 12.0 if over > -3.0 else 0.0)
    audio = sine(2000.0, level_dbfs=level_dbfs, seconds=3.0, rate_hz=EBU_HZ)
    out = process(audio, EBU_HZ, one_band(2, BandDynamics(threshold_dbfs=-20.0, compression_ratio=2.0, knee_db=6.0)))
    assert -expected == pytest.approx(gains_db(audio, out, 2000.0)[0], abs=CURVE_DB)


def test_reduction_ends_at_its_cap():
    audio = sine(400.0, level_dbfs=-3.0, seconds=3.0, rate_hz=EBU_HZ)
    band = BandDynamics(threshold_dbfs=-40.0, compression_ratio=10.0, max_reduction_db=4.0)
    assert gains_db(audio, process(audio, EBU_HZ, one_band(1, band)), 400.0)[0] == pytest.approx(-4.0, abs=CURVE_DB)


LIFT = BandDynamics(lift_threshold_dbfs=-30.0, lift_ratio=2.0, max_lift_db=8.0, lift_floor_dbfs=-60.0)


@pytest.mark.parametrize(
    ("level_dbfs", "expected_db"),
    [(-20.0, 0.0), (-40.0, 5.0), (-44.0, 7.0), (-50.0, 8.0), (-55.0, 5.0), (-60.0, 0.0), (-70.0, 0.0)],
)
def test_soft_music_is_lifted_by_the_curve_and_the_noise_floor_is_not(level_dbfs, expected_db):
    audio = sine(400.0, level_dbfs=level_dbfs, seconds=4.0, rate_hz=EBU_HZ)
    assert gains_db(audio, process(audio, EBU_HZ, one_band(1, LIFT)), 400.0)[0] == pytest.approx(
        expected_db, abs=CURVE_DB
    )


def test_a_noise_floor_passes_the_lift_untouched():
    floor = noise(level_dbfs=-70.0, seconds=2.0, rate_hz=EBU_HZ)
    assert np.array_equal(floor, process(floor, EBU_HZ, one_band(1, LIFT)))


def test_make_up_gain_is_there_from_the_first_sample():
    audio = music(rate_hz=EBU_HZ)
    louder = MultibandSettings(edges_hz=(500.0,), bands=(BandDynamics(gain_db=6.0),) * 2)
    assert null_db(audio * 10 ** (6.0 / 20.0), process(audio, EBU_HZ, louder)) < -120.0


def test_bands_with_nothing_to_do_pass_bit_for_bit():
    audio = music(level_dbfs=-24.0, rate_hz=EBU_HZ)
    high = BandDynamics(compression_ratio=20.0, knee_db=0.0)
    low = BandDynamics(lift_ratio=20.0, lift_threshold_dbfs=-80.0, lift_floor_dbfs=-80.0)
    for band in (IDLE, high, low):
        assert np.array_equal(audio, process(audio, EBU_HZ, MultibandSettings(edges_hz=(200.0,), bands=(band, band))))


def released_s(loud_s: float) -> float:
    """How long after a tone of this length its reduction takes to fall by half."""
    audio = tones((1.0, -40.0), (loud_s, 0.0), (2.0, -40.0), hz=2000.0)
    band = BandDynamics(threshold_dbfs=-20.0, compression_ratio=2.0, attack_s=0.001, release_s=0.2)
    out = process(audio, EBU_HZ, one_band(2, band))[:, 0]
    at = round((1.0 + loud_s) * EBU_HZ)
    peaks = [level_db(float(np.abs(out[n : n + 240]).max())) + 40.0 for n in range(at + 240, len(out) - 4_800, 240)]
    return next(n for n, gain in enumerate(peaks) if gain > -5.0) * 240 / EBU_HZ


def test_the_release_is_fast_after_a_transient_and_slow_after_a_long_note():
    assert released_s(0.03) < 0.08
    assert 0.15 < released_s(2.0) < 0.25


def test_channels_are_turned_down_together():
    left = music(level_dbfs=-6.0, rate_hz=EBU_HZ, channels=1)
    band = BandDynamics(threshold_dbfs=-30.0, compression_ratio=3.0)
    settings = MultibandSettings(edges_hz=(300.0,), bands=(band, band))
    out = process(np.concatenate([left, -0.25 * left], axis=1), EBU_HZ, settings)
    assert np.abs(-0.25 * out[:, 0] - out[:, 1]).max() < 1e-7  # both are rounded as float32


@pytest.mark.parametrize(("hz", "limit_db"), [(50.0, -45.0), (100.0, -60.0), (1000.0, -75.0)])
def test_a_steady_tone_6_db_over_stays_a_tone(hz, limit_db):
    settings = MultibandSettings(
        edges_hz=(5000.0,), bands=(BandDynamics(threshold_dbfs=-20.0, compression_ratio=2.0), IDLE)
    )
    out = process(sine(hz, level_dbfs=-14.0, seconds=4.0, rate_hz=EBU_HZ), EBU_HZ, settings)
    assert distortion_db(out[2 * EBU_HZ : 3 * EBU_HZ, 0], hz, EBU_HZ) < limit_db


def test_a_track_of_a_low_rate_has_fewer_bands():
    audio = music(level_dbfs=-6.0, rate_hz=8_000)
    band = BandDynamics(gain_db=-6.0)
    out = process(audio, 8_000, MultibandSettings(edges_hz=(4000.0, 9000.0), bands=(band, IDLE, IDLE)))
    assert null_db(audio * 10 ** (-6.0 / 20.0), out) < -120.0
