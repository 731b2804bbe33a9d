"""Decides which bands stick out so far that they are turned down while they do, and what a voice's sibilants need."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decisions.deviation import mean_known, tone_deviation_db
from decisions.material import Material
from decisions.tone import INTENSITY
from dsp.audio import Floats
from dsp.settings import DeEsserSettings, DynamicBand, DynamicEqualiserSettings
from dsp.spectrum import CENTRES_HZ
from schemas.figures import Figures
from schemas.norm import Norm
from schemas.plan import Decision
from schemas.profile import Profile

RANGES_HZ = ((100.0, 400.0), (1600.0, 8000.0))
"""Where mixes boom, and where they are harsh (our choice): elsewhere what sticks out is mostly the music."""
STICKS_OUT = 1.5
"""So many spreads over the norm a band must lie, on the mean of the track (our choice)."""
OVER_MEAN_DB = 3.0
"""It is cut while it lies this far over its own mean against the whole (our choice): at other times it is left alone."""
MOST_BANDS = 4
QUALITY = 3.0
"""About half an octave wide: a third octave and its edges."""


def decide_resonances(
    figures: Sequence[Figures], norm: Norm, material: Material, profile: Profile
) -> tuple[DynamicEqualiserSettings | None, Decision]:
    """A dynamic equaliser on the bands that stick out most, or None, with the reason."""
    what, most_db = "resonances", profile.taste.max_resonance_cut_db
    if most_db == 0.0 or profile.tone.max_db == 0.0:
        return None, Decision(what=what, how_much="off", why="the style or the profile leaves them alone")
    deviation_db = mean_known([tone_deviation_db(one, norm) for one in figures], [1.0] * len(figures))
    found = _sticking_out(deviation_db, np.array(norm.mid_spread_db))
    cut_db = min(profile.tone.max_db, most_db * INTENSITY[profile.intensity] * material.touch_ratio)
    if not found or cut_db < 0.1:
        return None, Decision(what=what, how_much="0 dB", why="no band sticks out of the music")
    bands = tuple(_dynamic_band(band, figures[0], cut_db) for band in found)
    places = ", ".join(f"{CENTRES_HZ[band]:.0f} Hz" for band in found)
    why = "lies further over the norm than songs stray; cut only while it stands out"
    return DynamicEqualiserSettings(bands=bands), Decision(
        what=what, how_much=f"to -{cut_db:.1f} dB at {places}", why=why
    )


def decide_de_esser(max_db: float, wanted_by: str) -> tuple[DeEsserSettings | None, Decision]:
    """A de-esser that cuts by so much at most; it finds sibilants by itself."""
    if max_db == 0.0:
        return None, Decision(what="de-esser", how_much="off", why="neither the style nor the carrier asks for it")
    settings = DeEsserSettings(max_cut_db=max_db)
    return settings, Decision(what="de-esser", how_much=f"to -{max_db:g} dB", why=f"{wanted_by} asks for it")


def _sticking_out(deviation_db: Floats, spread_db: Floats) -> list[int]:
    """Bands that lie over their neighbours and beyond what songs stray, the worst first."""
    excess = np.nan_to_num(deviation_db / spread_db)
    padded = np.pad(np.nan_to_num(deviation_db), 1, mode="edge")
    peaks = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] >= padded[2:])
    inside = np.array([any(low <= hz <= high for low, high in RANGES_HZ) for hz in CENTRES_HZ])
    places = np.flatnonzero(peaks & inside & (excess > STICKS_OUT))
    return sorted(sorted(places.tolist(), key=lambda band: -float(excess[band]))[:MOST_BANDS])


def _dynamic_band(band: int, figures: Figures, cut_db: float) -> DynamicBand:
    hz = CENTRES_HZ[band]
    threshold_db = _mean_level_db(hz, figures) + OVER_MEAN_DB
    return DynamicBand(
        freq_hz=round(hz, 1),
        threshold_db=round(max(-80.0, min(0.0, threshold_db)), 2),
        relative=True,
        quality_ratio=QUALITY,
        max_cut_db=round(cut_db, 2),
    )


def _mean_level_db(hz: float, figures: Figures) -> float:
    """Level of what a band-pass at `hz` lets through, against the whole: |H|^2 = 1 / (1 + Q^2 (f/f0 - f0/f)^2)."""
    through = whole = 0.0
    for centre, level_db in zip(CENTRES_HZ, figures.spectrum_db, strict=True):
        if level_db is not None:
            power = 10.0 ** (level_db / 10.0)
            whole += power
            through += power / (1.0 + QUALITY**2 * (centre / hz - hz / centre) ** 2)
    return 10.0 * math.log10(through / whole) if through > 0.0 else -80.0
