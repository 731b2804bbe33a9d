#!/usr/bin/env python3
"""Prints how near the masters of damaged tracks come to the originals, and what matchering and libsonare make of the same tracks.

usage: restoration.py MANIFEST WORK [--peers FOLDER] [--seeds N] [--styles NAME[:INTENSITY],...] [--limit N] [--jobs N]

Each track of the manifest's albums is damaged (damage.py) and mastered by `lathe master` with the album's other tracks as
references, by matchering with the album's next track as reference, and with the undamaged track itself, which shows what its
equaliser can do; by libsonare's assistant, which takes no reference. WORK is a folder for scratch; without --peers Lathe alone is
measured. Distances: spectra.py, on the delivered files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from damage import drawn, write_damaged
from environments import installed
from spectra import Spectrum, distance_db
from whole_masters import Match, libsonare, matchering
from whole_run import LATHE, Row, print_row

from media.analysis import analyse
from media.manifest import read_manifest

DAMAGED = "damaged"
MATCHERING, MATCHERING_ORIGINAL, LIBSONARE = "matchering", "matchering, original", "libsonare"
NEVER_WORSE_DB = 0.5
Master = Callable[[Path, Path], None]
"""Makes a master (second) of a file (first)."""


class Piece(NamedTuple):
    """A track, and the album's other tracks; the next one first."""

    name: str
    path: Path
    others: tuple[Path, ...]


class Tried(NamedTuple):
    """Distance to the original of the damaged track and of what each contender made of it."""

    name: str
    distances_db: dict[str, float]


def main() -> None:
    """Prints one line a track, then the table."""
    args = _arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    if args.peers:
        installed(args.peers, "matchering")  # before any two threads would
        installed(args.peers, "libsonare")
    music = pieces(args.manifest)[: args.limit]
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = [
            pool.submit(_tried, piece, seed, args.styles, args.peers, args.work)
            for seed in range(1, args.seeds + 1)
            for piece in music
        ]
        tried = [_told(job.result()) for job in jobs]
    for row in figures(tried, args.styles):
        print_row(row)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--peers", type=Path, help="a folder for the environments of the peers")
    parser.add_argument("--seeds", type=int, default=1, help="so many different damages a track")
    parser.add_argument("--styles", type=lambda text: text.split(","), default=["transparent", "balanced"])
    parser.add_argument("--limit", type=int, help="only the first tracks of the manifest")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def pieces(manifest: Path) -> list[Piece]:
    """The tracks of every album that has more than one, in the order of the manifest."""
    tracks, found = read_manifest(str(manifest)), []
    for track in tracks:
        mates = sorted((one for one in tracks if one.album_id == track.album_id), key=lambda one: one.order)
        album, path = [Path(one.uri) for one in mates], Path(track.uri)
        at = album.index(path)
        if len(album) > 1:
            found.append(Piece(f"{track.album_id}/{path.stem}", path, (*album[at + 1 :], *album[:at])))
    return found


def _told(one: Tried) -> Tried:
    print(f"{one.name:<24} " + "  ".join(f"{name} {db:.2f}" for name, db in one.distances_db.items()), flush=True)
    return one


def figures(tried: Sequence[Tried], styles: Sequence[str]) -> Iterator[Row]:
    """The rows of the table; the first style is the one that is held to the figures."""
    yield Row("figure", "asked", "measured")
    asked, *_ = styles
    before = np.array([one.distances_db[DAMAGED] for one in tried])
    for name in list(tried[0].distances_db)[1:]:
        after = np.array([one.distances_db[name] for one in tried])
        held = name == asked
        figure = f"{name}: distance to the original"
        smaller = f"under {np.median(before):.2f} dB" if held else "-"
        yield Row(f"{figure}, median of {len(tried)}", smaller, f"{np.median(after):.2f} dB")
        yield Row(f"{figure}, median change", "-", f"{np.median(after / before - 1.0):+.1%}")
        yield Row(f"{name}: tracks that came nearer", "-", f"{np.mean(after < before):.0%}")
        worst = f"at most {NEVER_WORSE_DB:+.2f} dB" if held else "-"
        yield Row(f"{figure}, worst change", worst, f"{np.max(after - before):+.2f} dB")
    if MATCHERING in tried[0].distances_db:
        yield _against_matchering(tried, asked)


def _against_matchering(tried: Sequence[Tried], style: str) -> Row:
    ours, theirs = (np.median([one.distances_db[name] for one in tried]) for name in (style, MATCHERING))
    return Row(f"{style}: median distance less matchering's", "under 0 dB", f"{ours - theirs:+.2f} dB")


def _tried(piece: Piece, seed: int, styles: Sequence[str], peers: Path | None, work: Path) -> Tried:
    """Damages a track, lets every contender master it, and measures them all."""
    name, original = f"{piece.name} {seed}", _spectrum(piece.path)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        source = Path(scratch) / "damaged.flac"
        write_damaged(piece.path, source, drawn(piece.name, seed))
        distances = {DAMAGED: distance_db(_spectrum(source), original)}
        for number, (contender, master) in enumerate(_contenders(piece, styles, peers).items()):
            result = Path(scratch) / f"{number}{'.wav' if contender == LIBSONARE else '.flac'}"
            master(source, result)
            distances[contender] = distance_db(_spectrum(result), original)
    return Tried(name, distances)


def _contenders(piece: Piece, styles: Sequence[str], peers: Path | None) -> dict[str, Master]:
    found: dict[str, Master] = {style: _lathe(style, piece.others) for style in styles}
    if peers is not None:
        found[MATCHERING] = _matchering(peers, piece.others[0])
        found[MATCHERING_ORIGINAL] = _matchering(peers, piece.path)
        found[LIBSONARE] = lambda source, result: libsonare(peers, source, result)
    return found


def _lathe(style: str, references: Sequence[Path]) -> Master:
    name, _, intensity = style.partition(":")
    options = ["--style", name, "--intensity", intensity or "medium"]
    options += [word for path in references for word in ("--reference", str(path))]

    def master(source: Path, result: Path) -> None:
        done = subprocess.run([LATHE, "master", str(source), str(result), *options], capture_output=True, check=False)
        if not result.exists():
            raise SystemExit(f"lathe master ended with {done.returncode}: {done.stderr.decode()}")

    return master


def _matchering(peers: Path, reference: Path) -> Master:
    return lambda source, result: matchering(peers, [Match(source, reference, result)])


def _spectrum(path: Path) -> Spectrum:
    return analyse(path).figures.spectrum_db


if __name__ == "__main__":
    main()
