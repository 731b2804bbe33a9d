"""The loudness of tracks that share a gain, as a profile's mode counts it: the same for deciding a gain and for judging it."""

from __future__ import annotations

from collections.abc import Iterable

from dsp.gating import GatingBlocks, integrated_lufs, pooled


def level_lufs(tracks: Iterable[GatingBlocks], mode: str) -> float | None:
    """Pooled over all tracks (law 4); in the mode `loudest` that of the loudest track alone (AES77-2023)."""
    if mode != "loudest":
        return integrated_lufs(pooled(tracks))
    return max((level for one in tracks if (level := integrated_lufs(one)) is not None), default=None)
