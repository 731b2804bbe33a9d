"""The transient shaper: hits get more or less attack and sustain at every level alike, steady sound stays."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import LowEndFocusSettings, TransientSettings
from tests.dsp.signals import EBU_HZ, level_db, null_db, without_tone
from tests.makers import music, noise, sine

ATTACK_DB = 0.3  # of the wanted gain, over the first 3 to 8 ms of a hit
LEVELS_APART_DB = 0.05  # between hits 30 dB apart
STEADY_DB = 0.1  # asked for

STARTS = (0.5, 1.5, 2.5)


def hits(hz: float = 200.0, *, level_dbfs: float = -6.0, decay_s: float = 0.1, seconds: float = 3.5) -> Audio:
    """Three drum hits of a decaying tone, silence before and between."""
    out = np.zeros((round(seconds * EBU_HZ), 2))
    time_s = np.arange(EBU_HZ) / EBU_HZ
    hit = 10 ** (level_dbfs / 20.0) * np.exp(-time_s / decay_s) * np.cos(2.0 * np.pi * hz * time_s)
    for start_s in STARTS:
        out[round(start_s * EBU_HZ) :][: len(hit)] = hit[:, None]
    return out


def gains_db(audio: Audio, out: Audio, from_s: float, to_s: float) -> list[float]:
    """Gain of rms from and to some time after the start of each hit."""
    found = []
    for start_s in STARTS:
        part = slice(round((start_s + from_s) * EBU_HZ), round((start_s + to_s) * EBU_HZ))
        found.append(level_db(float(np.sqrt(np.square(out[part]).mean() / np.square(audio[part]).mean()))))
    return found


@pytest.mark.parametrize("attack_db", [6.0, 3.0, -6.0, -12.0])
@pytest.mark.parametrize("level_dbfs", [-6.0, -36.0])
def test_the_attack_of_a_hit_changes_by_what_was_asked_for_at_any_level(attack_db, level_dbfs):
    audio = hits(level_dbfs=level_dbfs)
    out = process(audio, EBU_HZ, TransientSettings(attack_db=attack_db))
    assert [attack_db] * 3 == pytest.approx(gains_db(audio, out, 0.003, 0.008), abs=ATTACK_DB)


def test_hits_30_db_apart_are_shaped_alike():
    gains = []
    for level_dbfs in (-6.0, -36.0):
        audio = hits(level_dbfs=level_dbfs)
        out = process(audio, EBU_HZ, TransientSettings(attack_db=8.0, sustain_db=-8.0))
        gains.append([gains_db(audio, out, at, at + 0.01)[1] for at in np.arange(0.0, 0.3, 0.02)])
    assert gains[0] == pytest.approx(gains[1], abs=LEVELS_APART_DB)


def test_soft_and_loud_hits_over_a_bed_are_shaped_alike():
    bed = sine(3000.0, level_dbfs=-50.0, seconds=3.5, rate_hz=EBU_HZ)
    loud, soft = hits() + bed, 0.1 * (hits() + bed)
    settings = TransientSettings(attack_db=6.0)
    assert np.abs(0.1 * process(loud, EBU_HZ, settings) - process(soft, EBU_HZ, settings)).max() < 1e-4


@pytest.mark.parametrize("sustain_db", [6.0, -12.0])
def test_what_follows_a_hit_changes_and_the_hit_does_not(sustain_db):
    audio = hits(decay_s=0.05)
    out = process(audio, EBU_HZ, TransientSettings(sustain_db=sustain_db))
    assert [0.0] * 3 == pytest.approx(gains_db(audio, out, 0.0, 0.01), abs=0.05)
    assert [sustain_db] * 3 == pytest.approx(gains_db(audio, out, 0.15, 0.25), abs=0.1 * abs(sustain_db))


@pytest.mark.parametrize("hz", [30.0, 40.0, 100.0, 997.0, 10_000.0])
def test_a_steady_tone_passes(hz):
    audio = sine(hz, level_dbfs=-12.0, seconds=3.0, rate_hz=EBU_HZ)
    out = process(audio, EBU_HZ, TransientSettings(attack_db=12.0, sustain_db=12.0))
    assert null_db(audio[EBU_HZ:], out[EBU_HZ:]) < -100.0


@pytest.mark.parametrize("level_dbfs", [-12.0, -60.0])
def test_steady_noise_keeps_its_level(level_dbfs):
    audio = noise(level_dbfs=level_dbfs, seconds=4.0, rate_hz=EBU_HZ)
    out = process(audio, EBU_HZ, TransientSettings(attack_db=6.0, sustain_db=6.0))
    steady = slice(EBU_HZ, None)
    change_db = 10.0 * np.log10(np.square(out[steady]).mean() / np.square(audio[steady]).mean())
    assert change_db == pytest.approx(0.0, abs=STEADY_DB)


def test_with_nothing_asked_for_the_sound_passes_bit_for_bit():
    audio = music(level_dbfs=-12.0, rate_hz=EBU_HZ)
    for settings in (
        TransientSettings(),
        TransientSettings(low_hz=100.0, high_hz=900.0),
        LowEndFocusSettings(contrast_db=0.0),
    ):
        assert np.array_equal(audio, process(audio, EBU_HZ, settings))


def test_only_the_band_is_shaped():
    low, high = hits(60.0, level_dbfs=-12.0), sine(4000.0, level_dbfs=-20.0, seconds=3.5, rate_hz=EBU_HZ)
    out = process(low + high, EBU_HZ, TransientSettings(attack_db=9.0, high_hz=150.0))
    for start_s in STARTS:
        part = slice(round(start_s * EBU_HZ), round((start_s + 0.05) * EBU_HZ))
        before, after = ((low + high)[part, 0], out[part, 0])
        assert without_tone(after, 4000.0, EBU_HZ)[1] == pytest.approx(
            without_tone(before, 4000.0, EBU_HZ)[1], rel=0.01
        )
    assert min(gains_db(low, out - high, 0.003, 0.01)) > 6.0


def test_a_band_that_the_rate_does_not_reach_is_left_alone():
    audio = music(level_dbfs=-12.0, rate_hz=8_000)
    assert np.array_equal(audio, process(audio, 8_000, TransientSettings(attack_db=9.0, low_hz=5000.0)))


def test_channels_are_shaped_together():
    left = hits()[:, :1]
    out = process(
        np.concatenate([left, -0.25 * left], axis=1), EBU_HZ, TransientSettings(attack_db=6.0, sustain_db=-6.0)
    )
    assert np.abs(-0.25 * out[:, 0] - out[:, 1]).max() < 1e-15


def crest_db(audio: Audio) -> float:
    """Attack over what follows, of bass hits: rms of the first 30 ms against 100 to 200 ms."""
    attack, rest = (np.sqrt(np.square(audio[a:b]).mean()) for a, b in ((24_000, 25_440), (28_800, 33_600)))
    return level_db(float(attack / rest))


def test_low_end_focus_makes_the_bass_punchy_or_smooth():
    bass = hits(55.0, decay_s=0.15)
    contrasts = [
        crest_db(process(bass, EBU_HZ, LowEndFocusSettings(contrast_db=contrast_db)))
        for contrast_db in (6.0, 0.0, -6.0)
    ]
    assert contrasts[0] > contrasts[1] + 3.0
    assert contrasts[2] < contrasts[1] - 3.0


def test_low_end_focus_leaves_the_middle_alone():
    audio = hits(1000.0)
    out = process(audio, EBU_HZ, LowEndFocusSettings(contrast_db=6.0))
    assert [0.0] * 3 == pytest.approx(gains_db(audio, out, 0.0, 0.2), abs=0.1)
