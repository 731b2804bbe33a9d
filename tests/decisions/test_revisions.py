"""What reviewers ask is done in small steps, within every guard, and touches nothing else; what nobody asked changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.album import NARROW_GAP_DB, SAFE_PEAK_DB, _tried_db, draft_album, settle_album
from decisions.asked_gain import LESS_LIMITING_DB
from decisions.asked_tone import LEAST_CORRELATION, MOST_ASKED_DB
from decisions.choices import Choices, chosen
from decisions.findings import album_findings
from decisions.gain import STEPS_DB
from decisions.revisions import NOTHING, in_force, instructed, merged, words
from schemas.plan import Instructed
from schemas.profile import Profile
from schemas.signoff import Override, Overrides, Revision
from schemas.steps import Analysed, Draft, Mastered, Planned, Reference
from tests.decisions.records import analysed, gating_at, master, profile, rehearse
from tests.decisions.test_tone import figures

EXACT = 1e-3  # gains are kept to 0.001 dB
STEPS = st.integers(-3, 3)
REVISIONS = st.builds(
    Revision,
    tone_steps=STEPS,
    loudness_steps=STEPS,
    width_steps=STEPS,
    limiting_steps=st.integers(-3, 0),
    tone_amount_ratio=st.none() | st.floats(0.0, 1.0),
    leave_alone=st.booleans(),
)
MODES = ("album", "track", "loudest")
ASKED = st.dictionaries(st.sampled_from(["A", "T1", "T2", "T3"]), REVISIONS)
TARGET_LUFS, CEILING_DBTP = -14.0, -1.0


def track(number: int, lufs: float, peak_dbtp: float, **about: Any) -> Analysed:
    """A track with a spectrum, a side, and peaks that the limiter may meet."""
    heard = figures({12: 4.0 * number}, {20: -3.0})
    one = analysed(number, lufs, peak_dbtp=peak_dbtp, about={"title": f"Song {number}", **about})
    known = replace(
        heard, integrated_lufs=lufs, true_peak_dbtp=peak_dbtp, correlation_bands=(0.95, 0.7, 0.6, 0.5), plr_lu=12.0
    )
    return replace(one, analysis=replace(one.analysis, figures=known))


ALBUM = [track(1, -19.0, -2.0), track(2, -16.0, -6.0), track(3, -23.0, -9.0)]
JOINED = [track(1, -19.0, -2.0, joins_next=True), track(2, -16.0, -6.0, joins_next=False), track(3, -23.0, -9.0)]
ALONE = [track(1, -19.0, -2.0)]


def override(subject: str, revision: Revision, at: str = "2026-11-27T10:00:00Z", **more: str) -> Override:
    scope = "track" if subject.startswith("T") else "album"
    return Override(scope=scope, subject_id=subject, revision=revision, reviewer="Ann", at=at, **more)  # type: ignore[arg-type]


def asked(members: Sequence[Analysed], *overrides: Override) -> list[Analysed]:
    """Tracks of which this was asked."""
    tracks = [one.track for one in members]
    force = in_force(Overrides(overrides=overrides), tracks, lambda uri: f"/sources/{uri}")
    return [replace(one, track=track) for one, track in zip(members, instructed(tracks, force), strict=True)]


def plans(
    members: Sequence[Analysed], revisions: Mapping[str, Revision] | None = None, whole: Profile | None = None
) -> dict[str, Planned]:
    """Plans by track, after this was asked of tracks and of the album A."""
    whole = whole or profile()
    told = asked(members, *(override(subject, revision) for subject, revision in (revisions or {}).items()))
    drafts = [rehearse(one) for one in draft_album(told, whole) if isinstance(one, Draft)]
    found = [one for one in settle_album(drafts, whole, "/out/masters") if isinstance(one, Planned)]
    return {one.track.track_id: one for one in found}


def one_plan(revision: Revision = NOTHING, whole: Profile | None = None) -> Planned:
    return plans(ALONE, {"T1": revision}, whole)["T1"]


def reduction_db(one: Planned) -> float:
    """How deep the modelled limiter turns a track down."""
    peak = one.analysis.figures.true_peak_dbtp
    assert peak is not None
    return max(0.0, peak + one.plan.gain_db - CEILING_DBTP)


def loudness_lufs(one: Planned) -> float:
    lufs = one.analysis.figures.integrated_lufs
    assert lufs is not None
    return lufs + one.plan.gain_db - reduction_db(one) ** 2 / 50.0


def curves_db(one: Planned) -> tuple[Any, Any]:
    """Gains of the middle, and of the side against it."""
    equaliser = one.plan.head.equaliser
    if equaliser is None:
        return np.zeros(31), np.zeros(31)
    middle = np.array(equaliser.gains_db)
    return middle, np.array(equaliser.side_gains_db or equaliser.gains_db) - middle


def sound(one: Planned) -> Any:
    """All of a plan that makes its sound."""
    return one.plan.head, one.plan.gain_db, one.plan.deliveries, one.plan.before, one.plan.after


# Nothing asked


@pytest.mark.parametrize("members", [ALBUM, JOINED, ALONE])
def test_what_is_asked_of_others_changes_nothing_at_all(members):
    elsewhere = {"T9": Revision(tone_steps=3), "Z": Revision(leave_alone=True), "T1": NOTHING, "A": NOTHING}
    assert plans(members) == plans(members, elsewhere)


def test_a_plan_of_which_nobody_asked_anything_says_nothing_of_it():
    assert "asked" not in json.loads(msgspec.json.encode(plans(ALBUM)["T1"].plan))


def test_what_was_asked_before_is_forgotten_when_it_is_asked_no_more():
    told = asked(ALBUM, override("T1", Revision(tone_steps=1)))
    assert ALBUM == asked(told)


# Guards


@given(ASKED)
def test_every_guard_holds_whatever_is_asked(revisions):
    whole = profile()
    for one in plans(ALBUM, revisions, whole).values():
        middle_db, wider_db = curves_db(one)
        assert np.abs(middle_db).max() <= whole.tone.max_db
        assert np.abs(middle_db + wider_db).max() <= whole.tone.max_db + 1e-9
        assert one.plan.gain_db <= whole.loudness.max_gain_db
        assert reduction_db(one) <= whole.limiter.max_reduction_db + EXACT
        assert all(delivery.limiter.ceiling_dbtp == CEILING_DBTP for delivery in one.plan.deliveries)


@pytest.mark.parametrize("above_idle_db", [0.0, 0.0004, 0.001, 0.05, 0.2])
def test_no_gain_is_tried_twice_however_near_the_limiter_is_to_idle(above_idle_db):
    peak_dbtp = CEILING_DBTP - SAFE_PEAK_DB - (5.0 + STEPS_DB[0]) + above_idle_db
    tried_db = _tried_db(5.0, peak_dbtp, False, profile(), 0.0)
    assert all(after - before >= NARROW_GAP_DB / 2.0 for before, after in pairwise(tried_db))


@given(ASKED, st.sampled_from([ALBUM, JOINED, ALONE]))
def test_no_album_is_blamed_for_what_was_asked(revisions, members):
    made = [
        Mastered(
            track=one.track,
            analysis=one.analysis,
            plan=one.plan,
            masters=(master(proof={"gating": None}),),
            limiter_max_reduction_db=0.0,
            limiter_mean_reduction_db=0.0,
            outcome="mastered",
            reason="",
        )
        for one in plans(members, revisions).values()
    ]
    measured = [
        replace(one, masters=(replace(one.masters[0], proof=replace(one.masters[0].proof, gating=gating)),))
        for one in made
        for gating in [gating_at(loudness_lufs(Planned(track=one.track, analysis=one.analysis, plan=one.plan)))]
    ]
    assert "LOUDNESS_OFF_TARGET" not in {finding.code for finding in album_findings(measured, [])}


def test_an_album_that_misses_its_target_is_told_so_though_something_was_asked():
    found = plans(ALBUM, {"T2": Revision(loudness_steps=1)})
    made = [
        Mastered(
            track=one.track,
            analysis=one.analysis,
            plan=one.plan,
            masters=(master(proof={"gating": gating_at(loudness_lufs(one) + 1.0)}),),
            limiter_max_reduction_db=0.0,
            limiter_mean_reduction_db=0.0,
            outcome="mastered",
            reason="",
        )
        for one in found.values()
    ]
    assert "LOUDNESS_OFF_TARGET" in {finding.code for finding in album_findings(made, [])}


# Loudness


@given(st.sampled_from(MODES))
def test_each_step_is_a_unit_of_loudness(mode):
    whole = profile(loudness={"mode": mode})
    levels = [loudness_lufs(one_plan(Revision(loudness_steps=steps), whole)) for steps in range(-3, 2)]
    assert np.diff(levels) == pytest.approx(1.0, abs=0.02)


def test_a_step_quieter_is_quieter_even_where_the_target_was_out_of_reach():
    whole = profile(limiter={"max_reduction_db": 2.0})
    plain, quieter = (one_plan(Revision(loudness_steps=steps), whole) for steps in (0, -1))
    assert plain.plan.target_limited and quieter.plan.target_limited
    assert loudness_lufs(plain) - loudness_lufs(quieter) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("held", [Revision(leave_alone=True), Revision(limiting_steps=-3), Revision(limiting_steps=-1)])
@pytest.mark.parametrize("subject", ["T1", "A"])
def test_a_step_quieter_is_quieter_also_where_the_limiter_is_to_do_less(subject, held):
    for members in (ALONE, ALBUM, JOINED):
        asked, quieter = (
            plans(members, {subject: replace(held, loudness_steps=steps)})["T1"].plan.gain_db for steps in (0, -1)
        )
        assert quieter == pytest.approx(asked - 1.0, abs=0.3)  # a limiter lies between gain and loudness


def test_louder_than_the_guards_allow_is_told():
    whole = profile(limiter={"max_reduction_db": 4.5})
    one = one_plan(Revision(loudness_steps=3), whole)
    assert reduction_db(one) <= 4.5 + EXACT and one.plan.target_limited and one.plan.target_lufs == -11.0


@given(STEPS, st.sampled_from(["album", "loudest"]))
def test_a_track_of_an_album_moves_alone(steps, mode):
    whole = profile(loudness={"mode": mode})
    before, after = plans(ALBUM, None, whole), plans(ALBUM, {"T3": Revision(loudness_steps=steps)}, whole)
    assert [sound(before[name]) for name in ("T1", "T2")] == [sound(after[name]) for name in ("T1", "T2")]
    moved = loudness_lufs(after["T3"]) - loudness_lufs(before["T3"])
    assert moved == pytest.approx(steps, abs=0.02)


@given(
    st.dictionaries(st.sampled_from(["T1", "T2", "T3"]), REVISIONS),
    st.sampled_from([ALBUM, JOINED]),
    st.sampled_from(MODES),
)
def test_whatever_is_asked_of_single_tracks_no_other_changes_unless_less_limiting_is_asked(revisions, members, mode):
    found = profile()
    whole = replace(found, loudness=replace(found.loudness, mode=mode))
    asked = {subject: replace(one, limiting_steps=0) for subject, one in revisions.items()}
    concerned = {subject for subject, one in asked.items() if one != NOTHING}
    if members is JOINED and concerned & {"T1", "T2"}:
        concerned |= {"T1", "T2"}
    before, after = plans(members, None, whole), plans(members, asked, whole)
    assert all(sound(before[name]) == sound(after[name]) for name in before.keys() - concerned)


def test_a_track_wins_over_its_album_field_by_field():
    album = {"A": Revision(loudness_steps=1, tone_steps=2)}
    found = plans(ALBUM, {**album, "T2": Revision(loudness_steps=-1)})
    rest = plans(ALBUM, album)
    assert loudness_lufs(found["T2"]) - loudness_lufs(rest["T2"]) == pytest.approx(-2.0, abs=0.02)
    assert found["T2"].plan.head == rest["T2"].plan.head


def test_a_whole_album_is_moved_with_its_distances():
    before, after = plans(ALBUM), plans(ALBUM, {"A": Revision(loudness_steps=-2)})
    assert len({one.plan.gain_db for one in after.values()}) == 1
    assert {one.plan.target_lufs for one in after.values()} == {TARGET_LUFS - 2.0}
    assert after["T1"].plan.gain_db < before["T1"].plan.gain_db


# Limiting


@given(st.floats(-12.0, 0.0), st.integers(-3, -1), STEPS)
def test_each_step_of_less_limiting_takes_a_decibel_off_wherever_there_was_more(peak_dbtp, steps, louder):
    members = [track(1, -19.0, peak_dbtp)]
    more, less = (
        plans(members, {"T1": Revision(loudness_steps=louder, limiting_steps=n)})["T1"] for n in (steps + 1, steps)
    )
    if reduction_db(more) > LESS_LIMITING_DB:
        assert reduction_db(less) <= reduction_db(more) - 1.0
    assert reduction_db(less) <= reduction_db(more) + EXACT
    assert loudness_lufs(less) <= loudness_lufs(more) + EXACT


@pytest.mark.parametrize("subject", ["T1", "A"])
def test_where_one_gain_is_shared_the_whole_album_comes_down_and_says_so(subject):
    before, after = plans(ALBUM), plans(ALBUM, {subject: Revision(limiting_steps=-1)})
    assert reduction_db(after["T1"]) <= reduction_db(before["T1"]) - 1.0
    assert len({one.plan.gain_db for one in after.values()}) == 1
    for one in after.values():
        assert any("less limiting (1 step)" in decision.why for decision in one.plan.decisions)
        assert isinstance(one.plan.asked, Instructed) and one.plan.target_limited


def test_less_limiting_where_there_is_none_changes_no_gain():
    before, after = plans(ALBUM), plans(ALBUM, {"T3": Revision(limiting_steps=-3)})
    assert reduction_db(before["T3"]) == 0.0
    assert [sound(one) for one in before.values()] == [sound(one) for one in after.values()]
    assert [before[name].plan.asked for name in ("T1", "T2")] == [after[name].plan.asked for name in ("T1", "T2")]


# Tone and width


@given(st.sampled_from(["streaming", "dynamic"]), st.sampled_from(["transparent", "warm"]))
def test_brighter_is_brighter_step_by_step_whatever_the_style_wants(name, style):
    whole = chosen(profile(name), Choices(style=style))
    curves = [curves_db(one_plan(Revision(tone_steps=steps), whole))[0] for steps in range(-3, 4)]
    assert all((np.diff(curve_pair, axis=0) >= -1e-9).all() for curve_pair in pairwise(curves))
    at_10k, at_500 = 27, 14
    assert curves[4][at_10k] - curves[3][at_10k] == pytest.approx(1.0, abs=0.11)
    assert curves[4][at_500] == pytest.approx(curves[3][at_500], abs=0.11)


def test_a_step_that_the_guard_of_the_profile_holds_is_held_and_told():
    one = one_plan(Revision(tone_steps=3), profile(tone={"max_db": 1.5}))
    assert curves_db(one)[0].max() == pytest.approx(1.5)
    assert any("no band may move by more than 1.5 dB" in decision.why for decision in one.plan.decisions)


@given(st.integers(-3, 2))
def test_wider_is_wider_step_by_step_but_for_the_bass(steps):
    less, more = (curves_db(one_plan(Revision(width_steps=n)))[1] for n in (steps, steps + 1))
    assert (more >= less - 1e-9).all()
    if steps >= 0:
        assert more[:8] == pytest.approx(less[:8])


def test_no_band_is_widened_until_it_is_lost_in_mono():
    heard = ALONE[0].analysis
    near = replace(heard.figures, correlation_bands=(0.9, 0.9, LEAST_CORRELATION, -0.2))
    members = [replace(ALONE[0], analysis=replace(heard, figures=near))]
    plain, wide = (curves_db(plans(members, {"T1": Revision(width_steps=n)})["T1"])[1] for n in (0, 3))
    assert (wide - plain)[12] == pytest.approx(MOST_ASKED_DB, abs=0.5)
    assert (wide - plain)[20:] == pytest.approx(0.0)


def test_mono_stays_mono_and_says_why():
    heard = ALONE[0].analysis
    mono = replace(heard.figures, side_mid_lu=None, side_spectrum_db=(), correlation_bands=())
    (one,) = plans([replace(ALONE[0], analysis=replace(heard, figures=mono))], {"T1": Revision(width_steps=3)}).values()
    assert not curves_db(one)[1].any()
    assert any("there is no side signal" in decision.why for decision in one.plan.decisions)


def test_a_share_of_the_tone_correction_is_a_share():
    bold = chosen(profile(), Choices(style="balanced", intensity="high"))
    members = [track(4, -19.0, -2.0)]
    whole, half, none = (
        curves_db(plans(members, {"T4": Revision(tone_amount_ratio=share)}, bold)["T4"])[0] for share in (1.0, 0.5, 0.0)
    )
    assert np.abs(whole).max() > 0.2 and half == pytest.approx(whole / 2, abs=0.011) and not none.any()


def test_left_alone_nothing_is_done_but_gain_and_format():
    one = one_plan(Revision(leave_alone=True), chosen(profile("streaming"), Choices(style="punchy")))
    assert one.plan.head.settings() == [] and reduction_db(one) == pytest.approx(0.0, abs=EXACT)
    assert one.plan.target_limited


def test_left_alone_a_record_still_gets_what_it_cannot_be_cut_without():
    head = one_plan(Revision(leave_alone=True), profile("vinyl")).plan.head
    assert head.ends is not None and head.equaliser is None and head.compressor is None


def test_who_wants_one_track_left_alone_wants_nothing_of_what_is_asked_of_its_album():
    found = plans(ALBUM, {"A": Revision(tone_steps=2, width_steps=1), "T2": Revision(leave_alone=True)})
    assert found["T2"].plan.head.settings() == [] and found["T1"].plan.head.settings() != []


def test_one_track_left_alone_keeps_its_distance_to_its_album():
    before, after = plans(ALBUM), plans(ALBUM, {"T2": Revision(leave_alone=True)})
    assert after["T2"].plan.head.settings() == []
    assert loudness_lufs(after["T2"]) == pytest.approx(loudness_lufs(before["T2"]), abs=0.02)


def test_another_reference_takes_the_place_of_all_others_and_one_that_cannot_serve_is_told():
    good = Reference(
        uri="/sources/good.wav",
        sha256="1",
        duration_s=100.0,
        figures=replace(figures({20: 9.0}), integrated_lufs=-20.0),
    )
    (one,) = asked(ALONE, override("T1", Revision(reference="good.wav")))
    leaning = replace(one, references=(replace(good, uri="row.wav"),), asked_references=(good,))
    bad = replace(one, references=(good,), asked_references=(replace(good, figures=None, trouble="it is not there"),))
    (well,), (badly,) = (draft_album([member], profile()) for member in (leaning, bad))
    assert isinstance(well, Draft) and isinstance(badly, Draft)
    assert any("1 reference recording" in decision.why for decision in well.decisions)
    assert badly.references_refused == ("/sources/good.wav: it is not there",)


def test_a_reference_for_one_track_leaves_all_others_of_its_album_as_they_were():
    named = Reference(uri="/sources/good.wav", sha256="1", duration_s=99.0, figures=ALBUM[2].analysis.figures)
    told = asked(ALBUM, override("T2", Revision(reference="good.wav")))
    told[1] = replace(told[1], asked_references=(named,))
    before, after = ([one for one in draft_album(each, profile()) if isinstance(one, Draft)] for each in (ALBUM, told))
    assert [before[n].head for n in (0, 2)] == [after[n].head for n in (0, 2)]
    assert before[1].head != after[1].head and after[1].unasked is not None and after[1].unasked.head == before[1].head


# Joined tracks


@given(REVISIONS, REVISIONS)
def test_joined_tracks_share_whatever_is_asked_of_one_of_them(first, second):
    found = plans(JOINED, {"T1": first, "T2": second})
    assert found["T1"].plan.head == found["T2"].plan.head
    assert found["T1"].plan.gain_db == found["T2"].plan.gain_db
    assert found["T1"].plan.target_limited == found["T2"].plan.target_limited


def test_a_joined_track_is_told_of_whom_it_was_asked():
    found = plans(JOINED, {"T1": Revision(tone_steps=1)})
    assert any('for "Song 1"; this track is joined with it' in one.why for one in found["T2"].plan.decisions)
    assert sound(found["T3"]) == sound(plans(JOINED)["T3"])


def test_of_joined_tracks_the_newest_word_holds():
    told = asked(
        JOINED,
        override("T1", Revision(tone_steps=2), at="2026-11-28T00:00:00Z"),
        override("T2", Revision(tone_steps=-2), at="2026-11-27T00:00:00Z"),
    )
    drafts = [one for one in draft_album(told, profile()) if isinstance(one, Draft)]
    assert [2, 2, 0] == [one.asked.run.tone_steps for one in drafts]


# Words


@given(REVISIONS, REVISIONS, REVISIONS)
def test_merging_step_by_step_is_merging_at_once(one, two, three):
    assert merged([one, two, three]) == merged([merged([one, two]), three]) or three.leave_alone or two.leave_alone


@given(REVISIONS)
def test_whatever_is_asked_has_words_and_nothing_has_none(revision):
    assert (words(revision) == "") == (revision == NOTHING)


def test_a_plan_tells_who_asked_for_what_and_when():
    told = asked(ALONE, override("T1", Revision(limiting_steps=-1), note="breathe"))
    (draft,) = draft_album(told, profile())
    assert isinstance(draft, Draft)
    assert draft.decisions[0].why == "asked by Ann on 2026-11-27: less limiting (1 step); breathe"


def test_the_last_override_of_a_subject_holds():
    twice = [override("T1", Revision(tone_steps=steps)) for steps in (1, -1)]
    assert [-1] == [one.revision.tone_steps for one in asked(ALONE, *twice)[0].track.asked]
