"""Keeps the first and the last 50 ms of a track."""

from __future__ import annotations

import numpy as np

from dsp.audio import Audio, Floats, joined
from dsp.edges import Edge

EDGE_S = 0.05


class EdgeMeter:
    """Keeps both ends of a track.

    >>> meter = EdgeMeter(rate_hz=1_000, channels=1)
    >>> meter.push(np.linspace(0.0, 1.0, 201)[:, None])
    >>> head, tail = meter.edges()
    >>> head.sample, tail.sample, round(tail.step_ratio[0], 6)
    ((0.0,), (1.0,), 0.005)
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._frames = max(2, round(EDGE_S * rate_hz))
        self._head = self._tail = np.zeros((0, channels))

    def push(self, block: Audio) -> None:
        """Takes a block (frames, channels)."""
        if len(self._head) < self._frames:
            self._head = joined([self._head, block])[: self._frames].copy()
        kept = self._tail if len(block) < self._frames else self._tail[:0]
        self._tail = joined([kept, block[-self._frames :]])[-self._frames :].copy()

    def edges(self) -> tuple[Edge, Edge]:
        """Head and tail of what was pushed; silence for an empty track."""
        return _edge(self._head, 0), _edge(self._tail, -1)


def _edge(audio: Audio, outermost: int) -> Edge:
    if len(audio) < 2:
        return Edge((0.0,) * audio.shape[1], (0.0,) * audio.shape[1], 0.0)
    steps: Floats = np.sqrt(np.square(np.diff(audio, axis=0)).mean(axis=0))
    return Edge(tuple(audio[outermost].tolist()), tuple(steps.tolist()), float(np.sqrt(np.square(audio).mean())))
