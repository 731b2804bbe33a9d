"""Processor time in s of each step of a song, from hearing to the master, kernels loaded before: called by `mix_render.py`.

mix_speed.py FOLDER COUNT SECONDS: so many stems, so long; prints one object of JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mix_render import ALL_FILES, decided
from synthetic_stems import track_of, write_stems

from decisions.profile_files import load_profile
from media.mixing.rendering import render_mix
from pipeline.one_file import master_file
from schemas.steps import MixWish
from schemas.track import Track

T = TypeVar("T")


def speed(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """Each step of a song."""
    _whole_way(track_of("short", write_stems(folder / "short", seconds=8.0, count=count)), folder)
    return _whole_way(track_of("song", write_stems(folder / "song", seconds=seconds, count=count)), folder)


def _whole_way(track: Track, folder: Path) -> dict[str, float]:
    taken: dict[str, float] = {}
    settings = _timed("heard, decided and rehearsed", taken, lambda: decided(track))
    out = folder / "out"
    rendering = _timed("rendered", taken, lambda: render_mix(track, settings, out, MixWish()))
    profile, mix = load_profile("streaming"), rendering.files[0].path
    _timed("mastered", taken, lambda: master_file(mix, out / "master.flac", profile))
    _timed("stems and versions as well", taken, lambda: render_mix(track, settings, out, ALL_FILES))
    taken["stems and versions as well"] -= taken["rendered"]
    shutil.rmtree(out)
    return taken


def _timed(name: str, taken: dict[str, float], work: Callable[[], T]) -> T:
    start = time.process_time()
    done = work()
    taken[name] = time.process_time() - start
    return done


if __name__ == "__main__":
    print(json.dumps(speed(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
