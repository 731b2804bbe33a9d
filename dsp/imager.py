"""Stereo width band by band: narrows or widens the side signal, may make the bass mono, and never touches what is mono.

Works on the side alone: mid + side comes out as mid + (side + sum of (width - 1) * band of the side), so the mono sum of a track
stays what it was, however wide it gets. What narrowing takes away can be given back in the middle of the band.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.gain_grid import STEP_FRAMES, add_scaled, step_powers, steps
from dsp.kernel import kernel
from dsp.settings import ImagerSettings
from dsp.splitter import Bands, BandSplitter, Split, gathered, usable_edges

RECOVERY_S = 0.3
"""Over which the levels of mid and side are compared: the balance of a mix, not of a note (our choice)."""
MOST_RECOVERED_RATIO = 2.0
"""Of power: at most 3 dB are given back to the middle."""


class Imager:
    """Width of a stereo track in bands; mono passes as it is, at once; latency: the splitter's.

    >>> from dsp.chain import process
    >>> left = np.sin(0.1 * np.arange(48_000))[:, None]
    >>> settings = ImagerSettings(edges_hz=(200.0,), widths_ratio=(0.0, 1.5), mono_below_hz=120.0)
    >>> out = process(np.hstack([left, -left]), 48_000, settings)
    >>> bool(np.abs(out.sum(axis=1)).max() < 1e-15), round(float(out[24_000, 0] / left[24_000, 0]), 1)
    (True, 1.5)
    """

    def __init__(self, settings: ImagerSettings, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._bands: list[_Recovery] = []
        self._splitter: BandSplitter | None = None
        self.latency = 0
        if channels != 2:
            return
        edges_hz, widths = _with_mono_bass(settings, rate_hz)
        narrowed = [number for number, width in enumerate(widths) if width < 1.0 and settings.recover_ratio > 0.0]
        mix = np.concatenate([[widths - 1.0], np.eye(len(widths))[narrowed]])
        signals = _mid_and_side if narrowed else _side
        self._bands = [_Recovery(float(widths[number]), settings.recover_ratio, rate_hz) for number in narrowed]
        self._splitter = BandSplitter(edges_hz, rate_hz, 2, mix=mix, signals=signals)
        self.latency = self._splitter.latency

    def push(self, block: Audio) -> Audio:
        """What is ready."""
        if self._splitter is None:
            return block
        return gathered((self._imaged(split) for split in self._splitter.push(block)), self._channels)

    def finish(self) -> Audio:
        """The rest of the track."""
        if self._splitter is None:
            return silence(0, self._channels)
        return gathered((self._imaged(split) for split in self._splitter.finish()), self._channels)

    def _imaged(self, split: Split) -> Audio:
        change = split.bands[0, -1]
        split.audio[:, 0] += change
        split.audio[:, 1] -= change
        for recovery, lines in zip(self._bands, split.bands[1:], strict=True):
            recovery.give_back(lines, split.audio)
        return split.audio


def _with_mono_bass(settings: ImagerSettings, rate_hz: int) -> tuple[tuple[float, ...], Floats]:
    """Edges and widths with bands of no width below `mono_below_hz`; only edges that the rate of the track reaches."""
    mono_hz = settings.mono_below_hz or 0.0
    all_edges_hz = sorted({*settings.edges_hz, mono_hz} - {0.0})
    uppers_hz = np.array([*all_edges_hz, math.inf])
    widths = np.array(settings.widths_ratio)[np.searchsorted(settings.edges_hz, uppers_hz)]
    edges_hz = usable_edges(all_edges_hz, rate_hz)
    return edges_hz, np.where(uppers_hz <= mono_hz, 0.0, widths)[: len(edges_hz) + 1]


def _side(audio: Audio) -> Audio:
    return (audio[:, :1] - audio[:, 1:]) * 0.5


def _mid_and_side(audio: Audio) -> Audio:
    return np.concatenate([(audio[:, :1] + audio[:, 1:]) * 0.5, _side(audio)], axis=1)


class _Recovery:
    """Gives the middle of a band what narrowing takes from its sides."""

    def __init__(self, width: float, recover: float, rate_hz: int) -> None:
        self._taken = recover * (1.0 - width**2)
        self._decay = math.exp(-STEP_FRAMES / (RECOVERY_S * rate_hz))
        self._means = np.zeros(2)
        self._last = 0.0

    def give_back(self, lines: Bands, audio: Audio) -> None:
        """Adds to both channels of `audio`; lines: mid and side of the band."""
        powers = np.empty((2, steps(lines.shape[1])))
        step_powers(lines, powers)
        factors = np.empty(powers.shape[1])
        _recover(powers, self._taken, self._decay, self._means, factors)
        self._last = add_scaled(np.broadcast_to(lines[0], lines.shape), factors, self._last, audio)


@kernel
def _recover(powers: Floats, taken: float, decay: float, means: Floats, factors: Floats) -> None:
    """factors = r - 1: r^2 M = M + taken * S, M and S the mean powers of mid and side; r^2 is at most 2."""
    mid, side = means
    for step in range(factors.size):
        mid = powers[0, step] + decay * (mid - powers[0, step])
        side = powers[1, step] + decay * (side - powers[1, step])
        more = taken * side
        ratio = 1.0 + more / mid if more < (MOST_RECOVERED_RATIO - 1.0) * mid else MOST_RECOVERED_RATIO
        factors[step] = math.sqrt(ratio) - 1.0 if more > 0.0 else 0.0
    means[0], means[1] = mid, side
