"""Decides the tone correction that a group of tracks shares: gentle, and only for what lies outside the deadband.

Good recordings differ (2.5 dB a band between albums), so a curve is a distribution, not a line: what is within the
deadband stays, of the rest a share is corrected, and no band moves further than the cap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from dsp.loudness import k_weight_db
from dsp.settings import EqualiserSettings
from schemas.plan import Decision
from schemas.profile import ToneChoice

LEVEL_BANDS_HZ = (200.0, 4000.0)
"""Where recordings agree best (Elowsson and Friberg 2017): spectra are brought to one level here before comparing."""
EMPTY_DB = 25.0
"""A band this far from its target holds no music to correct (a low-passed source, a missing bass)."""
SMALLEST_DB = 0.1
"""Below this a correction is not worth a filter."""
FIRST_CENTRE = -17  # band 0 of a measured spectrum is 1 kHz * 10^(-17/10) = 20 Hz


def decide_tone(
    spectra: Sequence[Sequence[float | None]], choice: ToneChoice, durations_s: Sequence[float] = ()
) -> tuple[EqualiserSettings | None, Decision]:
    """The equaliser of tracks with these third-octave spectra (dB), or None, with the reason.

    A track counts by its length (all the same if no lengths are given).
    """
    if choice.amount_ratio == 0.0 or choice.max_db == 0.0:
        return None, Decision(what="tone", how_much="off", why="the profile leaves the tone alone")
    deviations = [_deviations(spectrum, choice) for spectrum in spectra]
    weights = tuple(durations_s) or (1.0,) * len(spectra)
    gains_db = _smoothed([_gain_db(band, deviations, weights, choice) for band in range(len(choice.bands_hz))])
    worst = max(range(len(gains_db)), key=lambda band: abs(gains_db[band]))
    if abs(gains_db[worst]) < SMALLEST_DB:
        return None, Decision(what="tone", how_much="0 dB", why="every band lies within its deadband")
    why = (
        f"outside the deadband, most at {choice.bands_hz[worst]:g} Hz; {choice.amount_ratio:.0%} of the excess is taken"
    )
    settings = EqualiserSettings(freqs_hz=choice.bands_hz, gains_db=tuple(round(g, 2) for g in gains_db))
    how_much = f"{gains_db[worst]:+.1f} dB at {choice.bands_hz[worst]:g} Hz"
    return settings, Decision(what="tone", how_much=how_much, why=why)


def tone_change_lu(equaliser: EqualiserSettings | None, spectrum: Sequence[float | None]) -> float:
    """How much an equaliser will about change the loudness of a track with this third-octave spectrum."""
    if equaliser is None:
        return 0.0
    before = after = 0.0
    for band, level_db in enumerate(spectrum):
        if level_db is not None:
            hz = 1000.0 * 10.0 ** ((band + FIRST_CENTRE) / 10.0)
            weight = 10.0 ** ((level_db + k_weight_db(hz)) / 10.0)
            gain_db = float(np.interp(math.log(hz), np.log(equaliser.freqs_hz), equaliser.gains_db))
            before, after = before + weight, after + weight * 10.0 ** (gain_db / 10.0)
    return 10.0 * math.log10(after / before) if before > 0.0 else 0.0


def _deviations(spectrum: Sequence[float | None], choice: ToneChoice) -> list[float | None]:
    """Level of each band against the target, at equal level from 200 Hz to 4 kHz; None where there is no music."""
    low_hz, high_hz = LEVEL_BANDS_HZ
    raw = [
        _minus(_level_at(spectrum, hz), target) for hz, target in zip(choice.bands_hz, choice.target_db, strict=True)
    ]
    middle = [d for d, hz in zip(raw, choice.bands_hz, strict=True) if d is not None and low_hz <= hz <= high_hz]
    if not middle:
        return [None] * len(raw)
    level = fmean(middle)
    return [None if d is None or abs(d - level) > EMPTY_DB else d - level for d in raw]


def _gain_db(band: int, deviations: list[list[float | None]], weights: Sequence[float], choice: ToneChoice) -> float:
    known = [(d, w) for d, w in zip((one[band] for one in deviations), weights, strict=True) if d is not None]
    if not known:
        return 0.0
    mean_db = fmean([d for d, _ in known], [w for _, w in known])
    excess_db = math.copysign(max(0.0, abs(mean_db) - choice.deadband_db[band]), mean_db)
    return max(-choice.max_db, min(choice.max_db, -choice.amount_ratio * excess_db))


def _smoothed(gains_db: list[float]) -> list[float]:
    """Weights 1 2 1 over neighbouring bands: no narrow filters."""
    padded = [gains_db[0], *gains_db, gains_db[-1]]
    return [(padded[i] + 2.0 * padded[i + 1] + padded[i + 2]) / 4.0 for i in range(len(gains_db))]


def _level_at(spectrum: Sequence[float | None], hz: float) -> float | None:
    band = round(10.0 * math.log10(hz / 1000.0)) - FIRST_CENTRE
    return spectrum[band] if 0 <= band < len(spectrum) else None


def _minus(level: float | None, target: float) -> float | None:
    return None if level is None else level - target
