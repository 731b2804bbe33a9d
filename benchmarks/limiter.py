#!/usr/bin/env python3
"""Prints how far the limiter's output exceeds its ceiling, at samples and between them (soxr at 32 times the rate).

usage: limiter.py [AUDIO ...]    (files to limit besides the test signals; 30 s of each)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from dsp.audio import Audio, to_gain
from dsp.chain import process
from dsp.settings import LimiterSettings

RATE_HZ = 48_000
CEILING_DBTP = -1.0
DRIVES_DB = (3.0, 6.0, 9.0, 20.0)


def main() -> None:
    """One line for each signal and drive."""
    print(f"{'signal':<44} {'drive':>6} {'samples over':>13} {'32x over':>9}")
    for name, audio, rate_hz in signals(sys.argv[1:]):
        audio = faded(audio, rate_hz)
        for drive_db in DRIVES_DB:
            limited = process(audio * to_gain(drive_db), rate_hz, LimiterSettings(ceiling_dbtp=CEILING_DBTP))
            peak_dbfs = 20.0 * np.log10(np.abs(limited).max())
            over_dbtp = 20.0 * np.log10(true_peak(limited, rate_hz))
            over = f"{peak_dbfs - CEILING_DBTP:+10.3f} dB {over_dbtp - CEILING_DBTP:+6.3f} dB"
            print(f"{name[-44:]:<44} {drive_db:+6.0f} {over}", flush=True)


def signals(paths: list[str]) -> Iterator[tuple[str, NDArray[Any], int]]:
    """Test signals with peaks near full scale, then music."""
    frames = np.arange(4 * RATE_HZ)
    noise = np.random.default_rng(1).standard_normal((len(frames), 2)) * 0.25
    yield "noise to 20 kHz", np.asarray(soxr.resample(soxr.resample(noise, RATE_HZ, 40_000), 40_000, RATE_HZ)), RATE_HZ
    yield "noise, full band", noise, RATE_HZ
    yield "square, 230 Hz", np.sign(np.sin(frames * 0.03))[:, None] * np.ones(2), RATE_HZ
    yield "fs/4 at 45 degrees", np.sin(np.pi / 2 * frames + np.pi / 4)[:, None] * np.ones(2), RATE_HZ
    yield "clicks", (np.random.default_rng(2).random((len(frames), 2)) > 0.999) * 1.0, RATE_HZ
    for path in paths:
        rate_hz = soundfile.info(path).samplerate
        yield path, soundfile.read(path, frames=30 * rate_hz, start=30 * rate_hz, always_2d=True)[0], rate_hz


def faded(audio: NDArray[Any], rate_hz: int) -> Audio:
    """10 ms in and out, as EBU Tech 3341 has its tones: a hard cut rings beyond what any gain can reach."""
    ramp = np.minimum(1.0, np.arange(len(audio)) / (0.01 * rate_hz))
    return np.asarray(audio * np.minimum(ramp, ramp[::-1])[:, None])


def true_peak(audio: Audio, rate_hz: int) -> float:
    """The largest value at 32 times the rate, or at the samples."""
    fine: NDArray[np.float64] = soxr.resample(audio, rate_hz, 32 * rate_hz, quality="VHQ")
    return float(max(np.abs(fine).max(), np.abs(audio).max()))


if __name__ == "__main__":
    main()
