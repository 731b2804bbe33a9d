"""Keeps the first and the last 50 ms of a track, and describes them."""

from __future__ import annotations

import numpy as np

from dsp.audio import Audio, Floats
from dsp.edges import FORETOLD_FRAMES, Edge
from dsp.windows import Block

EDGE_S = 0.05
ORDER = 32
"""Sixteen partials; what is beyond them counts as noise."""
NOISE_RATIO = 1e-9
"""White noise assumed in the signal, as power: keeps the equations solvable for pure tones."""
SILENT_RATIO = 1e-100
"""Far below anything a file holds: the squares of what is smaller are no numbers any more."""


class EdgeMeter:
    """Keeps both ends of a track.

    >>> from dsp.edges import runs_on
    >>> tone = np.sin(0.1 * np.arange(9_600) + np.array([[0.0], [1.0]])).T
    >>> one, other = EdgeMeter(48_000, channels=2), EdgeMeter(48_000, channels=2)
    >>> one.push(tone[:5_000]); other.push(tone[5_000:])
    >>> runs_on(one.edges()[1], other.edges()[0], 0.003), runs_on(one.edges()[1], one.edges()[0], 0.003)
    (True, False)
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._frames = max(2, round(EDGE_S * rate_hz))
        self._head = self._tail = np.zeros((0, channels))

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        if len(self._head) < self._frames:
            self._head = np.concatenate([self._head, block])[: self._frames].copy()
        kept = self._tail if len(block) < self._frames else self._tail[:0]
        self._tail = np.concatenate([kept, block[-self._frames :]])[-self._frames :].copy()

    def edges(self) -> tuple[Edge, Edge]:
        """Head and tail of what was pushed."""
        predictors = [_predictor(channel) for channel in self._tail.T]
        errors = [_error(channel, weights) for channel, weights in zip(self._tail.T, predictors, strict=True)]
        tail = Edge(
            _rms(self._tail), _rows(self._tail[-ORDER:]), tuple(tuple(w.tolist()) for w in predictors), tuple(errors)
        )
        means = tuple(self._head.mean(axis=0).tolist()) if len(self._head) else ()
        return Edge(_rms(self._head), _rows(self._head[:FORETOLD_FRAMES]), mean_ratio=means), tail


def _predictor(channel: Floats) -> Floats:
    """Weights of the last ORDER samples that foretell the next with the least error (autocorrelation method)."""
    if len(channel) <= 2 * ORDER or np.abs(channel).max() < SILENT_RATIO:
        return np.zeros(0)
    windowed = channel * np.hanning(len(channel) + 2)[1:-1]
    count = len(windowed)
    # Not a matrix product: that would start threads for a few thousand samples.
    lags = np.array([(windowed[lag:] * windowed[: count - lag]).sum() for lag in range(ORDER + 1)], np.float64)
    lags[0] *= 1.0 + NOISE_RATIO
    apart = np.abs(np.subtract.outer(np.arange(ORDER), np.arange(ORDER)))
    return np.asarray(np.linalg.solve(lags[:-1][apart], lags[1:]), np.float64)


def _error(channel: Floats, weights: Floats) -> float:
    if not len(weights):
        return 0.0
    guesses = np.convolve(channel, weights)[len(weights) - 1 : len(channel) - 1]
    return _rms(channel[len(weights) :] - guesses)


def _rms(audio: Floats) -> float:
    return float(np.sqrt(np.square(audio).mean())) if audio.size else 0.0


def _rows(audio: Audio) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(channel.tolist()) for channel in audio.T)
