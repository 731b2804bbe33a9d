"""The removal of bleed: less of the others, little harm to one's own, and the laws of every stage."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.audio import Audio, Floats, to_gain
from dsp.mixing.debleed import FRAME, HOP, Debleed, LeakMeter
from dsp.settings.debleed import LEAK_BANDS, DebleedSettings
from tests.dsp.speech import talk
from tests.makers import music, noise

RATE_HZ = 48_000
BLEED_DB = -12.0


def leaks(count: int, leak_db: float = BLEED_DB) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple((0.0 if i == j else leak_db,) * LEAK_BANDS for j in range(count)) for i in range(count))


def debled(sound: Audio, wish: DebleedSettings) -> Audio:
    stage = Debleed(wish, RATE_HZ)
    return np.concatenate([stage.push(sound), stage.finish()])


def sources() -> Audio:
    """Three voices that talk at once, and a band beside them."""
    voices = [talk(8.0, seed=i) for i in range(3)]
    return np.stack([*voices, music(level_dbfs=-20.0, seconds=8.0, rate_hz=RATE_HZ, channels=1)[:, 0]], axis=1)


def bleed_of(own: Audio) -> Audio:
    """Each source in all other microphones, 12 dB down, later by the way that it has."""
    out = np.zeros_like(own)
    for i in range(own.shape[1]):
        for j in (j for j in range(own.shape[1]) if j != i):
            delay = 200 + 90 * ((3 * i + 5 * j) % 4)
            out[delay:, i] += to_gain(BLEED_DB) * own[:-delay, j]
    return out


def power_db(sound: Audio) -> Floats:
    return 10.0 * np.log10(np.square(sound).sum(axis=0))


def test_each_source_stands_out_of_the_others_by_twelve_decibels_or_more():
    own = sources()
    heard = own + bleed_of(own)
    meter = LeakMeter(RATE_HZ, 4)
    meter.push(heard)
    out = debled(heard, DebleedSettings(leaks_db=meter.leaks_db()))
    before_db, after_db = (power_db(own) - power_db(sound - own) for sound in (heard, out))
    assert before_db.max() < 9.0
    assert after_db.min() >= 12.0
    assert (after_db - before_db).mean() >= 6.0


def test_leaks_are_found_from_the_sound_alone():
    own = sources()
    meter = LeakMeter(RATE_HZ, 4)
    meter.push(own + bleed_of(own))
    found = np.array(meter.leaks_db())[:, :, 3:6]  # 500 Hz to 4 kHz, where all of them sound
    others = found[~np.eye(4, dtype=bool)]
    assert np.median(others) == pytest.approx(BLEED_DB, abs=2.0)


def test_a_meter_that_heard_nothing_knows_of_no_leaks():
    meter = LeakMeter(RATE_HZ, 2)
    meter.push(np.zeros((RATE_HZ, 2)))
    assert meter.leaks_db() == leaks(2, -60.0)


def test_leaks_do_not_depend_on_blocks():
    heard = sources()[: 3 * RATE_HZ]
    whole, cut = LeakMeter(RATE_HZ, 4), LeakMeter(RATE_HZ, 4)
    whole.push(heard)
    for at in range(0, len(heard), 777):
        cut.push(heard[at : at + 777])
    assert whole.leaks_db() == cut.leaks_db()


def test_a_floor_of_nothing_changes_nothing():
    sound = noise(seconds=1.0, rate_hz=RATE_HZ, channels=2)
    out = debled(sound, DebleedSettings(leaks_db=leaks(2, 0.0), floor_db=0.0))
    assert out == pytest.approx(sound, abs=1e-12)


def test_nothing_is_turned_down_further_than_the_floor():
    sound = np.stack([noise(channels=1)[:, 0], 1e-3 * noise(channels=1)[:, 0]], axis=1)
    out = debled(sound, DebleedSettings(leaks_db=leaks(2, -1.0), floor_db=15.0))
    assert power_db(out[:, 1:]) - power_db(sound[:, 1:]) == pytest.approx(-15.0, abs=0.1)


def test_silence_stays_silent():
    assert not debled(np.zeros((20_000, 3)), DebleedSettings(leaks_db=leaks(3))).any()


@pytest.mark.parametrize("frames", [0, 1, HOP - 1, HOP, FRAME - 1, FRAME, FRAME + 1, 20_000])
def test_as_many_frames_come_out_as_went_in(frames):
    stage = Debleed(DebleedSettings(leaks_db=leaks(2)), RATE_HZ)
    pushed = stage.push(np.zeros((frames, 2)))
    assert len(pushed) >= frames - stage.latency
    assert frames == len(pushed) + len(stage.finish())


SOUND = np.concatenate([sources()[:9_000, :2], np.zeros((3_000, 2)), noise(channels=2)[:4_000]])


@settings(max_examples=20)
@given(lengths=st.lists(st.one_of(st.integers(0, 4_000), st.sampled_from([0, 1, HOP - 1, HOP, FRAME + 1]))))
def test_cutting_the_sound_into_blocks_never_changes_it(lengths):
    stage = Debleed(DebleedSettings(leaks_db=leaks(2)), RATE_HZ)
    ends = np.minimum(np.cumsum([0, *lengths, len(SOUND)]), len(SOUND))
    pieces = [stage.push(SOUND[start:end]) for start, end in pairwise(ends)]
    whole = debled(SOUND, DebleedSettings(leaks_db=leaks(2)))
    assert np.array_equal(whole, np.concatenate([*pieces, stage.finish()]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"leaks_db": (((0.0,) * 8,) * 2,)}, "leaks_db must have a row and a column for each microphone"),
        ({"leaks_db": (((0.0,) * 7,),)}, "leaks_db must have 8 bands, got 7"),
        ({"leaks_db": (((1.0,) * 8,),)}, "leaks_db must be in [-120, 0], got 1.0"),
        ({"leaks_db": leaks(2), "floor_db": 61.0}, "floor_db must be in [0, 60], got 61.0"),
        ({"leaks_db": leaks(2), "rounds": 9}, "rounds must be in [0, 8], got 9"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        DebleedSettings(**values)
