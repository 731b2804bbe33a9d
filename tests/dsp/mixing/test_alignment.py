"""Delays and polarity between two recordings, and that recordings with nothing in common show it."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio, to_gain
from dsp.mixing.alignment import Alignment, aligned, frame_frames
from tests.makers import music, noise

RATE_HZ = 48_000
MAX_DELAY_S = 0.021
DELAY_FRAMES = 0.1  # figure 13 of mixing: with parts of a frame


def delayed(audio: Audio, frames: float) -> Audio:
    turns = np.exp(-2j * np.pi * np.arange(len(audio) // 2 + 1) / len(audio) * frames)
    return np.fft.irfft(np.fft.rfft(audio, axis=0) * turns[:, None], len(audio), axis=0)


def found(first: Audio, second: Audio, max_delay_s: float = MAX_DELAY_S) -> Alignment | None:
    size = frame_frames(RATE_HZ, max_delay_s)
    starts = range(2_000, len(first) - size, len(first) // 24)
    lines = [tuple(audio[at : at + size].T.astype(np.float32) for audio in (first, second)) for at in starts]
    return aligned(lines, RATE_HZ, max_delay_s)


@pytest.mark.parametrize("frames", [0.0, 0.5, 3.3, -17.25, 480.1, -960.0])
@pytest.mark.parametrize("below_db", [40.0, 0.0])
def test_a_delay_is_found_with_its_parts_of_a_frame_under_noise(frames, below_db):
    source = noise(seconds=6.0, rate_hz=RATE_HZ, channels=1)
    second = delayed(source, frames) + to_gain(-below_db) * noise(seconds=6.0, rate_hz=RATE_HZ, channels=1, seed=2)
    assert found(source, second).delay_frames == pytest.approx(frames, abs=DELAY_FRAMES)


def test_music_is_enough_to_tell_a_delay():
    source = music(seconds=6.0, rate_hz=RATE_HZ, channels=1)
    assert found(source, delayed(source, 100.4)).delay_frames == pytest.approx(100.4, abs=DELAY_FRAMES)


@pytest.mark.parametrize("gain", [2.0, -0.5])
def test_gain_and_polarity_are_those_of_the_second(gain):
    source = music(seconds=4.0, rate_hz=RATE_HZ)
    alignment = found(source, gain * delayed(source, 12.0))
    assert alignment.gain_db == pytest.approx(20.0 * np.log10(abs(gain)), abs=0.1)
    assert alignment.correlation == pytest.approx(np.sign(gain), abs=1e-3)
    assert alignment.residual_db < -30.0


def test_what_is_left_is_what_the_first_does_not_explain():
    source, other = (noise(seconds=6.0, rate_hz=RATE_HZ, channels=1, seed=seed) for seed in (1, 2))
    alignment = found(source, source + to_gain(-6.0) * other)
    assert alignment.residual_db == pytest.approx(10.0 * np.log10(0.2512 / 1.2512), abs=0.2)


def test_a_channel_is_found_in_both_channels_of_another():
    source = noise(seconds=4.0, rate_hz=RATE_HZ, channels=1)
    assert found(source, np.repeat(delayed(source, 40.0), 2, axis=1)).delay_frames == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_unrelated_noises_agree_on_nothing(seed):
    one, other = (noise(seconds=6.0, rate_hz=RATE_HZ, channels=1, seed=2 * seed + k) for k in (10, 11))
    alignment = found(one, other)
    assert alignment.stable_ratio < 0.3 and abs(alignment.correlation) < 0.05


def test_silence_has_no_alignment():
    assert found(np.zeros((96_000, 1)), noise(seconds=2.0, rate_hz=RATE_HZ, channels=1)) is None


def test_a_long_delay_takes_long_frames():
    source = noise(seconds=12.0, rate_hz=RATE_HZ, channels=1)
    assert found(source, delayed(source, 9_600.0), 0.25).delay_frames == pytest.approx(9_600.0, abs=DELAY_FRAMES)
