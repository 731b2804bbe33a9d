"""The lowest peak-to-short-term-loudness ratio, and where it is."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from scipy.signal import fftconvolve, firwin, lfilter

from dsp.audio import Audio
from dsp.chain import process
from dsp.loudness import LoudnessMeter, k_weighting
from dsp.peak_to_loudness import LowestPsr, lowest_psr
from dsp.settings import GainSettings, LimiterSettings
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import programme, tones
from tests.makers import music, noise

RATIO_LU = 0.1  # peaks of tenths of a second, read at 4 times the rate


def dull(audio: Audio) -> Audio:
    """Without the top octave: what two ways of reading between samples agree on."""
    lowpass = firwin(201, 0.76)
    return np.stack([fftconvolve(line, lowpass, mode="same") for line in audio.T], axis=1)


def psr_of(audio: Audio, rate_hz: int = 48_000) -> LowestPsr:
    loudness, peaks = LoudnessMeter(rate_hz, audio.shape[1]), TruePeakMeter(rate_hz, audio.shape[1])
    loudness.push(audio)
    peaks.push(audio)
    peaks.finish()
    return lowest_psr(loudness, peaks)


def expected_psr(audio: Audio, rate_hz: int) -> tuple[float, float]:
    """True peak less loudness of each 3 s at 10 Hz, the lowest among those within 20 LU of their mean; and its place."""
    weighted = audio
    for stage in k_weighting(rate_hz):
        weighted = lfilter(stage[:3], [1.0, *stage[3:]], weighted, axis=0)
    fine = np.abs(soxr.resample(audio, rate_hz, 8 * rate_hz, quality="VHQ")).max(axis=1)
    hop, length = rate_hz // 10, 3 * rate_hz
    starts = range(0, len(audio) - length + 1, hop)
    energies = np.array([np.square(weighted[at : at + length]).sum(axis=1).mean() for at in starts])
    peaks = np.array([fine[8 * at : 8 * (at + length)].max() for at in starts])
    ratios = np.where(energies >= energies.mean() / 100.0, np.square(peaks) / energies, np.inf)
    return 10.0 * float(np.log10(ratios.min())) + 0.691, float(ratios.argmin()) / 10.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_the_lowest_ratio_of_a_programme_is_that_of_all_its_windows(seed, rate_hz):
    audio = dull(programme(seconds=12.0, rate_hz=rate_hz, seed=seed))
    found, (expected_lu, expected_s) = psr_of(audio, rate_hz), expected_psr(audio, rate_hz)
    assert found.lu == pytest.approx(expected_lu, abs=RATIO_LU)
    assert found.at_s == pytest.approx(expected_s, abs=0.15)  # starts a tenth of a second apart, on another grid


@pytest.mark.parametrize("seed", range(2))
def test_the_lowest_ratio_of_notes_is_that_of_all_its_windows(seed):
    audio = music(seconds=8.0, rate_hz=48_000, seed=seed)
    assert psr_of(audio).lu == pytest.approx(expected_psr(audio, 48_000)[0], abs=RATIO_LU)


@pytest.mark.parametrize("at_s", [0.0, 4.3, 10.0])
def test_a_crushed_passage_is_found_where_it_is(at_s):
    audio = dull(noise(level_dbfs=-24.0, seconds=14.0, rate_hz=48_000))
    start = round(at_s * 48_000)
    crushed = process(
        audio[start : start + 4 * 48_000], 48_000, GainSettings(gain_db=6.0), LimiterSettings(ceiling_dbtp=-12.0)
    )
    audio[start : start + len(crushed)] = crushed
    found, (expected_lu, expected_s) = psr_of(audio), expected_psr(audio, 48_000)
    assert found.lu == pytest.approx(expected_lu, abs=RATIO_LU)
    assert at_s <= found.at_s <= at_s + 1.0
    assert found.at_s == pytest.approx(expected_s, abs=1.0)


def test_a_steady_tone_has_the_ratio_of_a_sine():
    found = psr_of(tones((10.0, -23.0)))  # two channels: a level of -23 LUFS
    assert found.lu == pytest.approx(-23.0 + 22.9933, abs=0.02)


def test_a_gain_does_not_change_the_ratio():
    audio = programme(seconds=12.0)
    before, after = psr_of(audio), psr_of(audio * 0.125)
    assert (before.lu, before.at_s) == (pytest.approx(after.lu, abs=1e-5), after.at_s)


def test_a_pause_or_a_fade_is_not_the_place():
    audio = programme(seconds=20.0)
    hush = 10 ** (-55 / 20) * np.repeat(
        np.sign(noise(seconds=6.0, rate_hz=48_000, channels=1)), 2, axis=1
    )  # no crest at all, 30 LU below
    found = psr_of(np.concatenate([audio, hush]))
    assert (found.lu, found.at_s) == pytest.approx((psr_of(audio).lu, psr_of(audio).at_s), abs=RATIO_LU)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 2.99])
def test_what_is_shorter_than_3_s_has_no_ratio(seconds):
    assert psr_of(noise(seconds=seconds, rate_hz=48_000)) == LowestPsr(None, None)


@pytest.mark.parametrize("level_dbfs", [None, -100.0])
def test_what_lies_below_the_gate_has_no_ratio(level_dbfs):
    assert psr_of(tones((5.0, level_dbfs))) == LowestPsr(None, None)


def test_exactly_3_s_have_one():
    assert psr_of(noise(seconds=3.0, rate_hz=48_000)).at_s == 0.0
