"""Two runs in processes of their own, at once over one output: nothing is lost, and the next run leaves one order."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from media.analysis import analyse
from tests.pipeline.runs import album, digests, environment, master
from tests.pipeline.test_cli import LATHE, ONE_WORKER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PROFILES = ("streaming", "loud", "cd")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """A manifest, and its masters under each profile by an undisturbed run."""
    folder = tmp_path_factory.mktemp("two")
    manifest, _ = album(folder, 3)
    for profile in PROFILES:
        master(manifest, folder / profile, profile=profile)
    return manifest, {profile: digests(folder / profile) for profile in PROFILES}


def run_at_once(manifest, output, profiles):
    commands = [
        [sys.executable, "-c", LATHE, "run", str(manifest), str(output), "--profile", profile, *ONE_WORKER]
        for profile in profiles
    ]
    running = [subprocess.Popen(one, env=environment(), stderr=subprocess.PIPE, text=True) for one in commands]
    return [(process.communicate(timeout=300)[1], process.returncode) for process in running]


@pytest.mark.parametrize("other", PROFILES)
def test_two_runs_at_once_lose_no_master_and_the_next_run_leaves_one_order(tmp_path, catalogue, other):
    (manifest, undisturbed), output = catalogue, tmp_path / "out"
    ended = run_at_once(manifest, output, (PROFILES[0], other))
    assert [code for _, code in ended if code not in (0, 1)] == [], ended
    standing = [path for path in (output / "masters").rglob("*") if path.is_file()]
    assert all(analyse(path).format.frames for path in standing)
    kept = {*digests(output).values(), *digests(output, "superseded").values()}
    assert {*undisturbed[PROFILES[0]].values(), *undisturbed[other].values()} <= kept
    master(manifest, output, profile=PROFILES[0])
    assert digests(output) == undisturbed[PROFILES[0]]
    assert {f"masters/{name}" for name in digests(output)} == recorded(output)
    assert not (output / ".parts").exists()


def recorded(output):
    """The names of all masters that the ledger has a record of."""
    records = [json.loads(path.read_bytes())["record"] for path in (output / "ledger/masters").rglob("*.json")]
    return {one["uri"] for record in records for one in record["mastered"]["masters"]}
