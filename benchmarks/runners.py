#!/usr/bin/env python3
"""Prints whether every runner gives the same masters, and how long Flink takes from a crash to work that goes on.

usage: runners.py FOLDER_OF_MUSIC FLINK [--work FOLDER]

FLINK is a folder for Flink's jars and logs, as for deploy/flink/cluster.py; needs Java and Maven. Prism is taken from PATH. About
8 minutes.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from scale import Bench, cut, write_rows
from whole_run import LATHE, Row, print_row

from deploy.flink.cluster import Cluster
from pipeline.prism import found_prism

TRACKS, ALBUM, EXCERPT_S = 6, 3, 20.0
PATIENCE_S = 600.0
SAME, RESUMED_S = "the same SHA-256", 60.0


def main() -> None:
    """Measures on all runners that are at hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path)
    parser.add_argument("flink", type=Path)
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.music, args.work or Path(folder), 1)
        print_row(Row("figure", "asked", "measured"))
        for row in figures(bench, args.flink.resolve()):
            print_row(row)


def figures(bench: Bench, flink: Path) -> Iterator[Row]:
    """One worker is what all others are held against."""
    names = cut(bench, bench.work / "in", TRACKS, EXCERPT_S)
    manifest = write_rows(bench.work / "in" / "manifest.csv", names, ALBUM)
    expected = ran(manifest, bench.work / "one", ["--direct_num_workers=1"])
    yield same("two workers", ran(manifest, bench.work / "two", ["--direct_num_workers=2"]), expected)
    if found_prism(()):
        yield same("a watch on Prism", watched(manifest, bench.work / "prism", []), expected)
    with Cluster(flink) as cluster:
        yield same("Flink, two TaskManagers", ran(manifest, bench.work / "flink", cluster.options), expected)
        yield same("a watch on Flink", watched(manifest, bench.work / "stream", cluster.options), expected)
        yield from crashed(cluster, manifest, bench.work / "crash", expected)


def crashed(cluster: Cluster, manifest: Path, output: Path, expected: dict[str, str]) -> Iterator[Row]:
    """A TaskManager is killed when the first track was measured, and started again."""
    run = subprocess.Popen(
        [LATHE, "run", str(manifest), str(output), "--", *cluster.options], stderr=subprocess.DEVNULL
    )
    until(lambda: records(output) > 0, run)
    cluster.kill("task-manager-1")
    killed_s, before = time.monotonic(), records(output)
    cluster.start("task-manager-1")
    until(lambda: records(output) > before, run)
    yield Row(
        "Flink, from crash to the next work done", f"under {RESUMED_S:g} s", f"{time.monotonic() - killed_s:.0f} s"
    )
    run.wait(PATIENCE_S)
    yield same("- and its masters", digests(output), expected)


def ran(manifest: Path, output: Path, options: Sequence[str]) -> dict[str, str]:
    """The masters of a batch."""
    subprocess.run([LATHE, "run", str(manifest), str(output), "--", *options], stderr=subprocess.DEVNULL, check=True)
    return digests(output)


def watched(manifest: Path, output: Path, options: Sequence[str]) -> dict[str, str]:
    """The masters of a manifest that arrives in a folder that is watched."""
    inbox = output.with_name(f"{output.name}-in")
    inbox.mkdir(parents=True)
    head, *rows = manifest.read_text().splitlines()
    (inbox / ".m").write_text("\n".join([head, *(f"{manifest.parent}/{row}" for row in rows)]) + "\n")
    (inbox / ".m").rename(inbox / "m.csv")
    command = [LATHE, "watch", str(inbox), str(output), "--root", str(manifest.parent), "--", *options]
    watch = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: "finished" in states(output), watch)
    watch.send_signal(signal.SIGINT)
    watch.wait(PATIENCE_S)
    return digests(output)


def until(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Waits; raises RuntimeError where the process ends before."""
    late_s = time.monotonic() + PATIENCE_S
    while not done():
        if process.poll() is not None or time.monotonic() > late_s:
            process.kill()
            raise RuntimeError(f"{process.args!r} ended too early, or hangs")
        time.sleep(0.1)


def records(output: Path) -> int:
    """Pieces of work that are done."""
    return len(list(output.glob("ledger/[amr]*/*/*.json")))


def states(output: Path) -> list[str]:
    """How the runs below an output stand."""
    return [json.loads(path.read_text())["state"] for path in output.glob("runs/*.json")]


def digests(output: Path) -> dict[str, str]:
    """Name and SHA-256 of every master."""
    root = output / "masters"
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


def same(name: str, found: dict[str, str], expected: dict[str, str]) -> Row:
    """How many masters are those of one worker."""
    equal = sum(expected.get(master) == digest for master, digest in found.items())
    return Row(
        name, SAME, f"{equal} of {len(expected)}" + (f", {len(found) - equal} others" if len(found) > equal else "")
    )


if __name__ == "__main__":
    main()
