"""The law of reasons: whatever a mix sets has a text and what was measured, and who is unsure does less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from dsp.settings import GateSettings, ParametricSettings
from schemas.mix import BusSettings, Duck, Insert, MixSettings, Return, Strip, Why

UNSURE = 0.5
"""Below this confidence nothing exceeds half of its range."""
RANGES_DB = {"cut": 3.0, "ride": 6.0, "gate": 20.0, "bass duck": 3.0, "lead duck": 1.5, "compression": 4.0, "bus": 2.0}
"""The most that a decision may do, in dB (mixing by rule: see docs/mixing/decisions.md)."""
FADER_DB = 18.0
"""As far as a level may be moved (`decisions/mixing/levels.py`)."""
HIGHPASS_HZ = 160.0
"""The highest corner of a corrective filter."""
ROUNDING = 0.02
LOW_DUCK_HZ = 300.0
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


def overdone(settings: MixSettings) -> list[str]:
    """Every setting at a confidence below 0.5 that exceeds half of its range, by its place; empty: the law holds."""
    found = []
    for strip in settings.stems:
        place = f"stem {strip.stem_id}"
        amounts = [
            *((f"{place}: {insert.type}", insert.why, _share(insert)) for insert in strip.inserts),
            *((f"{place}: duck by {duck.key}", duck.why, _duck_share(duck)) for duck in strip.ducks),
            # A send is what its wish says, or it is none: an unsure one is one too many.
            *((f"{place}: send to {send.to}", send.why, 1.0) for send in strip.sends),
            *((f"{place}: {name}", strip.why.get(name), share) for name, share in _strip_shares(strip)),
        ]
        found += [name for name, why, share in amounts if why and why.confidence < UNSURE and share > 0.5 + ROUNDING]
    buses = [(f"bus {bus.name}: compressor", bus.why.get("compressor")) for bus in settings.buses if bus.compressor]
    return found + [
        name
        for name, why in buses
        if why and why.confidence < UNSURE and _told(why) > RANGES_DB["bus"] * (0.5 + ROUNDING)
    ]


def _strip_shares(strip: Strip) -> list[tuple[str, float]]:
    """What a strip's own settings make of their ranges."""
    return [
        ("automation_db", max(map(abs, strip.automation_db), default=0.0) / RANGES_DB["ride"]),
        ("pan_ratio", abs(strip.pan_ratio)),
        ("gain_db", abs(strip.gain_db) / FADER_DB),
    ]


def _duck_share(duck: Duck) -> float:
    return duck.depth_db / RANGES_DB["bass duck" if duck.high_hz < LOW_DUCK_HZ else "lead duck"]


def _share(insert: Insert) -> float:
    """What an insert makes of its range, at most."""
    settings = insert.settings()
    if isinstance(settings, ParametricSettings):
        cuts = [abs(band.gain_db) / RANGES_DB["cut"] for band in settings.bands]
        return max(cuts + [band.freq_hz / HIGHPASS_HZ for band in settings.bands if band.kind == "highpass"])
    if isinstance(settings, GateSettings):
        return settings.range_db / RANGES_DB["gate"]
    return _told(insert.why) / RANGES_DB["compression"]


def _told(why: Why) -> float:
    """The mean reduction that was predicted: a compressor's settings alone do not tell it."""
    return float(why.evidence.get("predicted_mean_reduction_db", math.inf))


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
