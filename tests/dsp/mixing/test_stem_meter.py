"""The meter of stems: figures with known answers, and what it keeps of each tenth of a second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.mixing.stem_meter import StemMeter, StemReading
from tests.makers import music, noise, sine

RATE_HZ = 48_000


def heard(audio: Audio, rate_hz: int = RATE_HZ, cuts: tuple[int, ...] = ()) -> StemReading:
    meter = StemMeter(rate_hz, audio.shape[1])
    for block in np.split(audio, cuts):
        meter.push(block)
    return meter.finish()


def silence(seconds: float) -> Audio:
    return np.zeros((round(seconds * RATE_HZ), 1))


def hits(*, seconds: float = 4.0, each_s: float = 0.5, decay_s: float = 0.02) -> Audio:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return noise(seconds=seconds, channels=1, rate_hz=RATE_HZ) * np.exp(-(time_s % each_s) / decay_s)[:, None]


@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, 50_000), max_size=5), frames=st.sampled_from([0, 1, 4_800, 49_999]))
def test_block_size_never_changes_what_is_heard(cuts, frames):
    audio = music(seconds=2.0, rate_hz=RATE_HZ)[:frames]
    whole, parts = heard(audio), heard(audio, cuts=tuple(sorted(min(cut, frames) for cut in cuts)))
    assert whole[1:] == parts[1:]
    assert all(np.array_equal(one, other) for one, other in zip(whole.trace, parts.trace, strict=True))


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_hears_the_same_tone_the_same(rate_hz):
    found = heard(sine(1_000.0, level_dbfs=-20.0, seconds=3.0, rate_hz=rate_hz, channels=2), rate_hz)
    assert found.trace.steps == 30 and len(found.trace.onsets) == 300
    assert found.integrated_lufs == pytest.approx(-20.0, abs=0.05)
    assert found.bands_db[8] == pytest.approx(-20.0, abs=0.1)  # two channels of -23 dBFS
    assert found.centroid_hz == pytest.approx(1_000.0, rel=0.01)
    assert found.crest_db == pytest.approx(3.01, abs=0.1)


def test_what_is_in_the_bands_is_what_is_in_the_stem():
    audio = noise(seconds=5.0, channels=2, rate_hz=RATE_HZ)
    total = heard(audio).trace.bands.sum(axis=1).mean()
    above = 15_480.0 / 24_000.0  # from 20 Hz to 15.5 kHz
    assert total == pytest.approx(above * np.square(audio).sum(axis=1).mean(), rel=0.01)


@pytest.mark.parametrize("offset_frames", [0, 700, 1_300, 2_400, 4_000])
def test_a_hit_weighs_the_same_wherever_it_falls(offset_frames):
    audio = silence(1.0)
    audio[10_000 + offset_frames : 10_100 + offset_frames] = noise(seconds=1.0, channels=1)[:100]
    bands = heard(audio).trace.bands.sum(dtype=np.float64)
    audio = np.roll(audio, 2_000)
    assert bands == pytest.approx(heard(audio).trace.bands.sum(dtype=np.float64), rel=0.01)


def test_pauses_are_not_active_and_bleed_is_not():
    song = np.concatenate([silence(2.0), sine(440.0, seconds=3.0, rate_hz=RATE_HZ, channels=1), silence(5.0)])
    found = heard(song + 0.001 * noise(seconds=10.0, channels=1, rate_hz=RATE_HZ))
    assert found.active_ratio == pytest.approx(0.3, abs=0.011)
    assert (found.first_sound_s, found.last_sound_s) == (2.0, pytest.approx(5.0, abs=0.11))
    assert found.noise_floor_dbfs == pytest.approx(-80.0, abs=0.5)


def test_a_short_rest_belongs_to_the_music_and_a_long_one_does_not():
    tone = sine(440.0, seconds=1.0, rate_hz=RATE_HZ, channels=1)
    assert heard(np.concatenate([tone, silence(0.3), tone])).active_ratio == 1.0
    assert heard(np.concatenate([tone, silence(0.6), tone])).active_ratio == pytest.approx(2.0 / 2.6, abs=0.01)


def test_hits_are_percussive_and_a_pad_is_not():
    assert heard(hits()).percussivity_ratio > 0.95
    assert heard(sine(220.0, seconds=5.0, rate_hz=RATE_HZ, channels=1)).percussivity_ratio < 0.05
    assert heard(sine(41.0, seconds=5.0, rate_hz=RATE_HZ, channels=1)).percussivity_ratio < 0.05


def test_onsets_stand_where_hits_begin():
    onsets = heard(hits(each_s=0.5)).trace.onsets
    assert set(np.argsort(onsets)[-7:]) <= {50 * k + late for k in range(8) for late in (0, 1)}


def test_silence_has_no_figures():
    found = heard(silence(2.0))
    assert (found.integrated_lufs, found.sample_peak_dbfs, found.crest_db, found.centroid_hz) == (None,) * 4
    assert (found.active_ratio, found.percussivity_ratio, found.low_ratio) == (0.0, 0.0, 0.0)
    assert not found.trace.active.any() and set(found.bands_db) == {None}


def test_a_single_short_hit_has_a_loudness():
    assert heard(hits(seconds=0.3)).integrated_lufs is not None


def test_left_and_right_are_told_apart():
    left = noise(seconds=2.0, channels=1, rate_hz=RATE_HZ)
    found = heard(left * [1.0, -0.5] + np.array([0.01, 0.0]))
    assert found.correlation == pytest.approx(-1.0, abs=0.01)
    assert found.balance_db == pytest.approx(6.02, abs=0.1)
    assert found.offset_ratio == pytest.approx((0.01, 0.0), abs=0.001)


def test_bass_is_low():
    assert heard(sine(60.0, seconds=2.0, rate_hz=RATE_HZ)).low_ratio > 0.99
    assert heard(sine(300.0, seconds=2.0, rate_hz=RATE_HZ)).low_ratio < 0.01


def test_clipped_stems_have_flat_tops():
    tone = sine(220.0, level_dbfs=0.0, seconds=1.0, rate_hz=RATE_HZ)
    assert heard(np.clip(tone, -0.7, 0.7)).flat_tops > 300 and heard(0.7 * tone).flat_tops == 0


def test_more_than_two_channels_are_refused():
    with pytest.raises(ValueError, match="channels of a stem must be 1 or 2, got 3"):
        StemMeter(RATE_HZ, 3)
