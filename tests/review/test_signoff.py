"""Files of decisions: taken whole or not at all, and the same decision counts once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from review.signoff import exported, listed, listed_text, take_in
from schemas.errors import CatalogueError
from schemas.signoff import Revision
from tests.review.outputs import HOSTILE, asked, desk_of, output_of

AT = "2026-11-27T08:00:00.123Z"


@pytest.fixture
def desk(tmp_path):
    return desk_of(output_of(tmp_path, "T1", "T2"))


def decision(desk, track_id="T1", word="approve", **more):
    key = desk.catalogue.standing()[track_id].key if track_id in desk.catalogue.standing() else "0" * 16
    return {"at": AT, "reviewer": "Ann", "track_id": track_id, "masters_key": key, "word": word, **more}


def written(tmp_path, *decisions, **more):
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps({"lathe_signoff": 1, "output_run": "R1", "decisions": decisions, **more}))
    return path


def test_what_a_browser_exported_counts(desk, tmp_path):
    path = written(
        tmp_path, decision(desk), decision(desk, "T2", "reject", revision={"limiting_steps": -1}, reason="dense")
    )
    found = take_in(desk, path)
    assert (2, 0, ()) == (found.added, found.known, found.notes)
    assert {"T1": "approved", "T2": "rejected"} == {key: one.state for key, one in desk.states().items()}
    assert [Revision(limiting_steps=-1)] == [one.revision for one in desk.decisions.all() if one.revision]
    assert (tmp_path / "output/review/overrides.json").exists()


def test_a_file_that_is_read_in_again_changes_nothing(desk, tmp_path):
    path = written(tmp_path, decision(desk), decision(desk), decision(desk, "T2"))
    assert [2, 0] == [take_in(desk, path).added for _ in range(2)]
    assert 2 == len(desk.decisions.all())


def test_what_was_exported_is_read_in_again_without_a_change(desk, tmp_path):
    desk.decide([asked(desk, "T1", "reject", revision=Revision(tone_steps=2), note="n")], "Ann")
    desk.undo([1], "Ann", operator=False)
    path = tmp_path / "all.json"
    path.write_bytes(exported(desk))
    assert (0, 2) == (take_in(desk, path).added, take_in(desk, path).known)


def test_number_and_hashes_are_not_believed_of_a_file(desk, tmp_path):
    take_in(desk, written(tmp_path, decision(desk, number=99, masters={"flac24": "ff"}, album_id="lie")))
    (one,) = desk.decisions.all()
    assert (1, desk.catalogue.standing()["T1"].digests, "album") == (one.number, one.masters, one.album_id)


def test_a_decision_about_masters_that_stand_no_more_is_kept_and_counts_for_nothing(desk, tmp_path):
    stale = decision(desk, masters_key="f" * 16, revision={"tone_steps": 1})
    found = take_in(desk, written(tmp_path, stale))
    assert ("T1" in found.notes[0], "counts for nothing" in found.notes[0]) == (True, True)
    assert (1, "void") == (len(desk.decisions.all()), desk.states()["T1"].state)
    assert not (tmp_path / "output/review/overrides.json").exists()


def test_a_decision_about_other_masters_counts_for_nothing_whatever_hashes_it_claims(desk, tmp_path):
    claimed = desk.catalogue.standing()["T1"].digests
    take_in(desk, written(tmp_path, decision(desk, masters_key="f" * 16, masters=claimed, revision={"tone_steps": 1})))
    assert ("void", False) == (desk.states()["T1"].state, (tmp_path / "output/review/overrides.json").exists())


def test_who_decided_is_named_by_the_decision_the_file_or_the_command(desk, tmp_path):
    nameless = {key: value for key, value in decision(desk).items() if key != "reviewer"}
    take_in(desk, written(tmp_path, nameless, reviewer="Bob"))
    take_in(desk, written(tmp_path, decision(desk)), "Cleo")
    assert ["Bob", "Cleo"] == [one.reviewer for one in desk.decisions.all()]
    with pytest.raises(CatalogueError, match="decision 1: .*no name for a reviewer"):
        take_in(desk, written(tmp_path, nameless))


BAD = [
    ({"track_id": "T9"}, 'decision 2: track "T9" has no masters'),
    ({"word": "love"}, "decision 2: Invalid enum value 'love'"),
    ({"word": None}, "decision 2: Invalid enum value|decision 2: Expected"),
    ({"at": "yesterday"}, 'decision 2: at must be a time such as .*, got "yesterday"'),
    ({"at": "2026-11-27T08:00:00"}, "decision 2: at must say its zone"),
    ({"at": "0001-01-01T00:00:00+23:00"}, "decision 2: date value out of range"),
    ({"at": (datetime.now(timezone.utc) + timedelta(days=2)).isoformat()}, "decision 2: at lies in the future"),
    ({"revision": {"tone_steps": 9}}, "decision 2: Expected `int` <= 3"),
    ({"revision": {"bass": 1}}, "decision 2: Object contains unknown field `bass`"),
    ({"reason": "x" * 501}, "decision 2: Expected `str` of length <= 500"),
    ({"color": "red"}, "decision 2: Object contains unknown field `color`"),
    ({"masters_key": 7}, "decision 2: Expected `str`, got `int`"),
    ({"word": "undo", "undoes": 7}, "the undo of decision 7: there is none"),
    ({"word": "undo"}, "decision 2: an undo, and nothing else"),
    ({"undoes": 1}, "decision 2: an undo, and nothing else"),
    ({"reviewer": "\u202e"}, "decision 2: .*no name for a reviewer"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD)
def test_one_wrong_decision_refuses_the_whole_file_in_words(desk, tmp_path, wrong, words):
    with pytest.raises(CatalogueError, match=words) as error:
        take_in(desk, written(tmp_path, decision(desk), {**decision(desk, "T2"), **wrong}))
    assert "nothing was taken in" == error.value.problems[-1]
    assert [] == desk.decisions.all()


def test_everything_that_is_wrong_is_told_at_once(desk, tmp_path):
    with pytest.raises(CatalogueError) as error:
        take_in(desk, written(tmp_path, 1, decision(desk), decision(desk, at="x"), [], None))
    assert ["decision 1", "decision 3", "decision 4", "decision 5"] == [
        problem.partition(":")[0] for problem in error.value.problems[:-1]
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"lathe_signoff": 1,\n"decisions": [\n}', "decisions.json, line 3, is no JSON"),
        (b'{"lathe_signoff": 2, "decisions": []}', "is no file of decisions: Invalid enum value 2"),
        (b"[]", "is no file of decisions: Expected `object`, got `array`"),
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"lathe_signoff": 1, "decisions": 1}', "is no file of decisions"),
        (b"[" * 100_000, "is no"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_line(desk, tmp_path, content, words):
    path = tmp_path / "decisions.json"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=words):
        take_in(desk, path)


def test_a_file_that_is_not_there_is_told(desk, tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read: No such file"):
        take_in(desk, tmp_path / "none.json")


def test_nobody_undoes_by_file_what_another_decided(desk, tmp_path):
    desk.decide([asked(desk, "T1")], "Ann")
    with pytest.raises(CatalogueError, match='it is not "Bob"\'s own'):
        take_in(desk, written(tmp_path, decision(desk, word="undo", undoes=1, reviewer="Bob")))
    take_in(desk, written(tmp_path, decision(desk, word="undo", undoes=1)))
    assert "open" == desk.states()["T1"].state


def test_an_undo_in_a_file_of_another_output_takes_nothing_back(desk, tmp_path):
    desk.decide([asked(desk, "T1")], "Ann")
    with pytest.raises(CatalogueError, match="undo of decision 1: that is about another track"):
        take_in(desk, written(tmp_path, decision(desk, "T2", word="undo", undoes=1)))
    assert "approved" == desk.states()["T1"].state


def test_a_late_import_does_not_outrank_what_was_decided_after_it(desk, tmp_path):
    desk.decide([asked(desk, "T1", "reject")], "Bob")
    take_in(desk, written(tmp_path, decision(desk, at="2026-01-01T00:00:00Z")))
    assert "rejected" == desk.states()["T1"].state


def test_what_is_decided_after_an_import_outranks_it_though_the_clock_of_its_machine_ran_ahead(desk, tmp_path):
    ahead = (datetime.now(timezone.utc) + timedelta(minutes=4)).isoformat()
    take_in(desk, written(tmp_path, decision(desk, at=ahead), decision(desk, "T2")))
    desk.decide([asked(desk, "T1", "reject")], "Bob")
    assert "rejected" == desk.states()["T1"].state


def test_the_list_counts_states_and_names_what_is_open(desk):
    desk.decide([asked(desk, "T2", "reject", reason="too \x1b[31mbright")], "Ann")
    text = listed_text(listed(desk))
    assert ["      1  open", "      1  rejected"] == text.split("\n")[:2]
    assert 'open          "T1" "Song", ready' in text
    assert "\x1b" not in text and "too \\x1b[31mbright" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_the_list_shows_hostile_titles_on_one_line(tmp_path, text):
    desk = desk_of(output_of(tmp_path, "T1", title=text))
    assert 3 == len(listed_text(listed(desk)).split("\n"))
