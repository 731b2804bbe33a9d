"""Ducks, rooms and bus compressors come only where the session asks for them, and a person's wish holds."""

from __future__ import annotations

import math

import pytest

from decisions.mixing.buses import decide_buses
from decisions.mixing.dryness import dryness
from decisions.mixing.ducking import decide_ducking
from decisions.mixing.masking import masked_ratios
from decisions.mixing.reverbs import LEVELS_LU, decide_reverbs, onset_density
from decisions.mixing.session import HeardStem, Session, neutral_settings
from schemas.mix import Duck, MixSettings
from tests.decisions.mixing.sessions import full_session, hits, phrases, session, stem


def lows(bass_lufs: float = -14.0, bass: tuple[float, float] = (40.0, 300.0), **columns: object) -> Session:
    return session(
        stem("kick", "kick", hz=(40.0, 200.0), course=hits(0.5, 0.0, 40.0), lufs=-24.0, percussivity_ratio=0.9),
        stem("bass", "bass", hz=bass, lufs=bass_lufs, **columns),  # type: ignore[arg-type]
    )


def ducks(song: Session, stem_id: str) -> tuple[Duck, ...]:
    made = decide_ducking(song, neutral_settings(song))
    return next(strip.ducks for strip in made.stems if strip.stem_id == stem_id)


def with_rooms(*stems: HeardStem) -> MixSettings:
    song = session(*stems)
    return decide_reverbs(song, neutral_settings(song))


def dry_band(**lead: object) -> list[HeardStem]:
    """Stems that stop at once."""
    return [
        stem("lead", "vocal", course=phrases(2.0, 1.0), **lead),  # type: ignore[arg-type]
        stem("snare", "snare", course=hits(1.0), percussivity_ratio=0.9),
        stem("guitar", "electric_guitar", course=phrases(1.0, 1.0)),
        stem("keys", "keys", course=phrases(1.5, 1.5)),
        stem("kick", "kick", course=hits(0.5), percussivity_ratio=0.9),
        stem("bass", "bass", course=phrases(1.0, 1.0)),
    ]


def sends(mix: MixSettings) -> dict[str, float]:
    return {strip.stem_id: strip.sends[0].level_db for strip in mix.stems if strip.sends}


def test_a_bass_that_covers_the_kick_gives_way_to_it_in_the_lows():
    (duck,) = ducks(lows(), "bass")
    assert (duck.key, duck.low_hz, duck.high_hz) == ("kick", 40.0, 120.0)
    assert 1.0 <= duck.depth_db <= 3.0


def test_the_kick_is_freed_by_the_duck():
    song = lows()
    before = neutral_settings(song)
    assert masked_ratios(song, decide_ducking(song, before))["kick"] < masked_ratios(song, before)["kick"]


@pytest.mark.parametrize(
    "song", [lows(-40.0), lows(bass=(300.0, 2_000.0)), lows(lock=True)], ids=["soft", "high", "locked"]
)
def test_a_bass_that_is_in_nobodys_way_or_locked_does_not_give_way(song):
    assert ducks(song, "bass") == ()


def test_the_accompaniment_gives_way_to_a_covered_lead_while_that_sings():
    lead = stem("lead", "vocal", hz=(150.0, 6_000.0), course=phrases(), lufs=-30.0)
    song = session(lead, stem("keys", "keys", hz=(150.0, 6_000.0), lufs=-24.0))
    (duck,) = ducks(song, "keys")
    assert (duck.key, duck.depth_db, duck.low_hz, duck.high_hz) == ("lead", 1.5, 1_000.0, 4_000.0)


def test_a_lead_that_is_heard_asks_nobody_to_give_way():
    song = session(stem("lead", "vocal", lufs=-15.0), stem("keys", "keys", lufs=-35.0))
    assert decide_ducking(song, neutral_settings(song)) == neutral_settings(song)


def test_dry_stems_get_the_room_of_their_role_and_lows_none():
    mix = with_rooms(*dry_band())
    assert {"lead", "snare", "guitar", "keys"} == set(sends(mix))
    assert {"reverb_vocals", "reverb_music"} == {room.name for room in mix.returns}


def test_voices_have_a_room_of_their_own():
    mix = with_rooms(*dry_band(), stem("choir", "backing_vocal", course=phrases(2.0, 2.0)))
    kinds = {strip.stem_id: strip.sends[0].to for strip in mix.stems if strip.sends}
    assert (kinds["lead"], kinds["choir"], kinds["keys"]) == ("reverb_vocals", "reverb_backing", "reverb_music")
    assert {"reverb_vocals": "vocals", "reverb_backing": "backing", "reverb_music": "music"} == {
        room.name: room.of for room in mix.returns
    }


def test_a_session_that_brought_a_room_along_gets_none():
    wet = stem("strings", "strings", course=hits(3.0, 0.0, 20.0))
    assert with_rooms(*dry_band(), wet).returns == ()


def test_a_session_of_stereo_stems_gets_none():
    wide = [stem(f"{n}", "keys", channels=2, course=phrases(1.0, 1.0)) for n in range(5)]
    assert with_rooms(*wide).returns == ()


def test_one_stem_that_never_stops_cannot_be_told_dry():
    assert with_rooms(stem("pad", "synth")).returns == ()


@pytest.mark.parametrize("wish", ["low", "medium", "high"])
def test_a_wish_of_the_manifest_holds_whatever_the_stem_is(wish):
    mix = with_rooms(stem("kick", "kick", hz=(300.0, 5_000.0), reverb=wish))
    assert sends(mix)["kick"] == pytest.approx(LEVELS_LU[wish], abs=1.0)


def test_who_asks_for_none_gets_none():
    assert "lead" not in sends(with_rooms(*dry_band(reverb="none")))


def test_what_the_cuts_before_a_room_take_is_sent_more():
    low, high = (with_rooms(stem("a", "keys", hz=hz, reverb="low")) for hz in ((100.0, 400.0), (500.0, 4_000.0)))
    assert sends(low)["a"] > sends(high)["a"]


def test_all_rooms_together_stay_14_lu_below_the_mix():
    song = session(*(stem(f"{n}", "keys", reverb="high") for n in range(3)))
    mix = decide_reverbs(song, neutral_settings(song))
    assert all(room.gain_db <= 0.0 for room in mix.returns)
    told = mix.returns[0].why["reverb"].evidence["rooms_re_mix_lu"]
    assert float(told) + mix.returns[0].gain_db <= -14.0 + 0.06


def test_dense_music_has_a_shorter_room():
    def decay_s(every_s: float) -> float:
        return with_rooms(stem("a", "percussion", course=hits(every_s), reverb="low")).returns[0].reverb.decay_s

    assert 0.8 <= decay_s(0.2) < decay_s(1.0) <= 2.2


def test_onsets_are_counted_a_second():
    song = session(stem("a", "percussion", course=hits(0.5)))
    assert onset_density(song, neutral_settings(song)) == pytest.approx(2.0, rel=0.1)


def test_a_decay_is_read_from_how_a_stem_dies_away():
    found = dryness(stem("a", "strings", course=hits(3.0, 0.0, 40.0)))
    assert found.decay_s == pytest.approx(1.5, rel=0.05)
    assert found.confidence < 0.3


def test_a_stop_of_a_dry_stem_takes_no_time():
    found = dryness(stem("a", "keys", course=phrases(1.0, 1.0)))
    assert found.decay_s is not None
    assert found.decay_s < 0.5
    assert found.confidence >= 0.5


def compressed(song: Session, name: str) -> bool:
    made = decide_buses(song, neutral_settings(song))
    return next(bus.compressor is not None for bus in made.buses if bus.name == name)


def test_an_even_bus_has_no_compressor():
    song = session(*(stem(f"{n}", "keys") for n in range(3)))
    assert not compressed(song, "music")


def test_a_bus_whose_peaks_stand_out_is_held_by_2_db_at_most():
    song = session(*(stem(f"{n}", "keys", crest_db=26.0, course=phrases(3.0, 0.5)) for n in range(3)))
    made = next(bus for bus in decide_buses(song, neutral_settings(song)).buses if bus.name == "music")
    assert made.compressor is not None
    assert 0.0 < float(made.why["compressor"].evidence["predicted_mean_reduction_db"]) <= 2.0


def test_a_bus_with_a_locked_stem_has_no_compressor_for_it_would_touch_that_stem():
    columns = ({}, {}, {"lock": True})
    song = session(*(stem(f"{n}", "keys", crest_db=26.0, course=phrases(3.0, 0.5), **columns[n]) for n in range(3)))
    assert not compressed(song, "music")


def test_a_bus_of_one_stem_has_no_compressor():
    assert not compressed(session(stem("a", "keys", crest_db=30.0)), "music")


def test_no_step_touches_a_full_session_that_is_muted():
    muted = [one._replace(stem=one.stem.__class__(**{**_fields(one), "mute": True})) for one in full_session().stems]
    song = session(*muted)
    for step in (decide_ducking, decide_reverbs, decide_buses):
        assert step(song, neutral_settings(song)) == neutral_settings(song)
    assert math.isclose(onset_density(song, neutral_settings(song)), 0.0)


def _fields(one: HeardStem) -> dict[str, object]:
    return {name: getattr(one.stem, name) for name in one.stem.__struct_fields__}
