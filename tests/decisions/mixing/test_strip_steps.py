"""Filters, gates and compressors of single stems come only where they are proven to be needed, and no deeper than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.corrective import decide_corrective
from decisions.mixing.dynamics import NORMS, decide_dynamics
from decisions.mixing.session import HeardStem, Session, Step, neutral_settings
from dsp.settings import CompressorSettings, GateSettings, ParametricSettings
from schemas.mix import InsertSettings
from tests.decisions.mixing.sessions import full_session, hits, pair, phrases, session, stem


def inserts(step: Step, song: Session, stem_id: str) -> list[InsertSettings]:
    made = step(song, neutral_settings(song))
    return [each.settings() for strip in made.stems if strip.stem_id == stem_id for each in strip.inserts]


def rumbling(in_pauses_db: float, rests: bool = True) -> HeardStem:
    """A voice with as much below 100 Hz as in all else, and so much of it in its pauses."""
    one = stem("lead", "vocal", hz=(150.0, 8_000.0), course=phrases() if rests else phrases(6.0, 0.0))
    bands = one.trace.bands.copy()
    rumble = float(bands[one.trace.active].sum(axis=1).mean())
    bands[:, 0] = np.where(one.trace.active, rumble, rumble * 10.0 ** (in_pauses_db / 10.0))
    return one._replace(trace=one.trace._replace(bands=bands))


def microphone(bleed_db: float, own: float = 1.0) -> tuple[HeardStem, HeardStem]:
    """A snare, and a tom microphone that hears it so many dB below where it hears its own few hits."""
    snare = stem("snare", "snare", hz=(150.0, 8_000.0), course=hits(1.0, 0.5), lufs=-20.0)
    tom = stem("tom", "toms", hz=(80.0, 2_000.0), course=hits(8.0, 4.0), lufs=-20.0)
    bands = tom.trace.bands + (10.0 ** (bleed_db / 10.0) * snare.trace.bands).astype(np.float32)
    return snare, tom._replace(trace=tom.trace._replace(bands=bands))


def test_a_clean_session_is_filtered_nowhere():
    song = full_session()
    assert decide_corrective(song, neutral_settings(song)) == neutral_settings(song)


def test_rumble_that_goes_on_in_the_pauses_is_filtered_below_the_lowest_tone():
    (filtering,) = inserts(decide_corrective, session(rumbling(-1.0)), "lead")
    assert isinstance(filtering, ParametricSettings)
    (band,) = filtering.bands
    assert (band.kind, band.freq_hz) == ("highpass", 68.0)


def test_lows_that_stop_with_the_voice_belong_to_it():
    assert inserts(decide_corrective, session(rumbling(-30.0)), "lead") == []


def test_rumble_without_pauses_to_prove_it_in_is_filtered_half_as_high():
    (filtering,) = inserts(decide_corrective, session(rumbling(0.0, rests=False)), "lead")
    assert isinstance(filtering, ParametricSettings)
    assert filtering.bands[0].freq_hz == 34.0


def test_a_bass_is_never_filtered():
    song = session(stem("bass", "bass", hz=(20.0, 300.0)), stem("kick", "kick", hz=(20.0, 100.0)))
    assert decide_corrective(song, neutral_settings(song)) == neutral_settings(song)


def test_a_microphone_without_bleed_is_not_gated():
    snare, _ = microphone(-20.0)
    song = session(snare, stem("tom", "toms", hz=(80.0, 2_000.0), course=hits(8.0, 4.0)))
    assert not [one for one in inserts(decide_dynamics, song, "tom") if isinstance(one, GateSettings)]


def test_proven_bleed_is_gated_between_it_and_the_own_hits():
    snare, tom = microphone(-20.0)
    linked = pair("snare", "tom", stable_ratio=0.9, correlation=0.3)
    gate = inserts(decide_dynamics, session(snare, tom, pairs=[linked]), "tom")[0]
    assert isinstance(gate, GateSettings)
    assert 6.0 < gate.range_db <= 20.0


def test_bleed_that_only_levels_tell_of_is_gated_half_as_deep():
    gate = inserts(decide_dynamics, session(*microphone(-20.0)), "tom")[0]
    assert isinstance(gate, GateSettings)
    assert gate.range_db <= 10.0


def test_bleed_as_loud_as_the_own_hits_is_left_alone():
    gates = [
        one for one in inserts(decide_dynamics, session(*microphone(-1.0)), "tom") if isinstance(one, GateSettings)
    ]
    assert gates == []


def test_nothing_but_drums_is_gated():
    snare, tom = microphone(-20.0)
    guitar = tom._replace(role="electric_guitar")
    assert not [one for one in inserts(decide_dynamics, session(snare, guitar), "tom") if isinstance(one, GateSettings)]


def test_an_even_stem_is_not_compressed():
    song = session(stem("keys", "keys"), stem("lead", "vocal", course=phrases()))
    assert decide_dynamics(song, neutral_settings(song)) == neutral_settings(song)


@given(st.sampled_from(sorted(NORMS)), st.floats(0.0, 40.0), st.floats(0.0, 30.0))
@settings(max_examples=40, deadline=None)
def test_no_stem_is_taken_more_than_4_db_on_the_mean(role, over_lu, over_db):
    norm = NORMS[role]
    figures = {"loudness_range_lu": norm.range_lu + over_lu, "crest_db": norm.crest_db + over_db}
    one = stem("a", role, course=phrases(levels_db=(0.0, -12.0)), figures=figures)
    song = session(one)
    made = decide_dynamics(song, neutral_settings(song)).stems[0].inserts
    told = [float(each.why.evidence["predicted_mean_reduction_db"]) for each in made]
    assert all(0.0 < reduction_db <= 4.0 for reduction_db in told)
    assert bool(told) == (max(over_lu, over_db) >= 1.0)


def test_the_more_a_stem_varies_the_more_it_is_held():
    def reduction(range_lu: float) -> float:
        one = stem("a", "keys", course=phrases(levels_db=(0.0, -12.0)), figures={"loudness_range_lu": range_lu})
        song = session(one)
        return float(
            decide_dynamics(song, neutral_settings(song))
            .stems[0]
            .inserts[0]
            .why.evidence["predicted_mean_reduction_db"]
        )

    assert reduction(10.0) < reduction(12.0) < reduction(14.0)


def test_hits_are_caught_faster_than_pads():
    def attack_s(peak_dbfs: float) -> float:
        one = stem("a", "keys", figures={"loudness_range_lu": 20.0, "sample_peak_dbfs": peak_dbfs})
        (found,) = inserts(decide_dynamics, session(one), "a")
        assert isinstance(found, CompressorSettings)
        return found.attack_s

    assert attack_s(-3.0) < attack_s(-15.0)


def test_who_is_an_effect_or_unknown_is_never_compressed():
    stems = [stem(role, role, figures={"loudness_range_lu": 30.0}) for role in ("fx", "backing_track", "other1")]
    song = session(*stems)
    assert decide_dynamics(song, neutral_settings(song)) == neutral_settings(song)


@pytest.mark.parametrize("step", [decide_corrective, decide_dynamics])
def test_a_locked_stem_is_left_alone(step):
    stems = [stem("a", "vocal", figures={"loudness_range_lu": 30.0}, lock=True)]
    song = session(*stems)
    assert step(song, neutral_settings(song)) == neutral_settings(song)
