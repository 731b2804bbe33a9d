#!/usr/bin/env python3
"""Prints how little the style `transparent` does to good masters: `lathe run` over undamaged albums, at three loudnesses.

usage: left_alone.py MANIFEST WORK    (a manifest of real albums; WORK is a folder for outputs, about 4 GB for 18 tracks)

The first run is at -14 LUFS and for information. The second gives each album the loudness that it has, so that no change is one
of level; a source that peaks above the ceiling must lose PLR there. The third turns such an album down until its peaks fit: what
is left is what the chain does by itself. Gains are read from the plans in qc/tracks, spectra and PLR from its figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from msgspec import Meta

sys.path.insert(0, str(Path(__file__).parent))
from spectra import difference_db
from whole_run import Row, lathe_run, print_row, rows

from media.manifest import read_manifest
from schemas.profile import LoudnessChoice

MOST_DB, MOST_PLR_LU = 1.0, 0.5
USUAL_LUFS = -14.0
ROOM_DB = 1.0
"""A correction of less than a decibel can raise a peak by about as much."""
PROFILE = """\
based_on = "streaming"
name = "{name}"
description = "Good masters left alone: 24 bits, at {lufs:.2f} LUFS"
style = "transparent"

[loudness]
target_lufs = {lufs:.2f}

[[delivery]]
name = "flac24"
container = "flac"
bits = 24
"""
COLUMNS = ("uri", "album_id", "disc", "sequence", "track_id", "title", "artist", "album", "genre")
Outcome = dict[str, Any]
"""A row of `qc/tracks`."""


def main() -> None:
    """Runs Lathe twice and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    print_row(Row("figure", "asked", "measured"))
    usual, root = args.work / "usual", args.manifest.resolve().parent
    lathe_run(args.manifest, usual, str(write_profile(args.work, "usual", USUAL_LUFS)), args.workers)
    tracks, albums = rows(usual, "tracks"), rows(usual, "albums")
    report(f"at {USUAL_LUFS:g} LUFS", tracks, held=False)
    for name, targets_lufs, where in (
        ("own", own_lufs(albums), "at its own loudness"),
        ("fitting", fitting_lufs(albums, tracks), "as loud as its peaks fit"),
    ):
        manifest = write_manifest(args.manifest, args.work, name, targets_lufs)
        lathe_run(manifest, args.work / name, "streaming", args.workers, root=root)
        report(where, rows(args.work / name, "tracks"), held=True)


def report(where: str, tracks: Sequence[Outcome], *, held: bool) -> None:
    """One line a track, then the rows of one run."""
    for track in tracks:
        print(told(track), flush=True)
    for row in figures(where, tracks, held=held):
        print_row(row)


def write_profile(work: Path, name: str, lufs: float) -> Path:
    """The profile `streaming` at a loudness, with one delivery; returns its file."""
    path = work / f"{name}.toml"
    path.write_text(PROFILE.format(name=name, lufs=lufs), encoding="utf-8")
    return path


def own_lufs(albums: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The loudness of each album, held to what a profile may ask for."""
    least, most = _range_lufs()
    return {album["album_id"]: min(max(album["source_integrated_lufs"], least), most) for album in albums}


def fitting_lufs(albums: Sequence[Mapping[str, Any]], tracks: Sequence[Outcome]) -> dict[str, float]:
    """The same, lowered by what the album's highest peak has over the ceiling, and room for what a filter does to peaks."""
    least, _ = _range_lufs()
    fitting = {}
    for album, lufs in own_lufs(albums).items():
        mine = [track for track in tracks if track["album_id"] == album]
        over_db = max(track["source"]["true_peak_dbtp"] - track["masters"][0]["ceiling_dbtp"] for track in mine)
        fitting[album] = max(least, lufs - max(0.0, over_db + ROOM_DB))
    return fitting


def write_manifest(manifest: Path, work: Path, name: str, targets_lufs: Mapping[str, float]) -> Path:
    """The same tracks, each album with a profile of its own; returns the new manifest."""
    profiles = {album: write_profile(work, f"{name}-{number}", lufs) for number, (album, lufs) in
                enumerate(sorted(targets_lufs.items()), 1)}  # fmt: skip
    path = work / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow([*COLUMNS, "profile"])
        for track in read_manifest(str(manifest)):
            cells = [getattr(track, column) for column in COLUMNS]
            writer.writerow([*cells, profiles[track.album_id].name])
    return path


def figures(where: str, tracks: Sequence[Outcome], *, held: bool) -> Iterator[Row]:
    """The rows of one run; only runs near the albums' own loudness are held to the PLR."""
    gains = f"at most {MOST_DB:g} dB"
    yield Row(f"{where}: largest gain of the equaliser, middle", gains, _worst(tracks, middle_db))
    yield Row(f"{where}: largest gain of the equaliser, side", gains, _worst(tracks, side_db))
    yield Row(f"{where}: largest change of a third octave", gains, _worst(tracks, moved_db))
    changes = np.array([plr_change_lu(track) for track in tracks])
    asked = f"under {MOST_PLR_LU:g} LU" if held else "-"
    yield Row(f"{where}: change of PLR, median of {len(tracks)}", asked, f"{np.median(np.abs(changes)):.2f} LU")
    yield Row(f"{where}: change of PLR, worst", "-", f"{changes[np.abs(changes).argmax()]:+.2f} LU")
    levels = np.median([np.abs(level_change_lu(track)) for track in tracks])
    yield Row(f"{where}: change of loudness, median", "-", f"{levels:.2f} LU")


def told(track: Outcome) -> str:
    """What was done to one track."""
    return (
        f"{track['album_id']}/{track['title'] or track['track_id']}: loudness {level_change_lu(track):+.2f} LU, "
        f"PLR {plr_change_lu(track):+.2f} LU from {track['source']['plr_lu']:.1f}, "
        f"source at {track['source']['true_peak_dbtp']:+.1f} dBTP, limiter {track['limiter_max_reduction_db']:.1f} dB, "
        f"equaliser {middle_db(track):.2f} dB, side {side_db(track):.2f} dB, third octaves {moved_db(track):.2f} dB"
    )


def middle_db(track: Outcome) -> float:
    """The largest gain that the plan gives to a band of the middle."""
    return max(map(abs, _equaliser(track).get("gains_db", ())), default=0.0)


def side_db(track: Outcome) -> float:
    """The same of the side, which has the middle's gains unless it has its own."""
    return max(map(abs, _equaliser(track).get("side_gains_db", ())), default=middle_db(track))


def moved_db(track: Outcome) -> float:
    """The largest change of a third octave from source to master, less that of the level."""
    master, *_ = track["masters"]
    return float(np.abs(difference_db(master["spectrum_db"], track["source"]["spectrum_db"])).max(initial=0.0))


def plr_change_lu(track: Outcome) -> float:
    """How much further, or less far, the peaks stand over the loudness."""
    return _change(track, "plr_lu")


def level_change_lu(track: Outcome) -> float:
    """How much louder the master is."""
    return _change(track, "integrated_lufs")


def _change(track: Outcome, figure: str) -> float:
    master, *_ = track["masters"]
    return float(master[figure] - track["source"][figure])


def _equaliser(track: Outcome) -> dict[str, Any]:
    return dict(json.loads(track["plan"])["head"].get("equaliser") or {})


def _worst(tracks: Sequence[Outcome], figure: Callable[[Outcome], float]) -> str:
    return f"{max(map(figure, tracks)):.2f} dB"


def _range_lufs() -> tuple[float, float]:
    """What `target_lufs` may be, from the schema."""
    (bounds,) = (one for one in get_args(get_type_hints(LoudnessChoice, include_extras=True)["target_lufs"])
                 if isinstance(one, Meta))  # fmt: skip
    assert bounds.ge is not None and bounds.le is not None
    return float(bounds.ge), float(bounds.le)


if __name__ == "__main__":
    main()
