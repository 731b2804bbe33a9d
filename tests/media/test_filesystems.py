"""Stores that Beam alone knows are used through its filesystems; here one that keeps its files in a folder."""

from __future__ import annotations

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from media import store


class Attic(LocalFileSystem):
    """`attic://path` is the local path; folders are made as they are needed, as in a bucket."""

    @classmethod
    def scheme(cls):
        return "attic"

    def create(self, path, *options, **more):
        _local(path).parent.mkdir(parents=True, exist_ok=True)
        return super().create(str(_local(path)), *options, **more)

    def open(self, path, *options, **more):
        return super().open(str(_local(path)), *options, **more)

    def exists(self, path):
        return _local(path).is_file()

    def rename(self, sources, targets):
        for target in targets:
            _local(target).parent.mkdir(parents=True, exist_ok=True)
        super().rename([str(_local(one)) for one in sources], [str(_local(one)) for one in targets])

    def _list(self, folder):
        for one in super()._list(str(_local(folder))):
            yield type(one)(f"attic://{one.path}", one.size_in_bytes)


def _local(uri):
    return store.local_path(uri.removeprefix("attic://"))


@pytest.fixture
def folder(tmp_path):
    return f"attic://{tmp_path}/out"


def made(path, content):
    path.write_bytes(content)
    return path


def test_a_scheme_that_beam_has_a_filesystem_for_can_be_reached(folder):
    assert (store.has_filesystem(folder), store.has_filesystem("cellar://a")) == (True, False)


def test_what_was_published_is_read_again(folder, tmp_path):
    store.publish(made(tmp_path / "part", b"new"), f"{folder}/a/b.flac")
    with store.fetched(f"{folder}/a/b.flac") as path:
        assert (path.read_bytes(), path.name) == (b"new", "b.flac")
    assert store.read_bytes(f"{folder}/a/b.flac") == b"new"


def test_publishing_does_not_overwrite_and_replacing_does(folder, tmp_path):
    uri, part = f"{folder}/a", made(tmp_path / "part", b"old")
    store.publish(part, uri)
    with pytest.raises(FileExistsError) as told:
        store.publish(made(part, b"new"), uri)
    assert (told.value.filename, store.read_bytes(uri), part.exists()) == (uri, b"old", True)
    store.replace(part, uri)
    assert (store.read_bytes(uri), part.exists()) == (b"new", False)


def test_a_move_takes_the_name_away_and_does_not_overwrite(folder, tmp_path):
    for name in ("a", "b"):
        store.publish(made(tmp_path / "part", name.encode()), f"{folder}/{name}")
    with pytest.raises(FileExistsError):
        store.move(f"{folder}/a", f"{folder}/b")
    store.move(f"{folder}/a", f"{folder}/deep/c")
    assert (store.exists(f"{folder}/a"), store.read_bytes(f"{folder}/deep/c")) == (False, b"a")


def test_what_is_not_there_is_told(folder):
    for work in (store.read_bytes, lambda uri: store.move(uri, f"{uri}2")):
        with pytest.raises(FileNotFoundError) as told:
            work(f"{folder}/gone")
        assert told.value.filename == f"{folder}/gone"


def test_whatever_a_filesystem_raises_is_told_with_the_file(folder, tmp_path, monkeypatch):
    def fail(uri, **options):
        raise ValueError("the store is not in the mood")

    monkeypatch.setattr(FileSystems, "create", fail)
    with pytest.raises(OSError, match="not in the mood") as told:
        store.replace(made(tmp_path / "part", b"new"), f"{folder}/a")
    assert told.value.filename == f"{folder}/a"
