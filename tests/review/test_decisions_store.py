"""Decisions are kept for ever, numbered without gaps, in SQLite and in PostgreSQL, also with many writers at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sql

from review.decisions_store import Decisions
from schemas.errors import CatalogueError
from schemas.signoff import Revision
from tests.pipeline.runs import environment
from tests.review.conftest import raw
from tests.review.outputs import HOSTILE, signed

WRITER = """
import sys
from review.decisions_store import Decisions
from tests.review.outputs import signed
output, database, name = sys.argv[1:]
decisions = Decisions(output, database or None)
for _ in range(10):
    decisions.add(lambda known: [signed(reviewer=name)])
"""


@pytest.fixture
def decisions(tmp_path, database):
    found = Decisions(str(tmp_path), database)
    yield found
    found.close()


def test_what_is_added_is_found_again_with_its_number(decisions, tmp_path, database):
    one = signed(0, revision=Revision(limiting_steps=-1), reason="dense", note="see mail", scope="album")
    decisions.add(lambda known: [one, signed(0, "T2")])
    decisions.add(lambda known: [signed(0, "T3")])
    again = Decisions(str(tmp_path), database).all()
    assert [(1, "T1"), (2, "T2"), (3, "T3")] == [(found.number, found.track_id) for found in again]
    assert (one.revision, "dense", "see mail", "album") == (
        again[0].revision, again[0].reason, again[0].note, again[0].scope,
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back_as_it_was(decisions, text):
    one = signed(1, track_id=text, reviewer=text, reason=text[:500], note=text[:5000], album_id=text)
    decisions.add(lambda known: [one])
    assert [one] == decisions.all()


def test_what_cannot_be_decided_adds_nothing(decisions):
    def refuse(known):
        raise CatalogueError("SIGNOFF_REFUSED", "no")

    with pytest.raises(CatalogueError, match="no"):
        decisions.add(refuse)
    assert [] == decisions.all()


def test_a_row_that_the_database_refuses_takes_the_others_with_it(decisions):
    with pytest.raises(CatalogueError, match="cannot be reached"), decisions.alone() as (_, insert):
        insert([signed(0)])
        insert([signed(0)])  # by the same decisions so far: the same number again
    assert [] == decisions.all()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lathe_signoffs SET word = 'approve'",
        "DELETE FROM lathe_signoffs",
        "UPDATE lathe_signoffs SET record = '{}' WHERE number = 1",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete(decisions, tmp_path, database, statement):
    decisions.add(lambda known: [signed(0, word="reject")])
    engine = raw(database or f"sqlite:///{tmp_path}/review/decisions.sqlite")
    with pytest.raises(sql.exc.DBAPIError, match="only ever added"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert ["reject"] == [one.word for one in decisions.all()]


def test_postgresql_refuses_to_empty_the_table(tmp_path, postgresql):
    Decisions(str(tmp_path), postgresql).add(lambda known: [signed(0)])
    engine = raw(postgresql)
    with pytest.raises(sql.exc.DBAPIError, match="only ever added"), engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE lathe_signoffs")
    engine.dispose()


def test_a_user_who_may_only_read_and_add_can_decide(tmp_path, postgresql):
    Decisions(str(tmp_path), postgresql).add(lambda known: [signed(0)])
    engine = raw(postgresql)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE reviewers LOGIN")
        connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE ON lathe_signoffs TO reviewers")
    engine.dispose()
    few = Decisions(str(tmp_path), postgresql.replace("lathe@", "reviewers@"))
    assert [2] == [one.number for one in few.add(lambda known: [signed(0)])]


def test_several_processes_share_the_numbers_without_gaps(tmp_path, database):
    command = [sys.executable, "-c", WRITER, str(tmp_path), database or ""]
    # None of them finds a database: all begin to make it at once.
    writers = [subprocess.Popen([*command, f"P{n}"], env=environment(), stderr=subprocess.PIPE) for n in range(4)]
    assert [b""] * 4 == [writer.communicate(timeout=100)[1] for writer in writers]
    found = Decisions(str(tmp_path), database).all()
    assert list(range(1, 41)) == [one.number for one in found]
    assert {f"P{n}": 10 for n in range(4)} == {
        name: sum(one.reviewer == name for one in found) for name in ("P0", "P1", "P2", "P3")
    }


def test_several_threads_share_the_numbers_without_gaps(decisions):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: decisions.add(lambda known: [signed(0, f"T{n}")]), range(40)))
    assert list(range(1, 41)) == [one.number for one in decisions.all()]


def test_what_is_decided_by_is_what_stands_when_it_is_written(decisions):
    def only_first(known):
        return [] if known else [signed(0)]

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: decisions.add(only_first), range(16)))
    assert 1 == sum(map(len, added))


def test_outputs_that_share_a_database_do_not_see_each_other(tmp_path, postgresql):
    one, other = (Decisions(str(tmp_path / name), postgresql) for name in ("one", "other"))
    one.add(lambda known: [signed(0, "mine")])
    other.add(lambda known: [signed(0, "yours")])
    assert [["mine"], ["yours"]] == [[found.track_id for found in them.all()] for them in (one, other)]
    assert [1] == [found.number for found in other.all()]


def test_an_output_that_was_moved_finds_its_decisions(tmp_path, database):
    Decisions(str(tmp_path / "one"), database).add(lambda known: [signed(0)])
    (tmp_path / "one").rename(tmp_path / "two")
    assert 1 == len(Decisions(str(tmp_path / "two"), database).all())


def test_only_one_at_a_time_does_what_is_exclusive(tmp_path, database):
    inside, met = threading.Lock(), []

    def work(_):
        with Decisions(str(tmp_path), database).exclusive("release"):
            met.append(inside.acquire(blocking=False))
            inside.release()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert [True] * 8 == met


def test_decisions_are_taken_while_something_exclusive_goes_on(decisions):
    with decisions.exclusive("release"):
        assert 1 == len(decisions.add(lambda known: [signed(0)]))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u:geheim@h/d", "mysql://u:\\*\\*\\*@h/d is no database for decisions"),
        ("rubbish:geheim", "the text given is no database for decisions"),
        ("sqlite://", "is no database for decisions"),
        ("postgresql://u:geheim@127.0.0.1:1/d", "the decisions in .*\\*\\*\\*@127.0.0.1:1/d cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(tmp_path, url, words):
    with pytest.raises(CatalogueError, match=words) as error:
        Decisions(str(tmp_path), url)
    assert "geheim" not in str(error.value)


def test_an_output_in_a_bucket_needs_a_database_elsewhere():
    with pytest.raises(CatalogueError, match="gs://music/out is no folder of this machine.*--database postgresql"):
        Decisions("gs://music/out")


def test_an_output_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "review").write_text("a file")
    with pytest.raises(CatalogueError, match="cannot be made"):
        Decisions(str(tmp_path))
