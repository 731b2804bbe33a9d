"""The loudness meter against the cases of EBU Tech 3341 and 3342, the anchor of BS.1770, and two independent meters."""

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
from dsp.loudness import Loudness, LoudnessMeter, loudness_range_lu
from tests.dsp.signals import EBU_HZ, programme, tones
from tests.makers import noise, sine

LOUDNESS_LU = 0.1  # EBU Tech 3341, table 1
RANGE_LU = 1.0  # EBU Tech 3342, table 1
ANCHOR_LU = 0.002  # standards M4: -3.010 at every rate
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


def meter_of(audio: Audio, rate_hz: int = EBU_HZ) -> LoudnessMeter:
    meter = LoudnessMeter(rate_hz, audio.shape[1])
    meter.push(audio)
    return meter


def loudness(audio: Audio, rate_hz: int = EBU_HZ) -> Loudness:
    return meter_of(audio, rate_hz).loudness()


def to_lufs(energies: Audio) -> Audio:
    return -0.691 + 10.0 * np.log10(energies)  # BS.1770-5 annex 1, equation 2


def libebur128(audio: Audio, rate_hz: int) -> pyebur128.R128State:
    state = pyebur128.R128State(audio.shape[1], rate_hz, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    return state


# EBU Tech 3341

INTEGRATED = {
    "3341-1": [(20.0, -23.0)],
    "3341-3": [(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)],
    "3341-4": [(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)],
    "3341-5": [(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)],
}


@pytest.mark.parametrize("segments", INTEGRATED.values(), ids=INTEGRATED)
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_the_programme_of_ebu_tech_3341_reads_minus_23_lufs(segments, rate_hz):
    audio = tones(*segments, rate_hz=rate_hz)
    assert loudness(audio, rate_hz).integrated_lufs == pytest.approx(-23.0, abs=LOUDNESS_LU)


@pytest.mark.parametrize("level_dbfs", [-23.0, -33.0], ids=["3341-1", "3341-2"])
def test_a_steady_tone_reads_the_same_on_every_scale(level_dbfs):
    figures = loudness(tones((20.0, level_dbfs)))
    scales = [figures.integrated_lufs, figures.max_momentary_lufs, figures.max_short_term_lufs]
    assert [level_dbfs] * 3 == pytest.approx(scales, abs=LOUDNESS_LU)


def test_the_surround_tone_reads_minus_23_lufs():
    left, centre, rear = (tones((20.0, level), channels=1) for level in (-28.0, -24.0, -30.0))  # 3341-6
    five = np.concatenate([left, left, centre, rear, rear], axis=1)
    six = np.concatenate([left, left, centre, tones((20.0, -3.0), hz=40.0, channels=1), rear, rear], axis=1)
    assert loudness(five).integrated_lufs == pytest.approx(-23.0, abs=LOUDNESS_LU)
    assert loudness(six).integrated_lufs == pytest.approx(loudness(five).integrated_lufs, abs=1e-9)  # LFE: left out


def test_the_short_term_scale_stands_still_on_a_tone_that_changes_within_its_window():
    audio = tones(*[(1.34, -20.0), (1.66, -30.0)] * 5)  # 3341-9
    short_term = to_lufs(meter_of(audio).short_term(1))
    assert [short_term.min(), short_term.max()] == pytest.approx([-23.0, -23.0], abs=LOUDNESS_LU)


def test_the_momentary_scale_stands_still_on_a_tone_that_changes_within_its_window():
    audio = tones(*[(0.18, -20.0), (0.22, -30.0)] * 25)  # 3341-12
    momentary = to_lufs(meter_of(audio).momentary())[60:]  # after 1 s
    assert [momentary.min(), momentary.max()] == pytest.approx([-23.0, -23.0], abs=LOUDNESS_LU)


def test_a_tone_of_3_s_reaches_its_short_term_level_wherever_it_starts():
    files = [tones((i * 0.15, None), (3.0, -23.0), (1.0, None)) for i in range(20)]  # 3341-10
    assert [-23.0] * 20 == pytest.approx([loudness(f).max_short_term_lufs for f in files], abs=LOUDNESS_LU)


def test_a_tone_of_400_ms_reaches_its_momentary_level_wherever_it_starts():
    files = [tones((i * 0.02, None), (0.4, -23.0), (1.0, None)) for i in range(20)]  # 3341-13
    assert [-23.0] * 20 == pytest.approx([loudness(f).max_momentary_lufs for f in files], abs=LOUDNESS_LU)


def successive_maxima(energies: Audio, windows_s: float, segment_s: float) -> list[float]:
    """The largest value within each segment; a window belongs to the segment in which it ends."""
    ends_s = np.arange(len(energies)) * 0.01 + windows_s
    return [float(to_lufs(energies[(ends_s > a) & (ends_s <= a + segment_s)].max())) for a in np.arange(20) * segment_s]


def test_successive_tones_of_3_s_are_read_one_after_the_other():
    stream = [((i * 0.15, None), (3.0, -38.0 + i), (3.0 - i * 0.15, None)) for i in range(20)]  # 3341-11
    energies = meter_of(tones(*(segment for three in stream for segment in three))).short_term(1)
    expected = [-38.0 + i for i in range(20)]
    assert expected == pytest.approx(successive_maxima(energies, 3.0, 6.0), abs=LOUDNESS_LU)


def test_successive_tones_of_400_ms_are_read_one_after_the_other():
    stream = [((i * 0.02, None), (0.4, -38.0 + i), (0.4 - i * 0.02, None)) for i in range(20)]  # 3341-14
    energies = meter_of(tones(*(segment for three in stream for segment in three))).momentary()
    expected = [-38.0 + i for i in range(20)]
    assert expected == pytest.approx(successive_maxima(energies, 0.4, 0.8), abs=LOUDNESS_LU)


# EBU Tech 3342


@pytest.mark.parametrize(
    ("levels_dbfs", "expected_lu"),
    [
        pytest.param((-20.0, -30.0), 10.0, id="3342-1"),
        pytest.param((-20.0, -15.0), 5.0, id="3342-2"),
        pytest.param((-40.0, -20.0), 20.0, id="3342-3"),
        pytest.param((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0, id="3342-4"),
    ],
)
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_the_range_of_ebu_tech_3342_reads_right(levels_dbfs, expected_lu, rate_hz):
    audio = tones(*((20.0, level) for level in levels_dbfs), rate_hz=rate_hz)
    assert loudness(audio, rate_hz).loudness_range_lu == pytest.approx(expected_lu, abs=RANGE_LU)


def energies_at(*levels_lufs: float) -> Floats:
    return np.array([energy_of(level) for level in levels_lufs])


def test_the_range_lies_between_the_nearest_ranks():
    levels = np.arange(96) * 0.1 - 30.0  # Tech 3342: ranks round(95 * 0.10) and round(95 * 0.95), halves upwards
    assert loudness_range_lu(energies_at(*levels)) == pytest.approx(levels[90] - levels[10], abs=1e-9)


@pytest.mark.parametrize(("quiet_lufs", "expected_lu"), [(-40.8, 20.8), (-41.1, 0.0)])
def test_the_range_leaves_out_what_is_20_lu_below_the_mean(quiet_lufs, expected_lu):
    energies = energies_at(*[-20.0] * 80, *[quiet_lufs] * 20)  # their mean is -20.95 LUFS, the gate at -40.95
    assert loudness_range_lu(energies) == pytest.approx(expected_lu, abs=1e-9)


# BS.1770


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 88_200, 96_000, 176_400, 192_000])
def test_full_scale_at_997_hz_in_one_channel_reads_minus_3_01_lufs(rate_hz):
    tone = sine(997.0, level_dbfs=0.0, seconds=5.0, rate_hz=rate_hz)
    tone[:, 1] = 0.0
    assert loudness(tone, rate_hz).integrated_lufs == pytest.approx(-3.010, abs=ANCHOR_LU)


@pytest.mark.parametrize(  # BS.2217: level = target + 0.691 - K(f), in both channels
    ("hz", "level_dbfs"),
    [(25, -11.9162), (100, -21.1755), (500, -22.3515), (1000, -23.0067), (2000, -25.3803), (10_000, -26.3509)],
)
@pytest.mark.parametrize("target_lufs", [-23.0, -24.0])
def test_the_tone_of_bs_2217_reads_its_target(hz, level_dbfs, target_lufs):
    tone = sine(hz, level_dbfs=level_dbfs + target_lufs + 23.0, seconds=20.0, rate_hz=EBU_HZ)
    assert loudness(tone).integrated_lufs == pytest.approx(target_lufs, abs=LOUDNESS_LU)


def test_one_channel_reads_3_lu_less_than_two():
    mono, stereo = (loudness(sine(997.0, channels=n, rate_hz=EBU_HZ)).integrated_lufs for n in (1, 2))
    assert stereo - mono == pytest.approx(10.0 * math.log10(2.0), abs=1e-9)


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
        values = [*meter.loudness(), integrated_lufs(meter.gating_blocks())]
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
