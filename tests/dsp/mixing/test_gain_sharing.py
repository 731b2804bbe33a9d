"""Gain sharing: Dugan's own bench tests, what follows from his law, and what goes beyond it."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, Floats, to_gain
from dsp.mixing.control_path import ControlPath
from dsp.mixing.gain_sharing import LATCH_S, GainSharing
from dsp.settings import GainSharingSettings, SharingChannel
from tests.dsp.speech import talk
from tests.makers import music, noise

RATE_HZ = 48_000
SETTLED = RATE_HZ // 2  # half a second: five times the fall
AUTO, MANUAL = SharingChannel(), SharingChannel(mode="manual")


def sharing(count: int, **settings: object) -> GainSharingSettings:
    return GainSharingSettings(channels=(AUTO,) * count, **settings)


def gains_of(controls: Audio, settings: GainSharingSettings, side_chain: Floats | None = None) -> Audio:
    stage = GainSharing(settings, RATE_HZ, side_chain=side_chain is not None)
    return np.concatenate([stage.push(controls, side_chain), stage.finish()])


def level_db(signal: Floats) -> Floats:
    return 10.0 * np.log10(np.square(signal).mean(axis=0))


def beating_tones() -> Audio:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    return 0.1 * np.sin(2.0 * np.pi * np.array([1000.0, 1002.0]) * time_s[:, None])


def noises(count: int, seconds: float = 3.0) -> Audio:
    return noise(level_dbfs=-20.0, seconds=seconds, rate_hz=RATE_HZ, channels=count, seed=count)


# Dugan's bench test (Model D-3): two equal tones 2 Hz apart


def test_the_gains_of_two_beating_tones_bounce_as_in_the_original():
    gains_db = 20.0 * np.log10(gains_of(beating_tones(), sharing(2, floor=False))[SETTLED:])
    assert gains_db.max() == pytest.approx(0.0, abs=0.05)
    assert gains_db.min() == pytest.approx(-6.0, abs=0.1)
    opened = gains_db[::480, 0] > -3.0
    assert np.count_nonzero(~opened[:-1] & opened[1:]) == 7  # 2 Hz for 3.5 s


def test_with_the_floor_two_beating_tones_never_both_rise_above_their_share():
    gains_db = 20.0 * np.log10(gains_of(beating_tones(), sharing(2))[SETTLED:])
    assert gains_db.max() == pytest.approx(-3.0, abs=0.02)
    assert gains_db.min() == pytest.approx(-6.0, abs=0.1)


def test_beating_tones_never_come_out_louder_than_one_alone():
    tones = beating_tones()
    out = (gains_of(tones, sharing(2)) * tones).sum(axis=1)[SETTLED:]
    moments_db = level_db(out[: len(out) // 480 * 480].reshape(-1, 480).T)
    assert moments_db.max() <= level_db(tones[:, 0]) + 0.2


# Equal microphones


@pytest.mark.parametrize("control", ["speech", "K", "none"])
@pytest.mark.parametrize("count", [2, 4, 8, 16, 32])
def test_equal_noises_share_one_gain_and_are_together_as_loud_as_one(count, control):
    controls = noises(count)
    gains = gains_of(controls, sharing(count, control=control))[SETTLED:]
    mean_db = 10.0 * np.log10(np.square(gains).mean(axis=0)) + 10.0 * np.log10(count)
    assert -0.15 <= mean_db.mean() <= 0.0
    powers = np.square(gains).sum(axis=1)
    assert 0.98 <= powers.mean() <= 1.0
    assert powers.max() <= 1.0 + 1e-9
    loss_db = level_db((gains * controls[SETTLED:]).sum(axis=1)) - level_db(controls[SETTLED:]).mean()
    assert loss_db == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize("count", [2, 3, 8, 32])
def test_the_same_sound_in_all_microphones_comes_out_once(count):
    controls = np.repeat(noises(1), count, axis=1)
    gains = gains_of(controls, sharing(count))[SETTLED:]
    assert 20.0 * np.log10(gains) == pytest.approx(-20.0 * np.log10(count), abs=0.05)
    assert level_db((gains * controls[SETTLED:]).sum(axis=1)) == pytest.approx(
        level_db(controls[SETTLED:, 0]), abs=0.05
    )


def test_two_microphones_in_opposite_phase_keep_their_share():
    one = noises(1)
    gains = gains_of(np.concatenate([one, -one], axis=1), sharing(2))[SETTLED:]
    assert 20.0 * np.log10(gains) == pytest.approx(-3.01, abs=0.01)


def test_three_decibels_more_on_one_of_two_become_six():
    controls = noises(2, seconds=6.0) * np.array([to_gain(3.0), 1.0])
    out_db = level_db((gains_of(controls, sharing(2)) * controls)[SETTLED:])
    assert out_db[0] - out_db[1] == pytest.approx(6.0, abs=0.1)


# Comb filtering: one source in two microphones


@pytest.mark.parametrize(
    ("bleed_db", "plain_db", "shared_db"),
    [(3.0, 15.3, 9.6), (6.0, 9.6, 4.5), (9.5, 6.0, 1.9), (12.0, 4.5, 1.1), (15.0, 3.1, 0.5), (20.0, 1.7, 0.2)],
)
@pytest.mark.parametrize("delay_s", [0.001, 0.005])
def test_comb_filtering_shrinks_as_the_arithmetic_says(bleed_db, plain_db, shared_db, delay_s):
    source = noises(1, seconds=8.0)[:, 0]
    later = np.concatenate([np.zeros(round(delay_s * RATE_HZ)), source])[: len(source)]
    microphones = np.stack([source, later * to_gain(-bleed_db)], axis=1)
    out = (microphones * gains_of(microphones, sharing(2))).sum(axis=1)
    assert ripple_db(source, microphones.sum(axis=1), delay_s) == pytest.approx(plain_db, abs=0.3)
    assert ripple_db(source, out, delay_s) == pytest.approx(shared_db, abs=0.3)


def ripple_db(source: Floats, out: Floats, delay_s: float) -> float:
    """Peak to peak of the gain at the teeth and gaps of the comb, each over a 24th of an octave at most, up to 6 kHz."""
    teeth = np.arange(1, int(6000.0 * delay_s * 2.0) + 1) / (2.0 * delay_s)
    segment = 32_768
    window = np.hanning(segment)

    def spectra(line: Floats) -> Floats:
        starts = range(SETTLED, len(line) - segment, segment // 2)
        return np.array([np.fft.rfft(line[at : at + segment] * window) for at in starts])

    before, after = spectra(source), spectra(out)
    gain = np.abs((after * before.conj()).mean(axis=0)) / np.square(np.abs(before)).mean(axis=0)
    freqs_hz = np.fft.rfftfreq(segment, 1.0 / RATE_HZ)
    half_hz = np.minimum(teeth / 24.0 / 2.0 * np.log(2.0), 1.0 / delay_s / 40.0)
    means = [gain[np.abs(freqs_hz - hz) <= max(half, 1.5)].mean() for hz, half in zip(teeth, half_hz, strict=True)]
    gaps, peaks = means[0::2], means[1::2]
    return float(20.0 * np.log10(np.mean(peaks) / np.mean(gaps)))


# Speech


def panel(count: int, floors_db: Floats | float = -60.0, seconds: float = 24.0) -> tuple[Audio, Audio, np.ndarray]:
    """Voices that take turns at their microphones; the ambience of each; who speaks in each frame, -1: nobody."""
    turn = round(seconds * RATE_HZ / (2 * count))
    voices = np.zeros((round(seconds * RATE_HZ), count))
    speaking = np.full(len(voices), -1)
    for i in range(2 * count):
        frames = slice(i * turn, i * turn + turn * 3 // 4)
        voices[frames, i % count] = talk(turn * 3 // 4 / RATE_HZ, level_dbfs=-20.0, seed=i)
        speaking[frames] = np.where(np.abs(voices[frames, i % count]) > 1e-3, i % count, -2)
    ambience = noise(level_dbfs=0.0, seconds=seconds, rate_hz=RATE_HZ, channels=count, seed=9)
    return voices, ambience * 10.0 ** (np.broadcast_to(floors_db, count) / 20.0), speaking


def heard_floor_dbfs(ambience: Audio, settings: GainSharingSettings) -> list[float]:
    """The ambience as the control path hears it."""
    levels, _ = ControlPath(settings, RATE_HZ, np.ones(ambience.shape[1])).push(ambience)
    return list(10.0 * np.log10(levels[SETTLED:].mean(axis=0)))


def test_the_ambience_of_four_microphones_is_that_of_one_whoever_speaks():
    voices, ambience, speaking = panel(4)
    gains = gains_of(voices + ambience, sharing(4))
    out = (gains * ambience).sum(axis=1)
    gap_db = level_db(out[SETTLED:][speaking[SETTLED:] == -1])
    assert gap_db == pytest.approx(-60.0, abs=0.5)
    for talker in range(4):
        assert level_db(out[speaking == talker]) == pytest.approx(gap_db, abs=0.5)
    assert level_db(ambience.sum(axis=1)) == pytest.approx(-60.0 + 10.0 * np.log10(4), abs=0.1)


def test_the_trim_keeps_the_ambience_of_unequal_microphones_the_same_whoever_speaks():
    voices, ambience, speaking = panel(4, np.array([-60.0, -58.0, -56.0, -62.0]))
    floors = heard_floor_dbfs(ambience, sharing(4))
    known = GainSharingSettings(channels=tuple(SharingChannel(floor_dbfs=floor) for floor in floors))

    def ambiences_db(settings: GainSharingSettings) -> Floats:
        out = (gains_of(voices + ambience, settings) * ambience).sum(axis=1)[SETTLED:]
        return np.array([level_db(out[speaking[SETTLED:] == who]) for who in (-1, 0, 1, 2, 3)])

    assert np.ptp(ambiences_db(sharing(4))) > 4.0
    assert ambiences_db(known) == pytest.approx(-62.0, abs=0.5)


def test_the_trim_never_exceeds_its_limit():
    voices, ambience, _ = panel(2, np.array([-70.0, -40.0]))
    floors = heard_floor_dbfs(ambience, sharing(2))
    channels = tuple(SharingChannel(floor_dbfs=floor) for floor in floors)
    with_trim = gains_of(voices + ambience, GainSharingSettings(channels=channels))
    without = gains_of(voices + ambience, GainSharingSettings(channels=channels, ambience_trim_db=0.0))
    trims_db = 20.0 * np.log10(with_trim / without)
    assert trims_db.max() <= 1e-9
    assert trims_db.min() == pytest.approx(-6.0, abs=1e-4)


def test_a_lone_talker_passes_at_full_level():
    voices = np.stack([talk(6.0), np.zeros(6 * RATE_HZ), np.zeros(6 * RATE_HZ)], axis=1)
    ambience = noise(level_dbfs=-80.0, seconds=6.0, rate_hz=RATE_HZ, channels=3)
    out = (gains_of(voices + ambience, sharing(3)) * (voices + ambience)).sum(axis=1)
    assert level_db(out) == pytest.approx(level_db(voices[:, 0]), abs=0.05)


def test_no_onset_is_clipped():
    """The first 5 ms after a pause come out as loud as they went in: the gain looks ahead."""
    controls = noise(level_dbfs=-70.0, seconds=2.0, rate_hz=RATE_HZ, channels=4)
    controls[RATE_HZ:, 2] += noises(1)[:RATE_HZ, 0]
    gains = gains_of(controls, sharing(4))
    assert 20.0 * np.log10(gains[RATE_HZ : RATE_HZ + 240, 2].min()) >= -0.1


# Weights


def test_a_weight_of_two_is_six_decibels_in_the_control_path():
    controls = noises(3)
    weighted = GainSharingSettings(channels=(SharingChannel(weight_db=20.0 * np.log10(2.0)), AUTO, AUTO))
    louder = controls * np.array([2.0, 1.0, 1.0])
    assert gains_of(louder, sharing(3)) == pytest.approx(gains_of(controls, weighted), abs=1e-12)


@pytest.mark.parametrize("weight_db", [-12.0, 6.02, 12.0])
def test_a_weight_leaves_the_level_of_a_lone_talker_alone(weight_db):
    voices = np.stack([talk(4.0), np.zeros(4 * RATE_HZ)], axis=1)
    weighted = GainSharingSettings(channels=(SharingChannel(weight_db=weight_db), AUTO))
    out = (gains_of(voices, weighted) * voices).sum(axis=1)
    assert level_db(out) == pytest.approx(level_db(voices[:, 0]), abs=0.01)


# Modes, groups, the limit of open microphones


def test_groups_do_not_know_of_each_other():
    first, second = noises(3), noises(2)
    one, other = GainSharing(sharing(3), RATE_HZ), GainSharing(sharing(2), RATE_HZ)
    alone = gains_of(first, sharing(3))
    together = []
    for at in range(0, len(first), 4_096):
        together.append(one.push(first[at : at + 4_096]))
        other.push(100.0 * second[at : at + 4_096])
    assert np.array_equal(alone, np.concatenate([*together, one.finish()]))


def test_manual_is_open_mute_is_shut_and_neither_takes_a_share():
    controls = noises(4)
    channels = (AUTO, MANUAL, SharingChannel(mode="mute"), AUTO)
    gains = gains_of(controls, GainSharingSettings(channels=channels))
    assert np.array_equal(gains[:, 1:3], np.tile([1.0, 0.0], (len(gains), 1)))
    assert np.array_equal(gains[:, [0, 3]], gains_of(controls[:, [0, 3]], sharing(2)))


def test_override_opens_what_is_flagged_and_mutes_the_others():
    channels = (AUTO, SharingChannel(override=True), MANUAL, SharingChannel(override=True, mode="mute"))
    gains = gains_of(noises(4), GainSharingSettings(channels=channels))
    assert np.array_equal(gains, np.tile([0.0, 1.0, 0.0, 1.0], (len(gains), 1)))


@pytest.mark.parametrize(("open_count", "limit", "expected_db"), [(8, 1, -9.03), (4, 4, 0.0), (5, 4, -0.97)])
def test_more_open_microphones_than_the_limit_are_all_turned_down(open_count, limit, expected_db):
    settings = GainSharingSettings(channels=(MANUAL,) * open_count, open_limit=limit)
    gains_db = 20.0 * np.log10(gains_of(noises(open_count), settings))
    assert gains_db == pytest.approx(expected_db, abs=0.01)


def test_the_limit_neither_counts_nor_turns_down_what_is_left_out_of_it():
    left_out = SharingChannel(mode="manual", counts=False)
    gains = gains_of(noises(4), GainSharingSettings(channels=(MANUAL, MANUAL, left_out, left_out), open_limit=1))
    assert gains[-1] == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 1.0, 1.0])


def test_the_depth_is_the_lowest_gain_of_speech():
    controls = np.stack([talk(3.0), np.zeros(3 * RATE_HZ)], axis=1)
    gains = gains_of(controls, sharing(2, depth_db=20.0))
    assert gains.min() == pytest.approx(0.1)


# Last hold


def two_turns() -> Audio:
    voices = np.zeros((9 * RATE_HZ, 3))
    voices[: 2 * RATE_HZ, 0] = noises(1)[: 2 * RATE_HZ, 0]
    voices[5 * RATE_HZ : 7 * RATE_HZ, 1] = noises(1)[: 2 * RATE_HZ, 0]
    return voices + noise(level_dbfs=-70.0, seconds=9.0, rate_hz=RATE_HZ, channels=3)


def test_the_last_that_spoke_stays_open_until_another_has_spoken():
    gains = gains_of(two_turns(), sharing(3, last_hold=True))
    held = np.array([0.99, 0.0, 0.0])
    assert (gains[4 * RATE_HZ] > held).all()
    assert gains[4 * RATE_HZ, 1:].max() < 0.7
    assert gains[round((5 + 1.5 * LATCH_S + 1.0) * RATE_HZ)] == pytest.approx([0.0, 1.0, 0.0], abs=0.02)
    assert gains[8 * RATE_HZ + SETTLED, 1] > 0.99


def test_a_hold_is_handed_over_without_a_click():
    gains = gains_of(two_turns(), sharing(3, last_hold=True))
    assert gains[round(5.4 * RATE_HZ), 0] > 0.99
    assert np.abs(np.diff(gains[round(5.4 * RATE_HZ) : round(6.9 * RATE_HZ)], axis=0)).max() < 0.001


def test_a_noisy_microphone_is_not_held_for_its_noise_where_that_is_known():
    controls = two_turns()
    controls[:, 2] += noise(level_dbfs=-50.0, seconds=9.0, rate_hz=RATE_HZ, channels=1, seed=3)[:, 0]
    floors = heard_floor_dbfs(controls[8 * RATE_HZ :], sharing(3))
    channels = tuple(SharingChannel(floor_dbfs=floor) for floor in floors)
    settings = {"last_hold": True, "ambience_trim_db": 0.0}
    assert gains_of(controls, sharing(3, **settings))[4 * RATE_HZ, 0] < 0.2
    assert gains_of(controls, GainSharingSettings(channels=channels, **settings))[4 * RATE_HZ, 0] > 0.99


def test_silence_gives_finite_gains_and_keeps_the_hold():
    controls = np.zeros((20 * RATE_HZ, 3))
    controls[:RATE_HZ, 1] = noises(1)[:RATE_HZ, 0]
    for settings in (sharing(3, last_hold=True), sharing(3, last_hold=True, floor=False)):
        gains = gains_of(controls, settings)
        assert np.isfinite(gains).all()
        assert gains[2 * RATE_HZ :, 1].min() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kind", ["speech", "music"])
@pytest.mark.parametrize("floor", [True, False])
def test_pure_silence_gives_finite_gains(kind, floor):
    gains = gains_of(np.zeros((RATE_HZ, 4)), sharing(4, kind=kind, floor=floor, last_hold=True, open_limit=1))
    assert np.isfinite(gains).all()
    assert (gains >= 0.0).all() and (gains <= 1.0).all()


# Music


def stage(*singing: bool, bleed_db: float = -20.0) -> Audio:
    """Singers at their microphones, each of which hears the others."""
    voices = [music(level_dbfs=-20.0, rate_hz=RATE_HZ, channels=1, seed=i)[:, 0] for i in range(len(singing))]
    sources = np.stack(voices, axis=1) * np.array(singing)
    crossed = np.full((len(singing),) * 2, to_gain(bleed_db))
    np.fill_diagonal(crossed, 1.0)
    return sources @ crossed + noise(level_dbfs=-90.0, seconds=4.0, rate_hz=RATE_HZ, channels=len(singing))


def test_while_one_sings_the_others_hover_at_the_depth():
    gains_db = 20.0 * np.log10(gains_of(stage(True, False, False, False), sharing(4, kind="music"))[SETTLED:])
    assert gains_db[:, 1:].mean(axis=0) == pytest.approx(-15.0, abs=0.5)
    assert gains_db[:, 0] == pytest.approx(0.0, abs=0.2)


def test_two_singers_are_both_open_and_keep_their_balance():
    heard = stage(True, True, False, False)
    gains = gains_of(heard, sharing(4, kind="music"))[SETTLED:]
    levels_db = level_db(gains[:, :2] * heard[SETTLED:, :2]) - level_db(heard[SETTLED:, :2])
    assert levels_db == pytest.approx(0.0, abs=0.2)
    assert 20.0 * np.log10(gains[:, 2:]).mean(axis=0) == pytest.approx(-15.0, abs=0.5)


def test_music_follows_a_sensing_microphone():
    heard = stage(True, False, False)
    sensing = to_gain(15.0) * heard[:, 2]  # as far from all as they are from each other, 15 dB hotter
    gains_db = 20.0 * np.log10(gains_of(heard, sharing(3, kind="music"), sensing)[SETTLED:])
    assert gains_db[:, 1:].mean(axis=0) == pytest.approx(-15.0, abs=0.5)
    assert gains_db[:, 0].mean() == pytest.approx(0.0, abs=0.2)


def test_more_bleed_means_less_depth_rather_than_closed_singers():
    heard = stage(True, True, False, bleed_db=-12.0)
    bleed_db = tuple(tuple(0.0 if i == j else -12.0 for j in range(3)) for i in range(3))
    gains = gains_of(heard, sharing(3, kind="music", bleed_db=bleed_db))[SETTLED:]
    assert 20.0 * np.log10(gains[:, :2]).mean(axis=0).min() > -0.6
    assert gains[:, 2].max() < to_gain(-6.0)


# Laws


CONTROLS = np.concatenate([noises(3)[:3_000], np.zeros((3_000, 3)), stage(True, False, True)[:6_000] * 3.0])
VARIANTS = {
    "speech": {},
    "original": {"floor": False, "control": "K"},
    "everything": {"last_hold": True, "open_limit": 1, "depth_db": 40.0},
    "music": {"kind": "music", "expansion_ratio": 3.0},
    "music by a side-chain": {"kind": "music", "threshold_offset_db": -3.0},
}
CHANNELS = (SharingChannel(floor_dbfs=-60.0), SharingChannel(weight_db=6.0, floor_dbfs=-50.0), AUTO)


@pytest.mark.parametrize("variant", VARIANTS)
@given(lengths=st.lists(st.one_of(st.integers(0, 3_000), st.sampled_from([0, 1, 511, 512, 513]))))
def test_cutting_the_sound_into_blocks_never_changes_a_gain(variant, lengths):
    settings = GainSharingSettings(channels=CHANNELS, **VARIANTS[variant])
    side = CONTROLS[:, 0] if "side" in variant else None
    whole, stage = gains_of(CONTROLS, settings, side), GainSharing(settings, RATE_HZ, side_chain=side is not None)
    ends = np.minimum(np.cumsum([0, *lengths, len(CONTROLS)]), len(CONTROLS))
    cut = [slice(start, end) for start, end in pairwise(ends)]
    pieces = [stage.push(CONTROLS[one], None if side is None else side[one]) for one in cut]
    assert np.array_equal(whole, np.concatenate([*pieces, stage.finish()]))


@pytest.mark.parametrize("frames", [0, 1, 959, 960, 961, 5_000])
def test_there_is_a_gain_for_every_frame(frames):
    stage = GainSharing(sharing(2), RATE_HZ)
    assert stage.latency == 960
    pushed = stage.push(noises(2)[:frames])
    assert max(0, frames - stage.latency) == len(pushed)
    assert frames == len(pushed) + len(stage.finish())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "song"}, "kind must be one of speech, music, got 'song'"),
        ({"control": "A"}, "control must be one of None, speech, K, none, got 'A'"),
        ({"open_limit": 0}, "open_limit must be in [1, 64], got 0"),
        ({"ambience_trim_db": 7.0}, "ambience_trim_db must be in [0, 6], got 7.0"),
        ({"bleed_db": ((0.0,),)}, "bleed_db must have a row and a column for each of 2 channels"),
        ({"bleed_db": ((0.0, 1.0), (0.0, 0.0))}, "bleed_db must be in [-120, 0], got 1.0"),
        ({"channels": (AUTO,), "expansion_ratio": 0.5}, "expansion_ratio must be in [1, 10], got 0.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        GainSharingSettings(**{"channels": (AUTO, AUTO), **settings})


def test_a_side_chain_comes_with_every_block_or_none():
    with pytest.raises(ValueError, match="with every block, or with none"):
        GainSharing(sharing(2, kind="music"), RATE_HZ, side_chain=True).push(noises(2))
    with pytest.raises(ValueError, match="at least one microphone"):
        GainSharing(GainSharingSettings(), RATE_HZ)
