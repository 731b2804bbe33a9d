#!/usr/bin/env python3
"""Measures what the built-in norm `popular` was taken from: means and spreads of tone, width, crest and PLR over albums.

usage: norms.py FOLDER...    (each folder below holds an album; `more_music.py` and the shared music make such folders)

Prints curves of 31 third octaves as TOML. A spread is how far a song strays from the mean of its album; curves are smoothed
over neighbours (1 2 1).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from decisions.deviation import levelled, mid_and_side_db
from dsp.audio import Floats
from media.analysis import analyse
from schemas.figures import Figures

SUFFIXES = {".flac", ".wav"}


def main() -> None:
    """Prints the norm of all recordings below the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    albums = _albums(parser.parse_args().folders)
    figures = [one for album in albums for one in album]
    print(f"# {len(figures)} recordings of {len(albums)} albums")
    middles = [[levelled(mid_and_side_db(one)[0]) for one in album] for album in albums]
    sides = [[mid_and_side_db(one)[1] for one in album] for album in albums]
    _curve("mid_db", np.nanmean(np.concatenate(middles), axis=0))
    _curve("mid_spread_db", _within(middles))
    _curve("side_db", np.nanmean(np.concatenate(sides), axis=0))
    _curve("side_spread_db", _within(sides))
    crests = np.array([one.crest_bands_db for one in figures], dtype=np.float64)
    _curve("crest_bands_db", np.nanmean(crests, axis=0), smooth=False)
    print(f"crest_spread_db = {float(np.nanmean(np.nanstd(crests, axis=0))):.1f}")
    plr_lu = np.array([one.plr_lu for one in figures], dtype=np.float64)
    print(f"plr_lu = {np.nanmean(plr_lu):.1f}\nplr_spread_lu = {np.nanstd(plr_lu):.1f}")


def _albums(folders: Sequence[Path]) -> list[list[Figures]]:
    """Figures of the recordings, by the folder that they lie in; an album of one has no spread and is left out."""
    paths = sorted({p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES})
    found: dict[Path, list[Figures]] = {}
    for path in paths:
        found.setdefault(path.parent, []).append(analyse(path).figures)
        print(path, file=sys.stderr)
    return [album for album in found.values() if len(album) > 1]


def _within(albums: Sequence[Sequence[Floats]]) -> Floats:
    """Root mean square of what songs differ from the mean of their album."""
    squares = [(np.array(album) - np.nanmean(album, axis=0)) ** 2 for album in albums]
    free = sum(len(album) - 1 for album in albums)
    return np.asarray(np.sqrt(np.nansum(np.concatenate(squares), axis=0) / free))


def _curve(name: str, values: Floats, *, smooth: bool = True) -> None:
    if smooth:
        padded = np.pad(values, 1, mode="edge")
        values = (padded[:-2] + 2.0 * padded[1:-1] + padded[2:]) / 4.0
    print(f"{name} = [{', '.join(f'{value:.1f}' for value in values)}]")


if __name__ == "__main__":
    main()
