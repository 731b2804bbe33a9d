#!/usr/bin/env python3
"""Compares limiters on real music: noise-to-mask ratio at equal loudness, and what comes out above the ceiling.

usage: limiters.py FOLDER AUDIO [AUDIO ...]    (FOLDER: where the peers' virtual environments are kept; about 40 s a file)

Of each file the loudest 12 s are taken, their true peak brought to the ceiling. They are driven +6 and +9 dB into ffmpeg's
alimiter at 4 times the rate; the drive of every other limiter is solved for the same integrated loudness. Lathe's limiter was
tuned on the first, third, fifth, ... of the files: `held out` are the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyebur128
import soundfile
import soxr
from masking import noise_to_mask_db
from peers import CEILING_DBTP, Limit, peers

from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.gain_computer import CHARACTERS
from dsp.settings import GainSettings, LimiterSettings

SECONDS = 12
DRIVES_DB = (6.0, 9.0)
REFERENCE = "ffmpeg alimiter at 4x"
LOUDNESS_TOLERANCE_LU = 0.05
TRIES = 8
MOST_GAIN_DB = 40.0
FADE_S = 0.01


class Result(NamedTuple):
    """One limiter on one excerpt at one loudness."""

    noise_db: float
    over_db: float
    """True peak at 32 times the rate, over the ceiling."""
    missed_lu: float
    """By how much the loudness asked for was missed."""


def main() -> None:
    """Prints a table: one line for each limiter."""
    folder, paths = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]
    limiters = {f"Lathe, {name}": lathe(LimiterSettings(character=name)) for name in CHARACTERS} | peers(folder)
    excerpts = [excerpt(path) for path in paths]
    targets = [[lufs(limiters[REFERENCE](*one, drive), one[1]) for drive in DRIVES_DB] for one in excerpts]
    gained = [
        np.median([t[k] - lufs(*e) for t, e in zip(targets, excerpts, strict=True)]) for k in range(len(DRIVES_DB))
    ]
    print(f"{len(excerpts)} excerpts, drives {DRIVES_DB} dB, in the median {np.round(gained, 1)} LU louder")
    heads = [f"{half} {drive:+.0f} dB" for half in ("all", "tuned", "held out") for drive in DRIVES_DB]
    print(
        f"{'noise to mask, median':<24}"
        + "".join(f"{head:>16}" for head in heads)
        + "  worst true peak   loudness missed"
    )
    for name, limit in limiters.items():
        print(line(name, results(limit, excerpts, targets)), flush=True)


def line(name: str, found: list[list[Result]]) -> str:
    """A line of the table: `found` holds a list for each excerpt, of a result for each drive."""
    noise = np.array([[one.noise_db for one in row] for row in found])
    medians = np.concatenate([np.median(part, axis=0) for part in (noise, noise[::2], noise[1::2]) if len(part)])
    over = max(one.over_db for row in found for one in row)
    missed = max(one.missed_lu for row in found for one in row)
    return f"{name:<24}" + "".join(f"{value:16.2f}" for value in medians) + f"{over:+13.3f} dB {missed:14.2f} LU"


def results(limit: Limit, excerpts: list[tuple[Audio, int]], targets: list[list[float]]) -> list[list[Result]]:
    """Of one limiter: for each excerpt, at each loudness."""
    jobs = [(audio, rate_hz, one) for (audio, rate_hz), wanted in zip(excerpts, targets, strict=True) for one in wanted]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda job: compare(limit, *job), jobs))
    return [found[at : at + len(DRIVES_DB)] for at in range(0, len(found), len(DRIVES_DB))]


def compare(limit: Limit, audio: Audio, rate_hz: int, target_lufs: float) -> Result:
    """A limiter at the gain that brings it to a loudness."""
    out = at_loudness(
        lambda gain_db: limit(audio, rate_hz, gain_db), rate_hz, target_lufs, target_lufs - lufs(audio, rate_hz)
    )
    missed = abs(lufs(out, rate_hz) - target_lufs)
    return Result(noise_to_mask_db(audio, out, rate_hz), true_peak_db(out) - CEILING_DBTP, missed)


def at_loudness(limited: Callable[[float], Audio], rate_hz: int, target_lufs: float, gain_db: float) -> Audio:
    """By secants; the slope is kept in bounds, because a limiter near its end hardly becomes louder."""
    before: tuple[float, float] | None = None
    for _ in range(TRIES):
        out = limited(gain_db)
        loudness = lufs(out, rate_hz)
        if abs(loudness - target_lufs) < LOUDNESS_TOLERANCE_LU:
            break
        moved = before is not None and abs(gain_db - before[0]) > 1e-6
        slope = (loudness - before[1]) / (gain_db - before[0]) if before is not None and moved else 0.9
        before = gain_db, loudness
        gain_db = min(MOST_GAIN_DB, gain_db + (target_lufs - loudness) / min(1.2, max(0.15, slope)))
    return out


def lathe(settings: LimiterSettings) -> Limit:
    """Lathe's own limiter, run as the peers are."""
    return lambda audio, rate_hz, gain_db: process(audio, rate_hz, GainSettings(gain_db=gain_db), settings)


def excerpt(path: Path) -> tuple[Audio, int]:
    """The seconds of a file with the most energy, faded, their true peak at the ceiling."""
    audio, rate_hz = soundfile.read(path, always_2d=True)
    frames = SECONDS * rate_hz
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio).sum(axis=1))])
    starts = np.arange(0, max(1, len(audio) - frames), rate_hz)
    start = int(starts[np.argmax(energy[np.minimum(starts + frames, len(audio))] - energy[starts])])
    audio = audio[start : start + frames]
    ramp = np.minimum(1.0, np.arange(len(audio)) / (FADE_S * rate_hz))
    audio = audio * np.minimum(ramp, ramp[::-1])[:, None]
    return audio * to_gain(CEILING_DBTP - true_peak_db(audio)), rate_hz


def lufs(audio: Audio, rate_hz: int) -> float:
    """Integrated loudness by libebur128."""
    state = pyebur128.R128State(audio.shape[1], rate_hz, pyebur128.MeasurementMode.MODE_I)
    state.add_frames(np.ascontiguousarray(audio).ravel(), len(audio))
    return float(pyebur128.get_loudness_global(state))


def true_peak_db(audio: Audio) -> float:
    """The largest value at 32 times the rate, or at the samples."""
    fine = soxr.resample(audio, 1.0, 32.0, quality="VHQ")
    return float(20.0 * np.log10(max(np.abs(fine).max(), np.abs(audio).max())))


if __name__ == "__main__":
    main()
