"""Half-band filters: what lies below the band's end passes, what lies above does not, and nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.half_band import STOP_DB, Doubler, Halver, half_band
from dsp.saturation import HALVES
from tests.dsp.signals import level_db

BAND_RATIO = 0.4535  # of the lower rate: 20 kHz at 44.1 kHz
FLAT_DB = 1e-4
STOP_TOLERANCE_DB = 7.5  # Kaiser's formula is for long filters; the shortest miss it by so much


def response_db(half: int, size: int = 1 << 14) -> np.ndarray:
    """Gain of the whole filter from 0 to the higher rate's half."""
    taps = np.zeros(4 * half - 1)
    taps[2 * half - 1] = 0.5
    taps[2 * half :: 2] = taps[2 * half - 2 :: -2] = half_band(half) / 2.0
    return 20.0 * np.log10(np.maximum(np.abs(np.fft.rfft(taps, size)), 1e-12))


def test_the_longest_filter_is_flat_in_the_band_of_hearing_and_stops_what_would_fold_into_it():
    gain_db, at = response_db(HALVES[0]), np.linspace(0.0, 1.0, (1 << 13) + 1)  # of the lower rate
    assert np.abs(gain_db[at <= BAND_RATIO]).max() < FLAT_DB
    assert gain_db[at >= 1.0 - BAND_RATIO].max() < -STOP_DB + STOP_TOLERANCE_DB


@pytest.mark.parametrize(("half", "end"), [(HALVES[1], BAND_RATIO / 2.0), (HALVES[2], BAND_RATIO / 4.0)])
def test_the_shorter_filters_do_the_same_for_the_rates_above(half, end):
    gain_db, at = response_db(half), np.linspace(0.0, 1.0, (1 << 13) + 1)
    assert np.abs(gain_db[at <= end]).max() < FLAT_DB
    assert gain_db[at >= 1.0 - end].max() < -STOP_DB + STOP_TOLERANCE_DB


@pytest.mark.parametrize("half", HALVES)
def test_doubled_and_halved_a_tone_is_itself_later(half):
    tone = np.sin(2.0 * np.pi * 0.1 * np.arange(2_000))[None]
    back = Halver(half, 1).push(Doubler(half, 1).push(tone))
    assert level_db(float(np.abs(back[:, 4 * half :] - tone[:, 2 * half : -2 * half]).max())) < -STOP_DB + 6.0


def test_doubling_leaves_the_samples_as_they_are():
    line = np.random.default_rng(1).standard_normal((2, 500))
    assert np.array_equal(line[:, :-8], Doubler(8, 2).push(line)[:, 16::2])
