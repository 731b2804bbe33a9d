"""The loudness meter: its gates, two independent meters, what a pair of channels tells, and the pooling of albums.

`test_conformance` holds it against the signals of the standards.
"""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import numpy as np
import pyebur128
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, Floats, to_gain
from dsp.gating import GatingBlocks, energy_of, integrated_lufs, pooled
from dsp.loudness import Loudness, LoudnessMeter, Stereo, loudness_range_lu
from dsp.ticks import PER_S
from tests.dsp.signals import EBU_HZ, programme, tones
from tests.makers import noise, sine

LOUDNESS_LU = 0.1  # EBU Tech 3341, table 1
ORACLE_LU = {
    48_000: 0.001,
    44_100: 0.02,
    96_000: 0.02,
    192_000: 0.03,
}  # standards M3: libebur128 does not scale its filter
RANGE_ORACLE_LU = 0.1  # standards M3b
SHIFT_LU = 1e-6  # standards M6
BINNING_LU = 0.02  # two blocks of a 30 s track lie within 0.001 LU of its relative gate, on either side
POOL_LU = 0.01  # the same over an album, where one block is little
PARTS_LU = 1e-4  # middle and side come from sums of 100 ms kept as float32


def meter_of(audio: Audio, rate_hz: int = EBU_HZ) -> LoudnessMeter:
    meter = LoudnessMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter


def loudness(audio: Audio, rate_hz: int = EBU_HZ) -> Loudness:
    return meter_of(audio, rate_hz).loudness()


def libebur128(audio: Audio, rate_hz: int) -> pyebur128.R128State:
    state = pyebur128.R128State(audio.shape[1], rate_hz, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    return state


# Gates


def energies_at(*levels_lufs: float) -> Floats:
    return np.array([energy_of(level) for level in levels_lufs])


def test_the_range_lies_between_the_nearest_ranks():
    levels = np.arange(96) * 0.1 - 30.0  # Tech 3342: ranks round(95 * 0.10) and round(95 * 0.95), halves upwards
    assert loudness_range_lu(energies_at(*levels)) == pytest.approx(levels[90] - levels[10], abs=1e-9)


@pytest.mark.parametrize(("quiet_lufs", "expected_lu"), [(-40.8, 20.8), (-41.1, 0.0)])
def test_the_range_leaves_out_what_is_20_lu_below_the_mean(quiet_lufs, expected_lu):
    energies = energies_at(*[-20.0] * 80, *[quiet_lufs] * 20)  # their mean is -20.95 LUFS, the gate at -40.95
    assert loudness_range_lu(energies) == pytest.approx(expected_lu, abs=1e-9)


@pytest.mark.parametrize("burst_s", [0.0, 0.61, 1.0, 1.4, 5.6])
def test_the_loudest_windows_are_found_wherever_they_lie(monkeypatch, burst_s):
    """They are looked for in stretches: here of 1 s, so that most windows of 3 s lie across several."""
    monkeypatch.setattr("dsp.loudness.LOUDEST_TICKS", PER_S)
    audio = sine(997, level_dbfs=-40, seconds=6, channels=1)
    at = round(burst_s * 44_100)
    audio[at : at + 17_640] *= 10.0
    mean_square = (0.4 + 2.6 * 0.01) / 3.0  # of 3 s around the burst, against the burst
    expected = -20 - 3.01, -20 - 3.01 + 10 * math.log10(mean_square)
    meter = LoudnessMeter(44_100, 1)
    meter.push(audio)
    found = meter.loudness()
    assert (found.max_momentary_lufs, found.max_short_term_lufs) == pytest.approx(expected, abs=0.05)


def test_an_unfinished_gating_block_is_not_counted():
    tone = tones((0.4, -20.0))
    longer = np.concatenate([tone, 4.0 * tone[:4_000]])  # 83 ms more: no second block
    assert loudness(tone).integrated_lufs == loudness(longer).integrated_lufs


def test_quiet_passages_do_not_count():
    music = programme(seconds=20.0)
    quiet = noise(level_dbfs=-75.0, seconds=20.0, rate_hz=EBU_HZ)
    expected = loudness(music).integrated_lufs
    assert expected == pytest.approx(loudness(np.concatenate([music, quiet])).integrated_lufs, abs=0.05)  # the seam


# Oracles


@pytest.mark.parametrize("rate_hz", ORACLE_LU)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_wandering_programme_reads_as_in_libebur128(rate_hz, seed):
    audio = programme(seconds=20.0, rate_hz=rate_hz, seed=seed)
    expected = pyebur128.get_loudness_global(libebur128(audio, rate_hz))
    assert expected == pytest.approx(loudness(audio, rate_hz).integrated_lufs, abs=ORACLE_LU[rate_hz])


@pytest.mark.parametrize(("seconds", "seed"), [(60.0, 2), (90.0, 1), (90.0, 2)])
def test_a_wandering_programme_has_the_range_that_pyloudnorm_reads(seconds, seed):
    audio = programme(seconds=seconds, seed=seed)
    expected = pyloudnorm.Meter(EBU_HZ, filter_class="DeMan").loudness_range(audio)
    assert expected == pytest.approx(loudness(audio).loudness_range_lu, abs=RANGE_ORACLE_LU)


# What a pair of channels tells


def stereo(left: Audio, right: Audio) -> Stereo:
    return meter_of(np.concatenate([left, right], axis=1)).stereo()


LEFT, RIGHT = (programme(seconds=8.0, channels=1, seed=seed) for seed in (5, 6))


@pytest.mark.parametrize("louder_db", [6.0, 0.5, -12.0])
def test_the_balance_is_how_much_louder_the_left_channel_is(louder_db):
    assert stereo(LEFT * to_gain(louder_db), LEFT).balance_lu == pytest.approx(louder_db, abs=PARTS_LU)


def test_a_silent_channel_counts_as_the_quietest_that_can_be_measured():
    left_lufs = loudness(LEFT).integrated_lufs
    assert stereo(LEFT, 0.0 * LEFT).balance_lu == pytest.approx(left_lufs + 70.0, abs=PARTS_LU)
    assert stereo(0.0 * LEFT, LEFT).balance_lu == pytest.approx(-left_lufs - 70.0, abs=PARTS_LU)


def test_equal_channels_lose_nothing_in_mono_and_have_no_side():
    found = stereo(LEFT, LEFT)
    assert (found.balance_lu, found.mono_loss_lu) == pytest.approx((0.0, 0.0), abs=PARTS_LU)
    whole_lufs = loudness(np.repeat(LEFT, 2, axis=1)).integrated_lufs
    assert found.side_mid_lu == pytest.approx(-70.0 - whole_lufs, abs=PARTS_LU)


def test_unrelated_channels_lose_3_lu_in_mono_and_are_as_much_side_as_middle():
    noises = [noise(seconds=20.0, rate_hz=EBU_HZ, channels=1, seed=seed) for seed in (1, 2)]
    found = stereo(*noises)
    assert (found.mono_loss_lu, found.side_mid_lu) == pytest.approx((3.01, 0.0), abs=0.05)  # of 960,000 samples


def test_opposite_channels_vanish_in_mono():
    found, whole_lufs = stereo(LEFT, -LEFT), loudness(np.repeat(LEFT, 2, axis=1)).integrated_lufs
    assert (found.mono_loss_lu, found.side_mid_lu) == pytest.approx((whole_lufs + 70.0,) * 2, abs=PARTS_LU)


@pytest.mark.parametrize("rate_hz", [44_100, 22_050])
def test_middle_and_side_are_as_loud_as_when_they_are_made_and_measured(rate_hz):
    left, right = LEFT, 0.4 * LEFT + 0.7 * RIGHT
    meters = [
        meter_of(np.concatenate(pair, axis=1), rate_hz)
        for pair in ([left, right], [(left + right) / 2] * 2, [(left - right) / 2] * 2)
    ]
    whole, middle, side = (meter.loudness().integrated_lufs for meter in meters)
    found = meters[0].stereo()
    assert (found.mono_loss_lu, found.side_mid_lu) == pytest.approx((whole - middle, side - middle), abs=PARTS_LU)


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_only_a_pair_has_a_balance(channels):
    assert meter_of(noise(channels=channels, rate_hz=EBU_HZ)).stereo() == Stereo(None, None, None)


@pytest.mark.parametrize("audio", [np.zeros((EBU_HZ, 2)), np.zeros((0, 2)), noise(seconds=0.39, rate_hz=EBU_HZ)])
def test_what_has_no_loudness_has_no_balance(audio):
    assert meter_of(audio).stereo() == Stereo(None, None, None)


# Gain, silence, odd input


@pytest.mark.parametrize("gain_db", [-12.0, -0.1, 6.0, 20.0])
def test_a_gain_moves_every_level_by_itself_and_leaves_the_range(gain_db):
    audio = programme(seconds=20.0)
    before, after = loudness(audio), loudness(audio * to_gain(gain_db))
    assert before.integrated_lufs + gain_db == pytest.approx(after.integrated_lufs, abs=SHIFT_LU)
    assert before.max_momentary_lufs + gain_db == pytest.approx(after.max_momentary_lufs, abs=SHIFT_LU)
    assert before.max_short_term_lufs + gain_db == pytest.approx(after.max_short_term_lufs, abs=SHIFT_LU)
    assert before.loudness_range_lu == pytest.approx(after.loudness_range_lu, abs=SHIFT_LU)


def test_silence_has_no_loudness():
    assert loudness(np.zeros((EBU_HZ * 4, 2))) == Loudness(None, None, None, None)


def test_noise_below_the_absolute_gate_has_no_integrated_loudness():
    figures = loudness(noise(level_dbfs=-80.0, seconds=4.0, rate_hz=EBU_HZ))
    assert (figures.integrated_lufs, figures.loudness_range_lu) == (None, None)


IMPULSE = np.eye(EBU_HZ, 1)
ODD_INPUT = {
    "nothing": np.zeros((0, 2)),
    "one sample": np.full((1, 2), 0.5),
    "0.3 s": sine(997.0, seconds=0.3, rate_hz=EBU_HZ),
    "an impulse": np.repeat(IMPULSE, 2, axis=1),
    "a constant": np.full((EBU_HZ, 2), 0.5),
    "the smallest number": np.full((EBU_HZ, 2), 5e-324),
    "integers taken for floats": sine(997.0, level_dbfs=90.3, rate_hz=EBU_HZ),
}


@pytest.mark.parametrize("audio", ODD_INPUT.values(), ids=ODD_INPUT)
def test_odd_input_gives_numbers_or_none_and_no_warning(audio):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        meter = meter_of(audio)
        values = [*meter.loudness(), integrated_lufs(meter.gating_blocks()), *meter.stereo()]
    assert all(value is None or math.isfinite(value) for value in values)


def test_what_is_shorter_than_a_gating_block_has_no_loudness():
    assert loudness(sine(997.0, seconds=0.399, rate_hz=EBU_HZ)) == Loudness(None, None, None, None)


@pytest.mark.parametrize("channels", [0, 7])
def test_a_layout_without_weights_is_refused(channels):
    with pytest.raises(ValueError, match=f"1 to 6 channels, got {channels}"):
        LoudnessMeter(EBU_HZ, channels)


# Albums (law 4)

PAUSE = np.zeros((EBU_HZ, 2))  # of a second around each track: no block of 400 ms hears two tracks
ALBUM = [np.concatenate([PAUSE, programme(seconds=float(s), seed=s) * to_gain(-s % 7), PAUSE]) for s in (12, 25, 9, 31)]


def test_an_album_is_as_loud_as_all_its_tracks_in_a_row():
    parts = [meter_of(track).gating_blocks() for track in ALBUM]
    expected = loudness(np.concatenate(ALBUM)).integrated_lufs
    assert expected == pytest.approx(integrated_lufs(pooled(parts)), abs=POOL_LU)


def test_an_album_is_as_loud_as_libebur128_says():
    parts = [meter_of(track).gating_blocks() for track in ALBUM]
    expected = pyebur128.get_loudness_global_multiple([libebur128(track, EBU_HZ) for track in ALBUM])
    assert expected == pytest.approx(integrated_lufs(pooled(parts)), abs=POOL_LU)


def test_an_album_is_not_the_mean_of_its_tracks():
    quiet, loud = (tones((20.0, level)) for level in (-40.0, -20.0))
    parts = [meter_of(track).gating_blocks() for track in (quiet, loud)]
    assert integrated_lufs(pooled(parts)) == pytest.approx(-20.0, abs=LOUDNESS_LU)  # the quiet track is gated out


def test_a_track_alone_is_as_loud_by_its_bins_as_by_its_blocks():
    meters = [meter_of(track) for track in ALBUM]
    expected = [meter.loudness().integrated_lufs for meter in meters]
    assert expected == pytest.approx([integrated_lufs(meter.gating_blocks()) for meter in meters], abs=BINNING_LU)


BLOCKS = st.dictionaries(st.integers(0, 900), st.tuples(st.integers(1, 10_000), st.integers(1, 2**50)), max_size=20)


def blocks_from(bins: dict[int, tuple[int, int]]) -> GatingBlocks:
    levels = sorted(bins)
    return GatingBlocks(tuple(levels), tuple(bins[b][0] for b in levels), tuple(bins[b][1] for b in levels))


@given(st.lists(BLOCKS.map(blocks_from), max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_neither_order_nor_grouping_of_tracks_changes_the_album(parts, random, at):
    shuffled = random.sample(parts, len(parts))
    together = pooled(parts)
    assert together == pooled(shuffled) == pooled([pooled(parts[:at]), pooled(parts[at:])])
    assert together.bins == tuple(sorted(set(together.bins)))


def test_a_programme_cut_into_pieces_pools_to_at_most_a_seam_less():
    audio = tones((30.0, -23.0))
    ends = [0, 7 * EBU_HZ, 13 * EBU_HZ, 30 * EBU_HZ]
    pieces = [meter_of(audio[a:b]).gating_blocks() for a, b in pairwise(ends)]
    assert loudness(audio).integrated_lufs == pytest.approx(integrated_lufs(pooled(pieces)), abs=POOL_LU)


def test_nothing_pooled_has_no_loudness():
    assert integrated_lufs(pooled([])) is None


def test_filters_come_to_rest_in_silence():
    meter = LoudnessMeter(48_000, 2)
    meter.push(np.concatenate([np.random.default_rng(1).standard_normal((4_800, 2)), np.zeros((480_000, 2))]))
    assert not meter._state.any()  # left alone they would fade to denormal numbers, which cost twenty times as much
