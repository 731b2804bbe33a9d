"""How far a recording lies from a norm, and how much of that is most probably a fault.

Good recordings differ, so a deviation is mostly the song. Songs stray widely and in broad curves; what a mix or a transfer did
wrong is smaller and more local. With both as Gaussian curves over the third octaves, what is most probably a fault is the
posterior mean `F (F + S)^-1 d` (Wiener's filter): certain where recordings agree, next to nothing where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dsp.audio import Floats
from schemas.figures import Figures
from schemas.norm import Norm

LEVEL_BANDS = slice(10, 24)
"""200 Hz to 4 kHz, where recordings agree best (Elowsson and Friberg 2017): spectra are brought to one level here."""
FAULT_DB = 1.9
"""Spread of what is wrong with a recording (equalisers of four bells up to 6 dB: 1.9 dB a band; benchmarks/restoration.py)."""
FAULT_REACH_BANDS, SONG_REACH_BANDS = 2.0, 3.0
"""How many third octaves a fault and a song's own colour reach: fitted on 74 songs of five albums (correlation 0.65 at one band,
0.4 at three); between 3 and 8 it hardly matters."""
EMPTY_DB = 25.0
"""A band this far from its norm holds no music to correct (a low-passed source, a missing bass)."""
SILENT_DB = -90.0
"""Third octaves below this hold nothing that could be heard."""
UNTOLD_SPREAD_DB = 40.0
"""The spread of a band that a norm does not tell of."""
NO_SIDE_DB = -40.0
"""A side signal this far below the middle is none."""


def mid_and_side_db(figures: Figures) -> tuple[Floats, Floats]:
    """Third octaves of the middle, and of the side against it; NaN where there is nothing."""
    whole = 10.0 ** (_levels(figures.spectrum_db) / 10.0)
    if not figures.side_spectrum_db:
        return _audible(whole), np.full(len(whole), np.nan)
    side = np.nan_to_num(10.0 ** (_levels(figures.side_spectrum_db) / 10.0))
    middle = _audible(np.maximum(whole - side, 0.0))
    width = _audible(side) - middle
    return middle, np.where(width > NO_SIDE_DB, width, np.nan)


def tone_deviation_db(figures: Figures, norm: Norm) -> Floats:
    """Level of the middle against the norm in each band, at equal level from 200 Hz to 4 kHz; NaN where there is no music."""
    deviation = levelled(_told(mid_and_side_db(figures)[0] - np.array(norm.mid_db), norm.mid_spread_db))
    return np.where(np.abs(deviation) <= EMPTY_DB, deviation, np.nan)


def levelled(curve_db: Floats) -> Floats:
    """A curve with mean 0 from 200 Hz to 4 kHz; all NaN where it knows nothing there."""
    known = curve_db[LEVEL_BANDS][~np.isnan(curve_db[LEVEL_BANDS])]
    return curve_db - known.mean() if known.size else np.full(len(curve_db), np.nan)


def width_deviation_db(figures: Figures, norm: Norm) -> Floats:
    """Level of the side against the middle, less that of the norm; NaN where either is missing."""
    return _told(mid_and_side_db(figures)[1] - np.array(norm.side_db), norm.side_spread_db)


def beyond(deviation_db: Floats, deadband_db: Floats) -> Floats:
    """What of a deviation lies outside a deadband."""
    return np.asarray(np.sign(deviation_db) * np.maximum(np.abs(deviation_db) - deadband_db, 0.0))


def probable_fault_db(deviation_db: Floats, spread_db: Floats) -> Floats:
    """The part of a deviation that is most probably a fault, where recordings stray by `spread_db`; 0 where it is unknown.

    >>> faults = probable_fault_db(np.full(31, 3.0), np.full(31, 2.0))
    >>> surer = probable_fault_db(np.full(31, 3.0), np.full(31, 1.0))
    >>> bool(0.0 < faults[15] < surer[15] < 3.0)
    True
    """
    known = ~np.isnan(deviation_db)
    fault, song = _covariances(known.tobytes(), spread_db.tobytes())
    found = np.zeros(len(deviation_db))
    found[known] = fault @ np.linalg.solve(fault + song, deviation_db[known])
    return found


@lru_cache(maxsize=256)  # most albums of a catalogue are held against one norm, and know the same bands
def _covariances(known_bands: bytes, spreads_db: bytes) -> tuple[Floats, Floats]:
    """How what is wrong, and a song's own colour, vary together from band to band (dB squared)."""
    known, spread_db = np.frombuffer(known_bands, np.bool_), np.frombuffer(spreads_db)
    bands = np.arange(len(known))[known]
    apart = np.abs(bands[:, None] - bands[None, :])
    fault = FAULT_DB**2 * np.exp(-(apart**2) / (2.0 * FAULT_REACH_BANDS**2))
    song = np.outer(spread_db[known], spread_db[known]) * np.exp(-apart / SONG_REACH_BANDS)
    return fault, song


def mean_known(rows: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Weighted mean of each band over the rows that know it; NaN where none does."""
    table, parts = np.array(rows), np.array(weights)[:, None]
    known = ~np.isnan(table)
    total = (known * parts).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.where(known, table, 0.0) * parts).sum(axis=0) / total)


def _told(curve_db: Floats, spread_db: Sequence[float]) -> Floats:
    """The bands that a norm tells of; NaN elsewhere."""
    return np.where(np.array(spread_db) < UNTOLD_SPREAD_DB, curve_db, np.nan)


def _levels(spectrum_db: Sequence[float | None]) -> Floats:
    return np.array([np.nan if level is None else level for level in spectrum_db], dtype=np.float64)


def _audible(power: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        level_db = 10.0 * np.log10(power)
    return np.where(level_db > SILENT_DB, level_db, np.nan)
