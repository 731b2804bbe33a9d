"""The place where masters are made is swept of what dead runs left, and of nothing else."""

from __future__ import annotations

import json
import os
import socket
import threading
import time

import pytest

from media import store
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


def in_the_making(output, run_id):
    """A row that Beam's sink was writing when its run was cut off, and a whole table beside it."""
    folder = output / "qc/tracks" / f"run={run_id}"
    half, whole = folder / "beam-temp-tracks-1/half.tracks.parquet", folder / "tracks-00000-of-00001.parquet"
    for path in (half, whole):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (output / "qc/albums" / f"run={run_id}" / "beam-temp-albums-1").mkdir(parents=True)
    return whole


def temporary(output):
    return sorted(path.parent.name for path in output.glob("qc/*/*/beam-temp-*"))


def test_rows_that_a_run_had_in_the_making_when_it_failed_are_swept_with_it_and_no_others(tmp_path):
    whole = in_the_making(tmp_path, "failed")
    in_the_making(tmp_path, "beside")
    with pytest.raises(KeyboardInterrupt), workplace(str(tmp_path), "failed"):
        raise KeyboardInterrupt
    assert whole.exists() and ["run=beside", "run=beside"] == temporary(tmp_path)


def test_rows_that_a_killed_run_had_in_the_making_are_swept_by_the_next(tmp_path):
    for run_id, pid in (("killed", 2**22 + 1), ("alive", os.getpid())):
        in_the_making(tmp_path, run_id)
        record = {"run_id": run_id, "state": "running", "owner": {"host": socket.gethostname(), "pid": pid}}
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "runs" / f"{run_id}.json").write_text(json.dumps(record))
    with workplace(str(tmp_path), "next"):
        assert ["run=alive", "run=alive"] == temporary(tmp_path)
    assert not (tmp_path / ".parts").exists()


@pytest.mark.slow
def test_rows_in_the_making_are_swept_from_a_bucket_too():
    with emulator.running():
        folder = "gs://music/out/qc/tracks/run=failed"
        for name in ("beam-temp-tracks-1/half.parquet", "tracks.parquet"):
            store.write_bytes(f"{folder}/{name}", b"rows")
        with pytest.raises(KeyboardInterrupt), workplace("gs://music/out", "failed"):
            raise KeyboardInterrupt
        assert [f"{folder}/tracks.parquet"] == store.list_files(folder)


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
