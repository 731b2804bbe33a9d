"""Makers of test signals and test catalogues: one line each in a test, the same sound every time."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from dsp.audio import Audio, to_gain

RATE_HZ = 44_100


def sine(
    hz: float, *, level_dbfs: float = -20.0, seconds: float = 1.0, rate_hz: int = RATE_HZ, channels: int = 2
) -> Audio:
    """A sine of a peak level, the same in all channels."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.repeat(to_gain(level_dbfs) * np.sin(2 * np.pi * hz * time_s)[:, None], channels, axis=1)


def noise(
    *, level_dbfs: float = -20.0, seconds: float = 1.0, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 1
) -> Audio:
    """White noise of an rms level, independent channels."""
    draw = np.random.default_rng(seed).standard_normal((round(seconds * rate_hz), channels))
    return draw * to_gain(level_dbfs)


def music(
    *, level_dbfs: float = -20.0, seconds: float = 4.0, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 1
) -> Audio:
    """Something like music: decaying notes with overtones over soft pink-like noise; peaks well above its mean."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    out = np.zeros((frames, channels))
    for start in range(0, frames, rate_hz // 4):
        time_s = np.arange(frames - start) / rate_hz
        hz = 110.0 * 2 ** (rng.integers(0, 36) / 12)
        note = sum(np.sin(2 * np.pi * hz * k * time_s) / k**1.5 for k in (1, 2, 3, 5) if hz * k < rate_hz / 2.2)
        out[start:] += (note * np.exp(-6.0 * time_s))[:, None] * rng.uniform(0.3, 1.0, channels)
    out += 0.01 * rng.standard_normal((frames, channels))
    return np.asarray(out * to_gain(level_dbfs) / np.sqrt(np.square(out).mean()))


def write(path: Path, audio: Audio, rate_hz: int = RATE_HZ, subtype: str = "PCM_24") -> Path:
    """Writes audio as a file (the ending names the container), rounding as an honest exporter would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if subtype in ("FLOAT", "DOUBLE"):
        soundfile.write(path, audio, rate_hz, subtype=subtype)
        return path
    bits = int(subtype.removeprefix("PCM_"))
    steps = np.clip(np.rint(audio * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    soundfile.write(path, (steps.astype(np.int64) << (32 - bits)).astype(np.int32), rate_hz, subtype=subtype)
    return path


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Writes a CSV manifest with the columns of all rows."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
