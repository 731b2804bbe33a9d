"""What is published appears whole and at once, on this machine; what is in the making is not seen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from media import store

OLD, NEW = b"old" * 1_000_000, b"new!" * 1_000_000


def made(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("uri", "expected"), [("gs://b/a", True), ("s3://b/a", True), ("/a/b", False), ("a", False), ("file:///a", False)]
)
def test_only_a_scheme_makes_a_uri_remote(uri, expected):
    assert store.is_remote(uri) is expected


@pytest.mark.parametrize("base", ["gs://b/out", "gs://b/out/", "/out", "/out/"])
def test_names_are_joined_alike_everywhere(base):
    assert store.join(base, "masters", "cd") == base.rstrip("/") + "/masters/cd"


def test_a_published_file_makes_its_folders(tmp_path):
    store.publish(made(tmp_path / "part"), str(tmp_path / "a/b/c.flac"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["c.flac"]


def test_a_reader_sees_the_old_file_or_the_new_one_and_nothing_between(tmp_path):
    target, seen, stop = made(tmp_path / "out/a", OLD), set(), threading.Event()

    def read():
        while not stop.is_set():
            seen.add(target.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        store.replace(made(tmp_path / "part", NEW if turn % 2 == 0 else OLD), str(target))
    stop.set()
    reader.join()
    assert seen and seen <= {OLD, NEW}


@pytest.mark.parametrize("verb", [store.publish, store.replace])
def test_publishing_a_file_that_is_not_there_leaves_the_old_one(tmp_path, verb):
    target = made(tmp_path / "out/a", OLD)
    with pytest.raises(FileNotFoundError, match="gone"):
        verb(tmp_path / "gone", str(target))
    assert target.read_bytes() == OLD


@pytest.fixture(params=["hard links", "none"])
def links(request, monkeypatch):
    """A file system with hard links, and one without."""

    def refuse(path, target):
        raise PermissionError(errno.EPERM, "no hard links here", str(path), None, str(target))

    if request.param == "none":
        monkeypatch.setattr(os, "link", refuse)


def test_publishing_never_overwrites_and_keeps_what_was_to_be_published(tmp_path, links):
    target, part = made(tmp_path / "out/a", OLD), made(tmp_path / "part", NEW)
    with pytest.raises(FileExistsError):
        store.publish(part, str(target))
    assert (target.read_bytes(), part.read_bytes()) == (OLD, NEW)


def test_publishing_the_same_bytes_again_is_as_good(tmp_path, links):
    target = made(tmp_path / "out/a", OLD)
    store.publish(made(tmp_path / "part", OLD), str(target))
    assert (target.read_bytes(), (tmp_path / "part").exists()) == (OLD, False)


def test_of_many_who_publish_one_name_one_wins(tmp_path, links):
    for turn in range(20):
        won, start = [], threading.Barrier(8)

        def publish(number, turn=turn, won=won, start=start):
            part = made(tmp_path / f"part{number}", bytes([number]) * 100_000)
            start.wait()
            try:
                store.publish(part, str(tmp_path / f"out/{turn}"))
            except FileExistsError:
                return
            won.append(number)

        together([partial(publish, number) for number in range(8)])
        assert (tmp_path / f"out/{turn}").read_bytes() == bytes(won) * 100_000


def test_of_many_who_move_one_file_one_wins_and_nothing_is_lost(tmp_path):
    for turn in range(20):
        source, won, start = made(tmp_path / f"{turn}/a", OLD), [], threading.Barrier(8)

        def move(number, source=source, won=won, start=start):
            start.wait()
            try:
                store.move(str(source), f"{source}{number}")
            except FileNotFoundError:
                return
            won.append(f"a{number}")

        together([partial(move, number) for number in range(8)])
        assert [(won, OLD)] == [([path.name], path.read_bytes()) for path in source.parent.iterdir()]


def test_a_move_never_overwrites(tmp_path):
    source, target = made(tmp_path / "a", OLD), made(tmp_path / "b", NEW)
    with pytest.raises(FileExistsError):
        store.move(str(source), str(target))
    assert (source.read_bytes(), target.read_bytes()) == (OLD, NEW)


def test_a_move_of_nothing_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        store.move(str(tmp_path / "gone"), str(tmp_path / "b"))
    assert list(tmp_path.iterdir()) == []


def together(works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_file_moves_to_a_folder_that_was_not_there(tmp_path):
    store.move(str(made(tmp_path / "a", OLD)), str(tmp_path / "deep/down/a"))
    assert ((tmp_path / "a").exists(), (tmp_path / "deep/down/a").read_bytes()) == (False, OLD)


def test_hidden_files_and_what_lies_in_hidden_folders_are_not_listed(tmp_path):
    for name in ("b.wav", "a/1.wav", ".parts/run/a.wav", "a/.DS_Store", "a/._1.wav"):
        made(tmp_path / name)
    assert store.list_files(str(tmp_path)) == [str(tmp_path / "a/1.wav"), str(tmp_path / "b.wav")]


def test_a_folder_below_a_hidden_one_is_listed_when_it_is_asked_for(tmp_path):
    path = made(tmp_path / ".cache/music/a.wav")
    assert store.list_files(str(path.parent)) == [str(path)]


def test_a_folder_that_is_not_there_holds_no_files(tmp_path):
    assert store.list_files(str(tmp_path / "gone")) == []


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        store.read_bytes(str(tmp_path / "gone"))


def test_scratch_lies_on_the_file_system_of_the_output_and_out_of_sight(tmp_path):
    with store.scratch(str(tmp_path / "out"), "run") as folder:
        made(folder / "a.flac")
        same_disk = os.stat(folder).st_dev == os.stat(tmp_path).st_dev
        assert (same_disk, store.list_files(str(tmp_path / "out"))) == (True, [])


def test_scratch_is_gone_when_the_work_fails(tmp_path):
    with pytest.raises(OSError, match="disk"), store.scratch(str(tmp_path), "run") as folder:
        made(folder / "a.flac")
        raise OSError("disk")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_two_workers_never_share_a_scratch_folder(tmp_path):
    with store.scratch(str(tmp_path), "run") as one, store.scratch(str(tmp_path), "run") as other:
        assert one != other


def test_files_of_this_machine_pay_for_no_library_of_a_store(tmp_path):
    work = "import sys; from pathlib import Path; from media import store; store.publish(Path('a'), 'b/c')"
    told = "print(store.read_bytes('b/c'), *{'apache_beam', 'google.cloud.storage', 'requests'} & set(sys.modules))"
    made(tmp_path / "a")
    place = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-c", f"{work}; {told}"], cwd=tmp_path, env=place, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "b'x'\n"


def test_a_local_file_is_read_where_it_lies(tmp_path):
    with store.fetched(str(made(tmp_path / "a"))) as path:
        assert path == tmp_path / "a"


def test_a_file_uri_is_a_path(tmp_path):
    made(tmp_path / "a", OLD)
    assert store.read_bytes(f"file://{tmp_path}/a") == OLD
