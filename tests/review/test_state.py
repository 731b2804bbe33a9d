"""From decisions to states: laws that hold for whatever people decide in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from review.state import may_undo, overrides, person, state_of, states, undone
from schemas.signoff import Revision
from tests.review.outputs import signed

OLD, NEW = {"flac24": "aa"}, {"flac24": "bb"}
WORDS = st.sampled_from(["approve", "reject", "needs_work"])
PEOPLE = st.sampled_from(["Ann", " ann", "ANN ", "Bob", "Zoë"])
TRACKS = ("T1", "T2", "T3")
STANDING = dict.fromkeys(TRACKS, OLD)


@st.composite
def histories(draw, people=PEOPLE):
    """Decisions numbered from 1, undos among them."""
    found = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        if found and draw(st.booleans()):
            target = draw(st.sampled_from(found))
            found.append(signed(number, target.track_id, "undo", draw(people), undoes=target.number))
        else:
            masters = draw(st.sampled_from([OLD, NEW]))
            revision = draw(st.sampled_from([None, Revision(), Revision(tone_steps=1), Revision(limiting_steps=-1)]))
            track_id, scope = draw(st.sampled_from(TRACKS)), draw(st.sampled_from(["track", "album"]))
            found.append(signed(number, track_id, draw(WORDS), draw(people), masters, revision=revision, scope=scope))
    return found


def state(*decisions, two_person=False, masters=OLD):
    return states({"T1": masters}, decisions, two_person=two_person)["T1"].state


def test_nobody_decided_is_open():
    assert state() == "open"


@pytest.mark.parametrize(("word", "expected"), [("approve", "approved"), ("reject", "rejected"), ("needs_work",) * 2])
def test_the_newest_decision_about_a_track_counts(word, expected):
    assert state(signed(1, word="reject"), signed(2, word="approve"), signed(3, word=word)) == expected


def test_a_new_master_voids_what_was_decided_about_the_old_one():
    assert state(signed(1), masters=NEW) == "void"


def test_masters_that_come_back_have_their_approval_back():
    assert state(signed(1), signed(2, masters=NEW, word="reject"), masters=OLD) == "approved"


def test_one_delivery_more_is_another_set_of_masters():
    assert state(signed(1), masters={**OLD, "cd": "cc"}) == "void"


def test_a_key_that_is_equal_is_not_enough_where_a_hash_differs():
    assert state(replace(signed(1), masters=NEW)) == "void"


def test_one_of_two_persons_approved_once():
    assert state(signed(1), two_person=True) == "approved_once"
    assert state(signed(1), signed(2, reviewer="Bob"), two_person=True) == "approved"


@pytest.mark.parametrize("name", ["Ann", " ann", "ANN ", "ａｎｎ"])
def test_a_person_who_writes_their_name_otherwise_is_not_a_second_one(name):
    assert state(signed(1), signed(2, reviewer=name), two_person=True) == "approved_once"


@pytest.mark.parametrize("word", ["reject", "needs_work"])
def test_two_persons_must_approve_after_the_last_objection(word):
    told = (signed(1), signed(2, word=word, reviewer="Bob"), signed(3, reviewer="Bob"))
    assert state(*told, two_person=True) == "approved_once"


def test_an_undo_brings_back_what_was_before():
    told = (signed(1), signed(2, word="reject"), signed(3, word="undo", undoes=2))
    assert state(*told) == "approved"
    assert state(*told, signed(4, word="undo", undoes=1)) == "open"


def test_the_undo_of_an_undo_brings_the_decision_back():
    told = [signed(1, word="reject"), signed(2, word="undo", undoes=1), signed(3, word="undo", undoes=2)]
    assert [{1}, {2}] == [undone(told[:2]), undone(told)]
    assert state(*told) == "rejected"


def test_a_decision_that_came_in_late_counts_by_when_it_was_taken():
    late = replace(signed(3), at="2026-11-27T07:00:00.000+00:00")
    assert state(signed(1, word="reject"), late) == "rejected"


@given(histories())
def test_what_is_decided_about_other_tracks_changes_nothing(told):
    numbers = {one.number for one in told if one.track_id == "T1"}
    alone = [one for one in told if one.number in numbers]
    assert states(STANDING, told)["T1"] == states(STANDING, alone)["T1"]


@given(histories(), st.randoms())
def test_the_order_in_which_decisions_are_handed_over_changes_nothing(told, random):
    mixed = random.sample(told, len(told))
    assert (states(STANDING, told), overrides(told)) == (states(STANDING, mixed), overrides(mixed))


@given(histories())
def test_undoing_the_undo_of_anything_leaves_everything_as_it_was(told):
    for one in told:
        if one.number in undone(told):
            continue
        first = signed(len(told) + 1, one.track_id, "undo", undoes=one.number)
        twice = [*told, first, signed(len(told) + 2, one.track_id, "undo", undoes=first.number)]
        assert (states(STANDING, told), overrides(told)) == (states(STANDING, twice), overrides(twice))


@given(histories())
def test_new_masters_are_never_anything_but_open_or_void(told):
    found = states({key: {"flac24": "cc"} for key in TRACKS}, told)
    assert {one.state for one in found.values()} <= {"open", "void"}


@given(histories(people=st.sampled_from(["Ann", " ann", "ANN ", "ａｎｎ"])))
def test_one_person_never_makes_two_however_they_write_their_name(told):
    assert all(one.state != "approved" for one in states(STANDING, told, two_person=True).values())


@given(histories())
def test_what_two_persons_approved_one_person_has_approved(told):
    strict, plain = states(STANDING, told, two_person=True), states(STANDING, told)
    assert all(plain[key].state == "approved" for key in TRACKS if strict[key].state == "approved")
    assert all(plain[key] == strict[key] for key in TRACKS if plain[key].state != "approved")


@given(histories())
def test_who_approved_is_told_only_of_what_is_approved(told):
    for one in states(STANDING, told, two_person=True).values():
        assert len(one.approvals) == len({person(a.reviewer) for a in one.approvals})
        assert bool(one.approvals) == (one.state in ("approved", "approved_once"))


def test_the_newest_revision_of_a_track_and_of_an_album_is_in_force():
    told = [
        signed(1, word="reject", revision=Revision(tone_steps=1)),
        signed(2, word="reject", revision=Revision(limiting_steps=-2), note="too dense"),
        signed(3, word="needs_work", revision=Revision(loudness_steps=-1), scope="album"),
    ]
    found = {(one.scope, one.subject_id): (one.revision, one.note) for one in overrides(told).overrides}
    expected = {("track", "T1"): (told[1].revision, "too dense"), ("album", "album"): (told[2].revision, "")}
    assert expected == found


def test_an_approval_clears_no_revision_and_an_empty_one_does():
    told = [signed(1, word="reject", revision=Revision(tone_steps=1)), signed(2, masters=NEW)]
    assert 1 == len(overrides(told).overrides)
    assert () == overrides([*told, signed(3, revision=Revision())]).overrides


def test_a_revision_that_was_undone_gives_way_to_the_one_before():
    told = [
        signed(1, word="reject", revision=Revision(tone_steps=1)),
        signed(2, word="reject", revision=Revision(tone_steps=2)),
        signed(3, word="undo", undoes=2),
    ]
    assert [1] == [one.revision.tone_steps for one in overrides(told).overrides]


def test_a_decision_about_masters_that_stood_no_more_asks_for_nothing():
    assert () == overrides([signed(1, word="reject", masters={}, revision=Revision(tone_steps=1))]).overrides


def test_only_oneself_or_an_operator_may_undo():
    assert [True, False, True] == [
        may_undo(signed(1), "ann ", operator=False),
        may_undo(signed(1), "Bob", operator=False),
        may_undo(signed(1), "Bob", operator=True),
    ]


def test_an_undo_of_itself_or_of_what_comes_later_does_nothing():
    assert set() == undone([signed(1, word="undo", undoes=1), signed(2, word="undo", undoes=3), signed(3)])


def test_a_state_tells_the_newest_decision():
    told = [signed(1), signed(2, word="reject", reviewer="Bob")]
    assert "Bob" == state_of(OLD, told).last.reviewer
