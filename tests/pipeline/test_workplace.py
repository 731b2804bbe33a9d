"""The place where masters are made is swept of what dead runs left, and of nothing else."""

from __future__ import annotations

import os
import threading
import time

import pytest

from pipeline.workplace import OWNERLESS_S, check_reachable, checked_output, new_run_id, workplace
from schemas.errors import CatalogueError
from tests.media import emulator


def test_what_a_worker_left_that_outlived_its_run_is_swept_when_it_is_old(tmp_path):
    old, fresh = tmp_path / ".parts" / "old", tmp_path / ".parts" / "fresh"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
        (folder / "half.flac").touch()
    an_hour_ago = time.time() - OWNERLESS_S - 1.0
    os.utime(old, (an_hour_ago, an_hour_ago))
    with workplace(str(tmp_path), "run"):
        assert not old.exists() and fresh.exists()
    assert fresh.exists()


def names_of_runs_that_start_together(output, count):
    names, start = [], threading.Barrier(count)

    def begin():
        start.wait()
        names.append(new_run_id(output))

    threads = [threading.Thread(target=begin) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return names


def test_runs_that_start_at_the_same_moment_have_names_of_their_own(tmp_path):
    assert len(set(names_of_runs_that_start_together(str(tmp_path / "out"), 8))) == 8


@pytest.mark.slow
def test_runs_that_start_at_the_same_moment_in_a_bucket_have_names_of_their_own():
    with emulator.running():
        assert len(set(names_of_runs_that_start_together("gs://music/out", 4))) == 4
        with pytest.raises(
            CatalogueError, match="cannot write into gs://nowhere/out: there is no such object or bucket"
        ):
            new_run_id("gs://nowhere/out")


def test_an_output_that_cannot_be_written_is_told_before_a_run_has_a_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CatalogueError, match="cannot write into .*: Not a directory; give a folder"):
        new_run_id(str(tmp_path / "file/out"))


@pytest.mark.parametrize("check", [check_reachable, checked_output])
def test_a_store_that_is_not_installed_is_told_with_what_to_install(check, monkeypatch):
    monkeypatch.setattr("media.filesystems.is_known", lambda uri: False)
    with pytest.raises(CatalogueError, match=r's3://a/b cannot be reached: .* pip install "apache-beam\[aws\]"'):
        check("s3://a/b")
