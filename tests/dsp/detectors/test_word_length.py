"""How many bits the samples of a file truly use."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.detectors.word_length import WordLengthDetector
from dsp.windows import Windows
from tests.makers import music, noise


def bits_of(audio: Audio, file_bits: int = 24) -> int | None:
    detector, windows = WordLengthDetector(file_bits), Windows(audio.shape[1])
    for window in windows.push(audio):
        detector.push(window)
    for window in windows.finish():
        detector.push(window)
    return detector.finish()


def rounded(audio: Audio, bits: int) -> Audio:
    return np.rint(audio * 2 ** (bits - 1)) / 2 ** (bits - 1)


@pytest.mark.parametrize("bits", [8, 12, 16, 20, 23, 24])
@pytest.mark.parametrize("file_bits", [24, 20, 16, 8])
def test_a_file_uses_as_many_bits_as_its_recording_had(bits, file_bits):
    if bits <= file_bits:
        assert bits == bits_of(rounded(music(level_dbfs=-20.0, seconds=2.0), bits), file_bits)


@pytest.mark.parametrize("frame", [0, 16_383, 16_384, 40_000])
def test_a_single_sample_shows_the_last_bit(frame):
    audio = rounded(noise(), 16)
    audio[frame, 1] = 2.0**-23
    assert bits_of(audio) == 24


def test_a_padded_file_that_was_turned_up_by_6_db_uses_one_bit_less():
    assert bits_of(2.0 * rounded(noise(level_dbfs=-30.0), 16)) == 15


@pytest.mark.parametrize("value", [-1.0, 0.5])
def test_full_scale_needs_few_bits(value):
    assert bits_of(np.full((100, 1), value)) == (1 if value < 0 else 2)


@pytest.mark.parametrize("audio", [np.zeros((44_100, 2)), np.zeros((0, 2))])
def test_silence_has_no_word_length(audio):
    assert bits_of(audio) is None


def test_once_every_bit_was_seen_nothing_changes_any_more():
    detector = WordLengthDetector(16)
    detector.push(rounded(noise(channels=1), 16).T.astype(np.float32))
    detector.push(np.zeros((1, 100), np.float32))
    assert detector.finish() == 16
