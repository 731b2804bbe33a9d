"""Decides the compressors of buses: of drums, voices and music, by 2 dB on the mean at most, and only where their sum varies more
than such sums do in finished mixes.

A bus of a single stem needs none: what that stem needs, its strip has. One with a locked stem gets none: it would touch that too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisions.mixing.dynamics import REDUCTION_RATIO, RoleNorm, with_mean_reduction
from decisions.mixing.prediction import (
    automation_db,
    inserts_gain_db,
    local_spread_db,
    peaks_dbfs,
    reduction_db,
    strip_bands,
    strip_energies,
    to_level,
    to_power,
)
from decisions.mixing.reasons import RANGES_DB, held
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import used_strips
from dsp.audio import Floats
from dsp.settings import CompressorSettings
from schemas.mix import Bus, BusSettings, MixSettings, Strip, Why

NORMS: dict[Bus, RoleNorm] = {
    "drums": RoleNorm(11.0, 24.5),
    "vocals": RoleNorm(9.0, 17.0),  # no voices in the material: our choice
    "music": RoleNorm(10.0, 18.5),
}
"""Swing of the loudness over 0.4 s about that over 3 s, and crest: nine in ten of the sums of 14 balanced songs stay
within (those of `decisions/mixing/dynamics.py`)."""
LEAST_EXCESS_DB = 1.0
FEWEST_STEMS = 2
GLUE = CompressorSettings(threshold_dbfs=0.0, compression_ratio=1.8, knee_db=8.0, attack_s=0.03, release_s=0.2)
"""Gentle and slow enough to leave hits their attack (our choice)."""
ONE_SIDE_DB = 10.0 * math.log10(2.0)
"""A mono stem in the centre is so much softer on each side."""
CONFIDENCE = 0.6


class _Sum(NamedTuple):
    energies: Floats
    """K-weighted, of both sides."""
    powers: Floats
    """Mean square of one side."""
    peaks_dbfs: Floats
    active: NDArray[np.bool_]


def decide_buses(session: Session, settings: MixSettings) -> MixSettings:
    """A compressor for each bus whose sum asks for one."""
    made = tuple(_decided(session, settings, bus) for bus in settings.buses)
    return msgspec.structs.replace(settings, buses=made)


def _decided(session: Session, settings: MixSettings, bus: BusSettings) -> BusSettings:
    members = [(one, strip) for one, strip in used_strips(session, settings) if strip.bus == bus.name]
    if bus.name not in NORMS or bus.compressor is not None or len(members) < FEWEST_STEMS:
        return bus
    if any(strip.lock for _, strip in members):
        return bus
    norm = NORMS[bus.name]
    energies, powers, levels_dbfs, active = _sum_of(members, settings.rate_hz)
    swing_lu = local_spread_db(energies, active)
    crest_db = float(levels_dbfs.max() - to_level(np.array([powers[active].mean()]))[0])
    excess_db = max(swing_lu - norm.range_lu, crest_db - norm.crest_db)
    if excess_db < LEAST_EXCESS_DB:
        return bus
    wanted_db = held(REDUCTION_RATIO * excess_db, CONFIDENCE, RANGES_DB["bus"])
    compressor = with_mean_reduction(GLUE, levels_dbfs[active], wanted_db)
    evidence: dict[str, float | str] = {
        "swing_lu": round(swing_lu, 1),
        "usual_swing_lu": norm.range_lu,
        "crest_db": round(crest_db, 1),
        "usual_crest_db": norm.crest_db,
        "predicted_mean_reduction_db": round(float(reduction_db(levels_dbfs[active], compressor).mean()), 2),
    }
    why = Why(text="its sum varies more than such sums do in mixes", evidence=evidence, confidence=CONFIDENCE)
    return msgspec.structs.replace(bus, compressor=compressor, why={**bus.why, "compressor": why})


def _sum_of(members: list[tuple[HeardStem, Strip]], rate_hz: int) -> _Sum:
    """A bus per step; its stems are taken to be independent of each other, and their peaks to meet as their powers do."""
    steps = max(one.trace.steps for one, _ in members)
    energies, powers, peaks, active = np.zeros(steps), np.zeros(steps), np.zeros(steps), np.zeros(steps, np.bool_)
    for one, strip in members:
        count = one.trace.steps
        gain_db = inserts_gain_db(one, strip, rate_hz)[0] + automation_db(strip, count) + strip.gain_db
        one_side_db = ONE_SIDE_DB if one.figures.format.channels == 1 else 0.0
        energies[:count] += strip_energies(one, strip, rate_hz)
        powers[:count] += strip_bands(one, strip, rate_hz).sum(axis=1) / 2.0
        peaks[:count] += to_power(peaks_dbfs(one) + gain_db - one_side_db)
        active[:count] |= one.trace.active
    return _Sum(energies, powers, to_level(peaks), active)
