"""A verdict on a stem: what was found, and what it changes of the stem's strip, if anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from decisions.mixing.session import HeardStem, Session
from schemas.codes import CODES
from schemas.mix import MixSettings, Strip, Why
from schemas.qc import Finding

CODE = "code"
"""In the evidence of a setting: the finding that it comes from."""


class Verdict(NamedTuple):
    """A finding, and the settings of a strip that follow from it, by name; none: it is only told."""

    finding: Finding
    stem_id: str = ""
    sets: tuple[tuple[str, Any], ...] = ()
    why: Why | None = None

    @property
    def leaves_out(self) -> bool:
        """Whether the stem is not used any more."""
        return ("use", False) in self.sets


def told(
    code: str,
    text: str,
    *,
    measured: float | None = None,
    limit: float | None = None,
    unit: str | None = None,
) -> Verdict:
    """What is only told: of a stem where its text begins with its name, else of the session."""
    severity = CODES[code].severity
    level = "fail" if severity == "rejected" else severity
    return Verdict(Finding(code=code, severity=level, measured=measured, limit=limit, unit=unit, text=text))


def fixed(one: HeardStem, verdict: Verdict, done: str, **sets: Any) -> Verdict:
    """The same with what is done about it; a locked stem stays as it is, and the text says so."""
    found = verdict.finding
    if one.stem.lock:
        return verdict._replace(
            finding=msgspec.structs.replace(found, text=f"{found.text}; locked, so nothing was changed")
        )
    evidence: dict[str, float | str] = {CODE: found.code}
    if found.measured is not None:
        evidence[f"measured_{_UNITS.get(found.unit or '', 'ratio')}"] = found.measured
    return Verdict(
        finding=msgspec.structs.replace(found, text=f"{found.text}; {done}"),
        stem_id=one.stem.stem_id,
        sets=tuple(sets.items()),
        why=Why(text=f"{found.text.partition(': ')[2] or found.text}; {done}", evidence=evidence),
    )


def left_out(one: HeardStem, verdict: Verdict) -> Verdict:
    """The same, the stem left out of the mix."""
    return fixed(one, verdict, "left out of the mix", use=False)


def applied(settings: MixSettings, verdicts: Iterable[Verdict]) -> MixSettings:
    """Settings with all that verdicts change; of two about one setting the first counts."""
    strips = {strip.stem_id: strip for strip in settings.stems}
    done: set[tuple[str, str]] = set()
    for verdict in verdicts:
        new = {name: value for name, value in verdict.sets if (verdict.stem_id, name) not in done}
        if new and verdict.why is not None:
            strip = strips[verdict.stem_id]
            why = strip.why | dict.fromkeys(new, verdict.why)
            strips[verdict.stem_id] = _replaced(strip, new, why)
            done.update((verdict.stem_id, name) for name in new)
    return msgspec.structs.replace(settings, stems=tuple(strips[strip.stem_id] for strip in settings.stems))


def usable(session: Session, without: Iterable[str] = ()) -> list[HeardStem]:
    """The stems that the manifest does not mute, but for some."""
    out = set(without)
    return [one for one in session.stems if not one.stem.mute and one.stem.stem_id not in out]


def _replaced(strip: Strip, new: dict[str, Any], why: dict[str, Why]) -> Strip:
    return msgspec.structs.replace(strip, **new, why=why)


_UNITS = {"dB": "db", "dBFS": "dbfs", "s": "s", "ms": "ms", "LU": "lu", "Hz": "hz", "frames": "frames"}
