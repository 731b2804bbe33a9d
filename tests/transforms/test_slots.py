"""A worker process takes as many tracks at a time as it has memory for, however many threads a runner starts."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from schemas.errors import TrackError
from tests.transforms.members import JOB, analysed, track
from transforms import outcomes, slots
from transforms.slots import MIB, OVERRIDE, PROCESS_BYTES, TRACK_BYTES, Slots, memory_bytes, tracks_at_once

THREADS = 8


class Watched:
    """Work that knows how many do it at once."""

    def __init__(self, error=None):
        self.at_once, self.most, self._lock, self._error = 0, 0, threading.Lock(), error

    def __call__(self):
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.02)
        with self._lock:
            self.at_once -= 1
        if self._error is not None:
            raise self._error
        return analysed()


def in_threads(monkeypatch, number, work):
    monkeypatch.setattr(outcomes, "SLOTS", Slots(lambda: number))
    with ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(outcomes.attempt, "analyse", work, track(n), JOB) for n in range(THREADS)]
        return [one.result(timeout=60) for one in asked]


@pytest.mark.parametrize("number", [1, 3])
def test_threads_never_run_more_steps_at_once_than_there_are_slots(monkeypatch, number):
    work = Watched()
    in_threads(monkeypatch, number, work)
    assert work.most == number


@pytest.mark.parametrize("error", [TrackError("SOURCE_SILENT", "no music"), ValueError("x"), OSError(5, "x")])
def test_a_step_that_fails_gives_its_slot_back(monkeypatch, error):
    found = in_threads(monkeypatch, 1, Watched(error))
    assert len({one.code for one in found}) == 1


def test_a_thread_that_is_stopped_gives_its_slot_back():
    shared = Slots(lambda: 1)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), shared.one():
            raise KeyboardInterrupt
    with shared.one() as waited_s:
        assert waited_s == 0.0


def test_waiting_for_a_slot_is_told_and_is_no_work(monkeypatch):
    spent = sorted((one.spent[0] for one in in_threads(monkeypatch, 1, Watched())), key=lambda one: one.queued_s)
    assert spent[0].queued_s == 0.0
    assert spent[-1].queued_s > 0.02 * THREADS / 2
    assert sum(one.wall_s for one in spent) < sum(one.queued_s for one in spent)
    assert {0.0} == {one.waited_s for one in spent}


def groups(root, told, **limits):
    """Files as a kernel shows them to a process in control groups."""
    for name, limit in {"proc/self/cgroup": told, **limits}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{limit}\n")
    return root


SMALL = 3 * (PROCESS_BYTES + TRACK_BYTES)
V1 = "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("told", "limits"),
    [
        ("0::/", {"sys/fs/cgroup/memory.max": SMALL}),
        ("0::/a.slice/b.scope", {"sys/fs/cgroup/a.slice/b.scope/memory.max": SMALL}),
        ("0::/a.slice/b.scope", {"sys/fs/cgroup/a.slice/memory.max": SMALL, "sys/fs/cgroup/a.slice/b.scope/memory.max": "max"}),
        ("5:memory:/docker/1\n1:cpu:/x", {f"{V1}/docker/1/memory.limit_in_bytes": SMALL}),
        ("5:cpu,memory:/docker/1", {f"{V1}/memory.limit_in_bytes": SMALL}),
    ],
)  # fmt: skip
def test_memory_is_the_least_limit_of_the_groups_around_a_process(tmp_path, told, limits):
    assert memory_bytes(groups(tmp_path, told, **limits)) == SMALL


@pytest.mark.parametrize(
    ("told", "limits"),
    [
        ("0::/", {}),
        ("0::/", {"sys/fs/cgroup/memory.max": "max"}),
        ("5:memory:/", {f"{V1}/memory.limit_in_bytes": 9_223_372_036_854_771_712}),
        ("0::/", {"sys/fs/cgroup/memory.max": "nonsense"}),
        ("", {}),
        ("5:cpu:/other", {f"{V1}/other/memory.limit_in_bytes": SMALL}),
    ],
)
def test_without_a_limit_memory_is_that_of_the_machine(tmp_path, told, limits):
    assert memory_bytes(groups(tmp_path, told, **limits)) == psutil.virtual_memory().total


@pytest.mark.parametrize(("mib", "number"), [(64, 1), (450, 1), (500, 1), (600, 3), (1000, 11), (64_000, 16)])
def test_the_number_of_tracks_follows_memory_up_to_the_number_of_cores(tmp_path, monkeypatch, mib, number):
    monkeypatch.delenv(OVERRIDE, raising=False)
    monkeypatch.setattr(slots, "cores", lambda: 16)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": 1 << 40}))
    assert tracks_at_once(groups(tmp_path, "0::/", **{"sys/fs/cgroup/memory.max": mib * MIB})) == number


@pytest.mark.parametrize(("told", "number"), [("5", 5), ("0", 1), ("-3", 1)])
def test_a_number_that_is_asked_for_counts(monkeypatch, told, number):
    monkeypatch.setenv(OVERRIDE, told)
    assert tracks_at_once() == number


def test_a_number_that_is_none_is_passed_over(monkeypatch):
    monkeypatch.setenv(OVERRIDE, "many")
    assert tracks_at_once() >= 1
