"""What measuring costs, beside ffmpeg's `ebur128=peak=true` in the same run: processor seconds on one core, and what both read.

    python benchmarks/measure.py FILE... [--runs 5]

FILE is best a 4-minute track at 44.1 kHz. ffmpeg is run as a program of its own. Lathe is timed twice: inside a process
whose kernels are compiled and loaded, as in a run over a catalogue, and as a whole command over all files given, with
Python's start-up.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import soundfile

from media.analysis import analyse, measure_loudness

PEER = "ffmpeg ebur128=peak=true"
ALONE, ALL = "loudness, range, true peak", "every figure and detector"
ASKED = {ALONE: 2.0, ALL: 1.0}
"""How many times as fast as the peer."""


class Reading(NamedTuple):
    """What a meter says of a file."""

    integrated_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float


def main() -> int:
    """Prints the tables; 2 if there is no ffmpeg to compare with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        print("ffmpeg is not on the PATH: nothing to compare with", file=sys.stderr)
        return 2
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core, also for the children
    for path in options.files:
        _compare(path, options.runs)
    _whole_commands(options.files, options.runs)
    return 0


def _compare(path: Path, runs: int) -> None:
    work: dict[str, Callable[[], object]] = {
        PEER: lambda: _ffmpeg(path),
        ALONE: lambda: measure_loudness(path),
        ALL: lambda: analyse(path),
    }
    for one in work.values():
        one()  # compiles kernels, fills the page cache
    spent = {name: [] for name in work}  # type: dict[str, list[float]]
    for _ in range(runs):  # in turn, so that a change of the machine's pace meets all
        for name, one in work.items():
            before = _processor_s()
            one()
            spent[name].append(_processor_s() - before)
    _print_costs(path, {name: statistics.median(values) for name, values in spent.items()})
    _print_readings(path)


def _print_costs(path: Path, cost_s: dict[str, float]) -> None:
    info = soundfile.info(path)
    print(f"\n{path.name}: {info.duration:.0f} s, {info.samplerate} Hz, {info.channels} channels, {info.subtype}")
    print(
        f"| {'processor time of one core':34} | seconds | x realtime | against ffmpeg | asked |\n|---|---|---|---|---|"
    )
    for name, seconds in cost_s.items():
        asked = f"{ASKED[name]:g}x" if name in ASKED else ""
        pace, ratio = info.duration / seconds, cost_s[PEER] / seconds
        print(f"| {name:34} | {seconds:7.3f} | {pace:10.0f} | {ratio:13.2f}x | {asked:5} |")


def _print_readings(path: Path) -> None:
    ours, theirs = measure_loudness(path), _ffmpeg(path)
    print(f"| {'reading':34} | Lathe | ffmpeg |\n|---|---|---|")
    for name in Reading._fields:
        own = getattr(ours, name)
        print(f"| {name:34} | {'-' if own is None else f'{own:.2f}'} | {getattr(theirs, name):.1f} |")


def _whole_commands(files: list[Path], runs: int) -> None:
    """Python's start-up included, as a shell sees it."""
    lathe = str(Path(sys.executable).with_name("lathe"))
    names = [str(path) for path in files]
    commands: dict[str, list[list[str]]] = {
        PEER: [_ffmpeg_command(name) for name in names],
        "lathe measure --loudness-only": [[lathe, "measure", "--loudness-only", *names]],
        "lathe measure": [[lathe, "measure", *names]],
    }
    print(
        f"\nWhole commands over {len(files)} file(s), start-up included\n| command | seconds | against ffmpeg |\n|---|---|---|"
    )
    spent = {name: statistics.median(_timed(calls) for _ in range(runs)) for name, calls in commands.items()}
    for name, seconds in spent.items():
        print(f"| {name:34} | {seconds:7.3f} | {spent[PEER] / seconds:5.2f}x |")


def _timed(calls: list[list[str]]) -> float:
    before = _processor_s()
    for call in calls:
        subprocess.run(call, check=True, capture_output=True)
    return _processor_s() - before


def _processor_s() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _ffmpeg_command(name: str) -> list[str]:
    return ["ffmpeg", "-nostats", "-hide_banner", "-i", name, "-filter_complex", "ebur128=peak=true", "-f", "null", "-"]


def _ffmpeg(path: Path) -> Reading:
    said = subprocess.run(_ffmpeg_command(str(path)), check=True, capture_output=True, text=True).stderr
    summary = said[said.rindex("Summary:") :]
    found = [re.search(rf"{label}:\s+(-?[\d.]+|-inf)", summary) for label in ("I", "LRA", "Peak")]
    return Reading(*(float(one[1]) if one else float("nan") for one in found))


if __name__ == "__main__":
    sys.exit(main())
