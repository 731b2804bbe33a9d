"""The laws of the console: blocks never matter, what has nothing to do passes, what comes out adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, to_gain
from dsp.mixing.console import Console
from dsp.mixing.console_settings import (
    BusSound,
    ConsoleSettings,
    DuckSound,
    ReturnSound,
    SendSound,
    SharingSound,
    StripSound,
)
from dsp.settings import (
    Band,
    CompressorSettings,
    DuckerSettings,
    DynamicBand,
    DynamicEqualiserSettings,
    GainSharingSettings,
    GateSettings,
    PannerSettings,
    ParametricSettings,
    ReverbSettings,
    SharingChannel,
)
from tests.dsp.signals import null_db
from tests.makers import RATE_HZ, music

FRAMES = 12_000
SOUNDS = [music(seconds=FRAMES / RATE_HZ, channels=channels, seed=seed) for seed, channels in enumerate((1, 2, 2, 1))]
PLAIN = ConsoleSettings(strips=tuple(StripSound(channels=sound.shape[1]) for sound in SOUNDS))
BELL = ParametricSettings(bands=(Band(kind="bell", freq_hz=2_000.0, gain_db=4.0),))
WAY = DuckerSettings(threshold_dbfs=-30.0, depth_db=6.0, low_hz=500.0, high_hz=4_000.0)
BUSY = ConsoleSettings(
    strips=(
        StripSound(
            channels=1,
            delay_frames=37.4,
            invert=True,
            inserts=(CompressorSettings(threshold_dbfs=-30.0), GateSettings(threshold_dbfs=-40.0)),
            gain_db=-2.0,
            panner=PannerSettings(pan_ratio=-0.4),
            bus=0,
            sends=(SendSound(to=0, level_db=-12.0),),
        ),
        StripSound(
            channels=2, inserts=(BELL,), automation_db=(0.0, -6.0, 3.0), bus=0, ducks=(DuckSound(key=3, ducker=WAY),)
        ),
        StripSound(
            channels=2,
            delay_frames=-12.0,
            inserts=(DynamicEqualiserSettings(bands=(DynamicBand(freq_hz=300.0, threshold_db=-30.0),)),),
            panner=PannerSettings(pan_ratio=0.3, width_ratio=0.5),
            ducks=(DuckSound(key=0, ducker=WAY), DuckSound(key=1, ducker=WAY)),
            bus=1,
        ),
        StripSound(channels=1, gain_db=3.0, sends=(SendSound(to=0, level_db=-6.0), SendSound(to=1, level_db=0.0))),
    ),
    buses=(BusSound(gain_db=-1.0, compressor=CompressorSettings(threshold_dbfs=-24.0)), BusSound(gain_db=1.5)),
    returns=(ReturnSound(reverb=ReverbSettings(), gain_db=-3.0), ReturnSound(reverb=ReverbSettings(decay_s=0.5))),
    groups=(SharingSound(strips=(0, 3), sharing=GainSharingSettings(channels=(SharingChannel(),) * 2)),),
    gain_db=-4.0,
)
"""Everything that a console can do, at once."""


def lines_of(settings: ConsoleSettings, sounds: Sequence[Audio], ends: Sequence[int] = ()) -> list[Audio]:
    """Stems and returns as they come out, the sounds cut at `ends`."""
    console = Console(settings, RATE_HZ)
    edges = [0, *sorted(ends), len(sounds[0])]
    desks = [console.push([sound[a:b] for sound in sounds]) for a, b in pairwise(edges)]
    lines = [[*desk.stems, *desk.returns] for desk in [*desks, console.finish()]]
    return [np.concatenate(blocks) for blocks in zip(*lines, strict=True)]


def changed(settings: ConsoleSettings, place: int, **changes: object) -> ConsoleSettings:
    strips = list(settings.strips)
    strips[place] = replace(strips[place], **changes)
    return replace(settings, strips=tuple(strips))


WHOLE = lines_of(BUSY, SOUNDS)


@given(ends=st.lists(st.integers(0, FRAMES), max_size=12))
def test_cutting_a_song_into_blocks_never_changes_its_mix(ends):
    for whole, cut in zip(WHOLE, lines_of(BUSY, SOUNDS, ends), strict=True):
        assert np.array_equal(whole, cut)


@pytest.mark.parametrize("block_frames", [1, 7, 64, 4_096])
def test_blocks_of_any_size_give_the_same_mix(block_frames):
    short = [sound[:3_000] for sound in SOUNDS]
    for whole, cut in zip(lines_of(BUSY, short), lines_of(BUSY, short, range(0, 3_000, block_frames)), strict=True):
        assert np.array_equal(whole, cut)


@pytest.mark.parametrize("frames", [0, 1, 2, 100, 2_000])
def test_as_many_frames_come_out_as_went_in(frames):
    assert {frames} == {len(line) for line in lines_of(BUSY, [sound[:frames] for sound in SOUNDS])}


def test_a_strip_with_nothing_to_do_passes_bit_for_bit():
    mono, stereo, *_ = lines_of(PLAIN, SOUNDS)
    assert np.array_equal(SOUNDS[1], stereo)
    assert np.array_equal(np.repeat(SOUNDS[0] * np.sin(np.pi / 4), 2, axis=1), mono)


def test_strips_are_aligned_however_long_their_inserts_hold_them_back():
    late = changed(PLAIN, 2, inserts=(DynamicEqualiserSettings(bands=(DynamicBand(freq_hz=300.0, threshold_db=0.0),)),))
    assert null_db(sum(lines_of(PLAIN, SOUNDS)), sum(lines_of(late, SOUNDS))) < -120.0


def test_stems_and_rooms_are_the_mix():
    console = Console(BUSY, RATE_HZ)
    mix = np.concatenate([console.push(SOUNDS).mix, console.finish().mix])
    assert null_db(sum(WHOLE), mix) < -250.0


def test_the_same_song_twice_is_the_same_bytes():
    assert [line.tobytes() for line in WHOLE] == [line.tobytes() for line in lines_of(BUSY, SOUNDS)]


def test_no_sound_that_was_given_is_written_into():
    before = [sound.copy() for sound in SOUNDS]
    lines_of(BUSY, SOUNDS)
    assert all(np.array_equal(one, other) for one, other in zip(before, SOUNDS, strict=True))


def test_an_inverted_strip_cancels_its_twin():
    twins = ConsoleSettings(strips=(StripSound(channels=2), StripSound(channels=2, invert=True)))
    assert not sum(lines_of(twins, [SOUNDS[1], SOUNDS[1]])).any()


def test_a_fader_moves_its_stem_and_no_other():
    louder = changed(PLAIN, 1, gain_db=1.0)
    for place, (before, after) in enumerate(zip(lines_of(PLAIN, SOUNDS), lines_of(louder, SOUNDS), strict=True)):
        assert np.array_equal(before * to_gain(1.0) if place == 1 else before, after)


def test_a_bus_that_compresses_turns_all_its_members_down_alike():
    strips = tuple(replace(strip, bus=0) for strip in PLAIN.strips[1:3])
    pressed = ConsoleSettings(strips=strips, buses=(BusSound(compressor=CompressorSettings(threshold_dbfs=-40.0)),))
    one, other = (line / sound for line, sound in zip(lines_of(pressed, SOUNDS[1:3]), SOUNDS[1:3], strict=True))
    assert one.min() < 0.9
    assert np.allclose(one, other, rtol=1e-9)


def test_the_gain_of_the_mix_moves_everything_in_it():
    louder = replace(BUSY, gain_db=BUSY.gain_db + 6.0)
    for before, after in zip(WHOLE, lines_of(louder, SOUNDS), strict=True):
        assert np.allclose(before * to_gain(6.0), after, rtol=1e-12, atol=1e-15)


def test_a_room_that_nobody_is_sent_into_is_silent():
    *_, room = lines_of(replace(PLAIN, returns=(ReturnSound(reverb=ReverbSettings()),)), SOUNDS)
    assert (FRAMES, False) == (len(room), room.any())


def test_gain_sharing_leaves_strips_outside_its_group_alone():
    shared = replace(PLAIN, groups=BUSY.groups)
    lines = lines_of(shared, SOUNDS)
    assert np.array_equal(SOUNDS[2], lines[2])
    assert np.abs(lines[0]).max() < 0.9 * np.abs(SOUNDS[0]).max()


def test_two_strips_may_give_way_to_each_other():
    way = DuckerSettings(threshold_dbfs=-60.0, depth_db=6.0, low_hz=100.0, high_hz=8_000.0)
    strips = tuple(replace(PLAIN.strips[1], ducks=(DuckSound(key=key, ducker=way),)) for key in (1, 0))
    lines = lines_of(ConsoleSettings(strips=strips), SOUNDS[1:3])
    assert all(
        np.square(line).sum() < 0.8 * np.square(sound).sum() for line, sound in zip(lines, SOUNDS[1:3], strict=True)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: ConsoleSettings(strips=()), "at least one strip"),
        (lambda: StripSound(channels=3), "a strip takes 1 or 2 channels, got 3"),
        (lambda: changed(PLAIN, 1, bus=0), "strip 1 names bus 0, there are 0"),
        (lambda: changed(PLAIN, 2, sends=(SendSound(to=1, level_db=0.0),)), "strip 2 names send 1, there are 0"),
        (lambda: changed(PLAIN, 2, ducks=(DuckSound(key=2, ducker=WAY),)), "strip 2 cannot give way to itself"),
        (lambda: replace(PLAIN, groups=BUSY.groups * 2), "in one group of gain sharing at most"),
    ],
)
def test_settings_that_hang_in_the_air_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        settings()


def test_blocks_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="blocks must be of one length"):
        Console(PLAIN, RATE_HZ).push([SOUNDS[0], *(sound[:5] for sound in SOUNDS[1:])])
