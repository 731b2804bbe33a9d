"""Decides what is mended first: clipped peaks, a constant offset, rumble below the music."""

from __future__ import annotations

import math

from decisions.material import Material
from dsp.settings import DeclipperSettings, SubsonicSettings
from schemas.figures import Analysis
from schemas.plan import Decision
from schemas.profile import CleaningChoice

NEAR_RATIO = 0.25
"""The first 50 ms lie on the offset if their mean differs from it by no more than this share (our choice)."""


def decide_cleaning(analysis: Analysis, choice: CleaningChoice) -> tuple[SubsonicSettings | None, Decision]:
    """The subsonic filter of a track, or None, with the reason."""
    offset = max(abs(ratio) for ratio in analysis.offset_ratio)
    offset_dbfs = 20.0 * math.log10(offset) if offset > 0.0 else -math.inf
    rumble_db = _rumble_db(analysis)
    if offset_dbfs > choice.offset_limit_dbfs:
        why = f"constant offset of {offset_dbfs:.1f} dBFS, limit {choice.offset_limit_dbfs:g}"
    elif rumble_db > choice.subsonic_limit_db:
        why = f"rumble from 5 to 16 Hz at {rumble_db:.1f} dB against the music, limit {choice.subsonic_limit_db:g}"
    else:
        why = "no constant offset and no rumble above their limits"
        return None, Decision(what="subsonic filter", how_much="off", why=why)
    settings = SubsonicSettings(cutoff_hz=choice.cutoff_hz, offset_ratio=offset_at_start(analysis))
    return settings, Decision(what="subsonic filter", how_much=f"{choice.cutoff_hz:g} Hz", why=why)


def decide_declipping(
    analysis: Analysis, material: Material, choice: CleaningChoice
) -> tuple[DeclipperSettings | None, Decision]:
    """The declipper of a track that was damaged here and there, or None, with the reason."""
    what, tops = "declipper", analysis.detected.flat_tops
    density_hz = tops.count / analysis.format.duration_s
    if tops.count == 0 or analysis.detected.flat_tops_dbfs is None:
        return None, Decision(what=what, how_much="off", why="no peak is clipped")
    if material.kind == "heavily limited":
        return None, Decision(what=what, how_much="off", why=f"the material is {material.kind}: {material.why}")
    if density_hz >= choice.declip_below_hz:
        why = f"{density_hz:.1f} clipped peaks a second are no accident, limit {choice.declip_below_hz:g}"
        return None, Decision(what=what, how_much="off", why=why)
    settings = DeclipperSettings(clip_dbfs=(round(analysis.detected.flat_tops_dbfs, 4),))
    how_much = f"{tops.count} peak{'s' if tops.count > 1 else ''}"
    return settings, Decision(what=what, how_much=how_much, why=f"clipped at {settings.clip_dbfs[0]:.1f} dBFS")


def offset_at_start(analysis: Analysis) -> tuple[float, ...]:
    """The offset on which the filter may start settled: the track's, where the track begins on it, else 0.

    Settled on an offset that comes later, the filter would begin with a click of its size.
    """
    means = analysis.head.mean_ratio or (0.0,) * len(analysis.offset_ratio)
    pairs = zip(analysis.offset_ratio, means, strict=True)
    return tuple(offset if abs(mean - offset) <= NEAR_RATIO * abs(offset) else 0.0 for offset, mean in pairs)


def _rumble_db(analysis: Analysis) -> float:
    music = sum(10.0 ** (level / 10.0) for level in analysis.figures.spectrum_db if level is not None)
    if analysis.subsonic_dbfs is None or music <= 0.0:
        return -math.inf
    return analysis.subsonic_dbfs - 10.0 * math.log10(music)
