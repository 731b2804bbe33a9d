"""Decisions are taken about the masters that stand, by whom the caller says, and told to the next run."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import msgspec
import pytest

from review import desk as desk_module
from review.desk import Asked, Desk, ForbiddenError, RefusedError
from schemas.errors import CatalogueError
from schemas.signoff import Overrides, Revision
from tests.review.outputs import asked, desk_of, look_again, output_of

LESS = Revision(limiting_steps=-1)


def told(desk):
    """What the next run reads."""
    with open(f"{desk.output}/review/overrides.json", "rb") as handle:
        return msgspec.json.decode(handle.read(), type=Overrides).overrides


def test_a_decision_is_bound_to_the_masters_that_stand(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1"))
    (one,) = desk.decide([asked(desk, "T1")], " Ann  Lee ")
    standing = desk.catalogue.standing()["T1"]
    assert (1, "Ann Lee", "album", standing.digests, standing.key) == (
        one.number, one.reviewer, one.album_id, one.masters, one.masters_key,
    )  # fmt: skip
    assert "approved" == desk.states()["T1"].state


def test_a_decision_about_other_masters_is_refused_and_takes_the_others_with_it(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    desk = desk_of(made)
    before = asked(desk, "T1")
    made.master("T1", hz=999, run="R2")
    made.finish("R2")
    look_again(desk.catalogue)
    with pytest.raises(RefusedError, match='track "T1": the decision is about masters .* stand since run R2') as error:
        desk.decide([asked(desk, "T2"), before], "Ann")
    assert [1] == [problem.index for problem in error.value.found]
    assert [] == desk.decisions.all()


def test_a_new_master_voids_the_approval_of_the_old_one(tmp_path):
    made = output_of(tmp_path, "T1")
    desk = desk_of(made)
    desk.decide([asked(desk, "T1")], "Ann")
    made.master("T1", hz=999, run="R2")
    made.finish("R2")
    look_again(desk.catalogue)
    assert "void" == desk.states()["T1"].state


@pytest.mark.parametrize("track_id", ["T9", "", "../../etc/passwd"])
def test_an_unknown_track_is_refused(tmp_path, track_id):
    desk = desk_of(output_of(tmp_path, "T1"))
    with pytest.raises(RefusedError, match="has no masters in this output"):
        desk.decide([Asked(track_id=track_id, masters_key="", word="approve")], "Ann")


def test_an_undo_is_no_decision_about_a_track(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1"))
    with pytest.raises(RefusedError, match="an undo names the number"):
        desk.decide([asked(desk, "T1", "undo")], "Ann")


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "\u202eAnn", "x" * 101, "Ann\u200bLee"])
def test_a_name_that_nobody_can_read_is_refused(tmp_path, name):
    desk = desk_of(output_of(tmp_path, "T1"))
    with pytest.raises(CatalogueError, match="is no name for a reviewer"):
        desk.decide([asked(desk, "T1")], name)


def test_what_is_asked_of_the_next_run_is_told_at_once_and_until_it_is_changed(tmp_path):
    made = output_of(tmp_path, "T1")
    desk = desk_of(made)
    desk.decide([asked(desk, "T1", "reject", revision=LESS, note="dense")], "Ann")
    assert [("track", "T1", LESS, "Ann", "dense")] == [
        (one.scope, one.subject_id, one.revision, one.reviewer, one.note) for one in told(desk)
    ]
    desk.decide([asked(desk, "T1")], "Ann")
    assert 1 == len(told(desk))
    desk.undo([1], "Ann", operator=False)
    assert () == told(desk)


def test_no_file_is_written_where_nothing_was_ever_asked_for(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1"))
    desk.decide([asked(desk, "T1")], "Ann")
    assert not (tmp_path / "output/review/overrides.json").exists()


def test_what_a_process_that_died_did_not_tell_is_told_by_the_next(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1"))
    one = desk.decide([asked(desk, "T1", "reject", revision=LESS)], "Ann")
    (tmp_path / "output/review/overrides.json").unlink()
    assert one[0].revision == told(Desk(desk.output))[0].revision


def test_a_database_that_knows_nothing_of_what_was_asked_for_does_not_take_it_back(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.sqlite"
    desk = desk_of(made, database=elsewhere)
    desk.decide([asked(desk, "T1", "reject", revision=LESS)], "Ann")
    with pytest.raises(CatalogueError, match='not in this database, the first by "Ann"'):
        desk_of(made)
    assert [LESS] == [one.revision for one in told(desk)]
    assert "rejected" == desk_of(made, database=elsewhere).states()["T1"].state


def test_many_at_once_leave_the_file_that_all_their_decisions_make(tmp_path, database):
    made = output_of(tmp_path, *(f"T{n}" for n in range(12)))
    desks = [desk_of(made, database=database) for _ in range(3)]

    def reject(n):
        desk = desks[n % 3]
        return desk.decide([asked(desk, f"T{n}", "reject", revision=LESS)], "Ann")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(reject, range(12)))
    assert {f"T{n}" for n in range(12)} == {one.subject_id for one in told(desks[0])}


def test_who_tells_the_next_run_last_knows_all_that_was_decided(tmp_path, database, monkeypatch):
    made = output_of(tmp_path, "T1", "T2")
    one, other = desk_of(made, database=database), desk_of(made, database=database)
    inside, goes, write = threading.Event(), threading.Event(), desk_module.write_overrides

    def slow(output, decisions):
        if not inside.is_set():
            inside.set()
            goes.wait(10)
        return write(output, decisions)

    monkeypatch.setattr(desk_module, "write_overrides", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.decide, [asked(one, "T1", "reject", revision=LESS)], "Ann")
        assert inside.wait(10)
        second = pool.submit(other.decide, [asked(other, "T2", "reject", revision=LESS)], "Bob")
        wait([second], timeout=1.0)  # it must wait for the first, and cannot while that holds on
        goes.set()
        assert all(done.result(20) for done in (first, second))
    assert {"T1", "T2"} == {found.subject_id for found in told(one)}


def test_only_ones_own_decision_is_undone_unless_one_is_an_operator(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1"))
    desk.decide([asked(desk, "T1")], "Ann")
    with pytest.raises(ForbiddenError, match='decision 1 is "Ann"\'s'):
        desk.undo([1], "Bob", operator=False)
    assert 1 == desk.undo([1], "Bob", operator=True)[0].undoes
    with pytest.raises(CatalogueError, match="decision 1 was taken back already"):
        desk.undo([1], "Ann", operator=False)


def test_what_was_decided_at_once_is_taken_back_at_once_or_not_at_all(tmp_path):
    desk = desk_of(output_of(tmp_path, "T1", "T2"))
    desk.decide([asked(desk, "T1"), asked(desk, "T2")], "Ann")
    with pytest.raises(CatalogueError, match="no decision 3"):
        desk.undo([1, 2, 3], "Ann", operator=False)
    assert 2 == len(desk.decisions.all())
    assert [1, 2] == [one.undoes for one in desk.undo([1, 2, 1], "Ann", operator=False)]
    assert {"open"} == {one.state for one in desk.states().values()}


@pytest.mark.parametrize("number", [0, -1, 2, 1 << 70])
def test_there_is_nothing_to_undo_beyond_the_decisions(tmp_path, number):
    desk = desk_of(output_of(tmp_path, "T1"))
    desk.decide([asked(desk, "T1")], "Ann")
    with pytest.raises(CatalogueError, match="there is no decision"):
        desk.undo([number], "Ann", operator=True)


def test_one_decision_is_undone_once_however_many_try(tmp_path, database):
    desk = desk_of(output_of(tmp_path, "T1"), database=database)
    desk.decide([asked(desk, "T1")], "Ann")

    def undo(_):
        try:
            return desk.undo([1], "Ann", operator=False)
        except CatalogueError:
            return None

    with ThreadPoolExecutor(6) as pool:
        assert 1 == sum(one is not None for one in pool.map(undo, range(12)))


def test_a_clock_that_was_set_back_puts_no_decision_under_an_older_one(tmp_path, monkeypatch):
    desk = desk_of(output_of(tmp_path, "T1"))
    desk.decide([asked(desk, "T1")], "Ann")
    monkeypatch.setattr("review.desk.written", lambda moment: "2001-01-01T00:00:00.000+00:00")
    desk.decide([asked(desk, "T1", "reject")], "Ann")
    assert "rejected" == desk.states()["T1"].state
