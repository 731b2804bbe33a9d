"""The lead is ridden towards its own loudness, slowly and within bounds, and its rests are not raised."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.prediction import spread_db
from decisions.mixing.riding import RATE_DB_PER_S, decide_riding, rests, ride_db
from decisions.mixing.session import Session, neutral_settings
from schemas.mix import Sharing
from tests.decisions.mixing.sessions import phrases, session, stem

UNEVEN = (0.0, -9.0, -3.0, -7.0)


def singing(levels_db: tuple[float, ...] = UNEVEN, sung_s: float = 6.0, **columns: object) -> Session:
    course = phrases(sung_s, 2.0, levels_db)
    return session(stem("lead", "vocal", course=course, noise_db=-45.0, seconds=64.0, **columns))  # type: ignore[arg-type]


def gains(song: Session) -> tuple[float, ...]:
    return decide_riding(song, neutral_settings(song)).stems[0].automation_db


def test_a_ride_takes_more_than_two_fifths_of_the_spread_away():
    song = singing()
    trace = song.stems[0].trace
    ridden = trace.energies * 10.0 ** (np.array(gains(song)) / 10.0)
    assert spread_db(ridden, trace.active, 3.0) <= 0.6 * spread_db(trace.energies, trace.active, 3.0)


def test_an_even_lead_is_not_ridden():
    assert gains(singing((0.0, -2.0))) == ()


@given(st.lists(st.floats(-20.0, 0.0), min_size=2, max_size=8), st.floats(0.5, 8.0))
@settings(max_examples=30, deadline=None)
def test_no_ride_is_faster_or_further_than_allowed_and_no_rest_is_raised(levels_db, sung_s):
    song = singing(tuple(levels_db), sung_s)
    found, active = np.array(gains(song)), song.stems[0].trace.active
    if len(found):
        assert np.abs(found).max() <= 6.0
        assert np.abs(np.diff(found)).max() <= RATE_DB_PER_S / 10.0 + 1e-9
        assert found[rests(active)].max(initial=-6.0) <= 0.5


def test_there_is_a_point_for_every_tenth_of_a_second():
    song = singing()
    assert len(gains(song)) == song.stems[0].trace.steps


def test_breaths_between_words_belong_to_their_phrase():
    active = np.array([True] * 10 + [False] * 3 + [True] * 10 + [False] * 8 + [True] * 3)
    assert rests(active).tolist() == [False] * 23 + [True] * 8 + [False] * 3


def test_what_is_even_gets_a_gain_of_nothing():
    np.testing.assert_allclose(ride_db(np.full(100, 0.01), np.ones(100, bool), 6.0), 0.0, atol=1e-9)


@pytest.mark.parametrize("columns", [{"lock": True}, {"presence": "background"}, {"role_confidence": 0.3}])
def test_who_is_locked_is_not_ridden_who_is_no_lead_neither_and_a_guess_by_half(columns):
    found = gains(singing(**columns))
    assert max(map(abs, found), default=0.0) <= (3.0 if "role_confidence" in columns else 0.0)


def test_a_microphone_that_shares_its_gain_is_not_ridden():
    song = singing()
    plain = neutral_settings(song)
    shared = msgspec.structs.replace(
        plain, stems=(msgspec.structs.replace(plain.stems[0], sharing=Sharing(group="a")),)
    )
    assert decide_riding(song, shared) == shared


def test_instruments_are_not_ridden():
    song = session(stem("solo", "electric_guitar", course=phrases(6.0, 2.0, UNEVEN), presence="lead"))
    assert gains(song) == ()
