"""How many tracks one worker process works on at a time: as many as it has cores for, and memory.

Runners start threads as they like; each of them may come with a track. What one track takes is bounded whatever its length, so a
number of tracks bounds the process. It knows nothing of other processes in the same container: where a runner starts several,
LATHE_TRACKS_AT_ONCE says how many tracks each may take.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MIB = 1 << 20
PROCESS_BYTES = 450 * MIB
"""A worker whose tracks add nothing: measured were 255 MiB at its start, 340 after its first track, 465 if it compiled."""
TRACK_BYTES = 50 * MIB
"""What a track at work adds: measured were 17 MiB for each of eight at 192 kHz, whatever their length (law 2)."""
OVERRIDE = "LATHE_TRACKS_AT_ONCE"
_LIMITS_V1 = ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
_LIMITS_V2 = ("sys/fs/cgroup", "memory.max")


class Slots:
    """Lets in as many threads as `number` says when the first one asks; the others wait."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number, self._free = number, threading.Condition()
        self._limit, self._taken = 0, 0

    @contextmanager
    def one(self) -> Iterator[float]:
        """Holds a slot; the seconds that were waited for it."""
        waited_s = self._take()
        try:
            yield waited_s
        finally:
            with self._free:
                self._taken -= 1
                self._free.notify()

    def _take(self) -> float:
        with self._free:
            self._limit = self._limit or self._number()
            began_s = time.monotonic()
            waits = self._taken >= self._limit
            self._free.wait_for(lambda: self._taken < self._limit)
            self._taken += 1
            return time.monotonic() - began_s if waits else 0.0


def tracks_at_once(root: Path = Path("/")) -> int:
    """What was asked for, else as many tracks as there are cores, and memory for them; at least one."""
    with suppress(KeyError, ValueError):
        return max(1, int(os.environ[OVERRIDE]))
    return max(1, min(cores(), (memory_bytes(root) - PROCESS_BYTES) // TRACK_BYTES))


def workers_at_once() -> int:
    """How many worker processes of one track each this machine, or container, has cores and memory for; at least one."""
    return max(1, min(cores(), memory_bytes() // (PROCESS_BYTES + TRACK_BYTES)))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes(root: Path = Path("/")) -> int:
    """Memory that this process may use: that of the machine, or the least limit of the control groups that it is in."""
    physical: int = psutil.virtual_memory().total
    return min([physical, *_limits(root, *_LIMITS_V2), *_limits(root, *_LIMITS_V1)])


def _limits(root: Path, mount: str, name: str) -> Iterator[int]:
    """Limits of a process's group and of those around it; "max" stands for none."""
    for group in _groups(root):
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):
                yield int((root / mount / folder / name).read_text())


def _groups(root: Path) -> set[Path]:
    """The control groups of this process as both versions tell them; a container may only see its own as the root."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    told = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    return {Path(), *(Path(path.lstrip("/")) for _, kinds, path in told if not kinds or "memory" in kinds.split(","))}


SLOTS = Slots(tracks_at_once)
"""Those of this process: memory is shared by all its threads, whatever run they work for."""
