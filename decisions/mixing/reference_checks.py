"""A session against its reference mix: what is missing, what does not belong to it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from decisions.mixing.session import Session
from decisions.mixing.verdicts import Verdict, told, usable
from dsp.spectrum import CENTRES_HZ
from schemas.mix import REFERENCE, SumFigures

MISSING_DB = -12.0
"""What is left of a third octave of the reference."""
NULLED_DB = -20.0
"""Where a band of the reference is nulled so far by the stems, it is a sum of them there: what is left elsewhere is missing."""
NULLED_BANDS = 3
LOUD_LU = 25.0
"""Below the loudest stem: softer ones are too little of a mix to be looked for in it."""


def reference_checks(session: Session, without: set[str]) -> Iterator[Verdict]:
    """What the reference says of the stems; nothing without a reference."""
    found = next((one for one in session.sums if one.target == REFERENCE), None)
    if found is None or found.residual_db is None:
        return
    left = [(hz, db) for hz, db in zip(CENTRES_HZ, found.residual_bands_db, strict=True) if db is not None]
    nulled = [db for _, db in left if db <= NULLED_DB]
    beyond = [(hz, db) for hz, db in left if db > MISSING_DB]
    if len(nulled) < NULLED_BANDS:
        text = f"{found.residual_db:.1f} dB of the reference are left when the stems are taken from it, limit {NULLED_DB:g} dB"
        yield told(
            "REFERENCE_DIFFERS",
            f"{text}; it is not a plain sum",
            measured=found.residual_db,
            limit=NULLED_DB,
            unit="dB",
        )
        return
    if beyond:
        yield _missing(beyond)
    yield from _strangers(session, found, without)


def _missing(beyond: list[tuple[float, float]]) -> Verdict:
    worst = max(db for _, db in beyond)
    middle = statistics.median(hz for hz, _ in beyond)
    text = (
        f"the reference has more than its stems in {len(beyond)} third octaves around {middle:.0f} Hz: {worst:.1f} dB left,"
        f" limit {MISSING_DB:g} dB"
    )
    return told("STEM_MISSING", text, measured=worst, limit=MISSING_DB, unit="dB")


def _strangers(session: Session, found: SumFigures, without: set[str]) -> Iterator[Verdict]:
    """Loud stems that are not in the reference."""
    stems = usable(session, without)
    levels = [one.figures.integrated_lufs for one in stems if one.figures.integrated_lufs is not None]
    for one in stems:
        lufs, name = one.figures.integrated_lufs, one.stem.stem_id
        tried = name in found.gains_ratio and name not in found.levels_db
        if tried and lufs is not None and lufs > max(levels) - LOUD_LU:
            text = f"{name}: at {lufs:.1f} LUFS, but not in the reference; it is used as it is"
            yield told("STEM_NOT_IN_REFERENCE", text, measured=lufs, limit=max(levels) - LOUD_LU, unit="LUFS")
