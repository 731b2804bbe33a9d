#!/usr/bin/env python3
"""Strikes runs over real music at seeded moments, takes them up again, and counts what was lost, wrong or left half done.

usage: crashes.py FOLDER_OF_MUSIC [--seed N] [--faults N] [--kinds NAME ...] [--flink FOLDER] [--work FOLDER]

Six short excerpts make two albums, one with a gapless pair. One undisturbed run says what is right; every fault gets an output
of its own. `watch` needs `prism` on PATH, `disk full` root, `store` what the tests need, the last two kinds Java and the folder
that deploy/flink/cluster.py keeps its jars in. About 20 minutes on two cores. Ends with 1 if a law was broken.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
import crash_laws as laws
from crash_kinds import EVERYWHERE, KINDS, ON_CLUSTER, Kind, Site, Struck, missing_for
from crash_laws import LAWS, LEFT_OVER, OTHER, Broken, Undisturbed
from crash_run import ONE_WORKER, ROOT, MissedError, Run

sys.path.insert(0, str(ROOT))
from deploy.flink.cluster import Cluster
from media import store
from media.manifest import AUDIO
from pipeline.run_records import run_records
from pipeline.tables import table_rows

EXCERPT_S, SKIPPED_S = 4.0, 20.0
ALBUMS = (("A", 1, "yes"), ("A", 2, "no"), ("A", 3, "no"), ("B", 1, "no"), ("B", 2, "no"), ("B", 3, "no"))
"""Album, place in it, whether the next track is joined."""
MIN_RATE_HZ = 44_100
DRAWS = 5
"""A moment that never came is drawn again so often."""


class Result(NamedTuple):
    """One fault and what came of it."""

    kind: str
    end_s: float
    broken: Sequence[Broken]


def main() -> int:
    """Tries all faults that are asked for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", type=Path, metavar="FOLDER_OF_MUSIC")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, help="so many of each kind, in place of the default number of each")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    parser.add_argument("--flink", type=Path, help="the folder of deploy/flink/cluster.py")
    parser.add_argument("--work", type=Path, help="a folder for sources, outputs and what runs say; kept")
    args = parser.parse_args()
    with _folder(args.work) as work:
        site = prepared(args.music, work)
        results = list(_all(site, args.kinds, args.faults, args.seed, args.flink))
    print_table(results)
    return int(any(result.broken for result in results))


def prepared(music: Path, work: Path) -> Site:
    """The catalogue, and what an undisturbed run makes of it."""
    manifest = write_catalogue(music, work / "sources")
    output = str(work / "undisturbed")
    shutil.rmtree(output, ignore_errors=True)
    with Run(output, work / "runs.log", ["run", str(manifest), output, "--", ONE_WORKER]) as run:
        if run.ended() != 0:
            raise SystemExit(f"the undisturbed run ended with {run.process.returncode}; see {work / 'runs.log'}")
    (record,) = run_records(output)
    track_ids = Counter(row["track_id"] for row in table_rows(output, "tracks", record["run_id"]))
    files = {folder: len(laws.files_of(output, folder)) for folder in EVERYWHERE}
    size = sum(path.stat().st_size for path in Path(output).rglob("*") if path.is_file())
    return Site(manifest, work, Undisturbed(laws.masters_of(output), track_ids, files), size)


def write_catalogue(music: Path, folder: Path) -> Path:
    """Six excerpts, the second going on where the first ends, and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["uri,album_id,sequence,title,joins_next"]
    for number, ((album, place, joins), sound) in enumerate(zip(ALBUMS, _excerpts(music), strict=False)):
        soundfile.write(folder / f"{number}.flac", sound[0], sound[1], subtype="PCM_24")
        lines.append(f"{number}.flac,{album},{place},Song {number},{joins}")
    if len(lines) <= len(ALBUMS):
        raise SystemExit(f"{music} holds too little music: {len(ALBUMS) - 1} files of {SKIPPED_S + 2 * EXCERPT_S:g} s")
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tried(site: Site, name: str, seed: int) -> Result:
    """One fault of a kind, drawn again where the run was over before its moment."""
    for draw in range(DRAWS):
        folder = site.work / f"{name.replace(' ', '-')}-{seed}-{draw}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            return _tried_once(site, name, folder, Random(f"{name} {seed} {draw}"))
        except MissedError:
            continue
    return Result(name, 0.0, [Broken(OTHER, "no run lasted until its moment")])


def print_table(results: Sequence[Result]) -> None:
    """A line for each kind, and their sums."""
    print(f"| kind | faults | {' | '.join(LAWS)} | slowest end of the struck run | recovered by |")
    print(f"|{'---|' * (len(LAWS) + 4)}")
    for name in dict.fromkeys(result.kind for result in results):
        _print_line(name, [result for result in results if result.kind == name], KINDS[name].recovered_by)
    _print_line("all", results, "")


def _print_line(name: str, results: Sequence[Result], recovered_by: str) -> None:
    counted = Counter(broken.law for result in results for broken in result.broken)
    counts = [str(counted[law]) for law in LAWS]
    slowest_s = max((result.end_s for result in results), default=0.0)
    print(f"| {name} | {len(results)} | {' | '.join(counts)} | {slowest_s:.1f} s | {recovered_by} |")


def _all(site: Site, names: Sequence[str], faults: int | None, seed: int, flink: Path | None) -> Iterator[Result]:
    """The faults of all kinds that this machine can have, as they are tried."""
    for name in names:
        if missing := missing_for(name, flink):
            print(f"{name}: left out, {missing}", flush=True)
        elif name not in ON_CLUSTER:
            yield from (tried(site, name, seed + n) for n in range(faults or KINDS[name].faults))
    asked = [name for name in names if name in ON_CLUSTER and not missing_for(name, flink)]
    if asked and flink is not None:
        with Cluster(flink) as cluster:
            on = site._replace(cluster=cluster)
            yield from (tried(on, name, seed + n) for name in asked for n in range(faults or KINDS[name].faults))


def _tried_once(site: Site, name: str, folder: Path, rng: Random) -> Result:
    kind, began_s = KINDS[name], time.monotonic()
    with kind.strike(site, folder, rng) as struck:
        code = kind.recover(site, struck.output)
        broken = [*struck.broken, *_of_struck(kind, struck), *_at_the_end(site, kind, struck.output, code)]
    print(f"{name}: {struck.when}; ended with {struck.code} after {struck.end_s:.1f} s", end="")
    print(
        f"; {time.monotonic() - began_s:.0f} s in all; {'; '.join(one.words for one in broken) or 'well'}", flush=True
    )
    if not broken:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(name, struck.end_s, broken)


def _of_struck(kind: Kind, struck: Struck) -> list[Broken]:
    """Whether the struck run ended as it should, in time, and its record says so."""
    *_, first = [{}, *run_records(struck.output)]
    wrong = [
        ("exit code", struck.code, struck.code in kind.codes),
        ("state of the struck run", first.get("state"), first.get("state") in kind.states),
        ("seconds until it ended", round(struck.end_s, 1), struck.end_s <= kind.end_within_s),
    ]
    return [Broken(OTHER, f"{what}: {value}") for what, value, good in wrong if not good]


def _at_the_end(site: Site, kind: Kind, output: str, code: int | None) -> list[Broken]:
    broken = [] if code == 0 else [Broken(OTHER, f"the run after it ended with {code}")]
    try:
        broken += laws.at_the_end(output, site.expected)
    except Exception as error:  # what cannot be read is as good as lost
        traceback.print_exc()
        broken.append(Broken(OTHER, f"the output cannot be read: {error}"))
    # What a cluster still had in the making is swept when it is old.
    return [one for one in broken if not (kind.orphans and one.law == LEFT_OVER)]


def _excerpts(music: Path) -> Iterator[tuple[np.ndarray[Any, Any], int]]:
    """Two that follow each other from the first file, and one from each of the others."""
    paths = sorted(store.list_files(str(music)))  # no hidden ones
    files = [path for path in paths if Path(path).suffix.lower() in AUDIO and _is_fit(soundfile.info(path))]
    others = len(ALBUMS) - 2
    picked = files[:: max(1, len(files) // (others + 1))][: others + 1]
    for path, starts_s in zip(picked, [(0.0, EXCERPT_S), *[(0.0,)] * others], strict=False):
        for start_s in starts_s:
            rate_hz = soundfile.info(path).samplerate
            first, frames = int((SKIPPED_S + start_s) * rate_hz), int(EXCERPT_S * rate_hz)
            yield soundfile.read(path, frames, first, dtype="int32", always_2d=True)[0], rate_hz


def _is_fit(info: Any) -> bool:
    """Long enough, and of a rate that every profile takes."""
    return bool(info.duration > SKIPPED_S + 2 * EXCERPT_S and info.samplerate >= MIN_RATE_HZ)


@contextmanager
def _folder(asked: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is gone at the end."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
