"""Recognises what a track is, so that finished and delicate material is touched lightly."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from schemas.figures import Analysis
from schemas.profile import MaterialChoice

NEAR_FULL_SCALE_DBTP = -2.0
"""A master peaks above this; a mix that was left headroom does not (distributors ask mixes for 3 to 6 dB)."""


class Material(NamedTuple):
    """What a track is, which share of every correction it gets, and why."""

    kind: Literal["a mix", "mastered before", "heavily limited", "delicate"]
    touch_ratio: float
    why: str

    @property
    def dynamics(self) -> bool:
        """Whether compression, saturation and shaping may work on it at all."""
        return self.kind in ("a mix", "mastered before")


def recognise(analysis: Analysis, genre: str | None, choice: MaterialChoice) -> Material:
    """The material of a track, by its genre in the manifest and by what was measured."""
    if why := _limited(analysis, choice):
        return Material("heavily limited", choice.limited_touch_ratio, why)
    if why := _delicate(analysis, genre, choice):
        return Material("delicate", choice.delicate_touch_ratio, why)
    loudness, peak = analysis.figures.integrated_lufs, analysis.figures.true_peak_dbtp
    if loudness is not None and peak is not None:
        if loudness > choice.mastered_above_lufs and peak > NEAR_FULL_SCALE_DBTP:
            why = f"{loudness:.1f} LUFS with peaks at {peak:.1f} dBTP"
            return Material("mastered before", choice.mastered_touch_ratio, why)
        return Material("a mix", 1.0, f"{loudness:.1f} LUFS with peaks at {peak:.1f} dBTP")
    return Material("a mix", 1.0, "nothing else is known of it")


def _limited(analysis: Analysis, choice: MaterialChoice) -> str | None:
    ratio, plr = analysis.detected.limited_ratio, analysis.figures.plr_lu
    if ratio is not None and ratio > choice.limited_above_ratio:
        return f"{ratio:.0%} of it lies at its highest level"
    if plr is not None and plr < choice.limited_below_plr_lu:
        return f"its peaks stand only {plr:.1f} LU over its loudness"
    return None


def _delicate(analysis: Analysis, genre: str | None, choice: MaterialChoice) -> str | None:
    words = f" {' '.join(re.findall(r'[a-z-]+', (genre or '').lower()))} "
    if any(f" {one} " in words for one in choice.delicate_genres):
        return f'its genre is "{genre}"'
    range_lu, plr = analysis.figures.loudness_range_lu, analysis.figures.plr_lu
    if range_lu is not None and range_lu > choice.delicate_above_range_lu:
        return f"its loudness ranges over {range_lu:.1f} LU"
    if plr is not None and plr > choice.delicate_above_plr_lu:
        return f"its peaks stand {plr:.1f} LU over its loudness"
    return None
