#!/usr/bin/env python3
"""Prints what a whole run is held to, measured on the delivered files by meters that are not Lathe's.

usage: whole_run.py MANIFEST WORK    (a manifest of real albums; WORK is a folder for outputs, about 10 GB for 18 tracks)
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
from independent import lag_frames, pooled_lufs, sample_peak_dbfs, true_peak_dbtp

LATHE = str(Path(sys.executable).with_name("lathe"))
RATE_HZ = 44_100
SHORT_S, LONG_S = 240, 7_200


class Row(NamedTuple):
    """A figure, what is asked of it, and what was measured."""

    figure: str
    asked: str
    measured: str


def main() -> None:
    """Runs Lathe on the manifest and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--profile", default="streaming")
    parser.add_argument("--quick", action="store_true", help="without the 2-hour track and the single worker")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for row in figures(args.manifest, args.work, args.profile, args.quick):
        print_row(row)


def print_row(row: Row) -> None:
    """One line of a table."""
    print(f"{row.figure:<62} {row.asked:<24} {row.measured}", flush=True)


def figures(manifest: Path, work: Path, profile: str, quick: bool) -> Iterator[Row]:
    """All rows of the table, as they are measured."""
    yield Row("figure", "asked", "measured")
    lathe_run(manifest, work / "warm", profile, 2, limit=2)  # compiles the kernels
    two = lathe_run(manifest, work / "two", profile, 2)
    tracks = rows(work / "two", "tracks")
    yield from loudness(tracks, rows(work / "two", "albums"))
    yield from peaks(tracks)
    yield from frames(tracks)
    yield Row(
        "run, 2 workers: x realtime per core (all processes, start-up too)", "25", f"{two.audio_s / two.cpu_s:.1f}"
    )
    yield Row("run, 2 workers: wall time", "-", f"{two.wall_s:.1f} s for {two.audio_s / 3600:.2f} h of audio")
    if not quick:
        one = lathe_run(manifest, work / "one", profile, 1)
        yield Row("run, 1 worker: x realtime per core", "25", f"{one.audio_s / one.cpu_s:.1f}")
        yield Row("masters from 1 and from 2 workers with the same sha256", "all", same_bytes(work / "one", tracks))
        yield memory(work)


class Run(NamedTuple):
    """A run of the command `lathe`: seconds of audio, of processor and of waiting."""

    audio_s: float
    cpu_s: float
    wall_s: float


def lathe_run(
    manifest: Path, output: Path, profile: str, workers: int, limit: int | None = None, root: Path | None = None
) -> Run:
    """Runs the command into a fresh output; processor time is that of the whole process tree."""
    shutil.rmtree(output, ignore_errors=True)
    command = [LATHE, "run", str(manifest), str(output), "--profile", profile, "--json"]
    command += ["--limit", str(limit)] if limit else []
    command += ["--root", str(root)] if root else []
    before = children_s()
    done = subprocess.run([*command, "--", f"--direct_num_workers={workers}"], stdout=subprocess.PIPE, check=False)
    if done.returncode > 1:
        raise SystemExit(f"lathe ended with {done.returncode}")
    summary = json.loads(done.stdout)
    return Run(summary["audio_s"], children_s() - before, summary["wall_s"])


def children_s() -> float:
    """Processor time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(output: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table of quality control."""
    return [row for path in sorted((output / "qc" / table).rglob("*.parquet")) for row in _read(path)]


def _read(path: Path) -> list[dict[str, Any]]:
    return list(pq.ParquetFile(path).read().to_pylist())


def masters(tracks: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each track with each of its masters."""
    return ((track, master) for track in tracks for master in track["masters"])


def loudness(tracks: list[dict[str, Any]], albums: list[dict[str, Any]]) -> Iterator[Row]:
    """Pooled loudness of each album's delivered files against its target, by libebur128."""
    for album in albums:
        for delivery in sorted({m["delivery"] for _, m in masters(tracks)}):
            mine = [t for t in tracks if t["album_id"] == album["album_id"]]
            paths = [Path(m["uri"]) for _, m in masters(mine) if m["delivery"] == delivery]
            away = pooled_lufs(paths) - album["target_lufs"]
            codes = {f["code"] for f in album["findings"]}
            said = " TARGET_LIMITED" if "TARGET_LIMITED" in codes else ""
            figure = f"{album['album_id']}, {delivery}: pooled loudness less target (libebur128)"
            yield Row(figure, "within 0.1 LU", f"{away:+.3f} LU{said}")


def peaks(tracks: list[dict[str, Any]]) -> Iterator[Row]:
    """The worst of all delivered files against their ceilings."""
    over = [true_peak_dbtp(Path(m["uri"])) - m["ceiling_dbtp"] for _, m in masters(tracks)]
    at_samples = [sample_peak_dbfs(Path(m["uri"])) - m["ceiling_dbtp"] for _, m in masters(tracks)]
    figure = f"true peak over the ceiling, worst of {len(over)} files (soxr 32x)"
    yield Row(figure, "at most 0.05 dB", f"{max(over):+.3f} dB")
    yield Row("sample peak over the ceiling, worst", "at most 0.00 dB", f"{max(at_samples):+.3f} dB")


def frames(tracks: list[dict[str, Any]]) -> Iterator[Row]:
    """Lengths and alignment of masters at the source's rate."""
    same_rate = [(Path(t["source_uri"]), Path(m["uri"])) for t, m in masters(tracks) if m["rate_hz"] == t["rate_hz"]]
    equal = sum(soundfile.info(a).frames == soundfile.info(b).frames for a, b in same_rate)
    lags = {lag_frames(a, b) for a, b in same_rate}
    yield Row("masters at the source's rate with as many frames", "all", f"{equal} of {len(same_rate)}")
    yield Row("their lag against the source, frames", "0", ", ".join(map(str, sorted(lags))))


def same_bytes(other: Path, tracks: list[dict[str, Any]]) -> str:
    """How many masters of another run have the same SHA-256."""
    theirs = {(t["track_id"], m["delivery"]): m["sha256"] for t, m in masters(rows(other, "tracks"))}
    mine = {(t["track_id"], m["delivery"]): m["sha256"] for t, m in masters(tracks)}
    return f"{sum(theirs.get(key) == digest for key, digest in mine.items())} of {len(mine)}"


# A child's peak is never below its parent's size when it was started: so it is started from a small process.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def memory(work: Path) -> Row:
    """Peak resident memory of the process that masters a 2-hour track, less that for a 4-minute one."""
    sizes = []
    for seconds in (SHORT_S, LONG_S):
        source = work / f"{seconds}s.flac"
        if not source.exists():
            _write_programme(source, seconds)
        command = [sys.executable, "-c", _PEAK, LATHE, "master", str(source), str(work / "master.flac")]
        sizes.append(int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) / 1024)
    return Row(
        "memory of a worker, 2 h against 4 min",
        "at most 64 MiB more",
        f"{sizes[1] - sizes[0]:+.0f} MiB ({sizes[0]:.0f})",
    )


def _write_programme(path: Path, seconds: int) -> None:
    rng = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "PCM_24") as handle:
        for second in range(seconds):
            swell = 0.05 * (1.2 + np.sin(second / 7.0))
            handle.write((rng.standard_normal((RATE_HZ, 2)) * swell * 2**31).clip(-(2**31), 2**31 - 1).astype(np.int32))


if __name__ == "__main__":
    main()
