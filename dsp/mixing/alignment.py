"""How two recordings of one sound lie against each other: delay with parts of a frame, polarity, and how well one fits the other.

Generalised cross-correlation with phase transform (Knapp and Carter, IEEE TASSP 24(4), 1976), frame by frame over excerpts; the
delay that most frames agree on is then read finely, by all frequencies in proportion to how well they agree. Two sounds that have
nothing in common give delays too: `peak_ratio`, `stable_ratio` and `correlation` tell those apart, and whoever decides must look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.windows import Lines

Spectrum = NDArray[np.complex128]
FRAMES_A_DELAY = 4
"""A frame is at least so many times as long as the largest delay: Clifford and Reiss ask for 2, a tapered one loses its ends."""
MIN_FRAME_S = 0.17
LOW_HZ, HIGH_HZ = 50.0, 16_000.0
"""Frequencies that are listened to."""
FLOOR_RATIO = 1e-7
"""70 dB below the strongest frequency there is nothing to hear a delay from."""
SAME_S = 1e-4
"""Frames whose delays lie so close together agree: 3.4 cm."""
COARSE_STEPS, FINE_STEPS = 4, 32
"""Of a frame: where the top of the agreement is looked for, and read."""
FARTHEST = 6
"""Quarters of a frame to either side."""
MOST_CERTAIN = 0.01
"""Least 1 - coherence: a room and rounding keep any frequency from telling all."""
SILENT_POWER = 1e-12


class Alignment(NamedTuple):
    """What two recordings have in common; see `schemas.mix.PairFigures`."""

    delay_frames: float
    """The second comes later by so much."""
    peak_ratio: float
    """The peak of their correlation over its median magnitude, mean over all frames."""
    stable_ratio: float
    """Share of the frames whose own peak lies there."""
    correlation: float
    """At that delay, signed: -1 to 1; its square is what one explains of the other's energy."""
    gain_db: float | None
    """What the first must be raised by to fit the second best."""
    residual_db: float | None
    """What is left of the second then, against it."""


def frame_frames(rate_hz: int, max_delay_s: float) -> int:
    """How long an excerpt is to be for delays up to `max_delay_s`: a power of two."""
    least_s = max(MIN_FRAME_S, FRAMES_A_DELAY * max_delay_s)
    return 1 << math.ceil(math.log2(least_s * rate_hz))


def aligned(excerpts: Sequence[tuple[Lines, Lines]], rate_hz: int, max_delay_s: float) -> Alignment | None:
    """The alignment of two recordings by excerpts of both, (channels, frames) each from the same moment of both; None if silent.

    A channel alone is held against both channels of a stereo recording.

    >>> draw = np.random.default_rng(1).standard_normal((1, 16_396)).astype(np.float32)
    >>> found = aligned([(draw[:, 12:], -0.5 * draw[:, :-12])], 48_000, 0.02)
    >>> round(found.delay_frames, 3), round(found.correlation, 2), round(found.gain_db, 1)
    (12.0, -1.0, -6.0)
    """
    sounding = [(one, other) for one, other in excerpts if min(_power(one), _power(other)) > SILENT_POWER]
    if not sounding:
        return None
    lags = int(max_delay_s * rate_hz)
    curves = np.array([_curve(one, other, rate_hz, lags) for one, other in sounding])
    magnitudes = np.abs(curves)
    peaks = magnitudes.argmax(axis=1) - lags
    lag = _agreed(peaks, magnitudes, max(1, round(SAME_S * rate_hz)))
    near = np.abs(peaks - lag) <= max(1, round(SAME_S * rate_hz))
    mean = np.abs(curves.mean(axis=0))
    top = mean[max(0, lag + lags - 1) : lag + lags + 2].max()
    together, first, second, size = _summed(sounding, rate_hz, lag)
    part = _fine(together, first, second, size, rate_hz, len(sounding))
    return _alignment(
        lag + part,
        float(top / max(np.median(mean), 1e-30)),
        float(near.mean()),
        _fit(together, first, second, size, part),
    )


def _alignment(delay: float, peak_ratio: float, stable_ratio: float, fit: tuple[float, float, float]) -> Alignment:
    shared, first, second = fit
    correlation = shared / math.sqrt(first * second) if first > 0.0 and second > 0.0 else 0.0
    rest = max(1.0 - correlation * correlation, 1e-15)
    gain_db = 20.0 * math.log10(abs(shared) / first) if first > 0.0 and shared else None
    return Alignment(
        delay_frames=delay,
        peak_ratio=peak_ratio,
        stable_ratio=stable_ratio,
        correlation=max(-1.0, min(1.0, correlation)),
        gain_db=gain_db,
        residual_db=10.0 * math.log10(rest) if second > 0.0 else None,
    )


def _power(lines: Lines) -> float:
    return float(np.square(lines, dtype=np.float64).mean()) if lines.size else 0.0


def _spectra(one: Lines, other: Lines) -> tuple[Spectrum, Floats, Floats, int]:
    """Cross-spectrum and powers of two excerpts under a Hann window, summed over the channels."""
    frames = one.shape[1]
    size = 1 << math.ceil(math.log2(max(2, frames)))
    window = _taper(frames)
    first, second = np.fft.rfft(one * window, size), np.fft.rfft(other * window, size)
    cross = (second * first.conj()).sum(axis=0, dtype=np.complex128)
    channels = max(len(one), len(other))
    powers = [
        (np.square(s.real) + np.square(s.imag)).sum(axis=0, dtype=np.float64) * (channels / len(s))
        for s in (first, second)
    ]
    return cross, powers[0], powers[1], size


@lru_cache(maxsize=8)
def _taper(frames: int) -> NDArray[np.float32]:
    """In float32, as the sound: transforms take half the time, and err by -140 dB."""
    return np.hanning(frames + 2)[1:-1].astype(np.float32)


def _curve(one: Lines, other: Lines, rate_hz: int, lags: int) -> Floats:
    """Correlation of the phases alone, at lags from -`lags` to `lags`: 1 where all frequencies agree."""
    cross, first, second, size = _spectra(one, other)
    heard = _heard(first, second, size, rate_hz)
    phases = np.where(heard, cross / np.maximum(np.abs(cross), 1e-300), 0.0)
    curve = np.fft.irfft(phases, size) * (size / 2.0 / max(1, heard.sum()))
    return np.concatenate([curve[-lags:], curve[: lags + 1]]) if lags else curve[:1]


def _heard(first: Floats, second: Floats, size: int, rate_hz: int) -> NDArray[np.bool_]:
    """Frequencies that both recordings hold."""
    hz = np.arange(len(first)) * (rate_hz / size)
    inside = (hz > LOW_HZ) & (hz < min(HIGH_HZ, 0.45 * rate_hz))
    return np.asarray(inside & (first > FLOOR_RATIO * first.max()) & (second > FLOOR_RATIO * second.max()))


def _agreed(peaks: NDArray[np.int64], magnitudes: Floats, near: int) -> int:
    """The lag that most frames agree on; of equals the one whose peaks are highest, then the one nearest to none."""
    heights = magnitudes.max(axis=1)
    votes = [(np.abs(peaks - lag) <= near) for lag in peaks]
    best = max(range(len(peaks)), key=lambda n: (votes[n].sum(), heights[votes[n]].sum(), -abs(int(peaks[n]))))
    middle = np.median(peaks[votes[best]])
    return int(middle)


def _summed(excerpts: Sequence[tuple[Lines, Lines]], rate_hz: int, lag: int) -> tuple[Spectrum, Floats, Floats, int]:
    """Spectra of all excerpts together, the second moved by whole frames to where the first lies."""
    parts = []
    for one, other in excerpts:
        frames = min(one.shape[1], other.shape[1]) - abs(lag)
        first, second = max(0, -lag), max(0, lag)
        parts.append(_spectra(one[:, first : first + frames], other[:, second : second + frames]))
    crosses, firsts, seconds, sizes = zip(*parts, strict=True)
    return np.add.reduce(crosses), np.add.reduce(firsts), np.add.reduce(seconds), sizes[0]


def _fine(cross: Spectrum, first: Floats, second: Floats, size: int, rate_hz: int, excerpts: int) -> float:
    """The rest of the delay, less than a frame and a half: where the phases agree best, each by how sure it is.

    A phase of coherence c varies by (1 - c) / c: weights of maximum likelihood (Hannan and Thomson, 1973).
    """
    heard = _heard(first, second, size, rate_hz)
    magnitudes = np.maximum(np.abs(cross[heard]), 1e-300)
    coherence = np.square(magnitudes) / np.maximum(first[heard] * second[heard], 1e-300)
    by_chance = 1.0 / excerpts  # what so many excerpts of nothing in common have
    surplus = np.maximum(coherence - by_chance, 0.0)
    weights = cross[heard] / magnitudes * surplus / np.maximum(1.0 - coherence, MOST_CERTAIN)
    turns = 2j * np.pi * np.flatnonzero(heard) / size

    def agreement(place: float) -> float:
        return abs(float((weights * np.exp(turns * place)).real.sum()))

    rough = max((step / COARSE_STEPS for step in range(-FARTHEST, FARTHEST + 1)), key=agreement)
    before, top, after = (agreement(rough + side / FINE_STEPS) for side in (-1, 0, 1))
    for _ in range(COARSE_STEPS):  # climbs from the nearest quarter to the top
        if top >= max(before, after):
            break
        rough += (1 if after > before else -1) / FINE_STEPS
        before, top, after = (agreement(rough + side / FINE_STEPS) for side in (-1, 0, 1))
    bend = before - 2.0 * top + after
    return rough + (max(-0.5, min(0.5, 0.5 * (before - after) / bend)) if bend else 0.0) / FINE_STEPS


def _fit(cross: Spectrum, first: Floats, second: Floats, size: int, part: float) -> tuple[float, float, float]:
    """What both share at the delay, and the energy of each."""
    turned = cross * np.exp(2j * np.pi * np.arange(len(cross)) / size * part)
    return float(turned.real.sum()), float(first.sum()), float(second.sum())
