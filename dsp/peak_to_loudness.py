"""Peak to short-term loudness ratio: how much room the loudest passages leave to their peaks.

PSR: true peak less short-term loudness over the same 3 s (Shepherd, Grimm, Tapper, Kahsnitz and Kerr, AES 143, 2017).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsp.audio import Floats
from dsp.gating import ABSOLUTE_GATE_LUFS, OFFSET_LU, energy_of
from dsp.loudness import RANGE_GATE_LU, SHORT_TERM_TICKS, LoudnessMeter
from dsp.ticks import PER_S
from dsp.true_peak import TruePeakMeter


class LowestPsr(NamedTuple):
    """The lowest ratio and where its 3 s begin; None for silence and for less than 3 s."""

    lu: float | None
    at_s: float | None


def lowest_psr(loudness: LoudnessMeter, true_peak: TruePeakMeter) -> LowestPsr:
    """The lowest of all 3 s that are no fade and no pause: within 20 LU of the mean, as for the loudness range.

    They begin where the stretches of the true-peak meter begin, ten times a second; both meters must be at the track's end.
    """
    stretches, stretch_s = true_peak.stretches(), true_peak.stretch_s
    places_s: Floats = np.arange(len(stretches), dtype=np.float64) * stretch_s
    energies = _short_term_from(places_s, loudness)
    loud = energies[energies >= energy_of(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return LowestPsr(None, None)
    across = round(SHORT_TERM_TICKS / PER_S / stretch_s)
    windows = np.lib.stride_tricks.sliding_window_view(stretches, across)[: len(energies)]
    peaks = windows.max(axis=1).astype(np.float64)
    least = max(energy_of(ABSOLUTE_GATE_LUFS), float(loud.mean()) * 10.0 ** (RANGE_GATE_LU / 10.0))
    music = np.flatnonzero((energies >= least) & (peaks > 0.0))
    if not len(music):
        return LowestPsr(None, None)
    ratios = np.square(peaks[music]) / energies[music]
    lowest = int(ratios.argmin())
    ratio_db = 10.0 * float(np.log10(ratios[lowest]))
    return LowestPsr(ratio_db - OFFSET_LU, round(float(places_s[music[lowest]]), 3))


def _short_term_from(places_s: Floats, loudness: LoudnessMeter) -> Floats:
    """Weighted mean square of the 3 s from each place on, to the nearest 10 ms; those beyond the end are left out."""
    summed = np.concatenate([[0.0], np.cumsum(loudness.energies())])
    starts = np.rint(places_s * PER_S).astype(np.int64)
    starts = starts[starts + SHORT_TERM_TICKS < len(summed)]
    frames = loudness.grid.window_frames(1, SHORT_TERM_TICKS, 1)
    return np.asarray((summed[starts + SHORT_TERM_TICKS] - summed[starts]) / frames)
