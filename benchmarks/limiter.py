#!/usr/bin/env python3
"""Prints how far the limiter's output exceeds its ceiling, at samples and between them (soxr at 32 times the rate).

Before that, what it does to steady tones: THD+N 6 dB over, and the sidebands of 7 kHz beside 60 Hz (4:1) at 3 dB of reduction.

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
from dsp.gain_computer import CHARACTERS
from dsp.settings import LimiterSettings

RATE_HZ = 48_000
CEILING_DBTP = -1.0
DRIVES_DB = (3.0, 6.0, 9.0, 20.0)
TECH_3341 = ((4, 0.0, 0.5), (4, 45.0, 0.5), (6, 60.0, 0.5), (8, 67.5, 0.5), (4, 45.0, 1.41))
"""Cases 15 to 19: a fraction of the rate, a phase, a height."""
TONES_HZ = (50.0, 100.0, 1000.0)
LOW_HZ, HIGH_HZ = 60.0, 7_000.0  # SMPTE RP 120: 4 to 1


def main() -> None:
    """One line for each character, then for each signal and drive."""
    for character in CHARACTERS:
        settings = LimiterSettings(ceiling_dbtp=CEILING_DBTP, character=character)
        rest = ", ".join(f"{hz:g} Hz {distortion_db(hz, settings):.0f} dB" for hz in TONES_HZ)
        print(f"{character}: THD+N {rest}; intermodulation {intermodulation_db(settings):.0f} dB")
    print(f"{'signal':<44} {'drive':>6} {'samples over':>13} {'32x over':>9}")
    for name, audio, rate_hz in signals(sys.argv[1:]):
        audio = faded(audio, rate_hz)
        for drive_db in DRIVES_DB:
            samples_db, between_db = overs_db(audio, rate_hz, drive_db)
            print(f"{name[-44:]:<44} {drive_db:+6.0f} {samples_db:+10.3f} dB {between_db:+6.3f} dB", flush=True)


def signals(paths: list[str]) -> Iterator[tuple[str, NDArray[Any], int]]:
    """Test signals with peaks near full scale, then music."""
    frames = np.arange(4 * RATE_HZ)
    noise = np.random.default_rng(1).standard_normal((len(frames), 2)) * 0.25
    yield "noise to 20 kHz", np.asarray(soxr.resample(soxr.resample(noise, RATE_HZ, 40_000), 40_000, RATE_HZ)), RATE_HZ
    yield "noise, full band", noise, RATE_HZ
    yield "noise, full band, two values", np.sign(noise), RATE_HZ
    for hz in (2.0, 230.0, 6_007.0):
        yield (
            f"square, {hz:g} Hz",
            np.sign(np.sin(2.0 * np.pi * hz / RATE_HZ * frames + 0.1))[:, None] * np.ones(2),
            RATE_HZ,
        )
    for number, (divisor, phase_deg, amplitude) in enumerate(TECH_3341, start=15):
        angle = 2.0 * np.pi / divisor * frames + np.radians(phase_deg)
        yield f"EBU Tech 3341, case {number}", amplitude * np.sin(angle)[:, None] * np.ones(2), RATE_HZ
    for offset in range(4):
        yield f"EBU Tech 3341, case {20 + offset}", burst(offset)[:, None] * np.ones(2), RATE_HZ
    yield "clicks", (np.random.default_rng(2).random((len(frames), 2)) > 0.999) * 1.0, RATE_HZ
    for path in paths:
        rate_hz = soundfile.info(path).samplerate
        yield path, soundfile.read(path, frames=30 * rate_hz, start=30 * rate_hz, always_2d=True)[0], rate_hz


def overs_db(audio: Audio, rate_hz: int, drive_db: float) -> tuple[float, float]:
    """What comes out over the ceiling: of samples, and at 32 times the rate."""
    limited = process(audio * to_gain(drive_db), rate_hz, LimiterSettings(ceiling_dbtp=CEILING_DBTP))
    highest = np.array([np.abs(limited).max(), true_peak(limited, rate_hz)])
    samples_db, between_db = 20.0 * np.log10(highest) - CEILING_DBTP
    return float(samples_db), float(between_db)


def burst(offset: int) -> NDArray[Any]:
    """Cases 20 to 23: a tone at a sixth of the rate with one period at a quarter, made at 4 times the rate."""
    time = np.arange(4 * RATE_HZ)
    start = 2 * RATE_HZ
    line = 0.5 * np.sin(2.0 * np.pi * np.where(time < start, time, time - 16) / 24)
    line[start : start + 16] = np.sin(2.0 * np.pi * np.arange(16) / 16)
    return np.asarray(soxr.resample(line[offset:], 4.0, 1.0, quality="VHQ"))


def distortion_db(hz: float, settings: LimiterSettings) -> float:
    """THD+N of a tone 6 dB over the ceiling, from 1 s after its start."""
    angle = 2.0 * np.pi * hz * np.arange(3 * RATE_HZ) / RATE_HZ
    out = process(to_gain(CEILING_DBTP + 6.0) * np.sin(angle)[:, None], RATE_HZ, settings)[RATE_HZ : 2 * RATE_HZ, 0]
    waves = np.stack([np.cos(angle[: len(out)]), np.sin(angle[: len(out)])], axis=1)
    tone = waves @ np.linalg.lstsq(waves, out, rcond=None)[0]
    return float(10.0 * np.log10(max(np.square(out - tone).sum() / np.square(tone).sum(), 1e-30)))


def intermodulation_db(settings: LimiterSettings) -> float:
    """The sidebands of the high tone over it, from 1 s after the start."""
    low, high = (np.sin(2.0 * np.pi * hz * np.arange(2 * RATE_HZ) / RATE_HZ) for hz in (LOW_HZ, HIGH_HZ))
    out = process(to_gain(CEILING_DBTP + 3.0) * (0.8 * low + 0.2 * high)[:, None], RATE_HZ, settings)[RATE_HZ:, 0]
    power = np.abs(np.fft.rfft(out * np.blackman(len(out)))) ** 2  # 1 s: a bin is 1 Hz
    bands = [power[round(HIGH_HZ + k * LOW_HZ) - 3 :][:7].sum() for k in range(-4, 5)]
    return float(10.0 * np.log10((sum(bands) - bands[4]) / bands[4]))


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
