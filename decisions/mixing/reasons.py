"""The law of reasons: whatever a mix sets has a text and what was measured, and who is unsure does less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from schemas.mix import BusSettings, MixSettings, Return, Strip, Why

UNSURE = 0.5
"""Below this confidence nothing exceeds half of its range."""
RANGES_DB = {"cut": 3.0, "ride": 6.0, "gate": 20.0, "bass duck": 3.0, "lead duck": 1.5, "compression": 4.0, "bus": 2.0}
"""The most that a decision may do, in dB (mixing by rule: see docs/mixing/decisions.md)."""
NO_REASON_NEEDED = ("stem_id", "role", "bus", "name", "of")
"""What a strip is, not what was set."""


def held(amount: float, confidence: float, most: float) -> float:
    """An amount within its range, or within half of it where that is unsure.

    >>> held(5.0, 0.9, 3.0), held(5.0, 0.4, 3.0), held(-1.0, 0.4, 3.0)
    (3.0, 1.5, -1.0)
    """
    bound = most if confidence >= UNSURE else most / 2.0
    return max(-bound, min(bound, amount))


def unexplained(settings: MixSettings) -> list[str]:
    """Every setting that is not neutral and lacks a text or something measured, by its place; empty: the law holds.

    What the manifest says needs its text alone: nothing was measured for it.
    """
    return [place for place, why in set_values(settings) if why is None or not why.text or not _proven(why)]


def set_values(settings: MixSettings) -> Iterator[tuple[str, Why | None]]:
    """Every setting that differs from neutral, with its reason."""
    for strip in settings.stems:
        yield from _of_strip(strip)
    for bus in settings.buses:
        yield from _of_fields(f"bus {bus.name}", bus, BusSettings(name=bus.name), bus.why)
    for room in settings.returns:
        yield from ((f"return {room.name}: {name}", room.why.get(name)) for name in ("reverb", *_gain(room)))
    yield from ((f"group {group.name}", group.why) for group in settings.groups)
    if settings.gain_db:
        yield "gain_db", settings.why.get("gain_db")


def _of_strip(strip: Strip) -> Iterator[tuple[str, Why | None]]:
    place = f"stem {strip.stem_id}"
    yield from ((f"{place}: {insert.type}", insert.why) for insert in strip.inserts)
    yield from ((f"{place}: duck by {duck.key}", duck.why) for duck in strip.ducks)
    yield from ((f"{place}: send to {send.to}", send.why) for send in strip.sends)
    neutral = Strip(stem_id=strip.stem_id, role=strip.role)
    yield from _of_fields(place, strip, neutral, strip.why, ("inserts", "ducks", "sends"))


def _of_fields(
    place: str,
    found: Strip | BusSettings,
    neutral: Strip | BusSettings,
    why: Mapping[str, Why],
    own: tuple[str, ...] = (),
) -> Iterator[tuple[str, Why | None]]:
    skipped = (*NO_REASON_NEEDED, "why", *own)
    for field in msgspec.structs.fields(found):
        name = field.name
        if name not in skipped and getattr(found, name) != getattr(neutral, name):
            yield f"{place}: {name}", why.get(name)


def _gain(room: Return) -> tuple[str, ...]:
    return ("gain_db",) if room.gain_db else ()


def _proven(why: Why) -> bool:
    return bool(why.evidence) or why.text.startswith("the manifest")
