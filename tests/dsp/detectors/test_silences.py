"""Silence before, after and within a track is measured to the sample, and the level of both its ends."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, to_gain
from dsp.detectors.segments import Segments
from dsp.detectors.sightings import Sightings
from dsp.detectors.silences import Silence, SilenceDetector
from tests.dsp.detectors.segmented import BARE, RATES_HZ, heard
from tests.makers import RATE_HZ, music, sine

NEAREST_S = 1e-6


def silence(audio: Audio, rate_hz: int = RATE_HZ) -> Silence:
    return heard(SilenceDetector(rate_hz), audio, rate_hz)


def parts(*lengths: int, level: float = 0.5, channels: int = 2) -> Audio:
    """Silence and sound by turns, beginning with silence; the sound only in the last channel."""
    line = np.repeat([number % 2 * level for number in range(len(lengths))], lengths)
    audio = np.zeros((len(line), channels))
    audio[:, -1] = line
    return audio


@given(st.integers(0, 40_000), st.integers(1, 40_000), st.integers(0, 40_000), st.integers(1, 3))
def test_head_and_tail_are_measured_to_the_sample(head, sound, tail, channels):
    found = silence(parts(head, sound, tail, channels=channels))
    assert head / RATE_HZ == pytest.approx(found.head_s, abs=NEAREST_S)
    assert tail / RATE_HZ == pytest.approx(found.tail_s, abs=NEAREST_S)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(("rest_s", "count"), [(0.999, 0), (1.0, 1), (1.7, 1), (3.0, 1)])
def test_a_rest_of_a_second_within_the_music_is_silence(rate_hz, rest_s, count):
    rest = round(rest_s * rate_hz)
    found = silence(parts(0, rate_hz // 3, rest, 77, rest // 2, rate_hz // 4, rest, 5), rate_hz)
    expected = (round(1 / 3, 3), round(1 / 3 + 77 / rate_hz + 1.5 * rest_s + 0.25, 3))
    if rest_s >= 2.0:
        count, expected = 3, (expected[0], round(1 / 3 + rest_s + 77 / rate_hz, 3), expected[1])
        assert found.within.count == count
    else:
        assert found.within.count == 2 * count
    assert (expected if count else ()) == pytest.approx(found.within.at_s, abs=0.001)
    assert (rest_s if count else None) == found.within.worst


@pytest.mark.parametrize(("level_dbfs", "silent"), [(-60.1, True), (-59.9, False)])
def test_silence_is_below_60_db_under_full_scale(level_dbfs, silent):
    found = silence(parts(1_000, 5_000, 1_000, level=to_gain(level_dbfs)))
    assert silent == (found.head_s == pytest.approx(7_000 / RATE_HZ, abs=NEAREST_S))


def test_a_track_without_sound_is_all_head():
    found = silence(1e-4 * music(level_dbfs=-12.0))
    assert (4.0, 0.0, Sightings()) == found[:3]


def test_silence_in_one_channel_is_none():
    audio = sine(997.0, seconds=6.0)
    audio[:, 0] = 0.0
    assert (pytest.approx(0.0, abs=1e-4), pytest.approx(0.0, abs=1e-4), Sightings()) == silence(audio)[:3]


def test_the_ends_are_read_for_five_milliseconds():
    audio = sine(200.0, level_dbfs=-40.0)
    audio[219], audio[221] = 0.5, 0.9  # 5 ms are 220 frames
    audio[-220, 1], audio[-221, 0] = -0.25, 0.9
    found = silence(audio)
    assert -6.02 == pytest.approx(found.head_dbfs, abs=0.01)
    assert -12.04 == pytest.approx(found.tail_dbfs, abs=0.01)


def test_digital_silence_at_an_end_has_no_level():
    assert (None, None) == silence(parts(300, 1_000, 300))[3:]


def test_the_last_milliseconds_may_lie_in_two_windows():
    audio = np.zeros((16_384 + 10, 1))
    audio[16_300] = 0.5
    assert -6.02 == pytest.approx(silence(audio).tail_dbfs, abs=0.01)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_bare_sound_is_borne_in_silence(name, rate_hz):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = silence(BARE[name], rate_hz)
    assert found.head_s + found.tail_s <= len(BARE[name]) / rate_hz + NEAREST_S


@given(st.integers(0, 200_000), st.integers(1, 500), st.integers(0, 2))
def test_an_excerpt_of_the_segments_is_the_sound_itself(back, frames, short):
    line = np.random.default_rng(1).standard_normal((1, 16_384 * 7)).astype(np.float32)
    segments, end = Segments(44_100, 1), 16_384 * 7 - 5_000 * short
    for start in range(0, end, 16_384):
        segments.push(line[:, start : min(end, start + 16_384)])
    start = max(end - frames - back % 30_000, 0)
    assert np.array_equal(line[0, start : start + frames], segments.excerpt(0, start, start + frames))
