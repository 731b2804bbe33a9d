#!/usr/bin/env python3
"""Compiles the kernels once, into the cache that NUMBA_CACHE_DIR names, so that a worker starts without compiling.

usage: warm.py      (says how much compiled code there is, and how long it took)

It masters tones with faults, in every built-in style and for deliveries of both kinds, as a run does. A kernel that only
rarer sources need is compiled, and kept, when one is met.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from decisions.choices import Choices
from decisions.taste_files import STYLES
from dsp.audio import Audio
from pipeline.run import Request, run_catalogue

SECONDS = 6.0
SOURCES = {"one": (44_100, 2, "PCM_16"), "two": (96_000, 2, "PCM_24"), "three": (48_000, 1, "FLOAT")}
"""Rate in Hz, channels and coding: resampled or not, stereo or mono, whole numbers or not."""
PROFILES = ("streaming", "cd", "podcast")
"""They deliver 24 and 16 bits, with and without resampling, and an album or each track at its own level."""


def warm(folder: Path) -> None:
    """Masters the tones below `folder`: each profile in the styles that are its turn, so that all styles are met."""
    sources = folder / "sources"
    sources.mkdir()
    for name, (rate_hz, channels, coding) in SOURCES.items():
        soundfile.write(sources / f"{name}.wav", tones(rate_hz, channels), rate_hz, subtype=coding)
    for number, style in enumerate(STYLES.names()):
        request = Request(
            manifest=str(sources),
            output=str(folder / style),
            profile=PROFILES[number % len(PROFILES)],
            choices=Choices(style=style, intensity="high"),
            beam_options=("--direct_num_workers=1",),
        )
        run_catalogue(request, lambda done, total: None)


def tones(rate_hz: int, channels: int) -> Audio:
    """Struck notes over hum and hiss, one of them clipped: something for every processor to do."""
    time_s = np.arange(round(SECONDS * rate_hz)) / rate_hz
    strike = np.exp(-4.0 * (time_s % 0.5))
    note = sum(np.sin(2 * np.pi * hz * time_s) for hz in (55.0, 220.0, 1_300.0, 7_000.0))
    hum = 0.01 * np.sin(2 * np.pi * 50.0 * time_s)
    hiss = 0.003 * np.random.default_rng(1).standard_normal((len(time_s), channels))
    loud = np.where(time_s < 0.5, 0.5, 0.15)
    return np.clip((loud * strike * note + hum)[:, None] + hiss, -0.9, 0.9)


def main() -> int:
    """Fills the cache, and fails if nothing came of it: a cache that is not written is no cache."""
    cache, started_s = os.environ.get("NUMBA_CACHE_DIR"), time.monotonic()
    if not cache:
        sys.exit("NUMBA_CACHE_DIR must name the folder of the cache")
    with TemporaryDirectory() as folder:
        warm(Path(folder))
    files = [path for path in Path(cache).rglob("*") if path.is_file()]
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {size_mb:.1f} MB of compiled code in {time.monotonic() - started_s:.0f} s: {cache}")
    return 0 if files else 1


if __name__ == "__main__":
    sys.exit(main())
