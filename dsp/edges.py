"""The ends of a track as numbers: tells whether the music of two tracks runs on across the cut between them."""

from __future__ import annotations

from typing import NamedTuple

JOIN_STEPS = 4.0
"""The step across a cut through sounding music is a step like its neighbours; Gaussian steps exceed 4 sigma 1 in 16,000."""


class Edge(NamedTuple):
    """One end of a track."""

    sample: tuple[float, ...]
    """The outermost frame."""
    step_ratio: tuple[float, ...]
    """Root mean square of the steps from frame to frame, per channel."""
    rms_ratio: float


def runs_on(tail: Edge, head: Edge, quiet_ratio: float) -> bool:
    """Whether music sounds on both sides of a cut and steps across it no further than it steps elsewhere."""
    if min(tail.rms_ratio, head.rms_ratio) < quiet_ratio or len(tail.sample) != len(head.sample):
        return False
    return all(
        abs(after - before) <= JOIN_STEPS * max(here, there)
        for before, after, here, there in zip(tail.sample, head.sample, tail.step_ratio, head.step_ratio, strict=True)
    )
