"""A real Flink on this machine, with two TaskManagers, gives the masters of one worker, also after one of them was killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.flink.cluster import Cluster, fetched_jars, missing_tools
from tests.pipeline.runs import album, by, digests, master, table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

LATHE = str(Path(sys.executable).with_name("lathe"))
TRACKS = 4
PATIENCE_S = 480.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with two TaskManagers; skipped where this machine cannot have one."""
    if missing := missing_tools():
        pytest.skip(f"Flink needs {' and '.join(missing)} on PATH")
    folder = tmp_path_factory.mktemp("flink")
    try:
        fetched_jars(folder)
    except RuntimeError as error:
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
    said, _ = run.communicate(timeout=PATIENCE_S)
    return said


def test_the_masters_are_those_of_one_worker_and_every_row_is_told(cluster, catalogue, tmp_path):
    manifest, expected = catalogue
    run = started(cluster, manifest, tmp_path / "output")
    said = finished(run)
    assert run.returncode == 0, said
    assert digests(tmp_path / "output") == expected
    assert len(by("track_id", table(tmp_path / "output", "tracks"))) == TRACKS


@pytest.mark.parametrize("victim", ["task-manager-1", "job-server"])
def test_a_kill_ends_the_run_in_bounded_time_and_the_next_run_finishes_it(cluster, catalogue, tmp_path, victim):
    manifest, expected = catalogue
    output = tmp_path / "output"
    run = started(cluster, manifest, output)
    until = time.monotonic() + PATIENCE_S
    while not list(output.glob("ledger/analysis/*/*.json")) and time.monotonic() < until:
        time.sleep(0.1)
    cluster.kill(victim)
    said = finished(run)
    assert run.returncode == 3 and "run again to continue" in said, said
    assert set(digests(output).items()) <= set(expected.items())
    cluster.start(victim)
    cluster.wait()
    again = started(cluster, manifest, output)
    said = finished(again)
    assert again.returncode == 0, said
    assert digests(output) == expected
    assert not list(output.glob(".parts/*"))
    assert len(by("track_id", table(output, "tracks"))) == TRACKS
