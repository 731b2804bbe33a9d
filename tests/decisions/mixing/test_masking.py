"""Masking is told as ears would have it, and gives way only for a purpose: cuts alone, small, beside the masker's own bands."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.excitation import spread
from decisions.mixing.masking import ESSENTIAL_BANDS, MOST_BELLS, decide_masking, masked_ratios
from decisions.mixing.prediction import CENTRES_HZ, WEIGHTS
from decisions.mixing.session import Session, neutral_settings
from dsp.settings import ParametricSettings
from schemas.mix import MixSettings
from tests.decisions.mixing.sessions import full_session, phrases, session, stem

COVERED = session(
    stem("lead", "vocal", hz=(150.0, 6_000.0), tilt_db_per_bark=-1.0, course=phrases(), lufs=-27.0),
    stem("guitar", "electric_guitar", hz=(100.0, 6_000.0), tilt_db_per_bark=-0.5, lufs=-22.0),
    stem("keys", "keys", hz=(100.0, 4_000.0), tilt_db_per_bark=-0.7, lufs=-24.0),
)


def bells(mix: MixSettings, stem_id: str) -> list[tuple[float, float]]:
    inserts = [each.settings() for strip in mix.stems if strip.stem_id == stem_id for each in strip.inserts]
    found = [band for one in inserts if isinstance(one, ParametricSettings) for band in one.bands]
    return [(band.freq_hz, band.gain_db) for band in found]


def decided(song: Session) -> MixSettings:
    return decide_masking(song, neutral_settings(song))


def test_a_stem_alone_is_not_masked():
    song = session(stem("a", "keys"))
    assert {"a": 0.0} == masked_ratios(song, neutral_settings(song))


def test_of_two_stems_far_apart_in_level_the_softer_is_covered_and_the_louder_is_not():
    song = session(stem("a", "keys", lufs=-10.0), stem("b", "synth", lufs=-40.0))
    assert {"a": 0.0, "b": 1.0} == masked_ratios(song, neutral_settings(song))


def test_stems_in_different_bands_do_not_cover_each_other():
    song = session(stem("a", "bass", hz=(40.0, 200.0)), stem("b", "cymbals", hz=(6_000.0, 15_000.0)))
    assert max(masked_ratios(song, neutral_settings(song)).values()) < 0.01


def test_what_stands_alone_on_its_side_is_heard_there():
    song = session(stem("a", "keys", lufs=-30.0), stem("b", "synth", lufs=-20.0))
    apart = neutral_settings(song)
    apart = msgspec.structs.replace(
        apart,
        stems=tuple(
            msgspec.structs.replace(strip, pan_ratio=pan) for strip, pan in zip(apart.stems, (-1.0, 1.0), strict=True)
        ),
    )
    assert masked_ratios(song, neutral_settings(song))["a"] == 1.0
    assert masked_ratios(song, apart)["a"] == 0.0


@given(st.floats(-30.0, 30.0))
@settings(max_examples=10, deadline=None)
def test_masking_does_not_depend_on_the_gain_of_the_whole_mix(gain_db):
    song = full_session()
    plain = neutral_settings(song)
    moved = [msgspec.structs.replace(strip, gain_db=gain_db) for strip in plain.stems]
    expected = masked_ratios(song, plain)
    assert expected == pytest.approx(masked_ratios(song, msgspec.structs.replace(plain, stems=tuple(moved))), abs=1e-3)


def test_loud_sounds_spread_further_up_and_none_further_down():
    bands = np.zeros((1, 24))
    bands[0, 8] = 1.0
    soft, loud = (10.0 * np.log10(spread(bands, level)[0] + 1e-30) for level in (40.0, 90.0))
    assert loud[12] > soft[12] + 20.0
    assert loud[6] == pytest.approx(soft[6]) == pytest.approx(-54.0)


def test_a_covered_lead_is_freed_by_cuts_alone_that_are_small_and_few():
    mix = decided(COVERED)
    found = [bell for strip in mix.stems for bell in bells(mix, strip.stem_id)]
    assert found
    assert all(-3.0 <= gain_db <= -0.5 for _, gain_db in found)
    assert max(len(bells(mix, strip.stem_id)) for strip in mix.stems) <= MOST_BELLS
    assert masked_ratios(COVERED, mix)["lead"] < 0.9 * masked_ratios(COVERED, neutral_settings(COVERED))["lead"]


def test_the_lead_itself_is_never_cut():
    assert bells(decided(COVERED), "lead") == []


def test_no_masker_is_cut_in_the_bands_that_make_it_what_it_is():
    mix = decided(COVERED)
    for one in COVERED.stems:
        loudest = np.argsort(-one.trace.bands.mean(axis=0) * WEIGHTS, kind="stable")[:ESSENTIAL_BANDS]
        assert not {round(CENTRES_HZ[band]) for band in loudest} & {round(hz) for hz, _ in bells(mix, one.stem.stem_id)}


def test_nobody_else_suffers_for_the_lead():
    before, after = masked_ratios(COVERED, neutral_settings(COVERED)), masked_ratios(COVERED, decided(COVERED))
    assert max(after[stem_id] - before[stem_id] for stem_id in before) <= 0.05


def test_a_session_in_which_little_is_covered_gets_nothing():
    song = session(
        stem("lead", "vocal", hz=(150.0, 8_000.0), lufs=-18.0), stem("keys", "keys", hz=(100.0, 4_000.0), lufs=-30.0)
    )
    assert decided(song) == neutral_settings(song)


def test_a_locked_stem_gives_way_to_nobody():
    guitar = stem("guitar", "electric_guitar", hz=(100.0, 6_000.0), tilt_db_per_bark=-0.5, lufs=-22.0, lock=True)
    song = session(COVERED.heard()["lead"], guitar)
    assert decided(song) == neutral_settings(song)


def test_whose_role_is_a_guess_is_cut_by_half_at_most():
    unsure = [one._replace(role_confidence=0.3) for one in COVERED.stems if one.stem.stem_id != "lead"]
    song = session(COVERED.heard()["lead"], *unsure)
    mix = decided(song)
    assert all(gain_db >= -1.5 for strip in mix.stems for _, gain_db in bells(mix, strip.stem_id))
