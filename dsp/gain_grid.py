"""Levels and gains in steps of 16 frames, counted from the start of the track: what slow processors work on.

Between two steps a gain runs straight. At 44.1 kHz a step takes 0.36 ms, a third of the shortest attack.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats
from dsp.kernel import kernel

STEP_FRAMES = 16
SETTLED_DB = 1e-6
"""A gain this close to 0 dB is 0 dB: smoothing comes to an end, and what is left alone passes bit for bit."""
DB_IN_NEPERS = math.log(10.0) / 20.0

Lines: TypeAlias = NDArray[np.floating[Any]]
"""Sound as rows (channels, frames)."""


def steps(frames: int) -> int:
    """How many steps cover so many frames; the last of a track may be shorter.

    >>> steps(0), steps(16), steps(17)
    (0, 1, 2)
    """
    return -(-frames // STEP_FRAMES)


@kernel
def change_of(gain_db: float) -> float:
    """10^(gain / 20) - 1: the part of a band that a gain adds to the sound; exactly 0 for 0 dB."""
    return math.expm1(gain_db * DB_IN_NEPERS) if abs(gain_db) > SETTLED_DB else 0.0


@kernel
def step_powers(lines: Lines, powers: Floats) -> None:
    """powers[channel, step] = mean of the squares of its frames."""
    frames = lines.shape[1]
    for channel in range(lines.shape[0]):
        for step in range(powers.shape[1]):
            start, end = step * STEP_FRAMES, min(frames, (step + 1) * STEP_FRAMES)
            even, odd = 0.0, 0.0  # two sums at once: additions wait for each other
            for n in range(start, end - 1, 2):
                even += float(lines[channel, n]) ** 2
                odd += float(lines[channel, n + 1]) ** 2
            if (end - start) % 2:
                even += float(lines[channel, end - 1]) ** 2
            powers[channel, step] = (even + odd) / (end - start)


@kernel
def step_peaks(lines: Lines, peaks: Floats) -> None:
    """peaks[step] = the largest magnitude of its frames in any channel."""
    frames = lines.shape[1]
    for step in range(peaks.size):
        peak = 0.0
        for channel in range(lines.shape[0]):
            for n in range(step * STEP_FRAMES, min(frames, (step + 1) * STEP_FRAMES)):
                peak = max(peak, abs(float(lines[channel, n])))
        peaks[step] = peak


@kernel
def add_scaled(lines: Lines, factors: Floats, before: float, out: Audio) -> float:
    """out[n, channel] += factor * lines[channel, n], the factor running from one step's value to the next; returns the last.

    `before`: the last factor of the stretch before. Where factors are 0 nothing is touched.
    """
    frames = lines.shape[1]
    for step in range(factors.size):
        after = factors[step]
        if before != 0.0 or after != 0.0:
            slope = (after - before) / STEP_FRAMES
            start = step * STEP_FRAMES
            for n in range(start, min(frames, start + STEP_FRAMES)):
                factor = before + slope * (n - start + 1)
                for channel in range(lines.shape[0]):
                    out[n, channel] += factor * lines[channel, n]
        before = after
    return before
