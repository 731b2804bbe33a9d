"""Decides high-pass filters: only where rumble or handling noise is proven, never by habit.

High-passing every track without lows is not supported by listening tests (Pestana). Proof is twofold: far more lies below the
lowest tone of the role than an instrument of it has there, and it goes on in the pauses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from decisions.mixing.reasons import UNSURE
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import SURE_ROLE, open_strips, replaced
from dsp.mixing.trace import BARK_EDGES_HZ, STEPS_PER_S
from dsp.settings import Band, ParametricSettings
from schemas.mix import Insert, MixSettings, Strip, Why
from schemas.stems import Role

LOWEST_HZ: dict[Role, float] = {
    "snare": 120.0,  # shell tone of a 14-inch drum: 150 to 250 Hz
    "cymbals": 200.0,
    "percussion": 90.0,
    "vocal": 85.0,  # E2, the lowest that a baritone sings in songs
    "backing_vocal": 85.0,
    "electric_guitar": 75.0,  # E2, 82 Hz, less a tone for tunings
    "acoustic_guitar": 75.0,
    "woodwind": 100.0,  # flutes, clarinets, saxophones; a bassoon or baritone goes lower and is left alone by the level
}
"""The lowest tone of those roles that have any lows to lose; all others are never filtered (our choice, from their compass)."""
USUAL_DB = -24.0
"""What lies below that tone in a clean recording, re the whole (our choice)."""
OVER_USUAL_DB = 12.0
"""So much more is a residue and no instrument (mixing by rule)."""
LASTS_DB = 6.0
"""What stays within this of itself in the pauses does not come from the player (our choice)."""
SHORTEST_PAUSES_S = 1.0
MARGIN_RATIO = 0.8
"""The corner lies this far below the lowest tone: -1 dB there at most."""


class Residue(NamedTuple):
    """What lies below the lowest tone of a stem's role."""

    share_db: float
    """Its level re the whole, while the stem sounds."""
    fall_db: float | None
    """How much softer it is in the pauses; None where they are too short to tell."""


def decide_corrective(session: Session, settings: MixSettings) -> MixSettings:
    """A high-pass filter for each stem in which a residue is proven."""
    made = {}
    for one, strip in open_strips(session, settings):
        if strip.role in LOWEST_HZ and one.role_confidence >= SURE_ROLE:
            changed = _filtered(one, strip, residue(one, LOWEST_HZ[strip.role]))
            if changed is not None:
                made[strip.stem_id] = changed
    return replaced(settings, made)


def residue(one: HeardStem, lowest_hz: float) -> Residue:
    """What lies in the Bark bands that end about the lowest tone or below it."""
    count = max(1, sum(edge_hz <= 1.2 * lowest_hz for edge_hz in BARK_EDGES_HZ[1:]))
    low = one.trace.bands[:, :count].sum(axis=1, dtype=np.float64)
    active, whole = one.trace.active, float(one.trace.bands[one.trace.active].sum())
    during = float(low[active].mean())
    share_db = 10.0 * math.log10(max(float(low[active].sum()) / max(whole, 1e-30), 1e-12))
    if (~active).sum() < SHORTEST_PAUSES_S * STEPS_PER_S or during <= 0.0:
        return Residue(share_db, None)
    return Residue(share_db, 10.0 * math.log10(during / max(float(np.median(low[~active])), 1e-30)))


def _filtered(one: HeardStem, strip: Strip, found: Residue) -> Strip | None:
    """A filter where the residue is loud and either goes on in the pauses, or cannot be told from them: then half as high."""
    if found.share_db < USUAL_DB + OVER_USUAL_DB or (found.fall_db is not None and found.fall_db > LASTS_DB):
        return None
    confidence = 0.9 if found.fall_db is not None else 0.4
    lowest_hz = LOWEST_HZ[strip.role]
    corner_hz = MARGIN_RATIO * lowest_hz * (1.0 if confidence >= UNSURE else 0.5)
    evidence: dict[str, float | str] = {
        "residue_re_whole_db": round(found.share_db, 1),
        "usual_at_most_db": USUAL_DB,
        "lowest_tone_hz": lowest_hz,
    }
    if found.fall_db is not None:
        evidence["softer_in_pauses_db"] = round(found.fall_db, 1)
    text = f"more lies below the lowest tone of a {strip.role.replace('_', ' ')} than comes from one"
    text += ", and it goes on in the pauses" if found.fall_db is not None else "; there are no pauses to prove it in"
    band = Band(kind="highpass", freq_hz=round(corner_hz, 1))
    insert = Insert.of(ParametricSettings(bands=(band,)), Why(text=text, evidence=evidence, confidence=confidence))
    return msgspec.structs.replace(strip, inserts=(*strip.inserts, insert))
