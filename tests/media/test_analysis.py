"""One pass over a file gives every figure; what has no meaning is null, and memory does not grow with the track."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
import soundfile

from dsp.detectors.sightings import Sightings
from dsp.gating import integrated_lufs
from media.analysis import analyse
from media.meters import OVERVIEW_POINTS
from schemas.errors import TrackError
from tests.makers import music, noise, sine, write
from tests.media.oracle import loudness_lufs

LOUDNESS_TOLERANCE_LU = 0.05
"""Two implementations of BS.1770 with other rounding of block edges."""
MEMORY_ALLOWED_MIB = 64  # law 2
LONG_S, SHORT_S = 7_200, 240
SILENCE = np.zeros((44_100, 2))
ANALYSE_AND_RENDER = r"""
import re, sys
from pathlib import Path
from media.analysis import analyse
from tests.media.plans import planned
from media.rendering import render_track
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
render_track(planned(source, gain_db=9.0), folder)
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
"""Asks the kernel for the peak of this program alone: `ru_maxrss` also holds that of the process that started it."""


def figures(path, audio, **options):
    return analyse(write(path, audio, **options)).figures


def test_a_sine_reads_its_known_figures(tmp_path):
    found = figures(tmp_path / "a.wav", sine(997, level_dbfs=-20, seconds=4))
    assert (
        found.integrated_lufs, found.max_momentary_lufs, found.max_short_term_lufs, found.sample_peak_dbfs,
        found.true_peak_dbtp, found.plr_lu, found.crest_db, found.correlation, found.width_ratio, found.dc_ratio,
    ) == pytest.approx((-20, -20, -20, -20, -20, 0, 3.01, 1, 0, 0), abs=0.01)  # fmt: skip


def test_a_sine_sounds_in_its_third_octave(tmp_path):
    spectrum = figures(tmp_path / "a.wav", sine(1_000, level_dbfs=-20, seconds=4)).spectrum_db
    assert (len(spectrum), spectrum[17], max(spectrum)) == (31, pytest.approx(-23.01, abs=0.01), spectrum[17])


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_the_loudness_of_music_is_that_of_another_meter(tmp_path, rate_hz):
    audio = music(seconds=6, rate_hz=rate_hz)
    found = figures(tmp_path / "a.wav", audio, rate_hz=rate_hz)
    assert found.integrated_lufs == pytest.approx(loudness_lufs(audio, rate_hz), abs=LOUDNESS_TOLERANCE_LU)


def test_gating_blocks_pool_to_the_integrated_loudness(tmp_path):
    found = analyse(write(tmp_path / "a.flac", music()))
    assert integrated_lufs(found.gating) == pytest.approx(found.figures.integrated_lufs, abs=1e-6)


def test_opposite_channels_are_told_by_their_correlation(tmp_path):
    found = figures(tmp_path / "a.wav", sine(440) * [1.0, -1.0])
    assert (found.correlation, found.width_ratio) == (pytest.approx(-1.0), None)


def test_mono_has_no_stereo_figures(tmp_path):
    found = figures(tmp_path / "a.wav", sine(440, channels=1))
    assert (found.correlation, found.width_ratio) == (None, None)


def test_an_offset_is_found_in_its_channel(tmp_path):
    found = analyse(write(tmp_path / "a.wav", sine(441) + np.array([0.0, 0.01])))
    assert found.offset_ratio == pytest.approx((0.0, 0.01), abs=1e-6)


def test_flat_tops_are_counted_and_placed(tmp_path):
    audio = 0.5 * sine(441, level_dbfs=0.0)
    audio[22_050:22_054, 0] = audio[33_075:33_080, 1] = 1.0
    found = analyse(write(tmp_path / "a.wav", audio)).detected
    assert found.flat_tops == Sightings(2, 5.0, (0.5, 0.75))
    assert found.flat_tops_dbfs == pytest.approx(0.0, abs=1e-5)  # the highest of 24 bits


@pytest.mark.parametrize("audio", [SILENCE, SILENCE[:, :1], SILENCE[:1], SILENCE[:0]])
def test_silence_has_no_levels_at_all(tmp_path, audio):
    found = msgspec.to_builtins(figures(tmp_path / "a.wav", audio))
    values = {name: value if isinstance(value, tuple) else (value,) for name, value in found.items()}
    assert {name for name, parts in values.items() if {*parts} - {None, 0.0}} == set()


@pytest.mark.parametrize("frames", [0, 1, 2, 440, 441, 17_639, 17_640, 17_641, 44_100])
def test_no_figure_is_nan_or_infinite_however_short_the_track(tmp_path, frames):
    found = msgspec.to_builtins(analyse(write(tmp_path / "a.wav", noise()[:frames])))
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(msgspec.json.encode(found))


@pytest.mark.parametrize("scale", [2.0**15, 2.0**23, 1e30, 1e38, 1e200])
def test_floats_that_are_no_sound_are_refused(tmp_path, scale):
    """Integers stored as floats, or bytes read as floats: finite, but nothing that a meter was made for."""
    path = write(tmp_path / "a.wav", noise() * scale, subtype="DOUBLE")
    with pytest.raises(TrackError, match=r"\S"):
        analyse(path)


def test_one_sample_has_a_peak_and_no_loudness(tmp_path):
    found = figures(tmp_path / "a.wav", np.full((1, 2), 0.5))
    assert (found.sample_peak_dbfs, found.integrated_lufs, found.plr_lu) == (pytest.approx(-6.02, abs=0.01), None, None)


def test_loudness_range_waits_for_a_minute_of_music(tmp_path):
    audio = np.concatenate([noise(level_dbfs=-30, seconds=30), noise(level_dbfs=-20, seconds=30)])
    found = figures(tmp_path / "a.wav", audio), figures(tmp_path / "b.wav", audio[1:])
    assert (found[0].loudness_range_lu, found[1].loudness_range_lu) == (pytest.approx(10.0, abs=0.1), None)


def test_more_channels_than_a_meter_has_weights_for_are_refused(tmp_path):
    with pytest.raises(TrackError, match="32 channels; 1 to 6 can be measured"):
        analyse(write(tmp_path / "a.wav", noise(channels=32, seconds=0.5)))


@pytest.mark.parametrize("seconds", [0.009, 0.5, 3.99, 4.0, 9.5])
def test_the_overview_has_at_most_400_points(tmp_path, seconds):
    found = analyse(write(tmp_path / "a.wav", noise(seconds=seconds))).overview
    assert len(found.low) == len(found.high) <= OVERVIEW_POINTS == 400


@pytest.mark.parametrize("frame", [0, 1, 123_456, 396_899])
def test_the_overview_shows_the_peak_wherever_it_is(tmp_path, frame):
    audio = noise(level_dbfs=-40, seconds=9)
    audio[frame] = (0.75, -0.5)
    found = analyse(write(tmp_path / "a.wav", audio)).overview
    assert (max(found.high), min(found.low)) == (0.75, -0.5)


def test_the_overview_tells_the_short_term_loudness_beside_each_point(tmp_path):
    found = analyse(write(tmp_path / "a.wav", sine(997, level_dbfs=-20, seconds=9))).overview
    assert found.short_term_lufs == pytest.approx([-20.0] * OVERVIEW_POINTS, abs=0.02)


def test_two_analyses_of_a_file_are_equal_to_the_bit(tmp_path):
    path = write(tmp_path / "a.flac", music())
    assert msgspec.json.encode(analyse(path)) == msgspec.json.encode(analyse(path))


def test_the_container_does_not_change_a_figure(tmp_path):
    audio = music()
    assert figures(tmp_path / "a.flac", audio) == figures(tmp_path / "a.wav", audio)


def test_an_analysis_survives_its_journey(tmp_path):
    found = analyse(write(tmp_path / "a.flac", music()))
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_two_hours_need_at_most_64_mib_more_than_four_minutes(tmp_path):
    short, long = (_peak_mib(tmp_path, seconds) for seconds in (SHORT_S, LONG_S))
    assert long - short <= MEMORY_ALLOWED_MIB


def _peak_mib(folder, seconds):
    """Peak resident memory of a process that analyses and renders a file of so many seconds."""
    path = folder / "long.wav"
    with soundfile.SoundFile(path, "w", 44_100, 2, "PCM_16") as handle:
        for start in range(0, seconds, 10):
            handle.write(noise(seconds=10.0, seed=start % 7))
    try:
        ran = subprocess.run(
            [sys.executable, "-c", ANALYSE_AND_RENDER, str(path), str(folder)],
            check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
    finally:
        for made in folder.iterdir():
            made.unlink()
    return int(ran.stdout)


def test_minutes_are_told_in_seconds(tmp_path):
    assert math.isclose(analyse(write(tmp_path / "a.wav", noise(seconds=1.5))).format.duration_s, 1.5)


@pytest.mark.parametrize("rate_hz", [1_000, 7_999, 400_000])
def test_a_rate_that_no_meter_was_made_for_is_refused(tmp_path, rate_hz):
    with pytest.raises(TrackError, match="RATE_UNSUPPORTED"):
        analyse(write(tmp_path / "a.wav", noise(seconds=0.1), rate_hz))
