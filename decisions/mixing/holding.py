"""Keeps stems where their faders put them: what equalisers, compressors and rooms made louder or softer, the fader takes back.

A balance is decided on stems as they were delivered. Once it is known how loud they come out, faders move against the change,
so that processing alters the sound of a stem and not its place. What moves all alike is the mix's own gain, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from decisions.mixing.levels import RANGE_DB
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.standing import level_lufs, loud_steps
from dsp.audio import Floats
from schemas.mix import MixSettings, Strip, Why

MOST_DB = 6.0
"""No fader takes back more (our choice): what changed by more than that was changed on purpose, or is another stem's bleed."""
SMALLEST_DB = 0.1
CONFIDENCE = 0.9
"""That what was measured is what will be heard (our choice)."""


def hold_levels(session: Session, settings: MixSettings, found: Mapping[str, Floats], where: str) -> MixSettings:
    """The settings with faders that undo how far each stem in `found` (before its fader) differs from that of the session."""
    heard, strips = session.heard(), {strip.stem_id: strip for strip in settings.stems}
    kept = {_pair(one) for one in session.stems if _is_set(one)}
    loud = loud_steps({name: one.trace for name, one in heard.items()})
    changes = {
        name: change
        for name, strip in strips.items()
        if name in found
        and strip.use
        and strip.sharing is None  # it turns a stem down on purpose
        and _pair(heard[name]) not in kept
        and (change := _change_db(heard[name], found[name], loud)) is not None
    }
    if not changes:
        return settings
    changes = _as_pairs(changes, heard)
    common = float(np.median(list(changes.values()))) if not _anchored(session) else 0.0
    return replace(
        settings,
        stems=tuple(
            _taken_back(strip, changes[strip.stem_id] - common, where) if strip.stem_id in changes else strip
            for strip in settings.stems
        ),
    )


def before_fader(strip: Strip, energies: Floats) -> Floats:
    """A strip's energies as it adds to the mix, without the gain of its fader."""
    return np.asarray(energies * 10.0 ** (-strip.gain_db / 10.0))


def _is_set(one: HeardStem) -> bool:
    """A fader that a person set stays, and those of its pair with it: they move as one."""
    return one.stem.lock or one.stem.gain_db is not None


def _as_pairs(changes: Mapping[str, float], heard: Mapping[str, HeardStem]) -> dict[str, float]:
    """Stems of a pair move as one: by the mean of their changes."""
    pairs: dict[str, list[float]] = {}
    for name, change_db in changes.items():
        pairs.setdefault(_pair(heard[name]), []).append(change_db)
    return {name: float(np.mean(pairs[_pair(heard[name])])) for name in changes}


def _pair(one: HeardStem) -> str:
    return f"pair {one.stem.pair}" if one.stem.pair else f"stem {one.stem.stem_id}"


def _anchored(session: Session) -> bool:
    return any(map(_is_set, session.stems))


def _change_db(one: HeardStem, found: Floats, loud: NDArray[np.bool_]) -> float | None:
    """Measured in the same steps, so that a gate that silences bleed is not taken for a softer stem."""
    steps = one.trace.steps
    energies = np.zeros(steps)
    energies[: min(steps, len(found))] = found[:steps]
    before, after = level_lufs(one.trace, loud), level_lufs(one.trace._replace(energies=energies), loud)
    return None if before is None or after is None else after - before


def _taken_back(strip: Strip, change_db: float, where: str) -> Strip:
    if abs(change_db) < SMALLEST_DB:
        return strip
    decided = strip.why.get("gain_db", Why(text="as delivered"))
    confidence = decided.confidence if decided.evidence else CONFIDENCE
    most_db = RANGE_DB if confidence >= 0.5 else RANGE_DB / 2.0
    taken_db = max(-MOST_DB, min(MOST_DB, -change_db))
    gain_db = round(max(-most_db, min(most_db, strip.gain_db + taken_db)), 2)
    why = Why(
        text=f"{decided.text}; what {where} did to its level is taken back",
        evidence={**decided.evidence, f"changed_by_{where.replace(' ', '_')}_db": round(change_db, 2)},
        confidence=confidence,
    )
    return replace(strip, gain_db=gain_db, why={**strip.why, "gain_db": why})
