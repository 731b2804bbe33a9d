"""Stems stand where their kind belongs, both sides as loud, the lows in the middle; and who has a place keeps it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.azimuths import MOST_SWAPPED
from decisions.mixing.excitation import side_shares
from decisions.mixing.pans import PLACES, decide_pans
from decisions.mixing.prediction import WEIGHTS, bands_in_mix, overlap_ratio, to_level
from decisions.mixing.session import HeardStem, Session, neutral_settings
from schemas.mix import MixSettings
from tests.decisions.mixing.sessions import full_session, pair, session, stem

ROLES = sorted(PLACES)


def decided(song: Session) -> MixSettings:
    return decide_pans(song, neutral_settings(song))


def places(song: Session) -> dict[str, float]:
    return {strip.stem_id: strip.pan_ratio for strip in decided(song).stems}


def imbalance_db(song: Session, mix: MixSettings, low_hz: float, high_hz: float) -> float:
    """Left over right between two frequencies."""
    part, heard, sides = overlap_ratio(low_hz, high_hz) * WEIGHTS, song.heard(), [0.0, 0.0]
    strips = {strip.stem_id: strip for strip in mix.stems}
    for stem_id, bands in bands_in_mix(song, mix).items():
        for side, share in enumerate(side_shares(heard[stem_id], strips[stem_id])):
            sides[side] += share * float((bands @ part).sum())
    return float(to_level(sides)[0] - to_level(sides)[1])


def test_lead_bass_kick_and_snare_stay_in_the_centre():
    found = places(full_session())
    assert {0.0} == {found[stem_id] for stem_id in ("lead", "bass", "kick", "snare")}


def test_what_sounds_alike_stands_on_opposite_sides():
    found = places(full_session())
    assert found["guitar a"] * found["guitar b"] < 0.0


@pytest.mark.parametrize("part", [(0.0, 300.0), (300.0, 2_500.0), (2_500.0, 20_000.0), (0.0, 20_000.0)])
def test_both_sides_are_as_loud(part):
    song = full_session()
    assert abs(imbalance_db(song, decided(song), *part)) <= 0.5


@given(
    st.lists(
        st.tuples(st.sampled_from(ROLES), st.floats(-40.0, -15.0), st.floats(60.0, 4_000.0)), min_size=1, max_size=8
    )
)
@settings(max_examples=15, deadline=None)
def test_in_no_session_one_side_is_louder(drawn):
    stems = [stem(f"{n}", role, lufs=lufs, hz=(hz, 4.0 * hz), seconds=4.0) for n, (role, lufs, hz) in enumerate(drawn)]
    song = session(*stems)
    mix = decided(song)
    assert (
        max(abs(imbalance_db(song, mix, *part)) for part in ((0.0, 300.0), (300.0, 2_500.0), (2_500.0, 20_000.0)))
        <= 0.5
    )


def test_a_single_guitar_without_a_counterpart_stays_in_the_centre():
    song = session(stem("guitar", "electric_guitar"), stem("bass", "bass", hz=(40.0, 300.0)))
    assert places(song)["guitar"] == pytest.approx(0.0, abs=0.15)


def test_no_stem_stands_further_out_than_its_role():
    song = full_session()
    roles = {one.stem.stem_id: one.role for one in song.stems}
    assert all(abs(pan) <= PLACES[roles[stem_id]][1] for stem_id, pan in places(song).items() if pan)


def test_low_stems_stay_in_the_middle():
    low = [stem(f"{n}", "synth", hz=(40.0, 150.0)) for n in (1, 2)]
    assert {0.0} == set(places(session(*low)).values())


def test_a_pair_that_its_names_tell_apart_is_mirrored():
    overheads = [stem(f"OH {side}", "cymbals", hz=(2_000.0, 15_000.0)) for side in "LR"]
    found = places(session(*overheads, stem("bass", "bass")))
    assert found["OH L"] == -found["OH R"] < 0.0


def test_two_microphones_of_one_source_stand_together():
    both = [stem(name, "acoustic_guitar", pair="guitar") for name in ("near", "far")]
    other = stem("other", "acoustic_guitar")
    found = places(session(*both, other, pairs=[pair("far", "near", correlation=0.9)]))
    assert found["near"] == found["far"]


def test_two_takes_of_a_pair_are_mirrored():
    both = [stem(name, "electric_guitar", pair="doubles") for name in ("one", "two")]
    found = places(session(*both, pairs=[pair("one", "two", correlation=0.1)]))
    assert found["one"] == -found["two"] != 0.0


def test_stereo_stems_stay_as_they_are():
    wide = [stem(f"{n}", "keys", channels=2) for n in (1, 2)]
    song = session(*wide, stem("guitar", "electric_guitar"))
    assert decided(song) == neutral_settings(song)


def test_a_stereo_stem_that_cancels_in_mono_is_narrowed():
    song = session(stem("pad", "synth", channels=2, figures={"correlation": -0.6}))
    (strip,) = decided(song).stems
    assert strip.width_ratio == pytest.approx(0.5)
    assert strip.why["width_ratio"].evidence["lost_in_mono_db"] == pytest.approx(7.0, abs=0.1)


@pytest.mark.parametrize("column", [{"lock": True}, {"pan_ratio": 0.3}, {"pan_ratio": 0.0}, {"keep_pan": True}])
def test_who_has_a_place_keeps_it(column):
    asked = stem("guitar a", "electric_guitar", **column)
    others = [one for one in full_session().stems if one.stem.stem_id != "guitar a"]
    assert places(session(asked, *others))["guitar a"] == column.get("pan_ratio", 0.0)


def test_whose_role_is_a_guess_stands_half_as_wide():
    def unsure(one: HeardStem) -> HeardStem:
        return one._replace(role_confidence=0.2)

    song = session(*map(unsure, full_session().stems))
    roles = {one.stem.stem_id: one.role for one in song.stems}
    assert all(abs(pan) <= 0.5 * PLACES[roles[stem_id]][1] for stem_id, pan in places(song).items() if pan)


def test_the_same_session_gets_the_same_places():
    assert places(full_session()) == places(full_session())


def test_more_stems_than_can_be_swapped_are_placed_too():
    many = [
        stem(f"{n:02}", ROLES[n % len(ROLES)], hz=(100.0 + 40.0 * n, 4_000.0), seconds=2.0)
        for n in range(MOST_SWAPPED + 5)
    ]
    song = session(*many)
    mix = decided(song)
    assert sum(strip.pan_ratio != 0.0 for strip in mix.stems) > MOST_SWAPPED / 2
    assert abs(imbalance_db(song, mix, 0.0, 20_000.0)) <= 0.5


def test_levels_count_and_not_what_was_delivered():
    song = full_session()
    loud = neutral_settings(song)
    moved = tuple(
        msgspec.structs.replace(strip, gain_db=12.0) if strip.stem_id == "keys" else strip for strip in loud.stems
    )
    mix = decide_pans(song, msgspec.structs.replace(loud, stems=moved))
    assert abs(imbalance_db(song, mix, 300.0, 2_500.0)) <= 0.5
