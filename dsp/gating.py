"""The gating blocks of a programme as a small record: what lets the loudness of an album be pooled (law 4).

400 ms blocks above -70 LUFS are counted in bins of 0.01 LU with their energies summed as integers, so that merging is exact
and no order of merging changes a bit (law 8). Only blocks within 0.01 LU of the relative gate can fall on its wrong side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

OFFSET_LU = -0.691  # BS.1770-5 annex 1, equation 2: cancels the K-weighting's gain at 997 Hz
ABSOLUTE_GATE_LUFS = -70.0  # BS.1770-5 annex 1, gating
RELATIVE_GATE_LU = -10.0  # BS.1770-5 annex 1, gating
BINS_PER_LU = 100
ENERGY_UNIT = 2.0**-36
"""Quantum of the summed energies: 1e-4 of a block at the absolute gate; an album of 70 h at full scale still fits 64 bits."""


@dataclass(frozen=True, slots=True)
class GatingBlocks:
    """Bins (0.01 LU each, above -70 LUFS, rising), the number of blocks in each, and their energy in units of 2^-36."""

    bins: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    energies: tuple[int, ...] = ()


def loudness_lufs(energy: float) -> float | None:
    """The loudness of a mean square of the K-weighted, channel-weighted signal; None for silence."""
    return OFFSET_LU + 10.0 * math.log10(energy) if energy > 0.0 else None


def energy_of(loudness: float) -> float:
    """The weighted mean square of a loudness in LUFS: the inverse of `loudness_lufs`."""
    return float(10.0 ** ((loudness - OFFSET_LU) / 10.0))


def pooled(parts: Iterable[GatingBlocks]) -> GatingBlocks:
    """The blocks of several programmes together; the order does not matter.

    >>> a, b = GatingBlocks((1, 5), (2, 1), (20, 30)), GatingBlocks((5,), (4,), (100,))
    >>> pooled([a, b]) == pooled([b, a]) == GatingBlocks((1, 5), (2, 5), (20, 130))
    True
    """
    sums: dict[int, tuple[int, int]] = {}
    for part in parts:
        for level, count, energy in zip(part.bins, part.counts, part.energies, strict=True):
            have = sums.get(level, (0, 0))
            sums[level] = (have[0] + count, have[1] + energy)
    levels = sorted(sums)
    return GatingBlocks(tuple(levels), tuple(sums[b][0] for b in levels), tuple(sums[b][1] for b in levels))


def integrated_lufs(blocks: GatingBlocks) -> float | None:
    """Programme loudness: mean above the absolute gate, then above 10 LU under that mean; None if all is gated."""
    ungated = _mean(blocks, 0)
    if ungated is None:
        return None
    gate = energy_of(ungated + RELATIVE_GATE_LU) / ENERGY_UNIT
    # The mean of a bin stands for its blocks: a bin with one block is exact.
    first = sum(energy <= gate * count for count, energy in zip(blocks.counts, blocks.energies, strict=True))
    return _mean(blocks, first)


def _mean(blocks: GatingBlocks, first: int) -> float | None:
    count = sum(blocks.counts[first:])
    return loudness_lufs(sum(blocks.energies[first:]) * ENERGY_UNIT / count) if count else None
