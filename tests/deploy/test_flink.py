"""A real Flink on this machine, with two TaskManagers, gives the masters of one worker, also after one of them was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.flink.cluster import Cluster, fetched_jars, missing_tools
from tests.pipeline.runs import album, digests, master, table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

LATHE = str(Path(sys.executable).with_name("lathe"))
TRACKS = 4
PATIENCE_S = 480.0
RESUMED_S = 180.0
"""Of a busy machine; `benchmarks/runners.py` tells how long it takes on one that does nothing else."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with two TaskManagers; skipped where this machine cannot have one."""
    if missing := missing_tools():
        pytest.skip(f"Flink needs {' and '.join(missing)} on PATH")
    folder = tmp_path_factory.mktemp("flink")
    try:
        fetched_jars(folder)
    except RuntimeError as error:
        if "CLUSTER_TEST" in os.environ:  # asked for by name: not to be left out
            raise
        pytest.skip(str(error))
    with Cluster(folder) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """An album, and its masters from one worker without a cluster."""
    folder = tmp_path_factory.mktemp("catalogue")
    manifest, _ = album(folder / "sources", TRACKS, seconds=40.0)
    master(manifest, folder / "local")
    return manifest, digests(folder / "local")


def started(cluster: Cluster, manifest: Path, output: Path) -> subprocess.Popen[str]:
    command = [LATHE, "run", str(manifest), str(output), "--", *cluster.options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(run: subprocess.Popen[str]) -> str:
    try:
        said, _ = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    return said


def told(output: Path) -> list[str]:
    """The tracks in the rows of the newest run."""
    newest = max(path.name for path in output.glob("qc/tracks/run=*")).removeprefix("run=")
    return sorted(row["track_id"] for row in table(output, "tracks", newest))


def test_the_masters_are_those_of_one_worker_and_every_row_is_told(cluster, catalogue, tmp_path):
    manifest, expected = catalogue
    run = started(cluster, manifest, tmp_path / "output")
    said = finished(run)
    assert run.returncode == 0, said
    assert digests(tmp_path / "output") == expected
    assert told(tmp_path / "output") == told(manifest.parent.parent / "local")


def killed_in_the_middle(cluster, manifest, output, victim):
    """A run whose cluster loses a process when the first track was measured, and when that was."""
    run = started(cluster, manifest, output)
    until = time.monotonic() + PATIENCE_S
    while not analyses(output) and time.monotonic() < until:
        time.sleep(0.1)
    assert run.poll() is None and analyses(output)
    cluster.kill(victim)
    return run, time.monotonic()


def analyses(output: Path) -> list[Path]:
    return list(output.glob("ledger/analysis/*/*.json"))


def test_a_run_goes_on_by_itself_when_a_killed_task_manager_is_there_again(cluster, catalogue, tmp_path):
    manifest, expected = catalogue
    run, killed_s = killed_in_the_middle(cluster, manifest, tmp_path / "output", "task-manager-1")
    before = len(list(tmp_path.glob("output/ledger/*/*/*.json")))
    cluster.start("task-manager-1")
    while len(list(tmp_path.glob("output/ledger/*/*/*.json"))) == before and run.poll() is None:
        time.sleep(0.1)
    assert time.monotonic() - killed_s < RESUMED_S
    said = finished(run)
    assert run.returncode == 0, said
    assert digests(tmp_path / "output") == expected
    assert told(tmp_path / "output") == told(manifest.parent.parent / "local")


def test_a_killed_job_server_ends_the_run_in_bounded_time_and_the_next_run_finishes_it(cluster, catalogue, tmp_path):
    manifest, expected = catalogue
    output = tmp_path / "output"
    run, _ = killed_in_the_middle(cluster, manifest, output, "job-server")
    said = finished(run)
    assert run.returncode == 3 and "run again to continue" in said, said
    assert set(digests(output).items()) <= set(expected.items())
    cluster.start("job-server")
    cluster.cancel_jobs()
    cluster.wait()
    again = started(cluster, manifest, output)
    said = finished(again)
    assert again.returncode == 0, said
    assert digests(output) == expected
    assert told(output) == told(manifest.parent.parent / "local")


def test_a_watch_is_one_stream_that_ends_when_all_is_done(cluster, catalogue, tmp_path):
    manifest, expected = catalogue
    inbox, output = tmp_path / "in", tmp_path / "output"
    inbox.mkdir()
    command = [LATHE, "watch", str(inbox), str(output), "--root", str(manifest.parent), "--json", "--"]
    command += cluster.options
    watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    rows = manifest.read_text().splitlines()
    hidden = inbox / ".m.csv"
    hidden.write_text("\n".join([rows[0], *(f"{manifest.parent}/{row}" for row in rows[1:])]) + "\n")
    hidden.rename(inbox / "m.csv")
    until = time.monotonic() + PATIENCE_S
    while '"finished"' not in "".join(path.read_text() for path in output.glob("runs/*.json")):
        assert watch.poll() is None and time.monotonic() < until, watch.communicate()[0]
        time.sleep(0.5)
    watch.send_signal(signal.SIGINT)
    said = finished(watch)
    assert watch.returncode == 0, said
    assert digests(output) == expected
    assert told(output) == told(manifest.parent.parent / "local")
