"""A small song in stems on disk: six recordings that play together, each by another instrument."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dsp.audio import Audio
from tests.makers import write, write_manifest

RATE_HZ = 48_000
STEMS = ("Kick", "Snare", "Bass DI", "Keys", "Lead Vox", "BGV")
"""Names that tell what they are."""


def stem(name: str, seconds: float = 6.0) -> Audio:
    """One of the stems, mono; keys in two channels."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(sum(map(ord, name)))
    beat = t % 0.5
    if name == "Kick":
        sound = np.sin(2 * np.pi * 55.0 * beat) * np.exp(-beat * 14.0)
    elif name == "Snare":
        back = (t + 0.25) % 0.5
        sound = rng.standard_normal(len(t)) * np.exp(-back * 25.0) * 0.4
    elif name == "Bass DI":
        sound = np.sin(2 * np.pi * 82.4 * t) * (0.6 + 0.4 * np.exp(-beat * 5.0))
    elif name == "Keys":
        chord = sum(np.sin(2 * np.pi * hz * t + hz) for hz in (262.0, 330.0, 392.0))
        wide = sum(np.sin(2 * np.pi * hz * t - hz) for hz in (262.0, 330.0, 392.0))
        return 0.08 * np.stack([chord, wide], axis=1)
    else:
        base = 440.0 if name == "Lead Vox" else 554.0
        phrase = (np.sin(2 * np.pi * t / 3.0) > -0.2).astype(float)
        vibrato = 1.0 + 0.004 * np.sin(2 * np.pi * 5.5 * t)
        sound = sum(np.sin(2 * np.pi * base * k * np.cumsum(vibrato) / RATE_HZ) / k for k in (1, 2, 3)) * phrase
    return 0.3 * np.asarray(sound)[:, None] / max(1.0, float(np.abs(sound).max()))


def song(folder: Path, mix_id: str = "song", names: tuple[str, ...] = STEMS, **more: object) -> list[dict[str, object]]:
    """Writes the stems of a song below a folder; returns the rows of a manifest that name them."""
    for name in names:
        path = folder / mix_id / f"{name}.wav"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, stem(name), RATE_HZ)
    return [{"uri": f"{mix_id}/{name}.wav", "mix_id": mix_id, **more} for name in names]


def session(folder: Path, **more: object) -> Path:
    """A manifest of one song."""
    return write_manifest(folder / "manifest.csv", song(folder, **more))
