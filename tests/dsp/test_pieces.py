"""A programme measured in pieces reads as if it had been measured in one go."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.gating import integrated_lufs
from dsp.pieces import RUN_IN_S, RUN_OUT_S, Piece, measure_piece, merged
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import programme

SAME_LU = 1e-9  # standards M5
SAME_RATIO = 1e-6  # true peaks are read in float32

RATES_HZ = (48_000, 44_100, 22_050)  # 10 ms are a whole number of frames, again, and half a frame off
PROGRAMMES = {rate_hz: programme(seconds=7.3, rate_hz=rate_hz, seed=9) for rate_hz in RATES_HZ}


def pieces_of(audio: Audio, rate_hz: int, cuts: list[int], *, reach_s: float = RUN_IN_S) -> list[Piece]:
    """The programme cut at these frames, each piece with what it must hear of its neighbours."""
    ends = sorted({0, *cuts, len(audio)})
    run_in, run_out = round(reach_s * rate_hz), round(RUN_OUT_S * rate_hz)
    return [
        measure_piece(
            audio[a:b],
            rate_hz,
            start_frame=a,
            before=audio[max(0, a - run_in) : a],
            after=audio[b : b + run_out],
        )
        for a, b in pairwise(ends)
    ]


WHOLES = {rate_hz: measure_piece(audio, rate_hz) for rate_hz, audio in PROGRAMMES.items()}


def assert_reads_as_the_whole(piece: Piece, whole: Piece) -> None:
    assert (0, whole.end_frame) == (piece.start_frame, piece.end_frame)
    assert list(whole.loudness()) == pytest.approx(list(piece.loudness()), abs=SAME_LU)
    assert integrated_lufs(whole.gating_blocks()) == pytest.approx(integrated_lufs(piece.gating_blocks()), abs=SAME_LU)
    assert whole.true_peak_ratio == pytest.approx(piece.true_peak_ratio, rel=SAME_RATIO)


@given(
    rate_hz=st.sampled_from(RATES_HZ),
    cuts=st.lists(st.integers(0, round(7.3 * 22_050)), max_size=12),
    random=st.randoms(use_true_random=False),
)
def test_neither_the_cuts_nor_the_order_of_pieces_change_a_figure(rate_hz, cuts, random):
    pieces = pieces_of(PROGRAMMES[rate_hz], rate_hz, cuts)
    random.shuffle(pieces)
    assert_reads_as_the_whole(merged(pieces), WHOLES[rate_hz])


@given(cuts=st.lists(st.integers(0, 2_000), min_size=3, max_size=25))
def test_pieces_shorter_than_a_tick_are_pieces_too(cuts):
    assert_reads_as_the_whole(merged(pieces_of(PROGRAMMES[44_100], 44_100, cuts)), WHOLES[44_100])


@pytest.mark.parametrize("at", [0, 1, 440, 441, 442, 100_000, 321_930])
def test_an_empty_piece_changes_nothing_wherever_it_lies(at):
    audio = PROGRAMMES[44_100]
    empty = measure_piece(audio[:0], 44_100, start_frame=at, before=audio[:at], after=audio[at:])
    pieces = pieces_of(audio, 44_100, [at])
    for together in ([empty, *pieces], [*pieces, empty], [pieces[0], empty, *pieces[1:]]):
        assert_reads_as_the_whole(merged(together), WHOLES[44_100])


def test_merging_may_be_done_in_stages():
    one, two, three, four = pieces_of(PROGRAMMES[48_000], 48_000, [70_001, 90_003, 200_000])
    assert_reads_as_the_whole(merged([merged([three, four]), merged([one, two])]), WHOLES[48_000])


def test_a_peak_on_the_cut_is_read_once_and_right():
    audio = PROGRAMMES[48_000].copy()
    audio[99_998:100_003, 0] = [0.4, -0.7, 1.7, -0.6, 0.3]
    meter = TruePeakMeter(48_000, 2)
    meter.push(audio)
    expected = meter.finish().max()
    for cut in range(99_995, 100_006):
        found = merged(pieces_of(audio, 48_000, [cut])).true_peak_ratio
        assert found == pytest.approx(expected, rel=SAME_RATIO)


@pytest.mark.parametrize("after_frames", [1, 30, 900, 2_400, 4_700, 5_000])
def test_a_peak_just_before_the_cut_is_read(after_frames):
    audio = PROGRAMMES[48_000].copy()
    audio[96_098:96_103, 0] = [0.4, -0.7, 1.7, -0.6, 0.3]  # where a stretch of 100 ms begins
    expected = measure_piece(audio, 48_000).true_peak_ratio
    first = pieces_of(audio, 48_000, [96_103 + after_frames])[0]
    assert first.true_peak_ratio == pytest.approx(expected, rel=SAME_RATIO)


def test_a_programme_of_nothing_has_no_loudness():
    found = merged([measure_piece(np.zeros((0, 2)), 48_000)])
    assert (found.loudness().integrated_lufs, found.true_peak_ratio) == (None, 0.0)


@pytest.mark.parametrize("gone", [1, 2])
def test_a_missing_piece_is_noticed(gone):
    pieces = pieces_of(PROGRAMMES[48_000], 48_000, [48_000, 96_000, 144_000])
    del pieces[gone]
    gap = f"one ends at frame {gone * 48_000} .*the next begins at frame {(gone + 1) * 48_000}"
    with pytest.raises(ValueError, match=gap):
        merged(pieces)


def test_a_piece_given_twice_is_noticed():
    pieces = pieces_of(PROGRAMMES[48_000], 48_000, [48_000])
    with pytest.raises(ValueError, match="one ends at frame 48000 .*the next begins at frame 0"):
        merged([*pieces, pieces[0]])


def test_pieces_of_different_rates_do_not_fit():
    one, _ = pieces_of(PROGRAMMES[48_000], 48_000, [48_000])
    _, other = pieces_of(PROGRAMMES[44_100], 44_100, [48_000])
    with pytest.raises(ValueError, match=r"\(48000 Hz\), the next begins at frame 48000 \(44100 Hz\)"):
        merged([one, other])


def test_no_pieces_at_all_are_no_programme():
    with pytest.raises(ValueError, match="no piece was given"):
        merged([])


@pytest.mark.parametrize("figure", [Piece.loudness, Piece.gating_blocks])
def test_a_piece_from_the_middle_is_no_programme(figure):
    _, middle, end = pieces_of(PROGRAMMES[48_000], 48_000, [48_000, 96_000])
    for piece in (middle, merged([end, middle])):
        with pytest.raises(ValueError, match="a programme begins at frame 0, this piece at 48000: merge what comes"):
            figure(piece)
