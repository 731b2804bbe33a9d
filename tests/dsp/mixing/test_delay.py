"""The delay moves a sound by what it was told, to a hundredth of a frame, and changes nothing else of it."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process, start_stage
from dsp.settings import DelaySettings
from tests.dsp.signals import EBU_HZ, level_db
from tests.makers import music, noise

ACCURACY_FRAMES = 0.01
FLATNESS_DB = 0.02  # to 0.4 of the rate


def delayed(audio: Audio, frames: float) -> Audio:
    return process(audio, EBU_HZ, DelaySettings(delay_frames=frames))


@pytest.mark.parametrize("frames", [0.0, -0.0, 1.0, 63.0, -63.0, 20_000.0, -20_000.0])
def test_whole_frames_move_without_the_change_of_a_bit(frames):
    audio = noise(seconds=1.0, rate_hz=EBU_HZ)
    shift = int(frames)
    expected = np.zeros_like(audio)
    expected[max(0, shift) : len(audio) + min(0, shift)] = audio[max(0, -shift) : len(audio) - max(0, shift)]
    assert np.array_equal(expected, delayed(audio, frames))


@pytest.mark.parametrize("frames", [0.01, 0.25, 0.5, 0.999, 7.3, 480.75, -0.4, -12.6, -300.5])
@pytest.mark.parametrize("of_rate", [0.001, 0.05, 0.2, 0.3, 0.4])
def test_a_tone_is_late_by_so_many_frames_and_as_loud_as_before(frames, of_rate):
    time_frames = np.arange(6_000)
    out = delayed(np.sin(2.0 * np.pi * of_rate * time_frames)[:, None], frames)[1_000:5_000, 0]
    turn = np.exp(-2j * np.pi * of_rate * time_frames[1_000:5_000])
    waves = np.stack([turn.real, -turn.imag], axis=1)
    of_cosine, of_sine = np.linalg.lstsq(waves, out, rcond=None)[0]
    late_frames = -np.angle((of_sine + 1j * of_cosine) * np.exp(2j * np.pi * of_rate * frames)) / (2 * np.pi * of_rate)
    assert abs(late_frames) < ACCURACY_FRAMES
    assert abs(level_db(float(np.hypot(of_sine, of_cosine)))) < FLATNESS_DB


def test_there_and_back_again_gives_the_sound_back():
    audio = music(rate_hz=EBU_HZ, seconds=1.0)
    audio = np.concatenate([np.zeros((100, 2)), audio, np.zeros((100, 2))])
    spectrum = np.fft.rfft(audio, axis=0)
    spectrum[int(0.4 * len(audio)) :] = 0.0  # an interpolator is none at the very top of the band
    audio = np.fft.irfft(spectrum, len(audio), axis=0)
    rest = (delayed(delayed(audio, 10.4), -10.4) - audio)[200:-200]
    assert level_db(float(np.abs(rest).max() / np.abs(audio).max())) < -65.0


def test_only_what_must_be_heard_first_is_held_back():
    latencies = [start_stage(DelaySettings(delay_frames=n), EBU_HZ, 1).latency for n in (5.0, -5.0, 0.5, 40.5, -5.5)]
    assert latencies == [0, 5, 31, 0, 37]
