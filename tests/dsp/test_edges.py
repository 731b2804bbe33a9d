"""Whether the music of two tracks runs on across the cut between them is heard, not guessed."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.edge_meter import EDGE_S, EdgeMeter
from dsp.edges import FORETOLD_FRAMES, Edge, runs_on
from tests.makers import RATE_HZ, music, sine

QUIET_RATIO = 0.003  # -50 dBFS, as in the decisions


def edges(audio: Audio) -> tuple[Edge, Edge]:
    meter = EdgeMeter(RATE_HZ, audio.shape[1])
    meter.push(audio)
    return meter.edges()


def runs_across(one: Audio, other: Audio) -> bool:
    return runs_on(edges(one)[1], edges(other)[0], QUIET_RATIO)


def fade(audio: Audio, seconds: float = 0.5) -> Audio:
    ramp = np.linspace(1.0, 0.0, round(seconds * RATE_HZ))[:, None]
    return np.concatenate([audio[: -len(ramp)], audio[-len(ramp) :] * ramp])


# Cuts away from the onsets, which stand at every quarter of a second.
CUTS = [frame + 11_025 * number for number, frame in enumerate((3_000, 5_000, 7_500, 9_000, 10_500), 2)]


@pytest.mark.parametrize("at", CUTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cut_through_sounding_music_is_found(at, seed):
    audio = music(level_dbfs=-18.0, seed=seed)
    assert runs_across(audio[:at], audio[at:])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_cut_through_a_chord_is_found(channels):
    chord = sum(sine(hz, seconds=1.0, channels=channels) for hz in (110.0, 164.8, 220.0, 277.2))
    assert runs_across(chord[:20_011], chord[20_011:])


def shares_that_run_on(pieces: int = 16, cuts: int = 3) -> tuple[float, float]:
    """Of pieces cut while they sound: the share of true seams that are found, and of foreign ends that are taken for one."""
    draw = np.random.default_rng(0)
    tails, heads = [], []
    for seed in range(pieces):
        audio = music(level_dbfs=-18.0, seed=seed)
        for at in draw.integers(20_000, 150_000, cuts):
            tails.append(edges(audio[:at])[1])
            heads.append(edges(audio[at:])[0])
    found = np.array([[runs_on(tail, head, QUIET_RATIO) for head in heads] for tail in tails])
    foreign = np.arange(len(tails))[:, None] // cuts != np.arange(len(tails)) // cuts
    return float(np.diag(found).mean()), float(found[foreign].mean())


def test_seams_are_found_and_unrelated_pieces_hardly_ever_run_on():
    true_share, foreign_share = shares_that_run_on()
    assert true_share >= 0.9
    # Worst material for a predictor: notes over noise. A join too many costs nothing that can be heard, one too few does.
    assert foreign_share <= 0.12


def test_a_faded_end_does_not_run_on():
    audio = music(level_dbfs=-18.0)
    assert not runs_across(fade(audio[:44_100]), audio[44_100:])


def test_music_after_silence_does_not_run_on():
    audio = music(level_dbfs=-18.0)
    assert not runs_across(np.concatenate([audio[:30_000], np.zeros((4_410, 2))]), audio[30_000:])


def test_two_silences_do_not_run_on():
    assert not runs_across(np.zeros((44_100, 2)), np.zeros((44_100, 2)))


def test_a_repeat_of_the_same_track_does_not_run_on():
    audio = music(level_dbfs=-18.0)[:40_000]
    assert not runs_across(audio, audio)


def test_the_music_must_run_on_in_every_channel():
    audio = music(level_dbfs=-18.0)
    one, other = audio[:40_000], audio[40_000:].copy()
    other[:, 1] += 0.3
    assert runs_across(one, audio[40_000:])
    assert not runs_across(one, other)


def test_mono_does_not_run_on_into_stereo():
    audio = music(level_dbfs=-18.0)
    assert not runs_across(audio[:40_000, :1], audio[40_000:])


@pytest.mark.parametrize("frames", [0, 1, 2, FORETOLD_FRAMES - 1, 63, 64])
def test_what_is_too_short_to_foretell_does_not_run_on(frames):
    audio = music(level_dbfs=-18.0)
    assert not runs_across(audio[:frames], audio[frames:])


def test_the_edges_are_the_first_and_last_frames():
    audio = music(level_dbfs=-18.0)
    head, tail = edges(audio)
    window = round(EDGE_S * RATE_HZ)
    assert np.array_equal(audio[:FORETOLD_FRAMES].T, head.samples)
    assert np.array_equal(audio[-len(tail.samples[0]) :].T, tail.samples)
    assert np.sqrt(np.square(audio[-window:]).mean()) == pytest.approx(tail.rms_ratio, rel=1e-12)
