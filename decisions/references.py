"""Reference recordings as a norm: their mean, and how far a song may stray from it. What cannot serve is refused, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decisions.deviation import UNTOLD_SPREAD_DB, levelled, mean_known, mid_and_side_db
from dsp.audio import Floats
from dsp.spectrum import BAND_EDGE_RATIO, CENTRES_HZ
from schemas.figures import Figures
from schemas.norm import Norm
from schemas.profile import Profile
from schemas.steps import Analysed, Reference

SHORTEST_S = 10.0
"""A spectrum of less than this says more of a passage than of a recording (our choice)."""
PRIOR_RECORDINGS = 8
"""So many recordings' worth of trust has the norm's spread beside what the references themselves show (our choice)."""
SAME_DB, SAME_S = 0.1, 0.05
"""Two files of one recording differ by no more in any third octave, whatever their level, nor in length."""


def expected_of(track: Analysed, profile: Profile) -> tuple[Norm, tuple[str, ...]]:
    """The norm of a track: its usable references, else the profile's; and why others cannot serve."""
    refused = tuple(f"{one.uri}: {why}" for one in track.references if (why := _unfit(one, track)))
    fit = [one.figures for one in track.references if not _unfit(one, track) and one.figures is not None]
    return (norm_of(fit, profile.expected) if fit else profile.expected), refused


def norm_of(recordings: Sequence[Figures], usual: Norm) -> Norm:
    """The norm that some recordings make: their means, and spreads that begin with those of the usual norm."""
    middles, sides = zip(*(_within_band(one) for one in recordings), strict=True)
    mid_db, mid_spread_db = _curve([levelled(one) for one in middles], np.array(usual.mid_spread_db))
    side_db, side_spread_db = _curve(list(sides), np.array(usual.side_spread_db))
    crests = [
        one.crest_bands_db for one in recordings if len(one.crest_bands_db) == 4 and None not in one.crest_bands_db
    ]
    plr = [one.plr_lu for one in recordings if one.plr_lu is not None]
    return Norm(
        name="references",
        description="recordings that were named",
        mid_db=mid_db,
        mid_spread_db=mid_spread_db,
        side_db=side_db,
        side_spread_db=side_spread_db,
        crest_bands_db=tuple(np.mean(np.array(crests, dtype=np.float64), axis=0).tolist()) if crests else None,
        crest_spread_db=usual.crest_spread_db,
        plr_lu=float(np.mean(plr)) if plr else None,
        plr_spread_lu=usual.plr_spread_lu,
        recordings=len(recordings),
    )


def _unfit(reference: Reference, track: Analysed) -> str | None:
    """Why a reference cannot serve a track; None where it can."""
    if reference.figures is None:
        return reference.trouble or "it could not be measured"
    if reference.sha256 == track.analysis.sha256 or _same_recording(reference, track):
        return "it is the track itself, which would ask for no change"
    if reference.figures.integrated_lufs is None:
        return "it is silent"
    if reference.duration_s < SHORTEST_S:
        return f"it is {reference.duration_s:.1f} s long, {SHORTEST_S:g} s are needed"
    return None


def _same_recording(reference: Reference, track: Analysed) -> bool:
    """Another file of the same sound, perhaps at another level."""
    figures = reference.figures
    if figures is None or abs(reference.duration_s - track.analysis.format.duration_s) > SAME_S:
        return False
    one, other = (levelled(mid_and_side_db(f)[0]) for f in (figures, track.analysis.figures))
    apart = np.abs(one - other)[~np.isnan(one) & ~np.isnan(other)]
    return bool(apart.size and apart.max() < SAME_DB)


def _within_band(recording: Figures) -> tuple[Floats, Floats]:
    """Third octaves of middle and side below where the band ends: what a low rate or a coder took away is no taste."""
    ends_hz = recording.bandwidth_hz or math.inf
    inside = np.array(CENTRES_HZ) * BAND_EDGE_RATIO <= ends_hz
    middle, side = mid_and_side_db(recording)
    return np.where(inside, middle, np.nan), np.where(inside, side, np.nan)


def _curve(rows: list[Floats], usual_spread_db: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread of each band; the spread also tells how unsure the mean of so few recordings is."""
    mean = mean_known(rows, [1.0] * len(rows))
    known = ~np.isnan(np.array(rows))
    count = known.sum(axis=0)
    squares = np.where(known, np.array(rows) - mean, 0.0) ** 2
    variance = (PRIOR_RECORDINGS * usual_spread_db**2 + squares.sum(axis=0)) / (
        PRIOR_RECORDINGS + np.maximum(count - 1, 0)
    )
    spread = np.sqrt(variance * (1.0 + 1.0 / np.maximum(count, 1)))
    spread = np.where(count > 0, np.minimum(spread, UNTOLD_SPREAD_DB), UNTOLD_SPREAD_DB)
    return tuple(np.where(count > 0, mean, 0.0).tolist()), tuple(spread.tolist())
