"""How near clipped music comes to what it was: `python -m benchmarks.declipper FILE...` drives files 3, 6 and 9 dB into clipping.

Prints how much the ratio of the clipped samples to their error rises over all files, and what it takes. They must be unclipped.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import soundfile

from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.settings import DeclipperSettings

DRIVES_DB = (3.0, 6.0, 9.0)
START_S, LENGTH_S = 60.0, 10.0
SETTINGS = DeclipperSettings(clip_dbfs=(0.0,))


def main(paths: list[str]) -> None:
    """One line for each drive."""
    excerpts = [_excerpt(path) for path in paths]
    process(np.clip(2.0 * excerpts[0][0], -1.0, 1.0), 44_100, SETTINGS)  # compiles
    for drive_db in DRIVES_DB:
        rows = np.array([_restored(audio, rate_hz, drive_db) for audio, rate_hz in excerpts])
        before, gain, spent_s, clipped, values = rows.T
        print(
            f"{drive_db:.0f} dB: {np.median(before):.1f} dB before, rises by {np.median(gain):.1f} dB in the median, "
            f"{gain.min():.1f} to {gain.max():.1f}; {spent_s.sum() / values.sum() * 1e9:.0f} ns a sample, "
            f"{spent_s.sum() / clipped.sum() * 1e9:.0f} ns a clipped one ({clipped.sum() / values.sum():.1%})"
        )


def _excerpt(path: str) -> tuple[Audio, int]:
    info = soundfile.info(path)
    start = min(round(START_S * info.samplerate), info.frames // 2)
    audio, rate_hz = soundfile.read(path, round(LENGTH_S * info.samplerate), start, always_2d=True)
    return audio, rate_hz


def _restored(audio: Audio, rate_hz: int, drive_db: float) -> tuple[float, float, float, float, float]:
    """Ratio before, rise of it, seconds spent, clipped samples, samples."""
    truth = audio / np.abs(audio).max() * to_gain(drive_db)
    broken, clipped = np.clip(truth, -1.0, 1.0), np.abs(truth) >= 1.0
    started = time.process_time()
    restored = process(broken, rate_hz, SETTINGS)
    spent_s = time.process_time() - started
    before, after = (_ratio_db(truth[clipped], found[clipped]) for found in (broken, restored))
    return before, after - before, spent_s, float(clipped.sum()), float(truth.size)


def _ratio_db(truth: Audio, found: Audio) -> float:
    return float(10.0 * np.log10(np.square(truth).sum() / np.square(truth - found).sum()))


if __name__ == "__main__":
    main(sys.argv[1:])
