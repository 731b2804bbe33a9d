"""Something like speech: voiced and unvoiced syllables with formants, and pauses between sentences; the same every time."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from dsp.audio import Floats, to_gain

FORMANTS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""First three of five vowels (Peterson and Barney, JASA 24, 1952)."""
BANDWIDTHS_HZ = (80, 110, 160)


def talk(seconds: float, *, level_dbfs: float = -20.0, rate_hz: int = 48_000, seed: int = 1) -> Floats:
    """A voice (frames,) of an rms level while it speaks; pauses hold digital silence."""
    rng = np.random.default_rng(seed)
    pitch_hz = rng.uniform(95.0, 220.0)
    parts: list[Floats] = []
    while sum(map(len, parts)) < seconds * rate_hz:
        for _ in range(rng.integers(3, 9)):
            parts.append(_syllable(pitch_hz * rng.uniform(0.85, 1.15), rate_hz, rng))
        parts.append(np.zeros(round(rng.uniform(0.25, 0.8) * rate_hz)))
    voice = np.concatenate(parts)[: round(seconds * rate_hz)]
    return np.asarray(voice * to_gain(level_dbfs) / np.sqrt(np.square(voice[voice != 0.0]).mean()))


def _syllable(pitch_hz: float, rate_hz: int, rng: np.random.Generator) -> Floats:
    consonant = rng.standard_normal(round(rng.uniform(0.03, 0.08) * rate_hz)) * 0.1
    consonant = np.diff(consonant, prepend=0.0) * np.hanning(len(consonant))
    frames = round(rng.uniform(0.1, 0.25) * rate_hz)
    phase = np.cumsum(pitch_hz * (1.0 + 0.1 * np.linspace(0.5, -0.5, frames))) / rate_hz
    vowel = np.diff(np.floor(phase), prepend=0.0)
    for centre_hz, width_hz in zip(FORMANTS_HZ[rng.integers(len(FORMANTS_HZ))], BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width_hz / rate_hz)
        vowel = lfilter(
            [1.0 - radius], [1.0, -2.0 * radius * np.cos(2 * np.pi * centre_hz / rate_hz), radius**2], vowel
        )
    vowel *= np.hanning(frames) ** 0.5 / np.abs(vowel).max()
    return np.concatenate([consonant, vowel * rng.uniform(0.5, 1.0)])
