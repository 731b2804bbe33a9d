"""What restoration is tried on: a seeded fault of tone, level and width, made without any code of Lathe's.

Four bells (Bristow-Johnson's cookbook, W3C Note 2021), one gain, and one gain of the side signal. The same name and number give
the same damage on any machine, and the damaged sound never reaches full scale.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import sosfilt, sosfreqz

BELLS, MOST_DB = 4, 6.0
LOWEST_HZ, HIGHEST_HZ = 60.0, 12_000.0
LEAST_QUALITY_RATIO, MOST_QUALITY_RATIO = 0.7, 2.0
MOST_SIDE_DB = 3.0
PEAK_DBFS = -1.0
"""A damaged track that would peak above this is turned down to it: nothing clips, between samples either."""


class Bell(NamedTuple):
    """One band of the equaliser that does the damage."""

    freq_hz: float
    gain_db: float
    quality_ratio: float


class Damage(NamedTuple):
    """All that is done to a track."""

    bells: tuple[Bell, ...]
    gain_db: float
    side_gain_db: float


def drawn(name: str, seed: int) -> Damage:
    """The damage of a track: only its name and the number of the try decide it."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    return Damage(
        bells=tuple(_bell(rng) for _ in range(BELLS)),
        gain_db=rng.uniform(-MOST_DB, MOST_DB),
        side_gain_db=rng.uniform(-MOST_SIDE_DB, MOST_SIDE_DB),
    )


def damaged(audio: NDArray[np.float64], rate_hz: int, damage: Damage) -> NDArray[np.float64]:
    """Audio (frames, channels) with the damage done, and turned down where it would peak too high."""
    sections = [_section(bell, rate_hz) for bell in damage.bells]
    out = np.asarray(sosfilt(sections, audio, axis=0)) if sections else audio
    out = _wider(out * 10.0 ** (damage.gain_db / 20.0), damage.side_gain_db)
    peak = float(np.abs(out).max(initial=0.0))
    return out * min(1.0, 10.0 ** (PEAK_DBFS / 20.0) / peak) if peak > 0.0 else out


def write_damaged(source: Path, target: Path, damage: Damage) -> None:
    """Damages a file into another, at 24 bits and the source's rate; the target's ending names the container."""
    audio, rate_hz = soundfile.read(source, always_2d=True)
    soundfile.write(target, damaged(audio, rate_hz, damage), rate_hz, subtype="PCM_24")


def curve_db(damage: Damage, freqs_hz: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """What the bells do to the level at these frequencies."""
    response = sosfreqz([_section(bell, rate_hz) for bell in damage.bells], freqs_hz, fs=rate_hz)[1]
    return np.asarray(20.0 * np.log10(np.abs(response)))


def _bell(rng: np.random.Generator) -> Bell:
    return Bell(
        freq_hz=float(np.exp(rng.uniform(np.log(LOWEST_HZ), np.log(HIGHEST_HZ)))),
        gain_db=rng.uniform(-MOST_DB, MOST_DB),
        quality_ratio=rng.uniform(LEAST_QUALITY_RATIO, MOST_QUALITY_RATIO),
    )


def _section(bell: Bell, rate_hz: int) -> list[float]:
    """The cookbook's `peakingEQ`: A = 10^(gain/40), alpha = sin w0 / 2Q."""
    w0 = 2.0 * np.pi * bell.freq_hz / rate_hz
    a, alpha = 10.0 ** (bell.gain_db / 40.0), np.sin(w0) / (2.0 * bell.quality_ratio)
    zeros = np.array([1.0 + alpha * a, -2.0 * np.cos(w0), 1.0 - alpha * a])
    poles = np.array([1.0 + alpha / a, -2.0 * np.cos(w0), 1.0 - alpha / a])
    return [*(zeros / poles[0]).tolist(), *(poles / poles[0]).tolist()]


def _wider(audio: NDArray[np.float64], side_gain_db: float) -> NDArray[np.float64]:
    if audio.shape[1] != 2:
        return audio
    middle, side = (audio[:, 0] + audio[:, 1]) / 2.0, (audio[:, 0] - audio[:, 1]) / 2.0
    side = side * 10.0 ** (side_gain_db / 20.0)
    return np.stack([middle + side, middle - side], axis=1)
