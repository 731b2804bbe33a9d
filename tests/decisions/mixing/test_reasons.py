"""The law of reasons: whatever is set has a text and something measured, and who is unsure does half at most."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.buses import decide_buses
from decisions.mixing.corrective import decide_corrective
from decisions.mixing.ducking import decide_ducking
from decisions.mixing.dynamics import decide_dynamics
from decisions.mixing.masking import decide_masking
from decisions.mixing.pans import decide_pans
from decisions.mixing.reasons import overdone, set_values, unexplained
from decisions.mixing.reverbs import decide_reverbs
from decisions.mixing.riding import decide_riding
from decisions.mixing.session import HeardStem, Session, Step, neutral_settings
from dsp.settings import Band, CompressorSettings, ParametricSettings
from schemas.mix import Insert, MixSettings, Send, Why
from tests.decisions.mixing.sessions import full_session, hits, phrases, session, stem
from tests.dsp.test_settings import UNITS

STEPS: tuple[Step, ...] = (
    decide_corrective, decide_dynamics, decide_riding, decide_pans, decide_masking, decide_ducking, decide_reverbs, decide_buses,
)  # fmt: skip


def decided(song: Session) -> MixSettings:
    made = neutral_settings(song)
    for step in STEPS:
        made = step(song, made)
    return made


def restless(confidence: float = 1.0) -> Session:
    """A session in which every step finds something to do."""
    lead = stem(
        "lead",
        "vocal",
        hz=(150.0, 6_000.0),
        tilt_db_per_bark=-1.0,
        course=phrases(5.0, 1.0, (0.0, -9.0, -4.0)),
        lufs=-25.0,
        figures={"loudness_range_lu": 12.0},
    )
    drums = [
        stem("kick", "kick", hz=(40.0, 200.0), course=hits(0.5, 0.0, 40.0), lufs=-26.0, percussivity_ratio=0.9),
        stem("snare", "snare", hz=(200.0, 8_000.0), course=hits(1.0, 0.5), lufs=-24.0, crest_db=30.0),
    ]
    rest = [
        stem("bass", "bass", hz=(40.0, 300.0), course=phrases(2.0, 0.5), lufs=-14.0),
        stem(
            "guitar a",
            "electric_guitar",
            hz=(120.0, 6_000.0),
            tilt_db_per_bark=-0.6,
            course=phrases(2.0, 1.0),
            crest_db=27.0,
        ),
        stem(
            "guitar b",
            "electric_guitar",
            hz=(130.0, 6_000.0),
            tilt_db_per_bark=-0.6,
            course=phrases(2.5, 1.0),
            crest_db=26.0,
        ),
        stem("keys", "keys", hz=(150.0, 5_000.0), tilt_db_per_bark=-0.3, course=phrases(2.0, 1.5)),
    ]
    return session(*(one._replace(role_confidence=confidence) for one in (lead, *drums, *rest)))


@pytest.mark.parametrize("song", [restless(), restless(0.3), full_session()], ids=["restless", "unsure", "full"])
def test_every_setting_has_a_text_and_something_measured(song):
    made = decided(song)
    assert unexplained(made) == []


def test_the_restless_session_is_touched_in_every_way():
    places = " ".join(place for place, _ in set_values(decided(restless())))
    for what in ("compressor", "automation_db", "pan_ratio", "parametric", "duck by kick", "duck by lead", "send to"):
        assert what in places


@pytest.mark.parametrize("song", [restless(0.3), restless(0.49)], ids=["0.3", "0.49"])
def test_who_is_unsure_does_half_at_most(song):
    assert overdone(decided(song)) == []


@given(st.floats(0.0, 0.49), st.floats(-34.0, -20.0))
@settings(max_examples=8, deadline=None)
def test_no_unsure_session_is_overdone(confidence, lead_lufs):
    stems = [one._replace(role_confidence=confidence) for one in restless().stems if one.stem.stem_id != "lead"]
    song = session(*stems, stem("lead", "vocal", course=phrases(), lufs=lead_lufs, role_confidence=confidence))
    made = decided(song)
    assert (unexplained(made), overdone(made)) == ([], [])


def test_what_was_measured_names_its_unit():
    numbers = {
        name
        for song in (restless(), restless(0.3), full_session())
        for _, why in set_values(decided(song))
        if why is not None
        for name, value in why.evidence.items()
        if isinstance(value, float)
    }
    assert [name for name in numbers if not name.endswith(UNITS)] == []


def test_a_setting_without_a_reason_is_found():
    plain = neutral_settings(full_session())
    bare = Why(text="because")
    strips = list(plain.stems)
    strips[0] = msgspec.structs.replace(strips[0], pan_ratio=0.5)
    strips[1] = msgspec.structs.replace(strips[1], sends=(Send(to="a", level_db=0.0, why=bare),))
    found = unexplained(msgspec.structs.replace(plain, stems=tuple(strips)))
    assert [f"stem {strips[0].stem_id}: pan_ratio", f"stem {strips[1].stem_id}: send to a"] == found


@pytest.mark.parametrize(
    "made",
    [
        ParametricSettings(bands=(Band(kind="bell", freq_hz=500.0, gain_db=-2.0),)),
        CompressorSettings(threshold_dbfs=-30.0, compression_ratio=4.0),
    ],
)
def test_an_unsure_setting_that_does_much_is_found(made):
    plain = neutral_settings(full_session())
    why = Why(text="perhaps", evidence={"predicted_mean_reduction_db": 3.0}, confidence=0.4)
    strips = (msgspec.structs.replace(plain.stems[0], inserts=(Insert.of(made, why),)), *plain.stems[1:])
    assert len(overdone(msgspec.structs.replace(plain, stems=strips))) == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_locked_session_is_left_as_it_is(step):
    def locked(one: HeardStem) -> HeardStem:
        return one._replace(stem=msgspec.structs.replace(one.stem, lock=True))

    song = session(*map(locked, restless().stems))
    plain = neutral_settings(song)
    assert step(song, plain).stems == plain.stems


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_pure(step):
    song, plain = restless(), neutral_settings(restless())
    before = msgspec.json.encode(plain)
    assert step(song, plain) == step(song, plain)
    assert msgspec.json.encode(plain) == before


@pytest.mark.parametrize("step", STEPS)
def test_an_empty_session_is_left_empty(step):
    song = session()
    assert step(song, neutral_settings(song)) == neutral_settings(song)
