"""The declipper: peaks come back near where they were, and what was not clipped is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio, to_gain
from dsp.chain import process, render, start_stage
from dsp.detectors.flat_tops import FLAT_RATIO, FlatTopDetector
from dsp.settings import DeclipperSettings
from tests.makers import RATE_HZ, music, noise, sine

SETTINGS = DeclipperSettings(clip_dbfs=(0.0,))
GAIN_DB = 6.0  # asked for, in the median


def driven(audio: Audio, drive_db: float) -> Audio:
    """The audio with its peak so far above full scale."""
    return audio / np.abs(audio).max() * to_gain(drive_db)


def clipped(audio: Audio) -> Audio:
    return np.clip(audio, -1.0, 1.0)


def to_distortion_db(truth: Audio, found: Audio) -> float:
    """Power of the clipped samples over that of their error."""
    lost = np.abs(truth) >= 1.0
    return float(10.0 * np.log10(np.square(truth[lost]).sum() / np.square((truth - found)[lost]).sum()))


def gain_db(truth: Audio, settings: DeclipperSettings = SETTINGS) -> float:
    broken = clipped(truth)
    return to_distortion_db(truth, process(broken, RATE_HZ, settings)) - to_distortion_db(truth, broken)


@pytest.mark.parametrize("drive_db", [3.0, 6.0])
@pytest.mark.parametrize("seed", range(4))
def test_clipped_music_comes_nearer_to_what_it_was(drive_db, seed):
    assert gain_db(driven(music(seed=seed), drive_db)) > GAIN_DB


@pytest.mark.parametrize("hz", [150.0, 200.0, 250.0])
def test_a_clipped_tone_of_the_bass_is_restored(hz):
    assert gain_db(driven(sine(hz), 3.0)) > 15.0


def test_noise_that_cannot_be_foretold_is_not_made_worse():
    assert gain_db(driven(noise(), 9.0)) > -0.1


def test_music_that_was_not_clipped_passes_bit_for_bit():
    loud = driven(music(), -0.1)
    assert np.array_equal(loud, process(loud, RATE_HZ, SETTINGS))


def test_every_sample_outside_of_the_runs_passes_bit_for_bit_and_those_within_only_rise():
    broken = clipped(driven(music(), 6.0))
    out, flat = process(broken, RATE_HZ, SETTINGS), np.abs(broken) >= 1.0 - FLAT_RATIO
    assert np.array_equal(broken[~flat], out[~flat])
    assert (out[flat] * np.sign(broken[flat]) >= np.abs(broken[flat])).all()
    assert (np.abs(out[flat]) > 1.0).mean() > 0.9


@pytest.mark.parametrize("max_rise_db", [1.0, 9.0])
def test_no_peak_rises_beyond_the_most_that_was_allowed(max_rise_db):
    broken = clipped(driven(music(), 12.0))
    out = process(broken, RATE_HZ, DeclipperSettings(clip_dbfs=(0.0,), max_rise_db=max_rise_db))
    assert np.abs(out).max() <= to_gain(max_rise_db) * (1.0 + 1e-12)


def test_a_single_sample_at_the_level_is_left_alone():
    audio = driven(music(), -6.0)
    audio[1_000:40_000:1_000] = 1.0
    assert np.array_equal(audio, process(audio, RATE_HZ, SETTINGS))


def test_stretches_longer_than_a_gap_are_left_as_they_are():
    broken = clipped(driven(sine(20.0), 6.0))  # flat for 17 ms
    assert np.array_equal(broken, process(broken, RATE_HZ, SETTINGS))


def test_peaks_that_were_turned_down_and_dithered_after_clipping_are_restored():
    truth = driven(music(), 6.0)
    draw = np.random.default_rng(5)
    steps = draw.uniform(-0.5, 0.5, truth.shape) + draw.uniform(-0.5, 0.5, truth.shape)
    broken = np.rint(0.7 * clipped(truth) * 2**15 + steps) / 2**15
    detector = FlatTopDetector(RATE_HZ, 2)
    detector.push(broken.T.astype(np.float32))
    level_dbfs = detector.finish().level_dbfs
    assert level_dbfs is not None
    out = process(broken, RATE_HZ, DeclipperSettings(clip_dbfs=(level_dbfs,))) / 0.7
    assert to_distortion_db(truth, out) - to_distortion_db(truth, clipped(truth)) > 5.0


def test_each_channel_has_a_level_of_its_own():
    truth = driven(music(), 6.0)
    scale = np.array([1.0, 0.5])
    both = DeclipperSettings(clip_dbfs=(0.0, -20.0 * np.log10(2.0)))
    alike = process(clipped(truth) * scale, RATE_HZ, both) / scale
    assert (
        np.abs(process(clipped(truth), RATE_HZ, SETTINGS) - alike).max() < 0.03
    )  # "equal" is as many steps at half the level


def test_a_run_across_the_border_of_two_segments_is_restored_as_one():
    truth = driven(sine(300.0, seconds=1.0, channels=1), 4.0)
    out = process(clipped(truth), RATE_HZ, SETTINGS)
    assert np.abs(np.diff(out - truth, axis=0))[2_000:-2_000].max() < 0.05


@pytest.mark.parametrize("block_frames", [1, 100, 511, 512, 513])
def test_runs_at_the_borders_of_blocks_are_restored_the_same(block_frames):
    broken = clipped(driven(music(seconds=0.2), 9.0))
    whole = render(start_stage(SETTINGS, RATE_HZ, 2), broken)
    assert np.array_equal(whole, render(start_stage(SETTINGS, RATE_HZ, 2), broken, block_frames))


@pytest.mark.parametrize("rate_hz", [8_000, 48_000, 96_000, 192_000])
def test_it_works_at_every_rate(rate_hz):
    truth = driven(music(rate_hz=rate_hz, seconds=1.0), 4.0)
    broken = clipped(truth)
    found = process(broken, rate_hz, SETTINGS)
    assert to_distortion_db(truth, found) > to_distortion_db(truth, broken) + 2.5


def test_a_declipper_is_told_the_level_of_every_channel_or_one_for_all():
    with pytest.raises(ValueError, match="clip_dbfs must have one level or one per channel \\(2\\)"):
        start_stage(DeclipperSettings(clip_dbfs=(0.0, 0.0, 0.0)), RATE_HZ, 2)
