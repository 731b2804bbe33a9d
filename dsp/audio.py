"""The one audio type and the conversions between decibels and ratios.

Audio is a float64 array of shape (frames, channels), full scale = 1.0, always two-dimensional.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Audio: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.float64]

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 384_000


def to_gain(level_db: float) -> float:
    """The amplitude ratio of a level.

    >>> round(to_gain(-6.0), 4)
    0.5012
    """
    return float(10.0 ** (level_db / 20.0))


def to_db(ratio: float) -> float | None:
    """The level of an amplitude ratio in dB; None for silence, which has no level.

    >>> to_db(1.0), to_db(0.0)
    (0.0, None)
    """
    return 20.0 * math.log10(ratio) if ratio > 0.0 else None


def power_to_db(ratio: float) -> float | None:
    """The level of a power ratio in dB; None for silence.

    >>> power_to_db(0.1)
    -10.0
    """
    return 10.0 * math.log10(ratio) if ratio > 0.0 else None


def valid_audio(audio: object) -> Audio:
    """Checks audio at the door: raises ValueError unless it is a finite float array of shape (frames, channels)."""
    if not isinstance(audio, np.ndarray) or audio.ndim != 2:
        found = f"shape {audio.shape}" if isinstance(audio, np.ndarray) else type(audio).__name__
        raise ValueError(f"audio must be an array of shape (frames, channels), got {found}")
    if audio.dtype.kind != "f":
        raise ValueError(f"audio must hold floats with full scale 1.0, got {audio.dtype}")
    if not np.isfinite(audio).all():
        raise ValueError("audio must be finite, got NaN or infinity")
    return np.ascontiguousarray(audio, dtype=np.float64)


def silence(frames: int, channels: int) -> Audio:
    """`frames` frames of digital silence."""
    return np.zeros((frames, channels))


def joined(blocks: Iterable[Audio]) -> Audio:
    """Blocks one after the other as one array; a single block is handed on as it is."""
    kept = list(blocks)
    return kept[0] if len(kept) == 1 else np.concatenate(kept)
