"""Decides faders: from where each stem usually stands, and from how much of the balance as delivered somebody probably meant.

Where a reference is given, its balance is the target (`reference_levels`). Else each stem has a usual level, by its role, its
presence and its sound (`balances/`); of its distance from that, what was most probably meant is kept (`intent`); then the
stems of a role are held to what they may be together (`role_sums`). A balance that looks meant is left almost alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from decisions.mixing.balances import Balance, balance_for
from decisions.mixing.intent import Intent, intent_of
from decisions.mixing.reference_levels import reference_gains
from decisions.mixing.role_sums import RoleBounds, held_to_bounds
from decisions.mixing.session import Session
from decisions.mixing.standing import Unit, standing
from dsp.audio import Floats
from schemas.mix import BUS_OF, MixSettings, Strip, Why

RANGE_DB = 18.0
"""No fader is moved further (our choice): more is a wrong recording level, for a person to see."""
SMALLEST_DB = 0.05
LEAST_ACTIVE_RATIO = 0.02
"""A stem that sounds more seldom is judged as if it sounded so often."""
LEAST_DOUBT_DB = 0.3
MELODY_PERCUSSIVITY_RATIO, MELODY_LOW_RATIO, MELODY_CENTROID_HZ = 0.5, 0.15, 200.0
"""A melody has less of hits and bass, and lies higher (our choice)."""


class Target(NamedTuple):
    """Where a stem is to stand: the change of its fader, and why."""

    gain_db: float
    why: Why


def decide_levels(session: Session, settings: MixSettings) -> MixSettings:
    """The settings with the faders of all strips that nobody set; levels are measured as the strips' faders stand."""
    units = standing(session, settings)
    if not units:
        return settings
    by_reference = reference_gains(session, settings, units)
    targets = _by_reference(units, *by_reference) if by_reference else _by_table(units, balance_for(session.song.style))
    moves = {stem: target for unit, target in zip(units, targets, strict=True) if not unit.fixed for stem in unit.stems}
    return replace(settings, stems=tuple(_moved(strip, moves) for strip in settings.stems))


def usual_levels(units: Sequence[Unit], balance: Balance) -> tuple[Floats, Floats]:
    """Where each unit usually stands, LU re mix, and how far that scatters."""
    leads = [_leads(unit, units) for unit in units]
    usual = np.array([_usual_lu(unit, balance, lead) for unit, lead in zip(units, leads, strict=True)])
    spreads = np.array([_spread_lu(unit, balance, lead) for unit, lead in zip(units, leads, strict=True)])
    melody = None if any(leads) else _melody(units, usual)
    if melody is not None:
        usual[melody] += balance.presence.melody_lu
    return usual, spreads


def _by_table(units: Sequence[Unit], balance: Balance) -> list[Target]:
    levels = np.array([unit.level_lufs for unit in units])
    usual, spreads = usual_levels(units, balance)
    intent = intent_of(levels - usual, spreads, balance.trust)
    wanted = usual + intent.kept_db
    doubts = np.maximum(intent.doubt_db, LEAST_DOUBT_DB)
    free = np.array([not unit.fixed for unit in units])
    anchors = free if free.all() else ~free
    wanted = np.where(free, wanted + float((levels - wanted)[anchors].mean()), levels)
    activity = np.maximum([unit.active_ratio for unit in units], LEAST_ACTIVE_RATIO)
    held = held_to_bounds(wanted, doubts, free, activity, _bounds(units, balance), intent.unmeant_ratio)
    gains_db = held - levels
    if free.all():
        gains_db -= gains_db.mean()  # a gain of all faders is the mix's own
    mix_lufs = 10.0 * math.log10(sum(10.0 ** (unit.energy_lufs / 10.0) for unit in units))
    return [
        _target(unit, float(gain_db), float(doubt), (unit.level_lufs - mix_lufs, float(at_lu)), intent, balance)
        for unit, gain_db, doubt, at_lu in zip(units, gains_db, doubts, usual, strict=True)
    ]


def _leads(unit: Unit, units: Sequence[Unit]) -> bool:
    """A voice leads; in a song without one, what the manifest calls its lead."""
    return unit.role == "vocal" or (unit.presence == "lead" and all(other.role != "vocal" for other in units))


def _melody(units: Sequence[Unit], usual: Floats) -> int | None:
    """What most probably has the melody: of the stems without hits and bass, that whose sound puts it furthest forward."""
    able = [
        place
        for place, unit in enumerate(units)
        if BUS_OF[unit.role] not in ("drums", "bass", "fx")
        and unit.percussivity_ratio < MELODY_PERCUSSIVITY_RATIO
        and unit.low_ratio < MELODY_LOW_RATIO
        and unit.centroid_hz > MELODY_CENTROID_HZ
    ]
    return max(able, key=lambda place: float(usual[place]), default=None)


def _usual_lu(unit: Unit, balance: Balance, leads: bool) -> float:
    if leads:
        return balance.of("vocal").target_lu + (
            balance.presence.background_lu if unit.presence == "background" else 0.0
        )
    added = {"lead": balance.presence.lead_lu, "background": balance.presence.background_lu, "normal": 0.0}
    sound = balance.sound
    rare = -math.log2(max(unit.active_ratio, LEAST_ACTIVE_RATIO))
    crest_lu = sound.crest_ratio * (unit.crest_db - sound.crest_db)
    return balance.of(unit.role).target_lu + added[unit.presence] + crest_lu + sound.rare_lu * rare


def _spread_lu(unit: Unit, balance: Balance, leads: bool) -> float:
    return balance.of("vocal" if leads else unit.role).spread_lu


def _bounds(units: Sequence[Unit], balance: Balance) -> list[RoleBounds]:
    """The bounds of each role that is there; who sounds when is told by shares of time alone."""
    places: dict[str, list[int]] = {}
    for place, unit in enumerate(units):
        role: str = "vocal" if _leads(unit, units) else unit.role
        if unit.presence == "normal" or role == "vocal":
            places.setdefault("other" if role.startswith("other") else role, []).append(place)
    found = []
    for name, members in places.items():
        active = np.array([max(units[place].active_ratio, LEAST_ACTIVE_RATIO) for place in members])
        target = balance.of(name)
        shares = active / active.max()
        found.append(RoleBounds(np.array(members, np.intp), shares, target.least_lu, target.most_lu))
    return found


def _target(
    unit: Unit, gain_db: float, doubt_db: float, stands_lu: tuple[float, float], intent: Intent, balance: Balance
) -> Target:
    """A move and its reasons; half the range at most for what is not sure. `stands_lu`: where it stands, and where usually."""
    confidence = _confidence(gain_db, doubt_db, unit, intent)
    most_db = RANGE_DB if confidence >= 0.5 else RANGE_DB / 2.0
    what = (
        "what was delivered looks like a mix" if intent.unmeant_ratio < 0.5 else "nobody seems to have set the faders"
    )
    text = f"towards where such a stem usually stands ({balance.name} balance); {what}"
    evidence: dict[str, float | str] = {
        "level_in_sum_lu": round(stands_lu[0], 2),
        "usual_level_lu": round(stands_lu[1], 2),
        "doubt_db": round(doubt_db, 2),
        "unmeant_ratio": round(intent.unmeant_ratio, 3),
    }
    why = Why(text=text, evidence=evidence, confidence=round(confidence, 3))
    return Target(min(max(gain_db, -most_db), most_db), why)


def _confidence(gain_db: float, doubt_db: float, unit: Unit, intent: Intent) -> float:
    """How probable it is that a stem has to be moved that way, less where nobody knows what it is; or that it may stay."""
    if abs(gain_db) < SMALLEST_DB:
        return 1.0 - intent.unmeant_ratio
    right_way = 0.5 * (1.0 + math.erf(abs(gain_db) / doubt_db / math.sqrt(2.0)))
    return right_way * (0.5 + 0.5 * unit.confidence)


def _by_reference(units: Sequence[Unit], gains_db: Floats, explained_ratio: float) -> list[Target]:
    why = Why(
        text="as it stands in the reference",
        evidence={"explained_ratio": round(explained_ratio, 3)},
        confidence=round(min(1.0, max(0.0, explained_ratio)), 3),
    )
    most_db = RANGE_DB if why.confidence >= 0.5 else RANGE_DB / 2.0
    return [Target(float(np.clip(gain_db, -most_db, most_db)), why) for gain_db in gains_db]


def _moved(strip: Strip, moves: Mapping[str, Target]) -> Strip:
    move = moves.get(strip.stem_id)
    if move is None:
        return strip
    gain_db = 0.0 if abs(move.gain_db) < SMALLEST_DB else round(move.gain_db, 2)
    return replace(strip, gain_db=strip.gain_db + gain_db, why={**strip.why, "gain_db": move.why})
