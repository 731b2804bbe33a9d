"""Dynamic equaliser: cuts up to eight bands, each only while it sticks out; for resonances, boom and harshness.

Feed-forward in the log domain, with the smooth decoupled detector of Giannoulis, Massberg and Reiss (JAES 60(6), 2012); one
gain for both channels. While no band is over its threshold, the sound passes bit for bit. It only cuts, never lifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.biquad import HIGHEST_RATIO
from dsp.gain_grid import SETTLED_DB, STEP_FRAMES
from dsp.kernel import STILL, kernel
from dsp.settings import DynamicBand, DynamicEqualiserSettings

DETECTOR_S = 0.005
"""Averaging of levels (ripple of a bass note of 60 Hz: 1 dB), or two periods of the band if that is longer (0.2 dB)."""
FLOOR = 1e-6
"""-60 dBFS: what a relative band has below it is left alone, hiss between two songs is no sibilant. Our choice."""


class _Bands(NamedTuple):
    """What the bands are told, one row per band."""

    filters: Floats
    """b0 a1 a2 of the band-pass."""
    curves: Floats
    """Threshold as a power, whether it is relative, share of what is over that is cut, largest cut in dB."""
    smoothing: Floats
    """What detector, attack and release keep of their value from tick to tick."""


class _State(NamedTuple):
    """What goes on from one block to the next, one row per band."""

    rest: Floats
    """Of the filters (bands, channels, 2)."""
    means: Floats
    """Energy in this tick; mean energies of the band and of the whole signal (a sine at full scale: 1)."""
    cuts: Floats
    """y1, y and the largest y so far, in dB."""
    moves: Floats
    """g - 1 at the start and at the end of this tick."""
    tick: Floats
    """Energy of the whole signal in this tick, and how many frames of it are over."""


class DynamicEqualiser:
    """y = x + sum of (g - 1) bp(x): with a band-pass of quality Q and peak 1 exactly a bell of gain g; no latency.

    >>> from dsp.chain import process
    >>> band = DynamicBand(freq_hz=3_000.0, threshold_db=-30.0, compression_ratio=2.0, max_cut_db=24.0)
    >>> tone = 0.1 * np.sin(2.0 * np.pi * 3_000.0 / 48_000 * np.arange(48_000))[:, None]
    >>> out = process(tone, 48_000, DynamicEqualiserSettings(bands=(band,)))
    >>> round(20.0 * math.log10(np.abs(out[-4_800:]).max() / 0.1), 1)  # 10 dB over, at 2:1
    -5.0
    """

    latency = 0

    def __init__(self, settings: DynamicEqualiserSettings, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._bands = _Bands(
            np.array([bandpass(band, rate_hz) for band in settings.bands]),
            np.array([_curve(band) for band in settings.bands]),
            np.array([_smoothing(band, rate_hz) for band in settings.bands]),
        )
        bands = len(settings.bands)
        self._state = _State(
            np.zeros((bands, channels, 2)),
            np.zeros((bands, 3)),
            np.zeros((bands, 3)),
            np.zeros((bands, 2)),
            np.zeros(2),
        )

    @property
    def max_reductions_db(self) -> Sequence[float]:
        """The deepest cut of each band so far."""
        return [float(deepest) for deepest in self._state.cuts[:, 2]]

    def push(self, block: Audio) -> Audio:
        """The block with the bands that stick out turned down."""
        out = block.copy()
        _equalise(block, self._bands, self._state, out)
        return out

    def finish(self) -> Audio:
        """Nothing: the equaliser holds nothing back."""
        return silence(0, self._channels)


def bandpass(band: DynamicBand, rate_hz: int) -> tuple[float, float, float]:
    """b0 a1 a2 of the band-pass of a band."""
    return resonator(band.freq_hz, band.quality_ratio, rate_hz)


def resonator(freq_hz: float, quality_ratio: float, rate_hz: int) -> tuple[float, float, float]:
    """b0 a1 a2 of H(s) = (s / Q) / (s^2 + s / Q + 1) by the bilinear transform (b1 = 0, b2 = -b0).

    "Audio EQ Cookbook" (Bristow-Johnson, W3C Note, 2021): BPF with constant 0 dB peak.
    """
    angle = 2.0 * math.pi * min(freq_hz / rate_hz, HIGHEST_RATIO)
    alpha = math.sin(angle) / (2.0 * quality_ratio)
    return alpha / (1.0 + alpha), -2.0 * math.cos(angle) / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha)


def _curve(band: DynamicBand) -> tuple[float, float, float, float]:
    return 10.0 ** (band.threshold_db / 10.0), float(band.relative), 1.0 - 1.0 / band.compression_ratio, band.max_cut_db


def _smoothing(band: DynamicBand, rate_hz: int) -> list[float]:
    times_s = max(DETECTOR_S, 2.0 / band.freq_hz), band.attack_s, band.release_s
    return [math.exp(-STEP_FRAMES / (time_s * rate_hz)) for time_s in times_s]


@kernel
def _equalise(block: Audio, bands: _Bands, state: _State, out: Audio) -> None:
    """Band by band from tick to tick; ticks are counted from the start of the track, however it is cut."""
    filters, curves, smoothing = bands
    rest, means, cuts, moves, tick = state
    last = block.shape[1] - 1
    whole, passed = tick[0], int(tick[1])
    start = 0
    while start < block.shape[0]:
        end = min(block.shape[0], start + STEP_FRAMES - passed)
        for n in range(start, end):
            whole += block[n, 0] * block[n, 0] + block[n, last] * block[n, last]
        for band in range(len(filters)):
            _apply(block, start, end, passed, band, filters, rest, means, moves, out)
        passed += end - start
        if passed == STEP_FRAMES:
            for band in range(len(filters)):
                _measure(whole, band, smoothing, rest, means)
                _decide(band, curves, smoothing, means, cuts, moves)
            whole, passed = 0.0, 0
        start = end
    tick[0], tick[1] = whole, passed


@kernel
def _apply(
    block: Audio,
    start: int,
    end: int,
    passed: int,
    band: int,
    filters: Floats,
    rest: Floats,
    means: Floats,
    moves: Floats,
    out: Audio,
) -> None:
    """y = b0 x + s1, s1 = s2 - a1 y, s2 = -b0 x - a2 y; out += (g - 1) y, with g - 1 on its way from one move to the next.

    Adds the energy of y to that of the tick: of both channels together (a single one counts twice).
    """
    last = block.shape[1] - 1
    b0, a1, a2 = filters[band, 0], filters[band, 1], filters[band, 2]
    s1, s2 = rest[band, 0, 0], rest[band, 0, 1]
    t1, t2 = rest[band, last, 0], rest[band, last, 1]
    step = (moves[band, 1] - moves[band, 0]) / STEP_FRAMES
    acts = moves[band, 0] != 0.0 or moves[band, 1] != 0.0
    energy = means[band, 0]
    for n in range(start, end):
        x, u = b0 * block[n, 0], b0 * block[n, last]
        y, v = x + s1, u + t1
        s1, t1 = s2 - a1 * y, t2 - a1 * v
        s2, t2 = -x - a2 * y, -u - a2 * v
        energy += y * y + v * v
        if acts:
            less = moves[band, 0] + step * (passed + n - start + 1)
            left, right = out[n, 0] + less * y, out[n, last] + less * v
            out[n, 0], out[n, last] = left, right
    rest[band, 0, 0], rest[band, 0, 1] = s1, s2
    rest[band, last, 0], rest[band, last, 1] = t1, t2
    means[band, 0] = energy


@kernel
def _measure(whole: float, band: int, smoothing: Floats, rest: Floats, means: Floats) -> None:
    """m = d m + (1 - d) e / STEP_FRAMES of the band and of the whole signal; what has faded to nothing comes to rest."""
    kept = smoothing[band, 0]
    means[band, 1] = kept * means[band, 1] + (1.0 - kept) * (means[band, 0] / STEP_FRAMES)
    means[band, 2] = kept * means[band, 2] + (1.0 - kept) * (whole / STEP_FRAMES)
    means[band, 0] = 0.0
    for one in range(1, 3):
        if means[band, one] < STILL:
            means[band, one] = 0.0
    for channel in range(rest.shape[1]):
        if abs(rest[band, channel, 0]) + abs(rest[band, channel, 1]) < STILL:
            rest[band, channel, 0] = rest[band, channel, 1] = 0.0


@kernel
def _decide(band: int, curves: Floats, smoothing: Floats, means: Floats, cuts: Floats, moves: Floats) -> None:
    """The next g - 1: 10^(-y / 20) - 1 with y = a y + (1 - a) y1, y1 = max(c, r y1 + (1 - r) c).

    c = min(slope * over, most); over: how far the band is above its threshold, in dB.
    """
    mean, least = means[band, 1], curves[band, 0]
    if curves[band, 1] > 0.0:
        least = max(FLOOR, least * means[band, 2])
    wanted = 0.0
    if mean > least:
        wanted = min(curves[band, 3], curves[band, 2] * 10.0 * math.log10(mean / least))
    attack, release = smoothing[band, 1], smoothing[band, 2]
    y1 = max(wanted, release * cuts[band, 0] + (1.0 - release) * wanted)
    y = attack * cuts[band, 1] + (1.0 - attack) * y1
    if y1 < SETTLED_DB and y < SETTLED_DB:
        y1 = y = 0.0
    cuts[band, 0], cuts[band, 1], cuts[band, 2] = y1, y, max(y, cuts[band, 2])
    moves[band, 0], moves[band, 1] = moves[band, 1], (10.0 ** (-y / 20.0) - 1.0 if y > 0.0 else 0.0)
