"""The de-esser turns sibilants down and leaves the rest of the voice alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import DeEsserSettings
from tests.dsp.signals import EBU_HZ, level_db
from tests.makers import music, noise, sine

DEPTH_DB = 0.5  # bursts have edges, and their sides lie on the slopes of the bell
LENGTH = EBU_HZ // 5  # of a vowel and of a sibilant: 0.2 s


def vowel() -> Audio:
    """A buzz of 150 Hz through three formants of an a, faded at both ends."""
    time_s = np.arange(LENGTH) / EBU_HZ
    formants = ((700.0, 1.0), (1_200.0, 0.5), (2_600.0, 0.1))
    weight = {h: sum(a / (1 + ((150 * h - f) / 120) ** 2) for f, a in formants) for h in range(1, 40)}
    line = sum(w * np.sin(2 * np.pi * 150 * h * time_s + h * h) for h, w in weight.items())
    return np.repeat((0.1 * line * np.hanning(LENGTH) ** 0.25)[:, None], 2, axis=1)


def sibilant(*, level_dbfs: float = -20.0) -> Audio:
    """Noise between 6 and 8 kHz, the same in both channels, faded at both ends."""
    band = butter(4, (6_000.0, 8_000.0), "bandpass", fs=EBU_HZ, output="sos")
    hiss = sosfilt(band, noise(seconds=0.2, rate_hz=EBU_HZ, channels=1)[:, 0])
    hiss *= 10 ** (level_dbfs / 20) / np.sqrt(np.square(hiss).mean())
    return np.repeat((hiss * np.hanning(LENGTH) ** 0.25)[:, None], 2, axis=1)


def de_essed(audio: Audio, **settings: float) -> Audio:
    return process(audio, EBU_HZ, DeEsserSettings(**settings))


def test_vowels_pass_every_bit():
    voice = np.concatenate([vowel()] * 5)
    assert voice.tobytes() == de_essed(voice).tobytes()


@pytest.mark.parametrize("level_dbfs", [-40.0, -20.0, -6.0])
@pytest.mark.parametrize("max_cut_db", [2.0, 4.0])
def test_sibilants_come_down_however_loud_the_voice(level_dbfs, max_cut_db):
    scale = 10 ** ((level_dbfs + 20.0) / 20)
    voice = scale * np.concatenate([vowel(), sibilant(), vowel()])
    out = de_essed(voice, max_cut_db=max_cut_db)
    middle = slice(LENGTH + LENGTH // 4, 2 * LENGTH - LENGTH // 4)
    found = level_db(float(np.sqrt(np.square(out[middle]).mean() / np.square(voice[middle]).mean())))
    assert -max_cut_db == pytest.approx(found, abs=DEPTH_DB)


def test_the_vowel_before_a_sibilant_is_untouched_and_the_one_after_soon_again():
    voice = np.concatenate([vowel(), sibilant(), vowel(), *[vowel()] * 5])
    out = de_essed(voice)
    assert np.array_equal(voice[:LENGTH], out[:LENGTH])
    assert np.array_equal(voice[-LENGTH:], out[-LENGTH:])


def test_cymbals_over_a_full_mix_are_no_sibilants():
    cymbals = np.concatenate([sibilant(level_dbfs=-30.0)] * 20)
    bass = sine(80.0, level_dbfs=-14.0, seconds=4.0, rate_hz=EBU_HZ)
    mix = music(level_dbfs=-20.0, rate_hz=EBU_HZ) + bass + cymbals
    assert np.array_equal(mix, de_essed(mix))
    assert not np.array_equal(cymbals, de_essed(cymbals))
