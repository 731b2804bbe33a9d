"""Decides compression of single stems: only of those that vary more than stems of their role do in finished mixes.

How much comes from what the stem has more in loudness range or crest than its role; attack and release follow its crest
(Giannoulis, Massberg, Reiss, JAES 61(10), 2013); the threshold is where the static curve takes that much on the mean.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from decisions.mixing.gates import decide_gates
from decisions.mixing.prediction import inserts_gain_db, peaks_dbfs, reduction_db, to_level
from decisions.mixing.reasons import RANGES_DB, held
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import open_strips, replaced
from dsp.audio import Floats
from dsp.settings import CompressorSettings
from schemas.mix import Insert, MixSettings, Strip, Why
from schemas.stems import Role


class RoleNorm(NamedTuple):
    """What nine in ten stems of a role do not exceed."""

    range_lu: float
    crest_db: float


NORMS: dict[Role, RoleNorm] = {
    "kick": RoleNorm(4.5, 15.0),
    "snare": RoleNorm(7.0, 23.5),
    "toms": RoleNorm(9.0, 23.5),  # none in the material: as a snare, and played less evenly
    "cymbals": RoleNorm(13.0, 25.0),
    "drums": RoleNorm(13.0, 25.0),
    "room": RoleNorm(13.0, 23.0),  # none in the material
    "percussion": RoleNorm(10.0, 22.0),
    "bass": RoleNorm(4.5, 15.5),
    "vocal": RoleNorm(8.0, 17.0),  # no voices in the material: our choice
    "backing_vocal": RoleNorm(8.0, 17.0),  # our choice
    "electric_guitar": RoleNorm(10.0, 22.0),
    "acoustic_guitar": RoleNorm(10.0, 22.0),
    "keys": RoleNorm(8.0, 20.0),
    "synth": RoleNorm(9.5, 19.5),
    "strings": RoleNorm(13.0, 18.0),
    "brass": RoleNorm(7.0, 21.0),
    "woodwind": RoleNorm(9.5, 18.0),
}
"""The 90th percentiles of 100 stems of 13 balanced songs (General MIDI and LMMS, `benchmarks/mix_songs.py`), rounded. Roles that
are not here (effects, backing tracks, others) are never compressed: nothing tells how they should vary."""
LEAST_EXCESS_DB = 1.0
REDUCTION_RATIO = 0.5
"""Mean gain reduction for each dB over the norm (our choice)."""
RATIO_PER_DB = 1.0 / 6.0
"""Ratio over 1 for each dB over the norm (our choice): 6 dB more than usual makes 2:1."""
LEAST_RATIO, MOST_RATIO = 1.5, 4.0
CREST_ATTACK_S, CREST_RELEASE_S = (
    0.16,
    2.0,
)  # Giannoulis et al. 2013: 2 x 0.08 s and 2 x 1 s, over the crest factor squared
ATTACK_S, RELEASE_S = (0.001, 0.08), (0.05, 0.5)
"""Bounds of both (our choice; the compressor takes no slower release)."""
KNEE_DB = (6.0, 12.0)
KNEE_PER_REDUCTION = 2.0
"""The knee is so wide as is taken on the mean, times this (after Giannoulis et al.: in proportion to it)."""
TRIES = 40


def decide_dynamics(session: Session, settings: MixSettings) -> MixSettings:
    """Gates where bleed is proven, then a compressor for each stem that varies more than its role."""
    settings = decide_gates(session, settings)
    made = {}
    for one, strip in open_strips(session, settings):
        if strip.role in NORMS and (changed := _compressed(one, strip, settings.rate_hz)) is not None:
            made[strip.stem_id] = changed
    return replaced(settings, made)


def _compressed(one: HeardStem, strip: Strip, rate_hz: int) -> Strip | None:
    norm, figures = NORMS[strip.role], one.figures
    if figures.loudness_range_lu is None or figures.crest_db is None:
        return None
    over_lu, over_db = figures.loudness_range_lu - norm.range_lu, figures.crest_db - norm.crest_db
    excess_db = max(over_lu, over_db)
    if excess_db < LEAST_EXCESS_DB:
        return None
    confidence = min(0.8, one.role_confidence)
    wanted_db = held(REDUCTION_RATIO * excess_db, confidence, RANGES_DB["compression"])
    levels = (peaks_dbfs(one) + inserts_gain_db(one, strip, rate_hz)[0])[one.trace.active]
    compressor = _settings(levels, wanted_db, 1.0 + RATIO_PER_DB * excess_db, local_crest_db(one))
    evidence: dict[str, float | str] = {
        "loudness_range_lu": round(figures.loudness_range_lu, 1),
        "usual_range_lu": norm.range_lu,
        "crest_db": round(figures.crest_db, 1),
        "usual_crest_db": norm.crest_db,
        "percussivity_ratio": round(figures.percussivity_ratio, 2),
        "predicted_mean_reduction_db": round(float(reduction_db(levels, compressor).mean()), 2),
    }
    what = "its loudness varies" if over_lu >= over_db else "its peaks stand out"
    text = f"{what} {excess_db:.1f} dB more than with nine in ten stems of its role"
    insert = Insert.of(compressor, Why(text=text, evidence=evidence, confidence=confidence))
    return msgspec.structs.replace(strip, inserts=(*strip.inserts, insert))


def local_crest_db(one: HeardStem) -> float:
    """Peak over root mean square within the loudest tenth of a second."""
    power = one.trace.bands.sum(axis=1, dtype=np.float64) / max(1, one.figures.format.channels)
    return max(0.0, (one.figures.sample_peak_dbfs or 0.0) - float(to_level(power).max()))


def _settings(levels: Floats, wanted_db: float, ratio: float, crest_db: float) -> CompressorSettings:
    """A compressor that takes so much from some peak levels on the mean."""
    attack_s = CREST_ATTACK_S / 10.0 ** (crest_db / 10.0)
    release_s = CREST_RELEASE_S / 10.0 ** (crest_db / 10.0) - attack_s
    fixed = CompressorSettings(
        threshold_dbfs=0.0,
        compression_ratio=round(min(MOST_RATIO, max(LEAST_RATIO, ratio)), 2),
        knee_db=round(min(KNEE_DB[1], max(KNEE_DB[0], KNEE_PER_REDUCTION * wanted_db)), 1),
        attack_s=round(min(ATTACK_S[1], max(ATTACK_S[0], attack_s)), 4),
        release_s=round(min(RELEASE_S[1], max(RELEASE_S[0], release_s)), 3),
    )
    return with_mean_reduction(fixed, levels, wanted_db)


def with_mean_reduction(fixed: CompressorSettings, levels: Floats, wanted_db: float) -> CompressorSettings:
    """The compressor with the threshold at which it takes so much from some peak levels on the mean, or just less."""
    low, high = -80.0, 0.0
    for _ in range(TRIES):
        middle = 0.5 * (low + high)
        if float(reduction_db(levels, replace(fixed, threshold_dbfs=middle)).mean()) > wanted_db:
            low = middle
        else:
            high = middle
    return replace(fixed, threshold_dbfs=min(0.0, round(high + 0.005, 2)))
