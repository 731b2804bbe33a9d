"""Runs in processes of their own: killed, interrupted, with workers that die, and with more workers than one.

Whatever happens, every file under `masters/` is whole, and a later run ends with the bytes of an undisturbed one.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest

from media.analysis import analyse
from pipeline.run_records import run_records
from tests.pipeline.runs import album, digests, environment, master, table
from tests.pipeline.test_cli import LATHE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TRACKS = 6
SECONDS = 30.0
WORKER = "sdk_worker_main"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """An album long enough to be caught in the middle, and its masters by an undisturbed run of one worker."""
    folder = tmp_path_factory.mktemp("long")
    manifest, _ = album(folder, TRACKS, seconds=SECONDS)
    master(manifest, folder / "undisturbed")
    return manifest, digests(folder / "undisturbed")


class Running:
    """A `lathe run` with two workers in a process of its own; ended when the block ends."""

    def __init__(self, manifest, output, *beam_options, options=(), **variables):
        self.output = output
        beam_options = ["--direct_num_workers=2", *beam_options]
        command = [sys.executable, "-c", LATHE, "run", str(manifest), str(output), *options, "--", *beam_options]
        self.process = subprocess.Popen(command, env=environment(**variables), stderr=subprocess.PIPE, text=True)
        self.seen = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.workers()
        for process in (*self.seen.values(), self.process):
            if process.is_running() if isinstance(process, psutil.Process) else process.poll() is None:
                process.kill()
        self.process.wait()
        self.process.stderr.close()

    def workers(self):
        """The worker processes that are there now."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        self.seen.update({child.pid: child for child in children})
        return [child for child in children if _is_worker(child)]

    def until(self, seen, within_s=90.0):
        """Waits until something is seen, and returns it."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            assert self.process.poll() is None, self.process.stderr.read()
            if found := seen():
                self.workers()
                return found
            time.sleep(0.02)
        raise AssertionError("nothing was seen in time")

    def masters(self):
        return [path for path in (self.output / "masters").rglob("*") if path.is_file()]

    def left_behind(self, within_s):
        """Processes of this run that are still there after so many seconds."""
        _, alive = psutil.wait_procs(list(self.seen.values()), timeout=within_s)
        return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _is_worker(process):
    try:
        return any(WORKER in part for part in process.cmdline())
    except psutil.Error:
        return False


def rendering(running):
    """Seen when a master is in the making."""
    return lambda: running.masters() and list(running.output.glob(".parts/*/tmp*/*.*"))


def whole(paths):
    """Decodes every file completely; raises where one is damaged."""
    return [analyse(path).format.frames for path in paths]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_a_run_that_is_cut_off_leaves_whole_masters_and_is_completed_by_the_next(tmp_path, catalogue, number):
    manifest, undisturbed = catalogue
    with Running(manifest, tmp_path / "out") as running:
        running.until(rendering(running))
        running.process.send_signal(number)
        running.process.wait(60)
        left = running.left_behind(30)
    done = running.masters()
    assert left == []
    assert [one["state"] for one in run_records(str(tmp_path / "out"))] == [
        "running" if number is signal.SIGKILL else "stopped"
    ]
    assert 0 < len(whole(done)) < 2 * TRACKS
    master(manifest, tmp_path / "out")
    assert digests(tmp_path / "out") == undisturbed
    assert not (tmp_path / "out/.parts").exists()
    newest, before = run_records(str(tmp_path / "out"))
    assert (newest["state"], before["state"]) == ("finished", "interrupted" if number is signal.SIGKILL else "stopped")


def test_an_interrupted_run_ends_with_130_and_says_what_stands(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out") as running:
        running.until(rendering(running))
        running.process.send_signal(signal.SIGINT)
        code, words = running.process.wait(60), running.process.stderr.read()
    assert (code, "finished masters stand" in words, "Traceback" in words) == (130, True, False)


def test_what_a_killed_run_left_in_the_making_is_swept_by_the_next(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out") as running:
        running.until(rendering(running))
        running.process.kill()
        running.process.wait(60)
        running.left_behind(30)
    left = list((tmp_path / "out/.parts").iterdir())
    manifest, _ = album(tmp_path / "small", 1)
    master(manifest, tmp_path / "out")
    assert (len(left), (tmp_path / "out/.parts").exists()) == (1, False)


def test_a_run_beside_another_does_not_sweep_what_it_has_in_the_making(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out") as running:
        running.until(rendering(running))
        manifest, _ = album(tmp_path / "small", 1)
        master(manifest, tmp_path / "out")
        code = running.process.wait(120)
    assert (code, len(table(tmp_path / "out", "tracks"))) == (0, TRACKS + 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_a_worker_that_dies_ends_the_run_with_an_error(tmp_path, catalogue, number):
    with Running(catalogue[0], tmp_path / "out") as running:
        running.until(rendering(running))
        running.workers()[0].send_signal(number)
        died = time.monotonic()
        code, words = running.process.wait(60), running.process.stderr.read()
        assert (code, "worker process ended" in words) == (3, True)
        assert time.monotonic() - died < 60.0
        assert running.left_behind(10) == []


def test_the_number_of_workers_changes_no_byte(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out") as running:
        two = running.until(lambda: len(running.workers()) == 2)
        code = running.process.wait(200)
    assert (two, code, digests(tmp_path / "out")) == (True, 0, catalogue[1])


def test_two_workers_that_are_replayed_change_no_byte(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out", "--direct_runner_bundle_repeat=2") as running:
        code = running.process.wait(250)
    assert (code, digests(tmp_path / "out")) == (0, catalogue[1])


def test_threads_in_place_of_processes_change_no_byte(tmp_path, catalogue):
    with Running(catalogue[0], tmp_path / "out", "--direct_running_mode=multi_threading") as running:
        code = running.process.wait(200)
    assert (code, digests(tmp_path / "out")) == (0, catalogue[1])


def test_a_folder_with_spaces_in_its_name_can_be_worked_from(tmp_path):
    manifest, _ = album(tmp_path / "my music", 2, seconds=2.0)
    with Running(manifest, tmp_path / "my masters") as running:
        code = running.process.wait(120)
    assert (code, len(running.masters())) == (0, 4)
