"""The kinds of faults: how each strikes a run at its moment, and how the output is taken up again.

Every kind is a context manager that yields what the struck run came to; its output can be used within the block.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

import crash_laws as laws
from crash_laws import MASTERS, OTHER, Broken, Undisturbed
from crash_run import ONE_WORKER, ROOT, WORKERS, MissedError, Run, drawn_moment

sys.path.insert(0, str(ROOT))
from deploy.flink.cluster import Cluster
from media.source import sha256_of
from pipeline.run_records import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED, run_records

EVERYWHERE = ("ledger/analysis", "ledger/rehearsal", "ledger/intents", MASTERS, "ledger/masters", "qc")
RENDERING = ("ledger/rehearsal", "ledger/intents", MASTERS)
SAMPLE_S = 0.2
GONE_WITHIN_S = 60.0
"""In which workers end whose driver was killed: each finishes the step that it is at."""
SMALL_DISK_RATIO = 2.5
"""Size of a disk that is to be filled, to what an undisturbed run leaves."""
HEAD_BYTES = 4096
"""Of a file in the making, which holds its tags: the proof is of the sound and its format, and no tag is read again."""
OUTAGE_S = (1.0, 8.0)


class Site(NamedTuple):
    """What faults are tried on."""

    manifest: Path
    work: Path
    expected: Undisturbed
    output_bytes: int
    """What an undisturbed run leaves."""
    cluster: Cluster | None = None

    @property
    def log(self) -> Path:
        """Where all runs say what they have to say."""
        return self.work / "runs.log"

    def started(self, output: str, *options: str, **environment: str) -> Run:
        """A run of the catalogue into an output; `options` are Beam's."""
        return Run(output, self.log, ["run", str(self.manifest), output, "--", *(options or (WORKERS,))], **environment)

    def watching(self, output: str) -> Run:
        """A watch of the folder of sources, whose only manifest is that of the catalogue."""
        return Run(output, self.log, ["watch", str(self.manifest.parent), output])


class Struck(NamedTuple):
    """What a struck run came to."""

    output: str
    when: str
    code: int | None
    end_s: float
    """From the strike to the end of everything that the run had started."""
    broken: tuple[Broken, ...] = ()


Strike = Callable[[Site, Path, Random], AbstractContextManager[Struck]]


class Kind(NamedTuple):
    """A fault, how a run may end that it strikes, and how often it is tried by default."""

    strike: Strike
    codes: tuple[int | None, ...]
    states: tuple[str, ...]
    """Of the record of the struck run, when the output was taken up again."""
    end_within_s: float
    faults: int
    recover: Callable[[Site, str], int | None]
    recovered_by: str = "running again"
    orphans: bool = False
    """Whether something may be at work in the cluster when the struck run has ended."""


def run_again(site: Site, output: str) -> int | None:
    """The same command, undisturbed."""
    with site.started(output, ONE_WORKER) as run:
        return run.ended()


def watch_again(site: Site, output: str) -> int | None:
    """A watch until the manifest is done, and a polite end."""
    with site.watching(output) as watch:
        with suppress(MissedError):
            watch.until_seen(lambda: next(iter(run_records(output)), {}).get("state") == FINISHED)
        watch.signal(signal.SIGINT)
        return watch.ended()


def run_on_cluster(site: Site, output: str) -> int | None:
    """The same command on the cluster, when that is whole again."""
    assert site.cluster is not None
    with site.started(output, *site.cluster.options) as run:
        return run.ended()


@contextmanager
def worker_killed(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """kill -9 of a worker process."""
    moment = drawn_moment(rng, site.expected, EVERYWHERE)
    with site.started(str(folder)) as run:
        run.until(moment)
        if not (workers := run.workers()):
            raise MissedError("the workers had ended")
        rng.choice(workers).kill()
        yield _ended(site, run, str(moment))


@contextmanager
def driver_killed(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """kill -9 of the driver; every other time the next run begins while the workers still find out."""
    moment, at_once = drawn_moment(rng, site.expected, EVERYWHERE), rng.random() < 0.5
    with site.started(str(folder)) as run:
        run.until(moment)
        run.signal(signal.SIGKILL)
        if at_once:
            broken = laws.while_struck(run.output, site.expected)
            if (code := run_again(site, run.output)) != 0:
                broken.append(Broken(OTHER, f"the run beside orphaned workers ended with {code}"))
            struck = _ended(site, run, f"{moment}, run again at once")
            yield struck._replace(broken=(*broken, *struck.broken), end_s=0.0)
        else:
            yield _ended(site, run, str(moment))


@contextmanager
def interrupted(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """Ctrl-C."""
    moment = drawn_moment(rng, site.expected, EVERYWHERE)
    with site.started(str(folder)) as run:
        run.until(moment)
        run.signal(signal.SIGINT)
        yield _ended(site, run, str(moment))


@contextmanager
def second_driver(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """Two runs at once over one output; a reader looks again and again until both have ended."""
    moment = drawn_moment(rng, site.expected, EVERYWHERE) if rng.random() < 0.7 else None
    with site.started(str(folder)) as run:
        if moment is not None:
            run.until(moment)
        began_s = time.monotonic()
        with site.started(str(folder)) as other:
            broken = _watched(site, run.output, [run, other])
            codes = {run.ended(), other.ended()}
    moved = laws.files_of(str(folder), "superseded")
    broken += [Broken(OTHER, f"superseded by the same: {name}") for name in moved]
    when = str(moment or "both started at once")
    yield Struck(str(folder), when, max(codes, key=lambda code: code or 0), time.monotonic() - began_s, tuple(broken))


@contextmanager
def disk_full(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """A small disk that something else fills, but for a few bytes, and frees when the run has ended."""
    moment, spare = drawn_moment(rng, site.expected, EVERYWHERE), rng.choice([0, rng.randint(1, 300_000)])
    with _small_disk(folder, site), site.started(str(folder / "out")) as run:
        run.until(moment)
        _fill(folder / "filler", spare)
        struck = _ended(site, run, f"{moment}, {spare} bytes spared")
        (folder / "filler").unlink()
        yield struck


@contextmanager
def store_fails(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """A bucket whose requests are refused and broken off from a moment on: some of them, or all for a while."""
    from tests.media import emulator  # needs what tests need

    with emulator.running() as store:
        output = f"gs://music/{folder.name}"
        with site.started(output, NO_GCE_CHECK="true", PYTHONWARNINGS="ignore") as run:
            asked = rng.randint(1, 150)
            run.until_seen(lambda: len(store.asked) >= asked)
            outage_s = rng.choice([0.0, rng.uniform(*OUTAGE_S)])
            kinds = ("503", "reset") if outage_s else ("503", "reset", "lost", "cut", "broken")
            store.fail(
                emulator.Faults(1.0 if outage_s else 0.25, kinds, at_most=10_000 if outage_s else 60, seed=asked)
            )
            if outage_s:
                time.sleep(outage_s)
                store.fail(emulator.Faults(rate=0.0))
            how = f"all for {outage_s:.1f} s" if outage_s else "every fourth"
            struck = _ended(site, run, f"from request {asked} on, {how}")
            store.heal()
            yield struck


@contextmanager
def file_torn(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """A master or a record of the ledger is cut short or altered while no run is at work: after a kill, or a finished run."""
    moment = drawn_moment(rng, site.expected, RENDERING) if rng.random() < 0.6 else None
    where = rng.choice([MASTERS, "ledger/analysis", "ledger/rehearsal", "ledger/masters", "ledger/intents"])
    with site.started(str(folder)) as run:
        if moment is not None:
            run.until(moment)
            run.until_seen(lambda: laws.files_of(run.output, where))
            run.signal(signal.SIGKILL)
        struck = _ended(site, run, str(moment or "after a finished run"))
    if moment is None:
        struck = struck._replace(end_s=0.0)  # nothing struck it
    name = rng.choice(sorted(laws.files_of(struck.output, where)))
    how = tear(folder / where / name, rng)
    yield struck._replace(when=f"{struck.when}: {where}/{name} {how}")


@contextmanager
def making_torn(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """A file in the making is cut short or altered below the run, which is stopped for a moment (SIGSTOP, SIGCONT)."""
    moment = drawn_moment(rng, site.expected, RENDERING)
    with site.started(str(folder)) as run:
        run.until(moment)
        made = _stopped_at_a_making(run, folder, rng)
        how = tear(made, rng, HEAD_BYTES)
        # One that was proved already is published as it is: spoilt after its proof, and healed as any such master.
        spoilt = sha256_of(made)
        run.signal(signal.SIGCONT)
        yield _ended(site, run, f"{moment}: {made.name} {how}", spoilt)


@contextmanager
def watch_killed(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
    """kill -9 of the driver of a watch on Prism."""
    moment = drawn_moment(rng, site.expected, EVERYWHERE)
    with site.watching(str(folder)) as watch:
        watch.until(moment)
        if next(iter(run_records(watch.output)), {}).get("state") != RUNNING:
            raise MissedError("the watch was done with the manifest")
        watch.signal(signal.SIGKILL)
        yield _ended(site, watch, str(moment))


def part_of_cluster_killed(victim: str, *, comes_back: bool) -> Strike:
    """kill -9 of a process of Flink's, which `comes_back` at once, or is started again before the next run."""

    @contextmanager
    def strike(site: Site, folder: Path, rng: Random) -> Iterator[Struck]:
        moment, cluster = drawn_moment(rng, site.expected, RENDERING), site.cluster
        assert cluster is not None
        with site.started(str(folder), *cluster.options) as run:
            run.until(moment)
            cluster.kill(victim)
            if comes_back:
                cluster.start(victim)
            struck = _ended(site, run, str(moment))
        if not comes_back:
            cluster.start(victim)
        cluster.cancel_jobs()
        cluster.wait()
        yield struck

    return strike


KINDS = {
    "worker": Kind(worker_killed, (3,), (FAILED,), 60.0, 5, run_again),
    "driver": Kind(driver_killed, (-9,), (INTERRUPTED,), 90.0, 5, run_again),
    "ctrl-c": Kind(interrupted, (130,), (STOPPED,), 60.0, 3, run_again),
    "two drivers": Kind(second_driver, (0,), (FINISHED,), 600.0, 3, run_again, "nothing: both end well"),
    "disk full": Kind(disk_full, (0, 1, 3), (FINISHED, FAILED, RUNNING, INTERRUPTED), 300.0, 4, run_again),
    "store": Kind(store_fails, (0, 1, 3), (FINISHED, FAILED), 600.0, 4, run_again, "itself, or running again"),
    "torn file": Kind(file_torn, (-9, 0), (INTERRUPTED, FINISHED), 90.0, 5, run_again),
    "torn making": Kind(making_torn, (0, 1), (FINISHED,), 300.0, 4, run_again),
    "watch": Kind(watch_killed, (-9,), (INTERRUPTED,), 60.0, 2, watch_again, "watching again"),
    "task manager": Kind(
        part_of_cluster_killed("task-manager-1", comes_back=True), (0,), (FINISHED,), 300.0, 1, run_on_cluster,
        "itself, once it is there again",
    ),
    "job server": Kind(
        part_of_cluster_killed("job-server", comes_back=False), (3,), (FAILED,), 300.0, 1, run_on_cluster,
        "starting it, running again", orphans=True,
    ),
}  # fmt: skip
"""By name, with the default number of faults: 37 in all."""
ON_CLUSTER = ("task manager", "job server")


def missing_for(kind: str, flink: Path | None) -> str:
    """What this machine lacks for a kind; empty where it can be tried."""
    if kind == "watch" and shutil.which("prism") is None:
        return "no prism on PATH"
    if kind == "disk full" and os.geteuid() != 0:
        return "only root may mount a small disk"
    if kind in ON_CLUSTER and flink is None:
        return "no --flink FOLDER"
    return ""


def tear(path: Path, rng: Random, beyond: int = 0) -> str:
    """Cuts a file short, or alters some of its bytes in place, all beyond its first; says which."""
    data = bytearray(path.read_bytes())
    first = min(beyond, len(data) - 1)
    if rng.random() < 0.4:
        kept = rng.randrange(first, len(data)) if data else 0
        os.truncate(path, kept)
        return f"cut to {kept} of {len(data)} bytes"
    places = sorted({rng.randrange(first, len(data)) for _ in range(rng.choice([1, 1, 16]))}) if data else []
    with path.open("r+b") as handle:
        for at in places:
            handle.seek(at)
            handle.write(bytes([data[at] ^ rng.choice([1, 2, 4, 0xFF])]))
    return f"altered at byte {', '.join(map(str, places[:3]))}{' ...' if places[3:] else ''}"


def _ended(site: Site, run: Run, when: str, spoilt: str = "") -> Struck:
    """What a run came to that was just struck."""
    began_s = time.monotonic()
    broken = laws.while_struck(run.output, site.expected, spoilt)
    code = run.ended()
    run.until_gone(GONE_WITHIN_S)
    end_s = time.monotonic() - began_s
    broken += [Broken(OTHER, f"still at work after the struck run: {process}") for process in run.left()]
    broken += laws.while_struck(run.output, site.expected, spoilt)
    return Struck(run.output, when, code, end_s, tuple(broken))


def _watched(site: Site, output: str, runs: Sequence[Run]) -> list[Broken]:
    """What a reader finds while runs are at work; ends with the first that is wrong."""
    found: list[Broken] = []
    while not found and any(run.process.poll() is None for run in runs):
        found = laws.while_struck(output, site.expected)
        time.sleep(SAMPLE_S)
    return found


def _stopped_at_a_making(run: Run, folder: Path, rng: Random) -> Path:
    """Stops a run at an instant at which a file with something in it is in the making, and returns one."""
    found: list[Path] = []

    def stopped() -> bool:
        run.signal(signal.SIGSTOP)
        found[:] = [path for path in folder.glob(".parts/*/tmp*/*") if path.stat().st_size]
        if not found:
            run.signal(signal.SIGCONT)
        return bool(found)

    run.until_seen(stopped)
    return rng.choice(sorted(found))


@contextmanager
def _small_disk(folder: Path, site: Site) -> Iterator[None]:
    folder.mkdir(parents=True)
    size = f"size={int(SMALL_DISK_RATIO * site.output_bytes)}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(path: Path, spare: int) -> None:
    """Fills the disk of a path, but for some bytes."""
    with path.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(1 << 16))
    os.truncate(path, max(0, path.stat().st_size - spare))
