"""A whole mix: drafted, rehearsed, settled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.mixing.balances import balance_for, load_balance, names
from decisions.mixing.headroom import MOST_DBTP, MOST_SHORT_TERM_LUFS, SPARE_DB
from decisions.mixing.intent import intent_of
from decisions.mixing.mix import draft_mix, settle_mix
from decisions.mixing.prediction import processed
from decisions.mixing.reasons import unexplained
from decisions.mixing.role_sums import RoleBounds, held_to_bounds
from decisions.mixing.session import Rehearsal, Session
from dsp.audio import Floats
from schemas.mix import BUS_OF, MixSettings
from tests.decisions.mixing.sessions import full_session


def rehearsed(
    song: Session,
    draft: MixSettings,
    changed_db: dict[str, float] | None = None,
    peak_dbtp: float = 0.0,
    loudest: float = -10.0,
) -> Rehearsal:
    """What a console would give that does to each strip what was foretold, and `changed_db` more."""
    made = processed(song, draft).heard()
    energies: dict[str, Floats] = {}
    for strip in draft.stems:
        if strip.use:
            gain_db = strip.gain_db + (changed_db or {}).get(strip.stem_id, 0.0)
            energies[strip.stem_id] = made[strip.stem_id].trace.energies * 10.0 ** (gain_db / 10.0)
    return Rehearsal(energies, peak_dbtp, loudest)


def faders(mix: MixSettings) -> dict[str, float]:
    return {strip.stem_id: strip.gain_db for strip in mix.stems}


def test_a_mix_is_decided_the_same_twice_and_every_setting_has_its_reason():
    song = full_session()
    draft = draft_mix(song)
    assert draft == draft_mix(song)
    assert unexplained(settle_mix(song, draft, rehearsed(song, draft))) == []


def test_a_rehearsal_that_goes_as_foretold_moves_no_fader():
    song = full_session()
    draft = draft_mix(song)
    assert faders(settle_mix(song, draft, rehearsed(song, draft))) == pytest.approx(faders(draft), abs=0.11)


def test_what_the_mix_did_to_the_level_of_one_stem_is_taken_back():
    song = full_session()
    draft = draft_mix(song)
    settled = settle_mix(song, draft, rehearsed(song, draft, {"keys": 3.0}))
    assert faders(settled)["keys"] == pytest.approx(faders(draft)["keys"] - 3.0, abs=0.11)
    assert "changed_by_the_mix_db" in next(s for s in settled.stems if s.stem_id == "keys").why["gain_db"].evidence


def test_a_fader_that_a_person_set_is_not_moved_by_a_rehearsal():
    song = full_session()
    kept = tuple(
        one._replace(stem=replace(one.stem, gain_db=-2.0)) if one.stem.stem_id == "keys" else one for one in song.stems
    )
    song = song._replace(stems=kept)
    draft = draft_mix(song)
    assert faders(settle_mix(song, draft, rehearsed(song, draft, {"keys": 3.0})))["keys"] == -2.0


@given(peak_dbtp=st.floats(-40.0, 20.0), loudest=st.floats(-50.0, 5.0))
@settings(max_examples=30, deadline=None)
def test_a_mix_leaves_mastering_its_room_and_uses_it(peak_dbtp, loudest):
    song = full_session()
    draft = MIX
    settled = settle_mix(song, draft, rehearsed(song, draft, peak_dbtp=peak_dbtp, loudest=loudest))
    peak, short_term = peak_dbtp + settled.gain_db, loudest + settled.gain_db
    assert peak <= MOST_DBTP + 1e-9 and short_term <= MOST_SHORT_TERM_LUFS + 1e-9
    assert max(peak + SPARE_DB - MOST_DBTP, short_term - MOST_SHORT_TERM_LUFS) > -0.02


MIX = draft_mix(full_session())


def test_a_silent_mix_has_no_gain():
    song = full_session()
    settled = settle_mix(song, MIX, rehearsed(song, MIX)._replace(true_peak_dbtp=None, max_short_term_lufs=None))
    assert settled.gain_db == 0.0


@pytest.mark.parametrize("name", names())
def test_every_balance_tells_of_every_role(name):
    table = load_balance(name)
    for role in BUS_OF:
        target = table.of(role)
        assert target.least_lu < target.most_lu and target.spread_lu > 0.0
    assert sum(table.trust.scatter_weights) == pytest.approx(1.0)


def test_genres_differ_in_their_voice_alone():
    metal, country = balance_for("metal"), balance_for("Country")
    assert metal.of("vocal").target_lu < country.of("vocal").target_lu
    assert metal.of("bass") == country.of("bass") == balance_for(None).of("bass")


@given(st.lists(st.floats(-15.0, 15.0), min_size=2, max_size=20), st.floats(-60.0, 60.0))
@settings(deadline=None)
def test_what_is_kept_of_a_distance_is_a_part_of_it_and_knows_no_common_level(distances, common_db):
    trust, spreads = load_balance("usual").trust, np.full(len(distances), 4.0)
    found = intent_of(np.array(distances), spreads, trust)
    own = np.array(distances) - np.mean(distances)
    assert np.all(np.abs(found.kept_db) <= np.abs(own) + 1e-9) and np.all(found.kept_db * own >= -1e-9)
    assert found.kept_db == pytest.approx(intent_of(np.array(distances) + common_db, spreads, trust).kept_db, abs=1e-6)


def test_the_wider_a_balance_scatters_the_less_it_was_meant():
    trust, shape = load_balance("usual").trust, np.array([1.0, -1.0, 0.4, -0.7, 0.9, -0.2, 0.1, -0.5])
    ratios = [intent_of(shape * scale, np.full(8, 4.0), trust).unmeant_ratio for scale in (1.0, 4.0, 7.0, 11.0)]
    assert ratios == sorted(ratios) and ratios[0] < 0.1 and ratios[-1] > 0.9


def test_a_role_sum_is_brought_into_its_bounds_by_the_stems_of_the_role():
    wanted = np.array([0.0, 0.0, 0.0, -8.0, -8.0])
    role = RoleBounds(np.array([0, 1, 2]), np.ones(3), -60.0, -3.0)
    held = held_to_bounds(wanted, np.full(5, 50.0), np.ones(5, bool), np.ones(5), [role], 1.0)
    energies = 10.0 ** (held / 10.0)
    assert 10.0 * np.log10(energies[:3].sum() / energies.sum()) == pytest.approx(-3.0, abs=0.2)
    assert held[0] == pytest.approx(held[1], abs=1e-3) and held[0] < -1.0 < 0.0 < held[3] + 8.0


def test_bounds_that_hold_move_nothing():
    wanted = np.array([-5.0, -7.0, -6.0])
    role = RoleBounds(np.array([0]), np.ones(1), -60.0, -1.0)
    assert np.array_equal(wanted, held_to_bounds(wanted, np.ones(3), np.ones(3, bool), np.ones(3), [role], 1.0))
