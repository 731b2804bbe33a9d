"""Second-order filters keep the shape of their analogue models up to 20 kHz, and are stable at every rate."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Floats
from dsp.biquad import gain_db, inverted, matched
from dsp.parametric import analogue, filters
from dsp.settings import Band, ParametricSettings

SHAPE_DB = 0.45  # largest error of any bell to 20 kHz at 44.1 kHz; half of it for 6 dB
DESK_DB = 0.25  # within +-6 dB
RATES_HZ = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000, 384_000)
FREQS_HZ = (10.0, 80.0, 1_000.0, 8_000.0, 12_000.0, 16_000.0, 18_000.0, 20_000.0, 40_000.0)
WITH_GAIN = ("bell", "low_shelf", "high_shelf", "tilt")


def bands(*, gains_db: tuple[float, ...] = (-18.0, -12.0, -6.0, 6.0, 12.0, 18.0)) -> list[Band]:
    """Every kind at many frequencies, gains and qualities."""
    found = []
    for kind in ("bell", "low_shelf", "high_shelf", "tilt", "lowpass", "highpass"):
        for quality_ratio in (0.3, 0.5, 0.7071, 1.0) if "shelf" in kind else (0.3, 0.7071, 2.0, 10.0):
            for most_db in gains_db if kind in WITH_GAIN else (0.0,):
                shape = {"kind": kind, "gain_db": most_db, "quality_ratio": quality_ratio}
                found += [Band(freq_hz=freq_hz, **shape) for freq_hz in FREQS_HZ]
    return found


def coefficients(band: Band, rate_hz: int) -> Floats:
    return filters(ParametricSettings(bands=(band,)), rate_hz)[0]


def error_db(band: Band, rate_hz: int = 44_100) -> float:
    """Largest difference from the analogue curve between 5 Hz and 20 kHz, where that is above -40 dB."""
    around = np.clip(band.freq_hz * np.linspace(0.8, 1.25, 41), 5.0, 20_000.0)
    freqs_hz = np.concatenate([np.geomspace(5.0, 20_000.0, 300), around])
    model = analogue(band.kind, band.gain_db, band.quality_ratio)
    expected = 10.0 * np.log10(model.power(freqs_hz / band.freq_hz))
    heard = expected > -40.0
    if not heard.any():
        return 0.0
    return float(np.abs(gain_db(coefficients(band, rate_hz), freqs_hz, rate_hz) - expected)[heard].max())


def test_every_band_keeps_its_analogue_shape_up_to_20_khz():
    kept = [band for band in bands() if band.freq_hz <= 20_000.0 and band.kind != "highpass"]
    assert max(map(error_db, kept)) < SHAPE_DB


def test_the_gains_of_mastering_keep_it_even_better():
    kept = [band for band in bands(gains_db=(-6.0, 6.0)) if band.freq_hz <= 20_000.0 and band.kind in WITH_GAIN]
    assert max(map(error_db, kept)) < DESK_DB


def test_a_bell_at_16_khz_is_not_squeezed_by_the_bilinear_transform():
    band = Band(kind="bell", freq_hz=16_000.0, gain_db=6.0, quality_ratio=1.0)
    warped = np.tan(np.pi * np.array([19_500.0, 16_000.0]) / 44_100)
    cookbook_db = 10.0 * np.log10(analogue("bell", 6.0, 1.0).power(np.array([warped[0] / warped[1]]))[0])
    assert error_db(band) < DESK_DB
    assert cookbook_db < gain_db(coefficients(band, 44_100), np.array([19_500.0]), 44_100)[0] - 2.0


@pytest.mark.parametrize(("freq_hz", "most_db"), [(20.0, 0.001), (500.0, 0.005), (2_000.0, 0.05), (8_000.0, 0.5)])
def test_a_high_pass_keeps_its_analogue_shape(freq_hz, most_db):
    for quality_ratio in (0.5, 0.7071, 2.0):
        assert error_db(Band(kind="highpass", freq_hz=freq_hz, quality_ratio=quality_ratio)) < most_db


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_every_filter_is_stable_and_of_minimum_phase_at_every_rate(rate_hz):
    for band in bands():
        b0, b1, b2, a1, a2 = coefficients(band, rate_hz)
        assert np.abs(np.roots([1.0, a1, a2])).max() < 1.0, band
        assert np.abs(np.roots([b0, b1, b2])).max(initial=0.0) < 1.0 + 1e-6, band


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_lowest_tones_have_exactly_the_gain_of_the_model(rate_hz):
    for band in bands():
        if band.kind in WITH_GAIN:
            expected = {"low_shelf": band.gain_db, "tilt": -band.gain_db / 2.0}.get(band.kind, 0.0)
            found = gain_db(coefficients(band, rate_hz), np.array([0.0]), rate_hz)[0]
            assert expected == pytest.approx(found, abs=1e-6), band


def test_a_frequency_above_the_band_is_taken_as_0_49_of_the_rate():
    model = analogue("bell", 6.0, 1.0)
    assert np.array_equal(matched(model, 0.49 * 22_050, 22_050), matched(model, 20_000.0, 22_050))


def test_a_filter_and_its_opposite_are_nothing():
    bell = matched(analogue("bell", 6.0, 1.0), 1_000.0, 48_000)
    freqs_hz = np.geomspace(10.0, 24_000.0, 50)
    assert np.abs(gain_db(bell, freqs_hz, 48_000) + gain_db(inverted(bell), freqs_hz, 48_000)).max() < 1e-9
