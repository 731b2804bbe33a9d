"""What is read of microphones before they are mixed: their ambience, and who bleeds into whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.audio import Audio, to_gain
from dsp.mixing.ambience import Survey, bleed_db, floors_dbfs
from dsp.settings import GainSharingSettings, SharingChannel
from tests.dsp.speech import talk
from tests.makers import noise

RATE_HZ = 48_000
FLAT = GainSharingSettings(channels=(SharingChannel(),) * 3, control="none")
FLOORS_DBFS = (-60.0, -55.0, -70.0)


def powers_of(sound: Audio) -> np.ndarray:
    survey = Survey(FLAT, RATE_HZ, sound.shape[1])
    survey.push(sound)
    return survey.powers()


def voices(seconds: float = 18.0) -> Audio:
    """Three in turn, silent in between."""
    out, turn = np.zeros((round(seconds * RATE_HZ), 3)), round(seconds * RATE_HZ / 3)
    for i in range(3):
        out[i * turn : i * turn + turn * 2 // 3, i] = talk(turn * 2 / 3 / RATE_HZ, seed=i)
    return out


def room(seconds: float = 18.0) -> Audio:
    white = noise(level_dbfs=0.0, seconds=seconds, rate_hz=RATE_HZ, channels=3, seed=8)
    return white * 10.0 ** (np.array(FLOORS_DBFS) / 20.0)


def test_the_ambience_of_each_microphone_is_read_in_its_pauses():
    assert floors_dbfs(powers_of(voices() + room())) == pytest.approx(FLOORS_DBFS, abs=1.0)


def test_a_microphone_without_a_pause_has_no_ambience_to_be_read():
    sound = voices() + room()
    sound[:, 1] = noise(seconds=18.0, rate_hz=RATE_HZ, channels=1)[:, 0]
    found = floors_dbfs(powers_of(sound))
    assert found[1] is None
    assert None not in (found[0], found[2])


def test_digital_silence_is_no_ambience():
    assert floors_dbfs(powers_of(np.zeros((4 * RATE_HZ, 2)))) == (None, None)
    gated = voices()[: 6 * RATE_HZ, :1]
    gated[: RATE_HZ // 2] += 1e-7
    assert floors_dbfs(powers_of(np.concatenate([gated, gated], axis=1)))[0] != pytest.approx(-140.0, abs=10.0)


def test_bleed_is_read_while_one_sounds_alone():
    crossed = np.array([[1.0, to_gain(-12.0), to_gain(-30.0)], [to_gain(-18.0), 1.0, 0.0], [0.1, to_gain(-24.0), 1.0]])
    found = np.array(bleed_db(powers_of(voices() @ crossed.T + 0.01 * room())))
    assert found[0, 1] == pytest.approx(-12.0, abs=1.0)
    assert found[1, 0] == pytest.approx(-18.0, abs=1.0)
    assert found[2, 0] == pytest.approx(-20.0, abs=1.0)
    assert found[0, 2] == pytest.approx(-30.0, abs=1.5)
    assert found[1, 2] < -40.0
    assert np.array_equal(np.diag(found), np.zeros(3))


def test_nothing_heard_leaves_the_bleed_at_what_is_usual():
    found = np.array(bleed_db(powers_of(np.zeros((RATE_HZ, 3)))))
    assert np.array_equal(found, np.where(np.eye(3, dtype=bool), 0.0, -20.0))


SOUND = (voices() + room())[: 3 * RATE_HZ]


@settings(max_examples=20)
@given(block=st.integers(1, 60_000))
def test_blocks_change_no_power(block):
    cut = Survey(FLAT, RATE_HZ, 3)
    for at in range(0, len(SOUND), block):
        cut.push(SOUND[at : at + block])
    assert np.array_equal(powers_of(SOUND), cut.powers())
