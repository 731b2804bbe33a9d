#!/usr/bin/env python3
"""Prints how a run scales: with cores, against a plain loop, with rows of a manifest, with the size of an album, when repeated.

usage: scale.py FOLDER_OF_MUSIC [--only NAME] [--work FOLDER] [--runs N]

FOLDER_OF_MUSIC holds any audio, also in folders below; excerpts of it are mastered. NAME is one of the FIGURES below. WORK is a
folder for sources and outputs (5 GB; a temporary one if none is given). Nothing else should run on the machine: two sides of a
pair take turns and their medians are compared, and processor time stands beside wall time. About 15 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
from open_albums import open_albums
from whole_run import LATHE, Row, children_s, print_row

from media.manifest import AUDIO

TRACKS, TRACKS_OF_ALBUM, EXCERPT_S = 24, 6, 120.0
ROWS, MORE_ROWS, SHORT_S, SOUNDS, ALBUM = 10_000, 100_000, 1.0, 40, 10
BIG_ALBUM = 300
PROFILE = """\
based_on = "streaming"
name = "scale"
description = "One delivery, FLAC of 24 bits"

[[delivery]]
name = "flac24"
container = "flac"
bits = 24
"""
# Loaded by every Python below it, so also by Beam's workers: each decoder that is opened leaves a mark.
COUNTS_DECODERS = """\
import os, soundfile
opened = soundfile.SoundFile.__init__
def counted(self, file, mode="r", *rest, **more):
    with open(os.environ["LATHE_OPENED"], "a") as marks:
        marks.write(f"{mode}\\n")
    opened(self, file, mode, *rest, **more)
soundfile.SoundFile.__init__ = counted
"""


class Bench(NamedTuple):
    """What every figure is measured with."""

    music: Path
    work: Path
    runs: int

    @property
    def profile(self) -> Path:
        """A profile with one delivery, so that a track is rendered once."""
        path = self.work / "scale.toml"
        path.write_text(PROFILE, encoding="utf-8")
        return path


class Took(NamedTuple):
    """What a command took, and what it printed (JSON)."""

    wall_s: float
    cpu_s: float
    said: Any


def cores(bench: Bench) -> Iterator[Row]:
    """Two workers against one, on real tracks."""
    manifest, output = real_album(bench), bench.work / "cores"
    sides = {n: partial(lathe, bench, manifest, output / str(n), n) for n in (1, 2)}
    took = in_turns(bench, sides)
    wall_s, cpu_s = ({n: median(took[n], name) for n in sides} for name in ("wall_s", "cpu_s"))
    yield Row(f"2 workers against 1, {TRACKS} real tracks, wall time", "1.7x", f"{wall_s[1] / wall_s[2]:.2f}x")
    yield Row("- wall time with 1 and 2", "-", f"{wall_s[1]:.1f} and {wall_s[2]:.1f} s")
    yield Row("- processor time with 1 and 2", "-", f"{cpu_s[1]:.1f} and {cpu_s[2]:.1f} s")


def beam(bench: Bench) -> Iterator[Row]:
    """A run with one worker against the same steps and decisions in a plain loop."""
    manifest, output = real_album(bench), bench.work / "beam"
    took = in_turns(
        bench,
        {
            "beam": partial(lathe, bench, manifest, output / "beam", 1),
            "plain": partial(plain_loop, bench, manifest, output / "plain"),
        },
    )
    for name, words in (("wall_s", "wall"), ("cpu_s", "processor")):
        whole_s, plain_s = median(took["beam"], name), median(took["plain"], name)
        asked = "10 %" if name == "wall_s" else "-"
        measured = f"{100 * (whole_s - plain_s) / whole_s:.1f} % of {whole_s:.1f} s"
        yield Row(f"Beam's own cost, {TRACKS} real tracks, 1 worker, {words} time", asked, measured)


def plan(bench: Bench) -> Iterator[Row]:
    """What a driver does before the graph runs, and the graph's reading of the manifest, for many rows."""
    found = {rows: _planned(bench, rows) for rows in (ROWS, MORE_ROWS)}
    more, ratio = found[MORE_ROWS], MORE_ROWS / ROWS
    for name, words, asked in (
        ("plan", f"{MORE_ROWS} rows: checked by the driver, graph built", "60 s with the next"),
        ("read", "- read again by the graph's ReadManifest", "-"),
    ):
        yield Row(words, asked, f"{more[f'{name}_s']:.1f} s, processor {more[f'{name}_cpu_s']:.1f} s")
    yield Row("- memory of the driver at its peak", "1024 MiB", f"{more['peak_mib']:.0f} MiB")
    for name, unit in (("plan_cpu_s", "processor time to plan"), ("grown_mib", "memory taken")):
        yield Row(f"- {unit}, against {ROWS} rows", f"{ratio:.0f}x", f"{more[name] / found[ROWS][name]:.1f}x")
    yield Row(
        "- size of the graph", f"as of {ROWS} rows", f"{more['graph_bytes'] - found[ROWS]['graph_bytes']:+d} bytes"
    )


def album(bench: Bench) -> Iterator[Row]:
    """One large album against as many tracks in small ones."""
    folder = bench.work / "album"
    names = cut(bench, folder, BIG_ALBUM, 2.0)
    manifests = {size: write_rows(folder / f"{size}.csv", names, size) for size in (BIG_ALBUM, ALBUM)}
    sides = {size: partial(lathe, bench, path, folder / f"out{size}", 2) for size, path in manifests.items()}
    took = in_turns(bench, sides)
    for name, words in (("wall_s", "wall"), ("cpu_s", "processor")):
        large_s, small_s = median(took[BIG_ALBUM], name), median(took[ALBUM], name)
        measured = f"{large_s / small_s:.2f}x ({large_s:.1f} and {small_s:.1f} s)"
        yield Row(
            f"{BIG_ALBUM} tracks in 1 album against {BIG_ALBUM // ALBUM}, {words} time", "in proportion", measured
        )


def second(bench: Bench) -> Iterator[Row]:
    """A run over many rows, and the same run again."""
    folder, output = bench.work / "rows", bench.work / "second"
    manifest = many_rows(bench, folder, ROWS)
    first = lathe(bench, manifest, output, 2)
    yield Row(f"{ROWS} rows of {SHORT_S:g} s, first run", "-", f"{first.wall_s:.1f} s, processor {first.cpu_s:.1f} s")
    again = lathe(bench, manifest, output, 2, fresh=False)
    measured = f"{again.wall_s:.1f} s, processor {again.cpu_s:.1f} s, {again.said['skipped']} skipped"
    yield Row("- second run, nothing changed", "30 s", measured)
    yield Row("- decoders opened in it by all processes", "0", str(decoders_opened(bench, manifest, output)))


FIGURES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "cores": cores,
    "beam": beam,
    "plan": plan,
    "album": album,
    "second": second,
    "open": lambda bench: open_albums(),
}
"""By name, each figure on its own."""


def main() -> None:
    """Measures all figures, or the one that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path, metavar="FOLDER_OF_MUSIC")
    parser.add_argument("--only", choices=FIGURES)
    parser.add_argument("--work", type=Path, help="a folder for sources and outputs")
    parser.add_argument("--runs", type=int, default=3, help="of each side of a pair; the median counts")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.music, args.work or Path(folder), args.runs)
        bench.work.mkdir(parents=True, exist_ok=True)
        print_row(Row("figure", "asked", "measured"))
        for name in [args.only] if args.only else FIGURES:
            for row in FIGURES[name](bench):
                print_row(row)


def in_turns(bench: Bench, sides: Mapping[Any, Callable[[], Took]]) -> dict[Any, list[Took]]:
    """All sides in turn, so that what else the machine does falls on each; the first turn compiles kernels and is left out."""
    took: dict[Any, list[Took]] = {name: [] for name in sides}
    first, *_ = sides.values()
    first()
    for _ in range(bench.runs):
        for name, side in sides.items():
            took[name].append(side())
    return took


def median(took: Sequence[Took], name: str) -> float:
    """The median of one of the times."""
    return float(statistics.median(getattr(one, name) for one in took))


def lathe(bench: Bench, manifest: Path, output: Path, workers: int, *, fresh: bool = True) -> Took:
    """A run of the command; `fresh` empties its output before."""
    if fresh:
        shutil.rmtree(output, ignore_errors=True)
    command = [LATHE, "run", str(manifest), str(output), "--profile", str(bench.profile), "--json"]
    return timed([*command, "--", f"--direct_num_workers={workers}"])


def plain_loop(bench: Bench, manifest: Path, output: Path) -> Took:
    """The same without Beam (plain_loop.py)."""
    shutil.rmtree(output, ignore_errors=True)
    script = str(Path(__file__).with_name("plain_loop.py"))
    return timed([sys.executable, script, str(manifest), str(output), str(bench.profile)])


def timed(command: Sequence[str], **environment: str) -> Took:
    """Runs a command to its end, start-up included."""
    before_s, started_s = children_s(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, **environment}, check=False)
    wall_s = time.perf_counter() - started_s
    if done.returncode > 1:
        raise SystemExit(f"{command[:2]} ended with {done.returncode}")
    return Took(wall_s, children_s() - before_s, json.loads(done.stdout))


def decoders_opened(bench: Bench, manifest: Path, output: Path) -> int:
    """How often a run over what stands already opens a decoder or an encoder, in the driver and in all workers."""
    folder, marks = bench.work / "counts", bench.work / "opened.txt"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(COUNTS_DECODERS, encoding="utf-8")
    marks.write_text("")
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    command = [LATHE, "run", str(manifest), str(output), "--profile", str(bench.profile), "--json", "--limit", "1000"]
    timed(command, PYTHONPATH=paths, LATHE_OPENED=str(marks))
    return len(marks.read_text().splitlines())


# A manifest is planned in a process of its own: its peak is that of nothing else.
_PLAN = """
import json, resource, sys, time
import apache_beam as beam
from pipeline.batch import ReadManifest, master_catalogue
from pipeline.run import Request, prepared
from media.manifest import read_manifest
from pipeline.selection import selected_tracks
from schemas.steps import Job
peak_mib = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
clock = lambda: (time.perf_counter(), time.process_time())
before_mib, started = peak_mib(), clock()
request = Request(manifest=sys.argv[1], output=sys.argv[2])
selection, tracks, profiles = prepared(request)
pipeline = beam.Pipeline()
master_catalogue(pipeline, selection, Job(output=selection.output, run_id="r", profiles=profiles))
graph_bytes = pipeline.to_runner_api().ByteSize()
planned, peak = clock(), peak_mib()
selected_tracks(read_manifest(selection.manifest, output=selection.output), selection)
read = clock()
print(json.dumps({"plan_s": planned[0] - started[0], "plan_cpu_s": planned[1] - started[1], "read_s": read[0] - planned[0],
                  "read_cpu_s": read[1] - planned[1], "peak_mib": peak, "grown_mib": peak - before_mib,
                  "graph_bytes": graph_bytes}))
"""


def _planned(bench: Bench, rows: int) -> dict[str, float]:
    manifest = many_rows(bench, bench.work / "rows", rows)
    took = [timed([sys.executable, "-c", _PLAN, str(manifest), str(bench.work / "planned")]) for _ in range(bench.runs)]
    return {name: statistics.median(one.said[name] for one in took) for name in took[0].said}


def real_album(bench: Bench) -> Path:
    """A manifest of real tracks in albums of six."""
    folder = bench.work / "real"
    names = cut(bench, folder, TRACKS, EXCERPT_S)
    return write_rows(folder / "manifest.csv", names, TRACKS_OF_ALBUM)


def many_rows(bench: Bench, folder: Path, rows: int) -> Path:
    """A manifest of so many rows over a few short sounds, no sound twice in an album."""
    names = cut(bench, folder, SOUNDS, SHORT_S)
    shared = (names[(row // ALBUM + row % ALBUM) % SOUNDS] for row in range(rows))
    return write_rows(folder / f"{rows}.csv", list(shared), ALBUM)


def write_rows(path: Path, names: Sequence[str], album: int) -> Path:
    """A manifest of sources in albums of a size."""
    lines = [f"{name},album {n // album},{n % album + 1},Song {n}" for n, name in enumerate(names)]
    path.write_text("\n".join(["uri,album_id,sequence,title", *lines]) + "\n", encoding="utf-8")
    return path


def cut(bench: Bench, folder: Path, count: int, seconds: float) -> list[str]:
    """Writes so many excerpts of the music, none twice: the first of every file, then the second."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:04d}.flac" for number in range(count)]
    if not all((folder / name).exists() for name in names):
        for name, (sound, rate_hz) in zip(names, _excerpts(bench.music, seconds), strict=False):
            soundfile.write(folder / name, sound, rate_hz, subtype="PCM_24")
        if not (folder / names[-1]).exists():
            raise SystemExit(f"{bench.music} holds too little music for {count} excerpts of {seconds:g} s")
    return names


def _excerpts(music: Path, seconds: float) -> Iterator[tuple[np.ndarray[Any, Any], int]]:
    """Loud enough to be mastered, and at least half as long as asked for."""
    files = [path for path in sorted(music.rglob("*")) if path.suffix.lower() in AUDIO]
    lengths_s = {path: float(soundfile.info(path).duration) for path in files}
    for number in range(int(max(lengths_s.values(), default=0.0) / seconds) + 1):
        for path in (path for path in files if lengths_s[path] - number * seconds >= seconds / 2.0):
            rate_hz = soundfile.info(path).samplerate
            first = int(number * seconds * rate_hz)
            sound, _ = soundfile.read(path, int(seconds * rate_hz), first, dtype="int32", always_2d=True)
            if np.abs(sound / 2.0**31).max() > 0.03:
                yield sound, rate_hz


if __name__ == "__main__":
    main()
