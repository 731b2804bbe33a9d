"""The gate opens before the sound begins, stays open as told, passes every bit then, and shuts the pauses."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bleed import drum_kit, gated, with_bleed
from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.settings import GateSettings
from tests.dsp.signals import EBU_HZ, level_db, tones
from tests.makers import music, noise, sine

LEAST_BLEED_DB, LEAST_SDR_DB = -10.0, 20.0  # figure 18
DRUMS = {
    "kick": GateSettings(threshold_dbfs=-12.0, low_hz=30.0, high_hz=200.0),
    "snare": GateSettings(threshold_dbfs=-12.0, low_hz=150.0, high_hz=5_000.0),
    "hats": GateSettings(threshold_dbfs=-12.0, hold_s=0.01, release_s=0.05, low_hz=5_000.0),
}


def wide(**settings: float) -> GateSettings:
    """A gate whose detector hears everything, so that levels are those of the sound."""
    return GateSettings(**{"threshold_dbfs": -30.0, "range_db": 40.0, **settings})


def gains_db(audio: Audio, settings: GateSettings) -> np.ndarray:
    return 20.0 * np.log10(process(audio, EBU_HZ, settings)[:, 0] / audio[:, 0])


def steps_of_level(*segments: tuple[float, float]) -> Audio:
    """Stretches of (seconds, dBFS) of a constant: its level is known at every frame."""
    return np.concatenate([np.full((round(seconds * EBU_HZ), 1), to_gain(level)) for seconds, level in segments])


def test_it_is_open_when_the_sound_comes_that_opened_it():
    loud = noise(level_dbfs=-12.0, rate_hz=EBU_HZ)
    loud[0] = 0.5
    out = process(np.concatenate([np.zeros((EBU_HZ, 2)), loud]), EBU_HZ, wide())
    assert np.array_equal(loud, out[EBU_HZ:])


def test_it_opens_in_a_straight_line_of_db_that_begins_a_look_ahead_before_the_sound():
    gains = gains_db(steps_of_level((0.5, -60.0), (0.5, -20.0)), wide(lookahead_s=0.01, attack_s=0.004))
    onset, ahead, attack = EBU_HZ // 2, round(0.01 * EBU_HZ), round(0.004 * EBU_HZ)
    expected = np.interp(np.arange(len(gains)), [onset - ahead - 1, onset - ahead - 1 + attack], [-40.0, 0.0])
    assert expected == pytest.approx(gains, abs=1e-9)


def test_without_a_look_ahead_the_onset_is_faded_in_over_the_attack():
    gains = gains_db(steps_of_level((0.5, -60.0), (0.5, -20.0)), wide(lookahead_s=0.0, attack_s=0.004))
    assert gains[EBU_HZ // 2 + round(0.002 * EBU_HZ)] == pytest.approx(-20.0, abs=0.5)


def test_it_stays_open_for_its_hold_and_shuts_in_its_release():
    audio = steps_of_level((0.5, -20.0), (1.5, -60.0))
    gains = gains_db(audio, wide(hold_s=0.2, release_s=0.3))
    shut = EBU_HZ // 2 - 1 + round((0.2 + 0.5 / 20.0) * EBU_HZ)  # half a wave of 20 Hz
    expected = np.interp(np.arange(len(gains)), [shut, shut + round(0.3 * EBU_HZ)], [0.0, -40.0])
    assert expected == pytest.approx(gains, abs=1e-9)


@pytest.mark.parametrize(("before_dbfs", "expected_db"), [(-20.0, 0.0), (-60.0, -40.0)])
def test_between_the_two_thresholds_it_stays_as_it_is(before_dbfs, expected_db):
    audio = steps_of_level((1.0, before_dbfs), (3.0, -32.0))
    assert gains_db(audio, wide(hysteresis_db=4.0))[-1] == pytest.approx(expected_db, abs=1e-9)


def test_below_both_it_shuts():
    assert gains_db(steps_of_level((1.0, -20.0), (3.0, -34.1)), wide(hysteresis_db=4.0))[-1] == pytest.approx(-40.0)


def test_a_tone_that_hovers_between_the_thresholds_does_not_make_it_flutter():
    time_s = np.arange(4 * EBU_HZ) / EBU_HZ
    swell_db = -30.0 + 1.5 * np.sin(2.0 * np.pi * 3.0 * time_s)
    audio = (10.0 ** (swell_db / 20.0))[:, None]
    assert (gains_db(audio, wide(hold_s=0.0))[EBU_HZ:] == 0.0).all()
    assert np.ptp(gains_db(audio, wide(hold_s=0.0, hysteresis_db=0.0))[EBU_HZ:]) > 20.0


def test_the_lowest_note_of_its_band_is_not_taken_for_pauses():
    bass = sine(30.0, level_dbfs=-28.0, rate_hz=EBU_HZ, seconds=2.0)
    out = process(bass, EBU_HZ, wide(hold_s=0.0, hysteresis_db=0.0, low_hz=20.0))
    assert np.array_equal(bass[EBU_HZ:], out[EBU_HZ:])


def test_music_above_the_threshold_passes_untouched():
    loud = music(level_dbfs=-12.0, rate_hz=EBU_HZ)
    assert np.array_equal(loud[2_000:], process(loud, EBU_HZ, wide(threshold_dbfs=-40.0, hold_s=0.5))[2_000:])


@pytest.mark.parametrize(("hz", "opens"), [(100.0, False), (1_000.0, True), (8_000.0, False)])
def test_only_what_lies_in_the_band_of_its_detector_opens_it(hz, opens):
    settings = GateSettings(threshold_dbfs=-30.0, range_db=40.0, low_hz=500.0, high_hz=2_000.0)
    tone = sine(hz, level_dbfs=-15.0, rate_hz=EBU_HZ)
    out = process(tone, EBU_HZ, settings)
    change_db = level_db(float(np.abs(out[EBU_HZ // 2 :]).max() / np.abs(tone[EBU_HZ // 2 :]).max()))
    assert change_db == pytest.approx(0.0 if opens else -40.0, abs=0.01)


def test_channels_are_gated_together():
    audio = tones((0.5, -60.0), (0.5, -10.0), (1.0, -60.0))
    audio[:, 1] *= 0.01
    out = process(audio, EBU_HZ, wide())
    assert 0.01 * out[:, 0] == pytest.approx(out[:, 1], abs=1e-15)


@pytest.mark.parametrize("name", DRUMS)
def test_it_takes_the_bleed_out_of_the_pauses_of_a_drum_and_leaves_the_drum(name):
    kit = drum_kit(EBU_HZ)
    of = list(kit).index(name)
    heard = with_bleed(list(kit.values()), of)
    found = gated(kit[name], heard, DRUMS[name], EBU_HZ)
    assert found.bleed_db <= LEAST_BLEED_DB
    assert found.damage_db >= LEAST_SDR_DB


def test_the_measure_of_bleed_sees_what_no_gate_leaves():
    kit = drum_kit(EBU_HZ, bars=2)
    found = gated(kit["kick"], with_bleed(list(kit.values()), 0), wide(range_db=0.0), EBU_HZ)
    assert found.bleed_db == pytest.approx(0.0, abs=1e-9)
    assert found.damage_db == pytest.approx(300.0)
