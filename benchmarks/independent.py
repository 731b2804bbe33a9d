"""Meters that share no code with Lathe: libebur128 for loudness, soxr at 32 times the rate for true peak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyebur128
import soundfile
import soxr

OVERSAMPLING = 32
BLOCK_FRAMES = 1 << 17


def pooled_lufs(paths: Sequence[Path]) -> float:
    """Loudness of several files together, over the gating blocks of all of them."""
    return float(pyebur128.get_loudness_global_multiple([_state(path) for path in paths]))


def true_peak_dbtp(path: Path) -> float:
    """The largest value of a file at 32 times its rate, and at its samples."""
    rate_hz = soundfile.info(path).samplerate
    channels = soundfile.info(path).channels
    stream = soxr.ResampleStream(rate_hz, rate_hz * OVERSAMPLING, channels, dtype="float64", quality="VHQ")
    peak = 0.0
    for block in _blocks(path):
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        peak = max(peak, float(np.abs(stream.resample_chunk(block)).max(initial=0.0)))
    tail = stream.resample_chunk(np.zeros((0, channels)), last=True)
    return float(20.0 * np.log10(max(peak, float(np.abs(tail).max(initial=0.0)), 1e-12)))


def sample_peak_dbfs(path: Path) -> float:
    """The largest sample of a file."""
    return float(20.0 * np.log10(max(max(float(np.abs(b).max(initial=0.0)) for b in _blocks(path)), 1e-12)))


def lag_frames(one: Path, other: Path, seconds: float = 20.0) -> int:
    """By how many frames the sound of one file lies behind the other's, by cross-correlation of their middles."""
    info = soundfile.info(one)
    start = max(0, info.frames // 2 - int(seconds * info.samplerate / 2))
    count = int(seconds * info.samplerate)
    a, b = (soundfile.read(path, frames=count, start=start, always_2d=True)[0][:, 0] for path in (one, other))
    spectrum = np.fft.rfft(a, 2 * len(a)) * np.conj(np.fft.rfft(b, 2 * len(b)))
    # Whitened (GCC-PHAT): music correlates with itself at many lags, its phase at one.
    lag = int(np.argmax(np.fft.irfft(spectrum / np.maximum(np.abs(spectrum), 1e-12))))
    return lag if lag <= len(a) else lag - 2 * len(a)


def _state(path: Path) -> Any:
    info = soundfile.info(path)
    state = pyebur128.R128State(info.channels, info.samplerate, pyebur128.MeasurementMode.MODE_I)
    for block in _blocks(path):
        state.add_frames(np.ascontiguousarray(block).ravel(), len(block))
    return state


def _blocks(path: Path) -> Iterator[np.ndarray]:
    yield from soundfile.blocks(path, blocksize=BLOCK_FRAMES, always_2d=True)
