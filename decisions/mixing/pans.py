"""Decides where stems stand between left and right: those that sound alike far from each other, and both sides as loud.

Stereo stems stay as they were recorded. The lead, bass, kick and snare stay in the centre; pairs of one source mirror each
other; the rest go where their role may stand, the higher their sound the wider. A session whose stems come panned is left so.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import msgspec

from decisions.mixing.azimuths import Placed, Source, placed
from decisions.mixing.prediction import bands_in_mix
from decisions.mixing.reasons import UNSURE
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import leads, open_strips, replaced, used_strips, with_why
from schemas.mix import MixSettings, Strip, Why
from schemas.stems import Role

PLACES: dict[Role, tuple[float, float]] = {
    "toms": (0.2, 0.4),
    "cymbals": (0.3, 0.7),  # table: 0.6 to 0.8 off centre; single microphones stand nearer (our choice)
    "room": (0.6, 0.9),
    "percussion": (0.4, 1.0),  # table: hard left and right
    "backing_vocal": (0.4, 0.8),  # table: 0.6 to 0.8
    "electric_guitar": (0.3, 0.8),  # table: 0.2 to 0.4; practice: doubles further
    "acoustic_guitar": (0.3, 0.7),
    "keys": (0.2, 0.5),
    "synth": (0.2, 0.6),
    "strings": (0.3, 0.8),
    "brass": (0.2, 0.7),
    "woodwind": (0.2, 0.7),
    "fx": (0.3, 1.0),
    **dict.fromkeys(("other1", "other2", "other3", "other4", "other5"), (0.1, 0.3)),
}
"""How far off centre a role may stand, at least and at most. From the table of Diff-MST (pan 0 to 1 there, 0 to 1 from the centre
here) and what engineers agree on: kick, bass, snare and lead in the centre, similar spectra on opposite sides, extremes for
percussion and effects (De Man and Reiss 2013; Perez-Gonzalez and Reiss 2010). Roles that are not here stay in the centre."""
LOW_HZ, WIDE_HZ = 150.0, 1_200.0
"""A centroid at the first keeps a stem in the centre, from the second on it may stand as wide as its role (our choice)."""
SAME_SOURCE_RATIO = 0.6
"""Two microphones that correlate more than this hear one source, and stand together (our choice)."""
MONO_RATIO = 0.98
"""Two channels that correlate more are one."""
LEAD_WEIGHT_RATIO = 3.0
"""So much more it counts that what sounds like the lead stands away from it (our choice)."""
CANCELS_RATIO = -0.1
"""Below this the sides of a stereo stem are louder than its middle."""
OFF_CENTRE_DB = 0.5
ARRIVED_RATIO = 0.5
"""Where so many of the stems that may leave the centre come in stereo, the session comes panned."""
_SIDE = re.compile(r"(?:^|[^a-z])(l|left|r|right)$", re.IGNORECASE)


class _Unit(NamedTuple):
    """Stems that move as one: a single stem, a pair that mirrors, or microphones of one source."""

    members: tuple[str, ...]
    signs: tuple[float, ...]
    role: Role
    confidence: float


def decide_pans(session: Session, settings: MixSettings) -> MixSettings:
    """A place for each mono stem that may leave the centre, and less width where a stereo stem cancels in mono."""
    settings = _narrowed(session, settings)
    lead = leads(session, settings)
    free = [
        (one, strip)
        for one, strip in open_strips(session, settings)
        if strip.role in PLACES and strip.stem_id not in lead and strip.pan_ratio == 0.0 and _free(one)
    ]
    movable = [
        one for one, strip in used_strips(session, settings) if strip.role in PLACES and strip.stem_id not in lead
    ]
    wide = sum(is_stereo(one) for one in movable)
    if not free or wide >= ARRIVED_RATIO * len(movable):
        return settings
    mono = [
        (one, strip) for one, strip in free if not is_stereo(one) and (one.figures.format.channels == 1 or not wide)
    ]
    units = _units(session, mono)
    return _with_places(session, settings, units, mono) if units else settings


def is_stereo(one: HeardStem) -> bool:
    """Whether the two channels of a stem differ; two equal ones are mono."""
    figures = one.figures
    if figures.format.channels < 2 or figures.correlation is None:
        return False
    return figures.correlation < MONO_RATIO or abs(figures.balance_db or 0.0) > OFF_CENTRE_DB


def _free(one: HeardStem) -> bool:
    """Whether a person left its place open."""
    return one.stem.pan_ratio is None and not one.stem.keep_pan


def _narrowed(session: Session, settings: MixSettings) -> MixSettings:
    """Stereo stems whose sides are louder than their middle, made as wide as they are high: their mono sum loses 3 dB then."""
    made = {}
    for one, strip in open_strips(session, settings):
        correlation = one.figures.correlation
        if correlation is None or correlation >= CANCELS_RATIO or not _free(one) or strip.width_ratio != 1.0:
            continue
        width = math.sqrt(max(0.0, 1.0 + correlation) / (1.0 - correlation))
        evidence: dict[str, float | str] = {
            "correlation_ratio": round(correlation, 2),
            "lost_in_mono_db": round(-10.0 * math.log10(max(0.5 * (1.0 + correlation), 1e-6)), 1),
        }
        why = Why(
            text="its sides are louder than its middle: in mono, most of it is lost", evidence=evidence, confidence=0.9
        )
        made[strip.stem_id] = msgspec.structs.replace(
            strip, width_ratio=round(width, 2), why=with_why(strip, {"width_ratio": why})
        )
    return replaced(settings, made)


def _units(session: Session, mono: list[tuple[HeardStem, Strip]]) -> list[_Unit]:
    """Stems of one `pair`, and those whose names differ in their side alone, together; all others by themselves."""
    groups: dict[str, list[tuple[HeardStem, Strip]]] = {}
    for one, strip in mono:
        stem_id = strip.stem_id
        name = (
            f"pair {one.stem.pair}"
            if one.stem.pair
            else f"sides {_SIDE.sub('', stem_id)}"
            if _SIDE.search(stem_id)
            else stem_id
        )
        groups.setdefault(name, []).append((one, strip))
    found = []
    for members in groups.values():
        if len(members) == 2:
            found.append(_pair(session, members))
        else:
            found += [_Unit((s.stem_id,), (1.0,), s.role, one.role_confidence) for one, s in members]
    return found


def _pair(session: Session, members: list[tuple[HeardStem, Strip]]) -> _Unit:
    """Two stems of a pair: mirrored, unless they are microphones of one source."""
    ids = tuple(strip.stem_id for _, strip in members)
    sides = [match.group(1)[0].lower() if (match := _SIDE.search(stem_id)) else "" for stem_id in ids]
    named = sorted(sides) == ["l", "r"]
    measured = [pair for pair in session.pairs if {pair.first, pair.second} == set(ids)]
    alike = any(abs(pair.correlation) > SAME_SOURCE_RATIO for pair in measured)
    signs = (1.0, 1.0) if alike and not named else (1.0, -1.0) if named and sides[0] == "r" else (-1.0, 1.0)
    if not named and not measured and members[0][0].stem.pair:
        signs = (1.0, 1.0)  # a pair that nothing tells apart may be two microphones of one source: together
    confidence = min(one.role_confidence for one, _ in members)
    return _Unit(ids, signs, members[0][1].role, confidence)


def _with_places(
    session: Session, settings: MixSettings, units: list[_Unit], mono: list[tuple[HeardStem, Strip]]
) -> MixSettings:
    """The settings with the places that `azimuths.placed` finds for some units."""
    bands, heard, lead = bands_in_mix(session, settings), session.heard(), leads(session, settings)
    strips = {strip.stem_id: strip for strip in settings.stems}
    moving = {stem_id for unit in units for stem_id in unit.members}
    fixed = [
        Source(
            bands[strip.stem_id].mean(axis=0),
            one.figures.balance_db or 0.0,
            strip.pan_ratio,
            LEAD_WEIGHT_RATIO if strip.stem_id in lead else 1.0,
        )
        for one, strip in used_strips(session, settings)
        if strip.stem_id not in moving
    ]
    order = sorted(units, key=lambda unit: (unit.role, _centroid_hz(heard[unit.members[0]]), unit.members))
    wanted = []
    for unit in order:
        least, most = _range(unit, heard)
        members = [bands[stem_id].mean(axis=0) for stem_id in unit.members]
        wanted.append((members, unit.signs, least, most))
    found = placed(fixed, wanted)
    made = {}
    for unit, place in zip(order, found.places, strict=True):
        for stem_id, sign in zip(unit.members, unit.signs, strict=True):
            if place:
                made[stem_id] = _moved(strips[stem_id], unit, sign * place, heard[stem_id], found)
    return replaced(settings, made)


def _range(unit: _Unit, heard: dict[str, HeardStem] | object) -> tuple[float, float]:
    least, most = PLACES[unit.role]
    hz = min(_centroid_hz(heard[stem_id]) for stem_id in unit.members)  # type: ignore[index]
    share = min(1.0, max(0.0, math.log(hz / LOW_HZ) / math.log(WIDE_HZ / LOW_HZ)))
    share *= 1.0 if unit.confidence >= UNSURE else 0.5
    return least * share, most * share


def _centroid_hz(one: HeardStem) -> float:
    return max(20.0, one.figures.centroid_hz or 20.0)


def _moved(strip: Strip, unit: _Unit, place: float, one: HeardStem, found: Placed) -> Strip:
    evidence: dict[str, float | str] = {
        "centroid_hz": round(_centroid_hz(one), 0),
        "role_at_most_ratio": PLACES[unit.role][1],
        "overlap_with_others_ratio": round(found.overlap_after / max(found.overlap_before, 1e-12), 3),
        "most_imbalance_db": round(found.imbalance_db, 2),
    }
    if len(unit.members) > 1:
        evidence["pair"] = next(each for each in unit.members if each != strip.stem_id)
    text = "away from what sounds alike, as far as its role and its lows allow, with both sides as loud"
    if len(unit.members) > 1:
        text = "it mirrors its pair" if sum(unit.signs) == 0.0 else "beside the other microphone of its source"
    why = Why(text=text, evidence=evidence, confidence=min(0.7, unit.confidence))
    return msgspec.structs.replace(strip, pan_ratio=round(place, 2), why=with_why(strip, {"pan_ratio": why}))
