#!/usr/bin/env python3
"""Prints how fast a whole run is, FLAC in and FLAC out with proof, beside matchering and ffmpeg-normalize on the same tracks.

usage: pace.py MANIFEST WORK [--peers FOLDER] [--limit N] [--runs N]

Pace is seconds of audio for each second of processor time, of all processes and with their start-up; nothing else should run on
the machine. Every contender masters two tracks first, which compiles kernels and fills the page cache; they then take turns, and
the median of each one's runs counts. WORK is a folder for outputs, about 6 GB for 18 tracks.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import soundfile
from restoration import Piece, pieces
from whole_masters import CEILING_DBTP, TARGET_LUFS, Match, ffmpeg_normalize, matchering
from whole_run import Row, children_s, lathe_run, memory, print_row

WARM_TRACKS = 2
ASKED_PACE, ASKED_RATIO = 40.0, 2.5
ONE, FULL = "lathe run, FLAC alone", "lathe run, profile streaming"
PROFILE = f"""\
based_on = "streaming"
name = "pace"
description = "What the peers make too: FLAC, 24 bits"

[loudness]
target_lufs = {TARGET_LUFS:.1f}

[limiter]
ceiling_dbtp = {CEILING_DBTP:.1f}

[[delivery]]
name = "flac24"
container = "flac"
bits = 24
"""
Contender = Callable[[int | None], float]
"""Masters so many tracks of the manifest (None: all), and returns their pace."""


def main() -> None:
    """Warms everything up, lets all take turns, and prints the table."""
    args = _arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    entered = contenders(args.manifest, args.work, args.peers)
    for contender in entered.values():
        contender(WARM_TRACKS)
    paces: dict[str, list[float]] = {name: [] for name in entered}
    for _ in range(args.runs):
        for name, contender in entered.items():
            paces[name].append(contender(args.limit))
    for row in figures({name: statistics.median(each) for name, each in paces.items()}):
        print_row(row)
    if not args.quick:
        print_row(memory(args.work))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--peers", type=Path, help="a folder for the environments of the peers")
    parser.add_argument("--limit", type=int, help="only the first tracks of the manifest")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="without the 2-hour track")
    return parser.parse_args()


def contenders(manifest: Path, work: Path, peers: Path | None) -> dict[str, Contender]:
    """Lathe with one delivery, which the others make too, and with the profile as it comes; then the peers."""
    alone = work / "pace.toml"
    alone.write_text(PROFILE, encoding="utf-8")
    found: dict[str, Contender] = {
        ONE: lambda limit: _lathe(manifest, work / "lathe", str(alone), limit),
        FULL: lambda limit: _lathe(manifest, work / "lathe", "streaming", limit),
    }
    if peers is not None:
        music = pieces(manifest)
        found["matchering"] = lambda limit: _matchering(peers, music[:limit], work / "matchering")
        found["ffmpeg-normalize"] = lambda limit: _ffmpeg_normalize(peers, music[:limit], work / "ffmpeg-normalize")
    return found


def figures(paces: Mapping[str, float]) -> Iterator[Row]:
    """The rows of the table: Lathe's paces, then each peer's, and how many times as fast the same work was done by Lathe."""
    yield Row("x realtime per core (processor time of all processes)", "asked", "measured")
    yield Row(ONE, f"{ASKED_PACE:g}", f"{paces[ONE]:.1f}")
    yield Row(FULL, "-", f"{paces[FULL]:.1f}")
    for peer in [name for name in paces if name not in (ONE, FULL)]:
        yield Row(peer, "-", f"{paces[peer]:.1f}")
        yield Row(f"{ONE}, against {peer}", f"{ASKED_RATIO:g}x", f"{paces[ONE] / paces[peer]:.2f}x")


def _lathe(manifest: Path, output: Path, profile: str, limit: int | None) -> float:
    run = lathe_run(manifest, output, profile, workers=1, limit=limit)
    return run.audio_s / run.cpu_s


def _matchering(peers: Path, music: Sequence[Piece], output: Path) -> float:
    """Each track after the album's next."""
    matches = [Match(p.path, p.others[0], output / f"{n}.flac") for n, p in enumerate(music)]
    return _timed(music, output, lambda: matchering(peers, matches))


def _ffmpeg_normalize(peers: Path, music: Sequence[Piece], output: Path) -> float:
    return _timed(music, output, lambda: ffmpeg_normalize(peers, [piece.path for piece in music], output))


def _timed(music: Sequence[Piece], output: Path, work: Callable[[], None]) -> float:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    before = children_s()
    work()
    spent_s = children_s() - before
    audio_s = sum(float(soundfile.info(piece.path).duration) for piece in music)
    return audio_s / spent_s


if __name__ == "__main__":
    main()
