"""Lets a detector that reads segments hear a whole track, and the sound that none of them may object to."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from dsp.audio import Audio
from dsp.detectors.segments import Segments
from dsp.windows import Windows
from tests.makers import RATE_HZ, music, noise, sine

T_co = TypeVar("T_co", covariant=True)


class Detector(Protocol[T_co]):
    def push(self, segments: Segments) -> None: ...

    def finish(self) -> T_co: ...


def heard(detector: Detector[T_co], audio: Audio, rate_hz: int = RATE_HZ) -> T_co:
    """What a fresh detector says of a track."""
    windows, segments = Windows(audio.shape[1]), Segments(rate_hz, audio.shape[1])
    for lines in [*(lines.copy() for lines in windows.push(audio)), *windows.finish()]:
        segments.push(lines)
        detector.push(segments)
    return detector.finish()


def drums(*, seconds: float = 4.0, rate_hz: int = RATE_HZ, seed: int = 2) -> Audio:
    """Hits of noise that begin at once and ring down, on and off the beat, over soft music, on two channels."""
    rng = np.random.default_rng(seed)
    out = music(level_dbfs=-26.0, seconds=seconds, rate_hz=rate_hz, seed=seed)
    for start in np.arange(0.1, seconds - 0.2, 0.125) + rng.uniform(-0.01, 0.01):
        at, frames = round(start * rate_hz), round(0.15 * rate_hz)
        ring = np.exp(-np.arange(frames) / rate_hz / rng.choice([0.004, 0.02, 0.06]))
        hit = rng.standard_normal(frames) * ring * rng.uniform(0.05, 0.4)
        out[at : at + frames] += hit[:, None] * rng.uniform(0.3, 1.0, 2)
    return out


def chiptune(*, seconds: float = 4.0, rate_hz: int = RATE_HZ, seed: int = 3) -> Audio:
    """Naive square waves, a note every eighth of a second, most with a rest of digital silence after them."""
    rng = np.random.default_rng(seed)
    out = np.zeros((round(seconds * rate_hz), 2))
    for start in np.arange(0.0, seconds, 0.125):
        time_s = np.arange(round(rng.choice([0.06, 0.1, 0.125]) * rate_hz)) / rate_hz
        note = 0.3 * np.sign(np.sin(2 * np.pi * 110.0 * 2 ** (rng.integers(0, 30) / 12) * time_s + 1e-9))
        at = round(start * rate_hz)
        out[at : at + len(note)] = note[: len(out) - at, None]
    return out


CLEAN = {
    "music": music(),
    "one note": sine(997.0, seconds=2.0),
    "noise": noise(seconds=2.0),
    "drums": drums(),
    "chiptune": chiptune(),
    "clipped music": np.clip(music(level_dbfs=-6.0), -0.5, 0.5),
    "fading music": music() * np.linspace(1.0, 0.0, 4 * RATE_HZ)[:, None] ** 4,
}
BARE = {
    "nothing": np.zeros((0, 2)),
    "one sample": np.full((1, 1), 0.5),
    "two samples": np.full((2, 6), -0.5),
    "silence": np.zeros((50_000, 2)),
    "an offset": np.full((50_000, 1), 0.25),
    "an impulse": np.eye(50_000, 1, -20_000),
    "an impulse at the start": np.eye(50_000, 1),
    "the softest there is": np.full((20_000, 2), 1e-30) * (-1.0) ** np.arange(20_000)[:, None],
    "the loudest there is": np.full((20_000, 1), 1e18) * (-1.0) ** (np.arange(20_000)[:, None] // 50),
}
RATES_HZ = [8_000, 22_050, 44_100, 96_000, 192_000, 384_000]
