"""A release holds exactly what is approved: also when it dies halfway, when two run at once, or with decisions meanwhile."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from media import store
from review import release as releasing
from review.release import release, released_text
from review.release_lists import parsed_sums
from schemas.errors import CatalogueError
from tests.media.emulator import running
from tests.pipeline.runs import environment
from tests.review.outputs import DELIVERIES, HOSTILE, asked, desk_of, digest, look_again, output_of

LISTS = {"manifest.csv", "SHA256SUMS"}


def files(folder, *but):
    """Every file of a release but its lists and its mark."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if name not in LISTS and not name.startswith((".", *but))}


def masters(*numbers):
    return {f"{delivery}/album/1-{number:02d} song.flac" for delivery in DELIVERIES for number in numbers}


def approve(desk, *track_ids, by="Ann"):
    desk.decide([asked(desk, track_id) for track_id in track_ids], by)


def checked(folder):
    """The lists, after `sha256sum -c` was happy with them."""
    done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    assert (done.returncode, done.stderr) == (0, "") or not sums
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [line.partition("  ")[::2] for line in sums] == [(row["sha256"], row["file"]) for row in rows]
    return rows


def _lists(folder):
    """File -> SHA-256, as each of the two lists tells."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        manifest = {row["file"]: row["sha256"] for row in csv.DictReader(handle)}
    return manifest, parsed_sums((folder / "SHA256SUMS").read_text())


@pytest.fixture
def made(tmp_path):
    return output_of(tmp_path, "T1", "T2", "T3")


@pytest.fixture
def released(made):
    return made.path / "released"


def test_what_is_approved_is_copied_and_nothing_else(made, released):
    desk = desk_of(made)
    approve(desk, "T1", "T3")
    desk.decide([asked(desk, "T2", "reject")], "Ann")
    found = release(desk)
    assert (masters(1, 3), (), ()) == (set(found.copied), found.withdrawn, found.problems)
    assert files(released) == masters(1, 3)
    for name in masters(1, 3):
        assert digest(made.path / "masters" / name) == digest(released / name)


def test_the_manifest_tells_who_approved_what_and_when(made, released):
    desk = desk_of(made)
    approve(desk, "T1", by="Ann")
    approve(desk, "T1", by="Bob")
    release(desk)
    rows = checked(released)
    last = desk.decisions.all()[-1]
    name = "flac24/album/1-01 song.flac"
    expected = {
        "track_id": "T1", "isrc": "USABC1234567", "upc": "", "title": "Song", "delivery": "flac24", "file": name,
        "sha256": digest(released / name), "approved_by": "Ann; Bob", "approved_at": last.at, "run_id": "R1",
    }  # fmt: skip
    assert expected == rows[1]


def test_a_second_release_copies_nothing(made, released):
    desk = desk_of(made)
    approve(desk, "T1", "T2")
    release(desk)
    before = {path: path.stat().st_mtime_ns for path in released.rglob("*") if path.is_file()}
    again = release(desk)
    assert ((), 4, ()) == (again.copied, again.kept, again.withdrawn)
    assert before == {path: path.stat().st_mtime_ns for path in released.rglob("*") if path.is_file()}


def test_what_was_undone_is_withdrawn(made, released):
    desk = desk_of(made)
    approve(desk, "T1", "T2")
    release(desk)
    desk.undo([1], "Ann", operator=False)
    found = release(desk)
    assert (masters(1), masters(2)) == (set(found.withdrawn), files(released, "withdrawn/"))
    assert ["T2", "T2"] == [row["track_id"] for row in checked(released)]
    (kept,) = {path.parents[2].name for path in (released / "withdrawn").rglob("*song.flac") if "cd" in path.parts}
    assert 2 == len(files(released / "withdrawn")) and kept.endswith("Z")


def test_a_new_master_takes_the_approved_one_out_until_it_is_approved_itself(made, released):
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk)
    made.master("T1", hz=999, run="R2", name="1-01 song")
    made.finish("R2")
    look_again(desk.catalogue)
    assert masters(1) == set(release(desk).withdrawn)
    assert set() == files(released, "withdrawn/")
    approve(desk, "T1")
    assert masters(1) == set(release(desk).copied)
    assert ["R2", "R2"] == [row["run_id"] for row in checked(released)]


def test_a_master_that_was_replaced_and_approved_replaces_the_released_one(made, released):
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk)
    made.master("T1", hz=999, run="R2", name="1-01 song")
    made.finish("R2")
    look_again(desk.catalogue)
    approve(desk, "T1")
    found = release(desk)
    assert (masters(1), masters(1)) == (set(found.copied), set(found.withdrawn))
    assert 2 == len(checked(released))


def test_a_file_that_is_not_what_was_approved_is_refused_and_others_go_on(made, released):
    desk = desk_of(made)
    approve(desk, "T1", "T2")
    path = made.path / "masters/cd/album/1-01 song.flac"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (made.path / "masters/flac24/album/1-02 song.flac").unlink()
    found = release(desk)
    assert ["cd/album/1-01 song.flac", "flac24/album/1-02 song.flac"] == [p.split('"')[1] for p in found.problems]
    assert ("is not what was approved" in found.problems[0], "cannot be copied" in found.problems[1]) == (True, True)
    assert {"flac24/album/1-01 song.flac", "cd/album/1-02 song.flac"} == files(released)
    checked(released)


def test_a_dry_run_tells_the_same_and_touches_nothing(made, released):
    desk = desk_of(made)
    approve(desk, "T1")
    found = release(desk, dry_run=True)
    assert (masters(1), True, False) == (set(found.copied), found.dry_run, released.exists())
    assert "2 would be released, 0 stand already, 0 would be withdrawn" in released_text(found)


def test_one_of_two_persons_releases_nothing(made, released):
    desk = desk_of(made, two_person=True)
    approve(desk, "T1")
    approve(desk, "T1", by="ANN ")
    release(desk)
    assert set() == files(released)
    approve(desk, "T1", by="Bob")
    release(desk)
    assert files(released) == masters(1)


def test_a_stranger_in_the_release_is_moved_out(made, released):
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk)
    (released / "cd/album/1-02 song.flac").write_bytes((made.path / "masters/cd/album/1-02 song.flac").read_bytes())
    assert ("cd/album/1-02 song.flac",) == release(desk).withdrawn


STRUCK = 3
"""Steps of a release before both lists are struck: its mark, and each list."""


@pytest.mark.parametrize("dies_at", range(14))
def test_a_release_that_dies_anywhere_leaves_nothing_unapproved_and_is_finished_by_the_next(
    made, released, monkeypatch, dies_at
):
    desk = desk_of(made)
    approve(desk, "T1", "T2")
    release(desk)
    desk.undo([1], "Ann", operator=False)
    made.master("T2", hz=999, run="R2", name="1-02 song")
    made.finish("R2")
    look_again(desk.catalogue)
    approve(desk, "T2", "T3")
    steps = iter(range(100))

    class Died(BaseException):
        pass

    def dying(verb):
        real = getattr(store, verb)

        def step(*words):
            if next(steps) == dies_at:
                raise Died
            return real(*words)

        return step

    with monkeypatch.context() as patch:
        for verb in ("publish", "replace", "move"):
            patch.setattr(store, verb, dying(verb))
        with suppress(Died):
            release(desk)
    allowed = {one.sha256 for key in ("T2", "T3") for one in desk.catalogue.standing()[key].masters}
    there = {name: digest(released / name) in allowed for name in files(released, "withdrawn/")}
    assert len(set(there.values())) <= 1, "nothing comes in before all that must go is out"
    if dies_at < STRUCK:
        assert there == dict.fromkeys(masters(1, 2), False), "before its lists are struck, a release is as it was"
    else:
        for told in _lists(released):
            assert told.items() <= {name: digest(released / name) for name, good in there.items() if good}.items()
    release(desk)
    assert files(released, "withdrawn/") == masters(2, 3)
    assert 4 == len(checked(released))
    assert not (released / ".parts").exists()


def test_what_a_dead_release_copied_is_not_copied_again(made, released, monkeypatch):
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk)
    for name in LISTS:
        (released / name).unlink()
    found = release(desk)
    assert ((), 2) == (found.copied, found.kept)
    assert 2 == len(checked(released))


def test_an_undo_while_files_are_copied_takes_them_out_again(made, released, monkeypatch):
    desk = desk_of(made)
    approve(desk, "T1", "T2", "T3")
    undone, real = [], releasing._Release._published

    def published(self, path, file):
        if not undone:
            undone.append(desk.undo([1], "Ann", operator=False))
        return real(self, path, file)

    monkeypatch.setattr(releasing._Release, "_published", published)
    found = release(desk)
    assert (masters(2, 3), 4) == (files(released, "withdrawn/"), len(checked(released)))
    assert masters(2, 3) == set(found.copied)


def test_what_was_undone_while_another_file_was_copied_never_comes_in(made, released, monkeypatch):
    desk = desk_of(made)
    approve(desk, "T1", "T2", "T3")
    undone, real = [], releasing._Release._copied_to

    def copied(self, path, one):
        problem = real(self, path, one)
        if not undone:
            undone.append(desk.undo([1], "Ann", operator=False))
        return problem

    monkeypatch.setattr(releasing._Release, "_copied_to", copied)
    assert (masters(2, 3), ()) == (set((found := release(desk)).copied), found.withdrawn)
    assert files(released) == masters(2, 3)


RELEASER = """
import sys
from review.desk import Desk
from review.release import release
output, database = sys.argv[1:]
for _ in range(5):
    release(Desk(output, database or None))
"""


def test_releases_at_once_leave_what_is_approved(made, released, database):
    desk = desk_of(made, database=database)
    approve(desk, "T1")
    command = [sys.executable, "-c", RELEASER, str(made.path), database or ""]
    running_ones = [subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) for _ in range(3)]
    for number in range(6):
        approve(desk, "T2")
        desk.undo([len(desk.decisions.all())], "Ann", operator=False)
        approve(desk, f"T{2 + number % 2}")
        if number < 5:
            desk.undo([len(desk.decisions.all())], "Ann", operator=False)
    assert [b""] * 3 == [one.communicate(timeout=100)[1] for one in running_ones]
    release(desk)
    assert (masters(1, 3), 4) == (files(released, "withdrawn/"), len(checked(released)))


def test_threads_that_release_at_once_take_turns(made, released):
    desk = desk_of(made)
    approve(desk, "T1", "T2")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: release(desk), range(4)))
    assert 4 == sum(len(one.copied) for one in found)
    assert 4 == len(checked(released))


def test_a_database_without_a_decision_withdraws_nothing(made, released, tmp_path):
    desk = desk_of(made, database=f"sqlite:///{tmp_path}/elsewhere.sqlite")
    approve(desk, "T1")
    release(desk)
    with pytest.raises(CatalogueError, match="knows of no decision: is --database missing"):
        release(desk_of(made))
    assert files(released) == masters(1)


def test_a_release_may_stand_elsewhere(made, tmp_path):
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk, str(tmp_path / "to the distributor"))
    assert files(tmp_path / "to the distributor") == masters(1)
    assert not (made.path / "released").exists()


@pytest.mark.parametrize("place", ["/proc/none", "a_file", "a_file/below"])
def test_a_place_that_cannot_be_written_is_told_in_a_sentence(made, tmp_path, place):
    (tmp_path / "a_file").write_text("x")
    desk = desk_of(made)
    approve(desk, "T1")
    with pytest.raises(CatalogueError, match="what is released so far stands: make room"):
        release(desk, str(tmp_path / place))


def test_a_disk_that_is_full_is_told_in_a_sentence_and_the_next_release_goes_on(made, released, monkeypatch):
    desk = desk_of(made)
    approve(desk, "T1")

    def full(path, uri):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(CatalogueError, match="released: No space left on device; what"):
        patch.setattr(store, "replace", full)
        release(desk)
    release(desk)
    assert masters(1) == {row["file"] for row in checked(released)}


def test_a_folder_with_files_that_are_no_release_is_left_alone(made, tmp_path):
    desk = desk_of(made)
    approve(desk, "T1")
    (tmp_path / "music").mkdir()
    (tmp_path / "music/precious.wav").write_bytes(b"precious")
    with pytest.raises(CatalogueError, match="holds files that are no release"):
        release(desk, str(tmp_path / "music"))
    assert ["precious.wav"] == os.listdir(tmp_path / "music")


def test_the_release_of_another_output_is_left_alone(made, tmp_path):
    desk, other = desk_of(made), desk_of(output_of(tmp_path / "other", "T1"))
    for one in (desk, other):
        approve(one, "T1")
    release(desk, str(tmp_path / "both"))
    with pytest.raises(CatalogueError, match="holds the release of another output"):
        release(other, str(tmp_path / "both"))


@pytest.mark.parametrize("inside", ["", "masters", "..", "masters/released", "qc/x"])
def test_no_release_lies_among_what_a_run_wrote(made, inside):
    with pytest.raises(CatalogueError, match="lies in the output or holds it"):
        release(desk_of(made), str(made.path / inside))


def test_of_two_tracks_with_one_name_the_newer_runs_is_released(made, released):
    desk = desk_of(made)
    made.master("T9", hz=999, run="R2", name="1-01 song")
    made.finish("R2")
    look_again(desk.catalogue)
    approve(desk, "T1", "T9")
    found = release(desk)
    assert {"T9"} == {row["track_id"] for row in checked(released)}
    assert ["lost its name" in one for one in found.problems] == [True, True]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stand_in_the_manifest_as_they_are(tmp_path, text):
    made = output_of(tmp_path, "T1", title=text, isrc=text, upc=text, folder="album")
    desk = desk_of(made)
    approve(desk, "T1")
    release(desk)
    assert [text, text] == [row["title"] for row in checked(made.path / "released")] or "\0" in text


@pytest.mark.parametrize("uri", ["/x/masters/cd/../1.flac", "1.flac", "/a/b/.hidden", "/mp3/album/1.flac", "/cd/a\n/b"])
def test_a_row_that_names_no_master_of_ours_leads_nowhere(tmp_path, uri):
    from msgspec.structs import replace

    made = output_of(tmp_path, "T1")
    row = made.rows["R1"][0]
    made.rows["R1"] = [replace(row, masters=(replace(row.masters[1], uri=uri),))]
    made.finish("R1")
    desk = desk_of(made)
    approve(desk, "T1")
    found = release(desk)
    assert ((), 1) == (found.copied, len(found.problems))


def test_a_delivery_with_the_name_of_the_place_for_what_was_withdrawn_is_not_released(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.review.outputs.DELIVERIES", ("withdrawn",))
    made = output_of(tmp_path, "T1")
    desk = desk_of(made)
    approve(desk, "T1")
    found = release(desk)
    assert ((), 1) == (found.copied, len(found.problems))
    assert set() == files(made.path / "released")


def test_a_release_into_a_bucket_holds_what_is_approved(made):
    with running():
        desk = desk_of(made)
        approve(desk, "T1", "T2")
        assert masters(1, 2) == set(release(desk, "gs://music/released").copied)
        desk.undo([1], "Ann", operator=False)
        found = release(desk, "gs://music/released")
        assert (masters(1), 2) == (set(found.withdrawn), found.kept)
        there = {uri.removeprefix("gs://music/released/") for uri in store.list_files("gs://music/released")}
        assert masters(2) | LISTS == {name for name in there if not name.startswith("withdrawn/")}
        assert 2 == len(store.read_bytes("gs://music/released/SHA256SUMS").splitlines())


def test_words_of_a_release_hold_no_sign_that_moves_a_cursor(made):
    found = releasing.Released(target="t", copied=(), kept=0, withdrawn=("a\x1b[2J",), problems=())
    assert "\x1b" not in released_text(found)


def test_decisions_go_on_while_a_release_runs(made, monkeypatch):
    desk, waits, goes = desk_of(made), threading.Event(), threading.Event()
    approve(desk, "T1")
    real = releasing._Release._copied_to

    def copied(self, path, one):
        waits.set()
        goes.wait(10)
        return real(self, path, one)

    monkeypatch.setattr(releasing._Release, "_copied_to", copied)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(release, desk)
        assert waits.wait(10)
        approve(desk, "T2")
        goes.set()
        assert masters(1, 2) == set(going.result(20).copied)
