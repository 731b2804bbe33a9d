"""Clicks are found where they are, however faint against tones; strokes, onsets and clipped peaks are not clicks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dsp.audio import Audio, to_gain
from dsp.detectors.clicks import ClickDetector
from dsp.detectors.segments import Segments
from dsp.detectors.sightings import Sightings
from dsp.windows import WINDOW_FRAMES, Windows
from tests.dsp.detectors.segmented import BARE, CLEAN, RATES_HZ, drums, heard
from tests.dsp.signals import square
from tests.makers import RATE_HZ, music, sine

PLACES_S = (0.3, 0.3715, 0.743, 1.2, 1.9, 2.6, 3.3)  # the second and third next to the edge of a window
WITHIN_S = 0.001


def clicks(audio: Audio, rate_hz: int = RATE_HZ) -> Sightings:
    return heard(ClickDetector(rate_hz, audio.shape[1]), audio, rate_hz)


def clicked(
    audio: Audio, *, samples: int = 3, level_db: float = 12.0, rate_hz: int = RATE_HZ, channel: int | None = None
) -> Audio:
    """Random samples added at PLACES_S, their peak at a level against the rms of the whole."""
    rng, out = np.random.default_rng(8), audio.copy()
    for place_s in PLACES_S:
        shape = rng.uniform(0.3, 1.0, samples) * rng.choice([-1.0, 1.0], samples)
        shape *= to_gain(level_db) * np.sqrt(np.square(audio).mean()) / np.abs(shape).max()
        at = round(place_s * rate_hz)
        out[at : at + samples, slice(None) if channel is None else channel] += (
            shape[:, None] if channel is None else shape
        )
    return out


@pytest.mark.parametrize("samples", [1, 2, 4, 8])
@pytest.mark.parametrize("level_db", [18.0, 12.0])
def test_every_click_is_found_where_it_is(samples, level_db):
    found = clicks(clicked(music(), samples=samples, level_db=level_db))
    assert len(PLACES_S) == found.count
    assert found.at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


@pytest.mark.parametrize("channel", [0, 1])
def test_a_click_in_one_channel_is_found(channel):
    assert clicks(clicked(music(), channel=channel)).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_a_click_in_both_channels_counts_once():
    assert len(PLACES_S) == clicks(clicked(music(channels=2))).count


@pytest.mark.parametrize("rate_hz", [32_000, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_place_is_right_at_every_rate(rate_hz, channels):
    audio = clicked(music(rate_hz=rate_hz, channels=channels), rate_hz=rate_hz)
    assert clicks(audio, rate_hz).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


@pytest.mark.parametrize("level_db", [-10.0, -25.0, -40.0])
def test_a_pure_tone_hides_no_click(level_db):
    audio = clicked(sine(440.0, level_dbfs=-6.0, seconds=4.0), level_db=level_db)
    assert clicks(audio).at_s == pytest.approx(PLACES_S, abs=WITHIN_S)


def test_a_click_in_silence_is_a_click():
    audio = np.zeros((4 * RATE_HZ, 2))
    audio[60_000, 1] = 0.1
    assert clicks(audio) == Sightings(1, pytest.approx(60.0, abs=0.1), (round(60_000 / RATE_HZ, 3),))


def test_a_louder_click_is_a_larger_one():
    soft, loud = (clicks(clicked(music(), samples=1, level_db=level_db)).worst for level_db in (12.0, 24.0))
    assert soft + 12.0 == pytest.approx(loud, abs=3.0)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_sound_has_none(name):
    assert Sightings() == clicks(CLEAN[name])


@pytest.mark.parametrize("hz", [30.0, 110.0, 997.0])
def test_the_edges_of_a_square_wave_are_no_clicks(hz):
    assert Sightings() == clicks(square(hz, amplitude=0.3, seconds=3.0))


@pytest.mark.parametrize("over_db", [0.1, 1.0, 3.0])
def test_a_clipped_peak_is_no_click(over_db):
    audio = music(level_dbfs=-20.0, seconds=8.0)
    assert Sightings() == clicks(np.clip(audio * to_gain(over_db) / np.abs(audio).max(), -1.0, 1.0))


@pytest.mark.parametrize("gain", [1.0, 0.891, 0.5, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_peaks_clipped_and_then_turned_down_are_no_clicks(gain, seed):
    audio = music(level_dbfs=-14.0, seconds=8.0, seed=seed) + 0.8 * drums(seconds=8.0, seed=seed)
    assert Sightings() == clicks(gain * np.clip(audio, -0.5, 0.5))


def test_a_click_in_clipped_music_is_found():
    audio = np.clip(music(level_dbfs=-14.0, seconds=8.0), -0.3, 0.3)
    audio[100_000:100_003, 0] += (0.5, -0.4, 0.3)
    assert clicks(audio).at_s == (pytest.approx(100_000 / RATE_HZ, abs=WITHIN_S),)


def test_the_edge_of_a_dropout_is_no_click():
    audio = music()
    audio[88_200:101_430] = 0.0
    segments, detector = Segments(RATE_HZ, 2), ClickDetector(RATE_HZ, 2)
    for lines in (lines.copy() for lines in Windows(2).push(audio)):
        segments.push(lines)
        detector.push(segments)
    assert detector.finish([88_200, 101_430]).count == 0


def test_strokes_that_keep_time_are_music():
    audio, steps = sine(441.0, seconds=12.0), np.random.default_rng(1).choice(90, 20, replace=False)
    for step in steps:
        audio[10_000 + step * 5_000] += 0.5
    assert Sightings() == clicks(audio)


def test_clicks_that_come_back_with_every_turn_of_a_record_are_clicks():
    audio = sine(441.0, seconds=20.0)
    audio[20_000 :: round(1.8 * RATE_HZ)] += 0.5
    assert 11 == clicks(audio).count


def test_neither_end_of_a_track_is_a_click():
    audio = music() + 0.2
    assert Sightings() == clicks(audio)


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_bare_sound_is_borne_in_silence(name, rate_hz):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = clicks(BARE[name], rate_hz)
    assert (name == "an impulse") == found.count


def test_a_click_is_judged_alike_wherever_it_lies_in_a_window():
    tone, sizes = sine(441.0, seconds=2.0), []
    for at in range(WINDOW_FRAMES - 400, WINDOW_FRAMES + 400, 100):  # whole periods apart
        audio = tone.copy()
        audio[at] += 0.05
        sizes.append(clicks(audio).worst)
    assert min(sizes) == pytest.approx(max(sizes), abs=1.0)
