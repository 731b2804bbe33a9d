"""Clipping is found at full scale and where it was turned down afterwards; smooth peaks, limiters and synthesisers are not it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.detectors.flat_tops import FlatTopDetector, FlatTops
from dsp.detectors.sightings import PLACES_KEPT, Sightings
from dsp.settings import GainSettings, LimiterSettings
from dsp.windows import WINDOW_FRAMES, Windows
from tests.dsp.signals import square
from tests.makers import RATE_HZ, music, noise, sine

FOUND_RATIO = 0.97  # a wave so slow that its clipped top is nearly a smooth one is not counted
DITHERED_RATIO = 0.96
LEVEL_DB = 0.003  # one step of 16 bits at -6 dBFS


def flat_tops(*blocks: Audio, rate_hz: int = RATE_HZ) -> FlatTops:
    channels = blocks[0].shape[1]
    detector, windows = FlatTopDetector(rate_hz, channels), Windows(channels)
    for block in blocks:
        for window in windows.push(block):
            detector.push(window)
    for window in windows.finish():
        detector.push(window)
    return detector.finish()


def rounded(audio: Audio, bits: int, *, dither: bool = False) -> Audio:
    """As an exporter would write it, with triangular dither of two steps or without."""
    draw, steps = np.random.default_rng(4), 2.0 ** (bits - 1)
    hiss = draw.random(audio.shape) - draw.random(audio.shape) if dither else 0.0
    return np.clip(np.rint(audio * steps + hiss), -steps, steps - 1) / steps


def clipped(audio: Audio, over_db: float) -> tuple[Audio, int]:
    """The audio driven so far over full scale, and in how many places three samples or more stay there."""
    driven = audio * to_gain(over_db) / np.abs(audio).max()
    at_top = np.concatenate([np.abs(driven) >= 1.0, np.zeros((1, driven.shape[1]), bool)])
    starts = at_top & ~np.roll(at_top, 1, axis=0)
    long = starts & np.roll(at_top, -1, axis=0) & np.roll(at_top, -2, axis=0)
    return np.clip(driven, -1.0, 1.0), int(long.sum())


NOTES = music() / np.abs(music()).max()
CLIPPED_SINE = np.clip(sine(441.0, level_dbfs=6.0), -1.0, 1.0)  # two tops a period and channel
TOPS = 2 * 2 * 441


# What was clipped


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("gain_db", [0.0, -3.7, -20.0])
def test_every_clipped_peak_of_a_tone_is_counted_at_its_level(bits, gain_db):
    found = flat_tops(rounded(CLIPPED_SINE * to_gain(gain_db), bits))
    assert (found.tops.count, found.level_dbfs) == (TOPS, pytest.approx(gain_db, abs=LEVEL_DB * to_gain(-gain_db)))


@pytest.mark.parametrize("gain_db", [-1.0, -3.7])
def test_clipping_under_the_dither_of_16_bits_is_found(gain_db):
    found = flat_tops(rounded(CLIPPED_SINE * to_gain(gain_db), 16, dither=True))
    assert DITHERED_RATIO * TOPS <= found.tops.count <= TOPS
    assert found.level_dbfs == pytest.approx(gain_db, abs=LEVEL_DB)


@pytest.mark.parametrize("over_db", [0.5, 3.0, 6.0])
@pytest.mark.parametrize(
    ("gain_db", "bits", "dither", "ratio"),
    [
        (0.0, 24, False, FOUND_RATIO),
        (-3.0, 24, False, FOUND_RATIO),
        (-3.0, 24, True, FOUND_RATIO),
        (-3.0, 16, True, 0.95),
    ],
)
def test_clipped_music_is_counted_top_by_top(over_db, gain_db, bits, dither, ratio):
    audio, tops = clipped(music(), over_db)
    found = flat_tops(rounded(audio * to_gain(gain_db), bits, dither=dither)).tops.count
    assert ratio * tops - 1 <= found <= 1.02 * tops


def test_the_worst_is_the_longest_in_samples_and_places_are_in_seconds():
    audio = noise(level_dbfs=-30.0, seconds=3.0, channels=1)
    for at, length in ((44_100, 3), (66_150, 9), (88_200, 5)):
        audio[at : at + length] = 0.9
    found = flat_tops(audio)
    assert found.tops == Sightings(3, 9.0, (1.0, 1.5, 2.0))
    assert found.level_dbfs == pytest.approx(20.0 * np.log10(0.9), abs=1e-6)


def test_the_longest_places_are_kept():
    audio = np.zeros((4 * RATE_HZ, 1))
    for number in range(PLACES_KEPT + 10):
        start = 5_000 * (number + 1)
        audio[start : start + (10 if number % 3 else 4)] = -0.8
    found = flat_tops(audio).tops
    expected = [round(5_000 * (number + 1) / RATE_HZ, 3) for number in range(PLACES_KEPT + 10) if number % 3]
    assert (found.count, found.at_s) == (PLACES_KEPT + 10, tuple(expected))


def test_each_side_and_each_channel_has_its_own_top():
    tone = sine(441.0, level_dbfs=0.0, channels=1)
    lopsided = np.clip(tone, -0.99, 0.5)  # the lower side swings freely
    found = flat_tops(np.concatenate([lopsided, 0.9 * tone, np.clip(tone, -0.3, 0.9)], axis=1))
    assert found.tops.count == 441 + 2 * 441 + 441  # 0.99 and 0.9 cut flat tops of three samples and more as well
    assert found.level_dbfs == pytest.approx(20.0 * np.log10(0.99), abs=1e-6)


@pytest.mark.parametrize("lower", [0.5, 0.99])
@pytest.mark.parametrize("louder_first", [True, False])
def test_of_tops_at_several_levels_only_the_highest_count(louder_first, lower):
    parts = [CLIPPED_SINE, lower * CLIPPED_SINE]
    found = flat_tops(*(parts if louder_first else reversed(parts)))
    assert (found.tops.count, found.level_dbfs) == (TOPS, 0.0)
    assert (found.tops.at_s[0] < 1.0) == louder_first


def test_a_track_that_ends_on_a_flat_top_ends_in_silence():
    audio = np.concatenate([noise(level_dbfs=-30.0, channels=1), np.full((5, 1), 0.7)])
    assert flat_tops(audio).tops == Sightings(1, 5.0, (1.0,))


def test_a_track_that_begins_on_a_flat_top_begins_after_silence():
    audio = np.concatenate([np.full((5, 1), 0.7), noise(level_dbfs=-30.0, channels=1)])
    assert flat_tops(audio).tops == Sightings(1, 5.0, (0.0,))


# What was not


UNCLIPPED = {
    "notes": 0.9 * NOTES,
    "noise": noise(level_dbfs=-14.0),
    "a bass of 30 Hz": sine(30.0, level_dbfs=-0.1, seconds=4.0),
    "a bass of 20 Hz": sine(20.0, level_dbfs=-6.0, seconds=4.0),
    "a tone": sine(997.0, level_dbfs=-0.01, seconds=2.0),
    "a tone at a quarter of the rate": sine(11_025.0, level_dbfs=-1.0, seconds=1.0),
    "a tone at an eighth of the rate": sine(5_512.5, level_dbfs=-1.0, seconds=1.0),
    "a limiter's output": process(
        music(), RATE_HZ, GainSettings(gain_db=15.0), LimiterSettings(ceiling_dbtp=-1.0)
    ),
    "a synthesiser under louder music": np.concatenate(
        [square(220.0, amplitude=0.3, seconds=2.0, rate_hz=RATE_HZ), 0.7 * NOTES]
    ),
    "a clipped part under a louder one": np.concatenate([0.5 * CLIPPED_SINE, 0.8 * NOTES]),
    "silence": np.zeros((RATE_HZ, 2)),
    "nothing": np.zeros((0, 2)),
}  # fmt: skip


@pytest.mark.parametrize("audio", UNCLIPPED.values(), ids=UNCLIPPED)
@pytest.mark.parametrize(("bits", "dither"), [(24, False), (16, False), (16, True)])
def test_smooth_peaks_and_lower_plateaus_are_no_clipping(audio, bits, dither):
    assert flat_tops(rounded(audio, bits, dither=dither)) == FlatTops(Sightings(), None)


@given(hz=st.floats(20.0, 4_000.0), level_dbfs=st.floats(-20.0, -0.1), seed=st.integers(0, 99))
def test_no_tone_is_taken_for_a_clipped_one(hz, level_dbfs, seed):
    tone = sine(hz, level_dbfs=level_dbfs, seconds=2.0, channels=1)
    hiss = np.random.default_rng(seed).triangular(-1.0, 0.0, 1.0, tone.shape)
    assert flat_tops(np.rint(tone * 2**15 + hiss) / 2**15).tops.count == 0


@pytest.mark.parametrize("samples", [1, 2])
def test_two_equal_samples_are_no_flat_top(samples):
    audio = noise(level_dbfs=-30.0, channels=1)
    audio[22_050 : 22_050 + samples] = 0.9
    assert flat_tops(audio).tops.count == 0


def test_two_touches_with_a_quiet_window_between_them_are_no_flat_top():
    audio = np.zeros((3 * WINDOW_FRAMES, 1))
    audio[WINDOW_FRAMES - 2 : WINDOW_FRAMES] = audio[2 * WINDOW_FRAMES : 2 * WINDOW_FRAMES + 1] = 1.0
    assert flat_tops(audio).tops.count == 0


# Law 1

CLIPPED_MUSIC = np.concatenate([clipped(music(), 4.0)[0], 0.7 * CLIPPED_SINE])


@given(st.lists(st.integers(0, 60_000), max_size=8))
def test_cutting_a_track_into_blocks_never_changes_its_flat_tops(lengths):
    ends = np.minimum(np.cumsum(lengths, dtype=int), len(CLIPPED_MUSIC))
    assert flat_tops(CLIPPED_MUSIC) == flat_tops(*np.split(CLIPPED_MUSIC, ends))


@pytest.mark.parametrize("at", range(WINDOW_FRAMES - 7, WINDOW_FRAMES + 3))
def test_a_flat_top_across_the_border_of_two_windows_is_found_once_where_it_begins(at):
    audio = noise(level_dbfs=-30.0, channels=1)
    audio[at : at + 5] = 0.8
    assert flat_tops(audio).tops == Sightings(1, 5.0, (round(at / RATE_HZ, 3),))
