"""Checks of each stem by itself, and of the roles in a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.verdicts import Verdict, left_out, told, usable
from dsp.audio import to_db

SILENT_DBFS = -80.0
"""A sample peak of a stem that nobody misses."""
OFFSET_LIMIT_DBFS = -60.0
"""The field's usual alarm, as for a source of mastering."""
HUM_LIMIT_DB = 15.0
"""As for a source of mastering: drones stand out as well."""
NOISE_LIMIT_LU = -45.0
"""Noise of pauses against loudness. Our choice: tape has -55, a noisy guitar amplifier -40."""
TOGETHER_RATIO = 0.5


class RoleBounds(NamedTuple):
    """What a stem of a role sounds like at the widest; beyond that its role is doubted."""

    centroid_hz: tuple[float, float] = (0.0, 24_000.0)
    low_ratio: tuple[float, float] = (0.0, 1.0)
    percussivity_ratio: tuple[float, float] = (0.0, 1.0)


MEASURED = {
    "centroid_hz": "centre of gravity at {:.3g} Hz",
    "low_ratio": "share below 120 Hz of {:.2g}",
    "percussivity_ratio": "percussiveness of {:.2g}",
}
"""What a stem has, in words, by the names of `RoleBounds`."""
ROLE_BOUNDS: dict[str, RoleBounds] = {
    "kick": RoleBounds(centroid_hz=(0.0, 3_500.0), low_ratio=(0.05, 1.0), percussivity_ratio=(0.15, 1.0)),
    "snare": RoleBounds(centroid_hz=(150.0, 24_000.0), low_ratio=(0.0, 0.7), percussivity_ratio=(0.15, 1.0)),
    "toms": RoleBounds(centroid_hz=(0.0, 6_000.0)),
    "cymbals": RoleBounds(centroid_hz=(700.0, 24_000.0), low_ratio=(0.0, 0.5)),
    "bass": RoleBounds(centroid_hz=(0.0, 1_500.0), low_ratio=(0.02, 1.0)),
    "vocal": RoleBounds(centroid_hz=(150.0, 6_000.0), low_ratio=(0.0, 0.5), percussivity_ratio=(0.0, 0.8)),
    "backing_vocal": RoleBounds(centroid_hz=(150.0, 6_000.0), low_ratio=(0.0, 0.5), percussivity_ratio=(0.0, 0.8)),
    "strings": RoleBounds(percussivity_ratio=(0.0, 0.8), low_ratio=(0.0, 0.9)),
    "brass": RoleBounds(centroid_hz=(100.0, 8_000.0), low_ratio=(0.0, 0.8)),
    "woodwind": RoleBounds(centroid_hz=(100.0, 10_000.0), low_ratio=(0.0, 0.7)),
    "electric_guitar": RoleBounds(centroid_hz=(80.0, 8_000.0), low_ratio=(0.0, 0.8)),
    "acoustic_guitar": RoleBounds(centroid_hz=(80.0, 8_000.0), low_ratio=(0.0, 0.8)),
}
"""Our choice: twice as wide as what General-MIDI and LMMS stems of each role have, for a wrong doubt is worse than none."""


def silent_stems(session: Session) -> list[Verdict]:
    """Stems with nothing to hear: left out."""
    found = []
    for one in usable(session):
        peak_dbfs = one.figures.sample_peak_dbfs
        if peak_dbfs is None or peak_dbfs < SILENT_DBFS or not one.trace.active.any():
            level = "digital silence" if peak_dbfs is None else f"a sample peak of {peak_dbfs:.1f} dBFS"
            text = f"{one.stem.stem_id}: {level}, nothing to hear"
            found.append(left_out(one, told("STEM_SILENT", text, measured=peak_dbfs, limit=SILENT_DBFS, unit="dBFS")))
    return found


def faults(session: Session, without: set[str]) -> Iterator[Verdict]:
    """Faults of the recordings themselves: told, for no strip mends them."""
    for one in usable(session, without):
        yield from _clipped(one)
        yield from _offset(one)
        yield from _hum(one)
        yield from _noise(one)


def _clipped(one: HeardStem) -> Iterator[Verdict]:
    count = one.figures.flat_tops
    if count:
        text = f"{one.stem.stem_id}: {count} flat tops; they are not repaired"
        yield told("STEM_CLIPPED", text, measured=float(count), limit=0.0)


def _offset(one: HeardStem) -> Iterator[Verdict]:
    level = to_db(max((abs(value) for value in one.figures.offset_ratio), default=0.0))
    if level is not None and level > OFFSET_LIMIT_DBFS:
        text = (
            f"{one.stem.stem_id}: offset of {level:.1f} dBFS, limit {OFFSET_LIMIT_DBFS:g} dBFS; mastering takes it away"
        )
        yield told("STEM_OFFSET", text, measured=level, limit=OFFSET_LIMIT_DBFS, unit="dBFS")


def _hum(one: HeardStem) -> Iterator[Verdict]:
    level, hz = one.figures.hum_db, one.figures.hum_hz
    if level is not None and hz is not None and level > HUM_LIMIT_DB:
        text = f"{one.stem.stem_id}: hum of {hz:g} Hz stands out by {level:.1f} dB, limit {HUM_LIMIT_DB:g} dB; left as it is"
        yield told("STEM_HUM", text, measured=level, limit=HUM_LIMIT_DB, unit="dB")


def _noise(one: HeardStem) -> Iterator[Verdict]:
    floor_dbfs, lufs = one.figures.noise_floor_dbfs, one.figures.integrated_lufs
    if floor_dbfs is not None and lufs is not None and floor_dbfs - lufs > NOISE_LIMIT_LU:
        below = floor_dbfs - lufs
        text = f"{one.stem.stem_id}: its pauses lie at {below:.1f} LU re its music, limit {NOISE_LIMIT_LU:g} LU; left as they are"
        yield told("STEM_NOISE", text, measured=below, limit=NOISE_LIMIT_LU, unit="LU")


def role_checks(session: Session, without: set[str]) -> Iterator[Verdict]:
    """What the roles of a session say against its sound, and what is missing among them."""
    stems = usable(session, without)
    for one in stems:
        yield from _doubt(one)
        if one.role_source == "unknown":
            text = f"{one.stem.stem_id}: no role given or found; taken as {one.role}"
            yield told("STEM_ROLE_UNKNOWN", text)
    yield from _leads(stems)
    if len(stems) == 1:
        yield told("ONE_STEM", f"{stems[0].stem.stem_id} is the only stem", measured=1.0, limit=2.0)


def _doubt(one: HeardStem) -> Iterator[Verdict]:
    """Of a role that was said; one that was heard fits its sound."""
    bounds = ROLE_BOUNDS.get(one.role)
    if bounds is None or one.role_source not in ("manifest", "name"):
        return
    for name, (least, most) in bounds._asdict().items():
        value = getattr(one.figures, name)
        if value is not None and not least <= value <= most:
            limit = least if value < least else most
            what = f"{MEASURED[name].format(value)}, a {one.role} has {least:g} to {most:g}"
            text = f"{one.stem.stem_id}: {what}; its role is kept"
            yield told(
                "STEM_ROLE_DOUBTFUL", text, measured=float(value), limit=limit, unit="Hz" if "hz" in name else None
            )
            return


def _leads(stems: list[HeardStem]) -> Iterator[Verdict]:
    named = [one for one in stems if one.stem.presence == "lead"]
    leads = named or [one for one in stems if one.role == "vocal" and one.stem.presence != "background"]
    for n, one in enumerate(leads):
        for other in leads[n + 1 :]:
            if one.stem.pair is None or one.stem.pair != other.stem.pair:
                yield from _at_once(one, other)
    if not leads and any(one.role == "backing_vocal" for one in stems):
        yield told("LEAD_MISSING", "backing vocals, but no lead vocal and no lead", measured=0.0, limit=1.0)


def _at_once(one: HeardStem, other: HeardStem) -> Iterator[Verdict]:
    steps = min(one.trace.steps, other.trace.steps)
    first, second = one.trace.active[:steps], other.trace.active[:steps]
    shared = float((first & second).sum()) / max(1.0, float(min(first.sum(), second.sum())))
    if shared > TOGETHER_RATIO:
        names = f"{one.stem.stem_id} and {other.stem.stem_id}"
        text = f"{names} both lead, {shared:.0%} of the time at once, limit {TOGETHER_RATIO:.0%}"
        yield told("TWO_LEADS", text, measured=shared, limit=TOGETHER_RATIO)
