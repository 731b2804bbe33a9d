"""Versions of a mix through one chain with it: they add up to it behind the chain as they did before, and change no bit of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import silence, to_db, to_gain
from dsp.chain import render, start_chain
from dsp.linked import split_sounds, start_linked, unlinkable
from dsp.settings import (
    Band,
    CompressorSettings,
    DeEsserSettings,
    EqualiserSettings,
    GainSettings,
    ImagerSettings,
    LimiterSettings,
    ParametricSettings,
    ResamplerSettings,
    SaturationSettings,
    SubsonicSettings,
)
from tests.makers import RATE_HZ, music, noise

SUM_DBFS = -120.0  # law of versions: their masters add up to the full master, before dither
IMAGER = ImagerSettings(edges_hz=(120.0, 2000.0), widths_ratio=(0.5, 1.2, 1.5))
LINKABLE = {
    "subsonic": (SubsonicSettings(cutoff_hz=20.0),),
    "equaliser": (EqualiserSettings(freqs_hz=(60.0, 1000.0, 9000.0), gains_db=(3.0, -2.0, 4.0)),),
    "equaliser of middle and side": (
        EqualiserSettings(freqs_hz=(100.0, 4000.0), gains_db=(2.0, -3.0), side_gains_db=(-6.0, 3.0), phase="minimum"),
    ),
    "ends": (ParametricSettings(bands=(Band(kind="highpass", freq_hz=30.0), Band(kind="lowpass", freq_hz=16_000.0))),),
    "compressor": (CompressorSettings(threshold_dbfs=-25.0, compression_ratio=3.0),),
    "imager": (IMAGER,),
    "imager with mono bass": (ImagerSettings(edges_hz=(500.0,), widths_ratio=(1.0, 1.0), mono_below_hz=150.0),),
    "gain": (GainSettings(gain_db=9.0),),
    "resampler": (ResamplerSettings(rate_hz=48_000),),
    "limiter": (GainSettings(gain_db=12.0), LimiterSettings(ceiling_dbtp=-1.0)),
    "limiter at another rate": (
        GainSettings(gain_db=12.0),
        ResamplerSettings(rate_hz=48_000),
        LimiterSettings(ceiling_dbtp=-1.0),
    ),
}
LINKABLE["all"] = tuple(
    one
    for name in ("subsonic", "ends", "equaliser", "compressor", "imager", "limiter at another rate")
    for one in LINKABLE[name]
)
EVERY_LINKABLE = pytest.mark.parametrize("settings", LINKABLE.values(), ids=LINKABLE)


def two_versions(seconds=4.0):
    """Music and a voice over it that pauses, as 32-bit floats hold them."""
    voice = music(level_dbfs=-20, seconds=seconds, seed=5)
    voice[len(voice) // 3 : len(voice) // 2] = 0.0
    return [np.float32(one).astype(np.float64) for one in (music(level_dbfs=-18, seconds=seconds), voice)]


def linked(settings, sounds, block_frames=1 << 14, channels=2):
    """The sounds behind one linked chain; the first decides."""
    chain = start_linked([settings] * len(sounds), RATE_HZ, channels)
    return split_sounds(render(chain, np.concatenate(sounds, axis=1), block_frames), channels)


@EVERY_LINKABLE
def test_versions_add_up_to_the_master_behind_every_chain_that_can_be_linked(settings):
    parts = two_versions()
    full, *made = linked(settings, [np.float32(sum(parts)).astype(np.float64), *parts])
    assert to_db(np.abs(full - sum(made)).max()) <= SUM_DBFS


@EVERY_LINKABLE
def test_the_full_master_does_not_hear_that_versions_follow_it(settings):
    parts = two_versions(seconds=2.0)
    full, *_ = linked(settings, [sum(parts), *parts])
    assert np.array_equal(full, render(start_chain(settings, RATE_HZ, 2), sum(parts), 1 << 14))


@given(block_frames=st.integers(100, 60_000))
def test_block_size_never_changes_what_is_linked(block_frames):
    sounds = [music(seconds=1.0), noise(seconds=1.0)]
    expected = linked(LINKABLE["all"], sounds, RATE_HZ)
    found = linked(LINKABLE["all"], sounds, block_frames)
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_follower_is_turned_down_where_the_full_mix_is_too_loud_and_nowhere_else(channels):
    loud = noise(level_dbfs=-30, seconds=3.0, channels=channels)
    loud[RATE_HZ : RATE_HZ + 4000] *= to_gain(40.0)
    quiet = 0.01 * loud
    full, follower = linked((LimiterSettings(ceiling_dbtp=-1.0),), [loud, quiet], channels=channels)
    assert np.abs(full / loud - follower / quiet).max() < 1e-12
    assert np.array_equal(follower[: RATE_HZ // 2], quiet[: RATE_HZ // 2])
    assert np.abs(follower / quiet).min() < 0.5


def test_followers_of_a_quiet_mix_pass_untouched_however_loud_they_are():
    quiet, loud = noise(level_dbfs=-60), noise(level_dbfs=6)
    assert np.array_equal(linked((LimiterSettings(ceiling_dbtp=-1.0),), [quiet, loud])[1], loud)


@pytest.mark.parametrize("frames", [0, 1, 100])
def test_short_and_empty_sounds_come_out_as_long_as_they_went_in(frames):
    found = linked(LINKABLE["equaliser"] + LINKABLE["limiter"], [noise()[:frames]] * 3)
    assert [one.shape for one in found] == [(frames, 2)] * 3


def test_silence_stays_silence_beside_a_mix():
    parts = music(level_dbfs=-12, seconds=2.0)
    found = linked(LINKABLE["all"], [parts, silence(len(parts), 2)])
    assert not found[1].any()


@pytest.mark.parametrize(
    "settings",
    [
        DeEsserSettings(),
        SaturationSettings(),
        ImagerSettings(edges_hz=(500.0,), widths_ratio=(0.5, 1.0), recover_ratio=1.0),
        ImagerSettings(edges_hz=(500.0,), widths_ratio=(1.0, 1.0), mono_below_hz=150.0, recover_ratio=0.5),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_hears_each_sound_for_itself_cannot_be_linked(settings):
    assert unlinkable([*LINKABLE["all"], settings]) == [settings]
    with pytest.raises(ValueError, match=f"can be linked, got {type(settings).__name__}"):
        start_linked([[settings]] * 2, RATE_HZ, 2)
