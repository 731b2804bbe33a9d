"""Another rate, the same music: flat, without images, as long as it should be, and not moved in time."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.resampler import resampled_frames
from dsp.settings import ResamplerSettings
from tests.dsp.signals import distortion_db, faded, level_db, without_tone
from tests.makers import music, noise, sine

# standards 6.3
RIPPLE_DB = 0.01
ALIAS_DB = -140.0
DISTORTION_DB = -150.0
ROUND_TRIP_DB = {(44_100, 96_000): -90.0, (48_000, 96_000): -180.0}


def resampled(audio: Audio, from_hz: int, to_hz: int) -> Audio:
    return process(audio, from_hz, ResamplerSettings(rate_hz=to_hz))


def middle(audio: Audio) -> Audio:
    """Without the ends, where a tone that begins hard excites the filter."""
    return audio[len(audio) // 4 : -len(audio) // 4]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(96_000, 44_100), (48_000, 44_100), (44_100, 48_000)])
@pytest.mark.parametrize("hz", [20.0, 997.0, 10_000.0, 15_000.0, 18_000.0, 20_000.0])
def test_every_tone_to_20_khz_keeps_its_level(from_hz, to_hz, hz):
    out = resampled(sine(hz, level_dbfs=-6.0, seconds=1.0, rate_hz=from_hz, channels=1), from_hz, to_hz)
    _, amplitude = without_tone(middle(out)[:, 0], hz, to_hz)
    assert level_db(amplitude) == pytest.approx(-6.0, abs=RIPPLE_DB)


@pytest.mark.parametrize("hz", [23_500.0, 25_000.0, 30_000.0, 40_000.0, 44_100.0, 47_000.0])
def test_a_tone_beyond_the_new_rate_is_gone_not_folded(hz):
    tone = faded(sine(hz, level_dbfs=0.0, seconds=1.0, rate_hz=96_000, channels=1))
    assert level_db(float(np.abs(middle(resampled(tone, 96_000, 44_100))).max())) <= ALIAS_DB


@pytest.mark.parametrize(("from_hz", "to_hz"), [(96_000, 44_100), (48_000, 44_100), (44_100, 96_000)])
def test_a_tone_gains_neither_distortion_nor_noise(from_hz, to_hz):
    out = resampled(sine(997.0, level_dbfs=-1.0, seconds=2.0, rate_hz=from_hz, channels=1), from_hz, to_hz)
    assert distortion_db(middle(out)[:, 0], 997.0, to_hz) <= DISTORTION_DB


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(96_000, 44_100), (48_000, 44_100), (44_100, 96_000), (192_000, 44_100)]
)
def test_a_click_stays_where_it_was_and_symmetric(from_hz, to_hz):
    click = np.zeros((from_hz // 5, 1))
    click[from_hz // 10] = 1.0
    out, at = resampled(click, from_hz, to_hz)[:, 0], to_hz // 10
    assert int(np.abs(out).argmax()) == at
    around = out[at - 500 : at + 501]
    assert np.abs(around - around[::-1]).max() < 1e-7  # a shift of 1e-7 frames at the steepest slope


@pytest.mark.parametrize(("from_hz", "to_hz"), ROUND_TRIP_DB)
def test_there_and_back_is_the_same_music(from_hz, to_hz):
    audio = resampled(noise(seconds=2.0, rate_hz=36_000), 36_000, from_hz)  # to 18 kHz: where soxr is flat
    back = resampled(resampled(audio, from_hz, to_hz), to_hz, from_hz)
    null_db = level_db(float(np.linalg.norm(middle(back) - middle(audio)) / np.linalg.norm(middle(audio))))
    assert null_db <= ROUND_TRIP_DB[from_hz, to_hz]


def test_the_same_rate_passes_every_bit():
    audio = music()
    assert np.array_equal(audio, resampled(audio, 44_100, 44_100))


@pytest.mark.parametrize("frames", [1, 2, 3, 160, 44_099, 44_100, 44_101])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 44_100), (44_100, 48_000), (96_000, 44_100), (8_000, 384_000)])
def test_a_track_is_as_long_at_the_new_rate_to_the_nearest_frame(frames, from_hz, to_hz):
    expected = int(np.floor(frames * to_hz / from_hz + 0.5))
    assert expected == resampled_frames(frames, from_hz, to_hz)
    assert expected == len(resampled(np.resize(music(seconds=0.2), (frames, 2)), from_hz, to_hz))


def test_joined_tracks_have_together_as_many_frames_as_the_whole():
    ends = [0, 12_345, 33_333, 99_999]
    at_44k = [resampled_frames(end, 96_000, 44_100) for end in ends]
    assert at_44k[-1] == len(resampled(np.zeros((99_999, 1)), 96_000, 44_100))
    assert at_44k == sorted(at_44k)
