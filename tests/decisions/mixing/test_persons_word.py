"""What a person said of a stem stands, whatever the steps of a mix find; and whatever they make, settings take back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from decisions.mixing.edits import applied, read_settings, written
from decisions.mixing.holding import hold_levels
from decisions.mixing.mix import draft_mix, settle_mix
from decisions.mixing.session import HeardStem, Session, neutral_settings
from schemas.mix import MixSettings, Strip
from schemas.stem_cells import GAIN_RANGE_DB
from tests.decisions.mixing.sessions import full_session, pair, session, stem
from tests.decisions.mixing.test_mix import rehearsed
from tests.decisions.mixing.test_reasons import restless

SAID = st.fixed_dictionaries(
    {},
    optional={
        "gain_db": st.floats(*GAIN_RANGE_DB),
        "pan_ratio": st.floats(-1.0, 1.0),
        "keep_pan": st.booleans(),
        "mute": st.booleans(),
        "lock": st.booleans(),
        "reverb": st.sampled_from(["none", "low", "medium", "high"]),
        "presence": st.sampled_from(["lead", "normal", "background"]),
        "pair": st.sampled_from(["p", "q"]),
        "automix_group": st.sampled_from(["a", "b"]),
    },
)
"""Columns of a manifest."""
HEARD = st.fixed_dictionaries(
    {},
    optional={"correlation": st.floats(-0.9, 0.9), "balance_db": st.floats(-9.0, 9.0), "flat_tops": st.integers(0, 9)},
)
"""Figures of a stereo stem that ask for something."""


@st.composite
def songs(draw: st.DrawFn) -> Session:
    """A band with anything said of its stems and found in them, some of which belong together."""
    band = draw(st.sampled_from([full_session, restless]))()
    stems = [_changed(one, draw(SAID), draw(st.none() | HEARD)) for one in band.stems]
    names = [one.stem.stem_id for one in stems]
    links = st.builds(
        lambda two, of, correlation, delay: pair(
            *two, of=of, correlation=correlation, inverted=correlation < 0.0, delay_frames=delay, stable_ratio=0.9
        ),
        st.permutations(names).map(lambda order: order[:2]),
        st.sampled_from(["both", "bleed"]),
        st.floats(-1.0, 1.0),
        st.none() | st.floats(-900.0, 900.0),
    )
    return session(*stems, pairs=draw(st.lists(links, max_size=4)))


def _changed(one: HeardStem, said: dict[str, Any], heard: dict[str, Any] | None) -> HeardStem:
    figures = one.figures
    if heard is not None:
        wide = {"correlation": 0.5, "balance_db": 0.0, **heard}
        figures = structs.replace(figures, format=structs.replace(figures.format, channels=2), **wide)
    return one._replace(stem=structs.replace(one.stem, **said), figures=figures)


def contradicted(song: Session, made: MixSettings) -> list[str]:
    """What of a person's word does not stand in settings, by stem and field."""
    before = {strip.stem_id: strip for strip in neutral_settings(song).stems}
    return [
        f"{one.stem.stem_id}: {field}"
        for one, strip in zip(song.stems, made.stems, strict=True)
        for field in _said(one, before[strip.stem_id])
        if getattr(strip, field) != getattr(before[strip.stem_id], field)
    ] + [
        f"{strip.stem_id}: sends"
        for one, strip in zip(song.stems, made.stems, strict=True)
        if one.stem.reverb == "none" and strip.sends
    ]


def _said(one: HeardStem, neutral: Strip) -> list[str]:
    stem = one.stem
    fields = set(neutral.__struct_fields__) - {"why"} if stem.lock else {"lock", "role"}
    fields |= {"gain_db"} if stem.gain_db is not None else set()
    fields |= {"pan_ratio", "width_ratio"} if stem.pan_ratio is not None or stem.keep_pan else set()
    return sorted(fields | ({"use"} if stem.mute else set()))


@given(song=songs(), moved_db=st.floats(-9.0, 9.0), peak_dbtp=st.floats(-90.0, 30.0))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_step_changes_what_a_person_said(song, moved_db, peak_dbtp):
    draft = draft_mix(song)
    assert [] == contradicted(song, draft)
    if any(strip.use for strip in draft.stems):
        name = next(strip.stem_id for strip in draft.stems if strip.use)
        heard = rehearsed(song, draft, {name: moved_db}, peak_dbtp, peak_dbtp - 12.0)
        settled = settle_mix(song, draft, heard)
        assert [] == contradicted(song, settled)
        assert settled == applied(read_settings(written(settled)), song.mix_id, settled.inputs)


@pytest.mark.parametrize("gain_db", GAIN_RANGE_DB)
def test_settings_with_any_fader_of_a_manifest_are_taken_back(gain_db):
    song = session(stem("kick", "kick", gain_db=gain_db), stem("bass", "bass"))
    made = draft_mix(song)
    assert made == applied(read_settings(written(made)), song.mix_id, made.inputs)


def test_settings_of_the_softest_mix_are_taken_back():
    song = full_session()
    draft = draft_mix(song)
    made = settle_mix(song, draft, rehearsed(song, draft, peak_dbtp=-80.0, loudest=-95.0))
    assert made.gain_db > 50.0
    assert made == applied(read_settings(written(made)), song.mix_id, made.inputs)


def test_of_a_pair_no_stem_moves_without_the_one_that_a_person_set():
    song = session(
        stem("top", "snare", pair="snare", gain_db=-3.0), stem("bottom", "snare", pair="snare"), stem("bass", "bass")
    )
    louder = {one.stem.stem_id: 2.0 * one.trace.energies for one in song.stems}
    held = {strip.stem_id: strip.gain_db for strip in hold_levels(song, neutral_settings(song), louder, "test").stems}
    assert (-3.0, 0.0) == (held["top"], held["bottom"])
    assert held["bass"] == pytest.approx(-10.0 * np.log10(2.0), abs=0.01)
