"""A `lathe run` in processes of its own that can be struck: its moments, its workers, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil
from crash_laws import Undisturbed, files_of

ROOT = Path(__file__).parents[1]
LATHE = [sys.executable, "-c", "from review.cli import main; main()"]
WORKERS, ONE_WORKER = "--direct_num_workers=2", "--direct_num_workers=1"
WORKER = "sdk_worker_main"
LOOK_EVERY_S = 0.005
PATIENCE_S = 600.0
"""A run that takes longer hangs; far more than the excerpts need on a machine with other work to do."""


KILLED_WITHIN_S = 10.0


class MissedError(Exception):
    """The run was over before its moment came."""


class Moment(NamedTuple):
    """When to strike: so long after the n-th file appeared below a folder of the output."""

    folder: str
    nth: int
    pause_s: float

    def __str__(self) -> str:
        return f"{self.pause_s:.2f} s after file {self.nth} in {self.folder}"


def drawn_moment(rng: Random, expected: Undisturbed, folders: Sequence[str]) -> Moment:
    """One of all that can be: the folder, the file, and up to half a second more."""
    folder = rng.choice(folders)
    return Moment(folder, rng.randint(1, expected.files[folder]), rng.choice([0.0, rng.uniform(0.0, 0.5)]))


class Run:
    """A command of Lathe at work; everything it started is ended with the block."""

    def __init__(self, output: str, log: Path, arguments: Sequence[str], **environment: str) -> None:
        self.output, self.log = output, log
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        with log.open("ab") as words:
            self.process = subprocess.Popen(
                [*LATHE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env={**os.environ, "PYTHONPATH": paths, **environment},
            )
        self._seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: object) -> None:
        self.look()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for left in self.left():
            left.kill()
        psutil.wait_procs(list(self._seen.values()), timeout=KILLED_WITHIN_S)

    def look(self) -> list[psutil.Process]:
        """The processes that it started and that are there now."""
        try:
            found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        self._seen.update({one.pid: one for one in found})
        return found

    def workers(self) -> list[psutil.Process]:
        """Its worker processes, without the shells that started them."""
        return [one for one in self.look() if _command(one)[:1] != ["/bin/sh"] and WORKER in " ".join(_command(one))]

    def until(self, moment: Moment) -> None:
        """Returns at the moment; raises MissedError if the run ends before."""
        self.until_seen(lambda: len(files_of(self.output, moment.folder)) >= moment.nth)
        time.sleep(moment.pause_s)
        self._check_alive()
        self.look()

    def until_seen(self, seen: Callable[[], object]) -> None:
        """Returns when something is seen; raises MissedError if the run ends before."""
        while not seen():
            self._check_alive()
            time.sleep(LOOK_EVERY_S)

    def ended(self, within_s: float = PATIENCE_S) -> int | None:
        """The exit code; None if it does not end within the time."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def left(self) -> list[psutil.Process]:
        """What it started and what is still at work."""
        return [one for one in self._seen.values() if _is_alive(one)]

    def until_gone(self, within_s: float) -> bool:
        """Waits for everything that it started; whether all ended in time."""
        until = time.monotonic() + within_s
        while self.left() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.left()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the driver, and a signal to stop or go on to its workers too."""
        self.process.send_signal(number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            for one in self.look():
                one.send_signal(number)

    def _check_alive(self) -> None:
        if self.process.poll() is not None:
            raise MissedError(f"the run ended with {self.process.returncode} before it could be struck")


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
