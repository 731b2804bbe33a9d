"""The faults that detectors are tried on: each is what it says, where it says, and the same for the same seed."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from dsp.audio import Audio, to_gain
from tests.makers import RATE_HZ, music, noise, sine

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
faults: Any = importlib.import_module("faults")
FAULTS: dict[str, Any] = faults.FAULTS

MUSIC = music(seconds=8.0, channels=1) * [1.0, 0.8] + music(seconds=8.0, seed=2, level_dbfs=-32.0)
"""Stereo whose middle is louder than its sides, with bass from 110 Hz up."""

BRIGHT = MUSIC + soxr.resample(noise(seconds=8.0, rate_hz=32_000), 32_000, RATE_HZ)
"""With treble up to 16 kHz, so that it can have peaks between its samples."""


def spoilt(name: str, size: float, audio: Audio = MUSIC, seed: int = 1) -> Any:
    """What a fault of the table makes of audio."""
    return FAULTS[name].inject(audio, RATE_HZ, size, np.random.default_rng(seed))


def level_db(audio: Audio) -> float:
    """Root mean square in dB re full scale."""
    return float(10.0 * np.log10(np.square(audio).mean()))


def correlation(audio: Audio) -> float:
    """Of left and right."""
    return float(np.corrcoef(audio.T)[0, 1])


@pytest.mark.parametrize("name", [name for name in FAULTS if not name.startswith("through")])
def test_the_same_seed_makes_the_same_fault_and_leaves_the_music_alone(name: str) -> None:
    before = MUSIC.copy()
    audio = BRIGHT[: 3 * RATE_HZ] if name == "inter-sample overs" else MUSIC
    first, again = (spoilt(name, FAULTS[name].stated, audio) for _ in range(2))
    assert first.audio.tobytes() == again.audio.tobytes() and first.at_s == again.at_s
    assert np.isfinite(first.audio).all()
    assert first.audio.shape != audio.shape or not np.array_equal(first.audio, audio)
    assert np.array_equal(before, MUSIC)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_stated_at_one_of_its_sizes(name: str) -> None:
    assert FAULTS[name].stated in FAULTS[name].sizes


def test_places_sound_and_lie_apart_from_each_other_and_from_both_ends() -> None:
    audio = np.concatenate([MUSIC, np.zeros((4 * RATE_HZ, 2)), MUSIC])
    places = np.array(faults.sounding_places(audio, RATE_HZ, np.random.default_rng(3), 8)) / RATE_HZ
    assert len(places) >= 5
    assert np.diff(places).min() >= 1.0
    assert places.min() >= 1.0 and places.max() <= len(audio) / RATE_HZ - 1.0
    assert not ((places > 8.0) & (places < 12.0)).any()


def test_silence_has_no_place_to_spoil() -> None:
    with pytest.raises(faults.UnsuitableError, match="no place sounds"):
        spoilt("clicks", 6, np.zeros((8 * RATE_HZ, 2)))


def test_clipping_cuts_flat_tops_at_full_scale() -> None:
    audio = spoilt("clipped", 3).audio
    whole = MUSIC * (to_gain(3.0) / np.abs(MUSIC).max())
    assert 1.0 == np.abs(audio).max()
    assert np.array_equal(np.abs(whole) >= 1.0, np.abs(audio) == 1.0)
    assert (np.abs(audio) == 1.0).sum() > 3


def test_clipping_that_was_turned_down_keeps_its_flat_tops_at_a_lower_level() -> None:
    audio = spoilt("clipped and turned down", 3).audio
    top = np.abs(audio).max()
    assert -6.01 < 20.0 * math.log10(top) < -0.99
    assert (np.abs(audio) > top - 2.0**-22).sum() > 3
    assert np.array_equal(audio, np.rint(audio * 2**23) / 2**23)


@pytest.mark.parametrize("size_dbtp", [0.5, 1.0])
def test_overs_lie_between_the_samples(size_dbtp: float) -> None:
    audio = spoilt("inter-sample overs", size_dbtp, BRIGHT[: 3 * RATE_HZ]).audio
    between = soxr.resample(audio, RATE_HZ, 16 * RATE_HZ, "VHQ")
    assert np.abs(audio).max() < 1.0
    assert size_dbtp == pytest.approx(20.0 * math.log10(np.abs(between).max()), abs=0.05)


def test_a_limiter_and_a_soft_clipper_take_the_peaks_off_loud_music() -> None:
    crest_db = 20.0 * math.log10(np.abs(MUSIC).max()) - level_db(MUSIC)
    for name in ("limited", "soft clipped"):
        audio = spoilt(name, 12).audio
        assert np.abs(audio).max() <= 1.0
        assert 20.0 * math.log10(np.abs(audio).max()) - level_db(audio) < crest_db - 5.0


def test_an_offset_moves_the_mean_of_a_channel_by_its_level() -> None:
    moved = (spoilt("constant offset", -40.0).audio - MUSIC).mean(axis=0)
    assert 0.01 == pytest.approx(np.abs(moved).max())
    assert moved.tolist() == pytest.approx([moved[0], moved[0]]) or 0.0 == pytest.approx(moved[1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [12.0, -20.0])
def test_a_click_stands_out_of_the_level_around_it_as_far_as_it_says(level: float, seed: int) -> None:
    found = spoilt("clicks", level, seed=seed)
    added = found.audio - MUSIC
    half = round(0.025 * RATE_HZ)
    assert found.at_s
    for at_s in found.at_s:
        at = round(at_s * RATE_HZ)
        rms = np.sqrt(np.square(MUSIC[at - half : at + half]).mean(axis=0))
        peaks = np.abs(added[at : at + 8]).max(axis=0) / rms
        assert to_gain(level) == pytest.approx(peaks.max(), rel=0.01)
        added[at : at + 8] = 0.0
    assert 0.0 == np.abs(added).max()


def test_dropouts_are_zero_where_and_as_long_as_they_say_and_nowhere_else() -> None:
    found = spoilt("dropouts", 0.05)
    changed = (found.audio != MUSIC).any(axis=1)
    assert found.at_s
    for at_s in found.at_s:
        at, frames = round(at_s * RATE_HZ), round(0.05 * RATE_HZ)
        assert (found.audio[at : at + frames] == 0.0).all(axis=0).any()
        changed[at : at + frames] = False
    assert not changed.any()


def test_a_burst_of_noise_has_its_level_against_what_surrounds_it() -> None:
    tone = sine(500.0, seconds=6.0, level_dbfs=-20.0)
    found = spoilt("noise bursts", 6.0, tone)
    added = found.audio - tone
    for at_s in found.at_s:
        at = round(at_s * RATE_HZ)
        burst = added[at : at + round(0.01 * RATE_HZ)]
        loudest = burst[:, np.square(burst).sum(axis=0).argmax()]
        assert level_db(tone) + 6.0 == pytest.approx(level_db(loudest), abs=1.0)


def test_a_cut_start_and_a_cut_end_are_the_rest_of_the_music_at_the_level_they_say() -> None:
    edge = round(0.005 * RATE_HZ)
    started, ended = spoilt("abrupt start", -12.0).audio, spoilt("abrupt end", -12.0).audio
    assert np.array_equal(MUSIC[-len(started) :], started) and len(started) < len(MUSIC)
    assert np.array_equal(MUSIC[: len(ended)], ended) and len(ended) < len(MUSIC)
    assert -12.0 == pytest.approx(20.0 * math.log10(np.abs(started[:edge]).max()), abs=2.0)
    assert -12.0 == pytest.approx(20.0 * math.log10(np.abs(ended[-edge:]).max()), abs=2.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_silence_before_inside_and_after_the_music_is_as_long_as_it_says(seed: int) -> None:
    frames = round(2.0 * RATE_HZ)
    before, after = spoilt("silence before", 2.0, seed=seed).audio, spoilt("silence after", 2.0, seed=seed).audio
    inside = spoilt("silence inside", 2.0, seed=seed)
    at = round(inside.at_s[0] * RATE_HZ)
    assert np.array_equal(MUSIC, before[frames:]) and np.array_equal(MUSIC, after[:-frames])
    assert np.array_equal(MUSIC, np.concatenate([inside.audio[:at], inside.audio[at + frames :]]))
    for quiet in (before[:frames], after[-frames:], inside.audio[at : at + frames]):
        assert np.square(quiet).mean() <= 1.1e-8


@pytest.mark.parametrize("seed", range(6))
def test_hum_has_its_level_and_stands_on_harmonics_of_the_mains(seed: int) -> None:
    wave = spoilt("hum", -50.0, seed=seed).audio - MUSIC
    spectrum = np.abs(np.fft.rfft(wave[: 4 * RATE_HZ, 0] * np.hanning(4 * RATE_HZ)))
    strongest_hz = float(spectrum.argmax()) / 4.0
    assert -50.0 == pytest.approx(level_db(wave), abs=0.05)
    assert min(abs(strongest_hz - hz) for hz in (50.0, 60.0, 100.0, 120.0)) <= 0.25


def test_a_mono_mix_is_the_same_on_both_sides_but_for_its_level() -> None:
    audio = spoilt("dual mono", 0.5).audio
    assert np.array_equal(MUSIC[:, 0], audio[:, 0]) and np.array_equal(0.5 * audio[:, 0], audio[:, 1])


def test_a_missing_channel_is_silent_and_a_weak_one_is_lower() -> None:
    missing, noisy = spoilt("missing channel", -math.inf).audio, spoilt("missing channel", -80.0).audio
    assert 0.0 == np.square(missing).sum(axis=0).min() and 0.0 < np.square(missing).sum(axis=0).max()
    assert -80.0 == pytest.approx(min(level_db(line) for line in noisy.T), abs=0.1)
    weak = spoilt("weak channel", 12.0).audio
    assert np.array_equal(MUSIC[:, 0], weak[:, 0])
    assert -12.0 == pytest.approx(level_db(weak[:, 1]) - level_db(MUSIC[:, 1]))


def test_an_inverted_channel_turns_the_correlation_over() -> None:
    assert np.allclose(MUSIC * [1.0, -1.0], spoilt("inverted", 1.0).audio)
    assert -1.0 == pytest.approx(correlation(spoilt("inverted", 0.0).audio))


def test_inverted_bass_is_out_of_step_and_leaves_what_lies_above_in_step() -> None:
    bass, high = sine(60.0, seconds=4.0), sine(1000.0, seconds=4.0)
    audio = spoilt("inverted bass", 150.0, bass + high).audio
    tones = np.abs(np.fft.rfft(audio[RATE_HZ : 3 * RATE_HZ] @ [0.5, 0.5]))
    assert tones[120] < 0.01 * tones[2000]
    with pytest.raises(faults.UnsuitableError, match="no bass"):
        spoilt("inverted bass", 150.0, high)


def test_fewer_bits_leave_the_last_ones_empty() -> None:
    audio = spoilt("fewer bits", 16).audio
    assert np.array_equal(np.rint(audio * 2**15) / 2**15, audio)
    assert np.abs(audio - MUSIC).max() < 1.51 * 2.0**-15


@pytest.mark.parametrize("rate_hz", [88_200, 192_000])
def test_upsampled_music_has_the_new_rate_and_nothing_above_the_old_one(rate_hz: int) -> None:
    found = spoilt("upsampled", rate_hz, noise(seconds=3.0))
    power = np.square(np.abs(np.fft.rfft(found.audio[:, 0] * np.hanning(len(found.audio)))))
    freqs_hz = np.fft.rfftfreq(len(found.audio), 1.0 / rate_hz)
    assert rate_hz == found.rate_hz
    assert 3.0 == pytest.approx(len(found.audio) / rate_hz, abs=0.01)
    assert power[freqs_hz > 25_000.0].mean() < 1e-9 * power[freqs_hz < 20_000.0].mean()


@pytest.mark.parametrize("name", ["through MP3", "through Vorbis", "through Opus"])
def test_lossy_coders_lose_more_the_fewer_bits_they_have_and_keep_the_music(name: str) -> None:
    audio = noise(seconds=3.0, level_dbfs=-30.0) + MUSIC[: 3 * RATE_HZ]
    poor, rich = (spoilt(name, size, audio) for size in (FAULTS[name].sizes[0], FAULTS[name].sizes[-1]))
    highs = [_share_above(found.audio, found.rate_hz, 16_500.0) for found in (poor, rich)]
    assert highs[0] < highs[1]
    assert level_db(audio) == pytest.approx(level_db(rich.audio), abs=1.0)


def _share_above(audio: Audio, rate_hz: int, hz: float) -> float:
    power = np.square(np.abs(np.fft.rfft(audio[:, 0])))
    return float(power[round(hz * len(audio) / rate_hz) :].sum() / power.sum())
