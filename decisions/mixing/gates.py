"""Decides gates: only for drum microphones in which the hits of another stem are proven to be heard.

Proof is read from the traces: where the other drum hits and this one rests, this microphone follows it at a steady distance.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisions.mixing.prediction import peaks_dbfs, to_level
from decisions.mixing.reasons import RANGES_DB, held
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import open_strips, replaced, used_strips
from dsp.audio import Floats
from dsp.mixing.trace import BARK_EDGES_HZ
from dsp.settings import GateSettings
from schemas.mix import Insert, MixSettings, Strip, Why

GATED = ("kick", "snare", "toms")
"""Single hits with rests between them; of everything else a gate would cut the ends."""
SOURCES = ("kick", "snare", "toms", "cymbals", "drums", "percussion")
FEWEST_HITS = 20
STRUCK_RATIO = 0.1
"""A rise of so much of a stem's strong ones is a hit (our choice: 10 dB below them)."""
STEADY_DB = 6.0
"""Distance of the 10th from the 90th percentile: bleed follows its source within this (our choice)."""
AUDIBLE_DB = -60.0
"""Re the stem's own hits: bleed below this is nobody's concern."""
LEAST_GAP_DB = 9.0
"""Own hits must stand this far over the bleed, or the gate would take some of them."""
LINKED_RATIO = 0.5
"""Share of frames that agree on a delay, from which on two microphones are taken to hear the same."""


class Bleed(NamedTuple):
    """Another stem as it is heard in a microphone."""

    source: str
    hits: int
    distance_db: float
    """Its level here less its level in its own stem, on the median of its hits."""
    spread_db: float
    level_dbfs: float
    """The peak that nine in ten of its hits do not exceed here."""
    linked: bool
    """Whether the sound of the two was compared and agreed."""


def decide_gates(session: Session, settings: MixSettings) -> MixSettings:
    """A gate for each drum microphone with proven bleed, between the bleed and its own hits."""
    sources = [one for one, strip in used_strips(session, settings) if strip.role in SOURCES]
    made = {}
    for one, strip in open_strips(session, settings):
        found = [bleed(one, other, session) for other in sources if other is not one] if strip.role in GATED else []
        proven = [each for each in found if each is not None]
        if proven and (changed := _gated(one, strip, max(proven, key=lambda each: each.level_dbfs))) is not None:
            made[strip.stem_id] = changed
    return replaced(settings, made)


def bleed(one: HeardStem, other: HeardStem, session: Session) -> Bleed | None:
    """How another stem is heard in this one; None where that is not proven."""
    steps = min(one.trace.steps, other.trace.steps)
    own_db, its_db = (to_level(each.trace.bands[:steps].sum(axis=1, dtype=np.float64)) for each in (one, other))
    hit = _hits(other, steps) & ~one.trace.active[:steps]
    loud = own_db[one.trace.active[:steps]]
    hit &= own_db > (float(np.percentile(loud, 90)) if len(loud) else 0.0) + AUDIBLE_DB
    if hit.sum() < FEWEST_HITS or not _follows(own_db, hit):
        return None
    distances_db = own_db[hit] - its_db[hit]
    low, middle, high = np.percentile(distances_db, (10, 50, 90))
    if high - low > STEADY_DB:
        return None
    level_dbfs = float(np.percentile(peaks_dbfs(one)[:steps][hit], 90))
    linked = _linked(one.stem.stem_id, other.stem.stem_id, session)
    return Bleed(other.stem.stem_id, int(hit.sum()), float(middle), float(high - low), level_dbfs, linked)


def _hits(one: HeardStem, steps: int) -> NDArray[np.bool_]:
    """The steps in which a stem is struck."""
    onsets = one.trace.onsets[: steps * 10].reshape(steps, -1).max(axis=1)
    if not onsets.any():
        return np.zeros(steps, np.bool_)
    return np.asarray(one.trace.active[:steps] & (onsets > STRUCK_RATIO * np.percentile(onsets[onsets > 0.0], 90)))


def _follows(own_db: Floats, hit: NDArray[np.bool_]) -> bool:
    """Whether this microphone is louder at the other's hits than in the step before them."""
    places = np.flatnonzero(hit)
    places = places[places > 0]
    return (
        bool(np.median(own_db[places] - np.minimum(own_db[places - 1], own_db[places])) > 3.0) if len(places) else False
    )


def _linked(first: str, second: str, session: Session) -> bool:
    pairs = [pair for pair in session.pairs if {pair.first, pair.second} == {first, second}]
    return any(pair.stable_ratio >= LINKED_RATIO for pair in pairs)


def _gated(one: HeardStem, strip: Strip, found: Bleed) -> Strip | None:
    if not _hits(one, one.trace.steps).any():
        return None
    peaks = peaks_dbfs(one)
    own_dbfs = float(np.percentile(peaks[_hits(one, one.trace.steps)], 25))
    gap_db = own_dbfs - found.level_dbfs
    if gap_db < LEAST_GAP_DB:
        return None
    confidence = 0.8 if found.linked else 0.45
    range_db = held(-found.distance_db + 6.0 if found.distance_db < 0.0 else 6.0, confidence, RANGES_DB["gate"])
    settings = GateSettings(
        threshold_dbfs=round(min(0.0, max(-100.0, found.level_dbfs + 0.5 * gap_db)), 1),
        range_db=round(range_db, 1),
        high_hz=round(_highest_hz(one), 0),
    )
    evidence: dict[str, float | str] = {
        "heard_here": found.source,
        "at_hits_count": found.hits,
        "re_its_own_stem_db": round(found.distance_db, 1),
        "steady_within_db": round(found.spread_db, 1),
        "own_hits_over_it_db": round(gap_db, 1),
    }
    how = "both microphones agree on its delay" if found.linked else "told from levels alone: half the range"
    why = Why(
        text=f"hits of {found.source} are heard here while it rests; {how}", evidence=evidence, confidence=confidence
    )
    return msgspec.structs.replace(strip, inserts=(Insert.of(settings, why), *strip.inserts))


def _highest_hz(one: HeardStem) -> float:
    """Below this lies nine tenths of what the stem is: what the detector listens to."""
    energy = np.cumsum(one.trace.bands[one.trace.active].sum(axis=0, dtype=np.float64))
    place = int(np.searchsorted(energy, 0.9 * energy[-1]))
    return float(min(20_000.0, max(200.0, BARK_EDGES_HZ[min(place + 1, len(BARK_EDGES_HZ) - 1)])))
