"""The same sound more than once in a session: copies, bounces left among their stems, and one source in two microphones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.verdicts import Verdict, left_out, told, usable
from schemas.mix import REFERENCE, PairFigures, SumFigures

COPY_DB = -40.0
"""What is left of a copy: dither and another bit depth leave less, another take or microphone far more."""
MIX_DB = -20.0
"""What is left of a bounce when its stems are taken from it."""
AT_ONCE_RATIO = 0.9
"""Of the time in which either of two copies sounds, both do."""
TWICE_RATIO = 0.7
"""Correlation of one source in two microphones; two players of one part have less than 0.3 at any one delay."""


def copies(session: Session, without: set[str]) -> list[Verdict]:
    """Stems that hold what another holds: all but one are left out."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    found: list[Verdict] = []
    out: set[str] = set()
    for first, second, left_db in _same(session, stems):
        if first not in out and second not in out:
            kept, extra = _kept(stems[first], stems[second])
            found.append(_copy(kept, extra, left_db))
            out.add(extra.stem.stem_id)
    return found


def _same(session: Session, stems: dict[str, HeardStem]) -> Iterator[tuple[str, str, float | None]]:
    """Pairs of names, and what is left of the one when the other is taken from it: None for the same bytes."""
    names = list(stems)
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            if stems[first].figures.sha256 == stems[second].figures.sha256:
                yield first, second, None
    for pair in session.pairs:
        known = pair.first in stems and pair.second in stems
        copied = pair.of == "both" and pair.residual_db is not None and pair.residual_db <= COPY_DB
        if known and copied and _at_once(stems[pair.first], stems[pair.second]):
            yield pair.first, pair.second, pair.residual_db


def _at_once(one: HeardStem, other: HeardStem) -> bool:
    """Whether two stems sound at the same times: a copy does; what repeats parts of another does not."""
    steps = max(one.trace.steps, other.trace.steps)
    first, second = (np.pad(stem.trace.active, (0, steps - stem.trace.steps)) for stem in (one, other))
    return float((first & second).sum()) >= AT_ONCE_RATIO * float((first | second).sum())


def _kept(one: HeardStem, other: HeardStem) -> tuple[HeardStem, HeardStem]:
    """The one that is used, and the one that is left out: what a person said of a stem counts for it, then its name."""

    def rank(stem: HeardStem) -> tuple[bool, bool, str]:
        said = stem.stem.gain_db is not None or stem.stem.role is not None or stem.stem.presence != "normal"
        return not stem.stem.lock, not said, stem.stem.stem_id

    first, second = sorted((one, other), key=rank)
    return first, second


def _copy(kept: HeardStem, extra: HeardStem, left_db: float | None) -> Verdict:
    name, other = extra.stem.stem_id, kept.stem.stem_id
    if left_db is None:
        return left_out(extra, told("STEM_DUPLICATE", f"{name}: the same bytes as {other}"))
    text = f"{name}: taken from {other} at its best gain and delay, {left_db:.1f} dB are left, limit {COPY_DB:g} dB"
    return left_out(extra, told("STEM_DUPLICATE", text, measured=left_db, limit=COPY_DB, unit="dB"))


def bounces(session: Session, without: set[str]) -> list[Verdict]:
    """Stems that are sums of others: left out, the nearest to a sum first, for its parts are no sums once it is gone."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    out = set(without)
    found = []
    for one in sorted(session.sums, key=lambda sums: (sums.residual_db or 0.0, sums.target)):
        parts = [name for name in one.levels_db if name not in out]
        whole = one.target in stems and one.residual_db is not None and one.residual_db <= MIX_DB
        if whole and len(parts) >= 2 and len(parts) == len([name for name in one.levels_db if name not in without]):
            found.append(_bounce(stems[one.target], one, parts))
            out.add(one.target)
    return found


def _bounce(stem: HeardStem, one: SumFigures, parts: list[str]) -> Verdict:
    named = ", ".join(sorted(parts)) if len(parts) <= 6 else f"{len(parts)} other stems"
    text = f"{stem.stem.stem_id}: the sum of {named}; {one.residual_db:.1f} dB are left, limit {MIX_DB:g} dB"
    return left_out(stem, told("STEM_IS_MIX", text, measured=one.residual_db, limit=MIX_DB, unit="dB"))


def doubles(session: Session, without: set[str]) -> Iterator[Verdict]:
    """One source in two stems that do not say so."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    told_of: set[frozenset[str]] = set()
    for pair in session.pairs:
        names = frozenset((pair.first, pair.second))
        if REFERENCE in names or not names <= stems.keys() or names in told_of or not _twice(pair):
            continue
        one, other = stems[pair.first], stems[pair.second]
        if one.stem.pair is None or one.stem.pair != other.stem.pair:
            told_of.add(names)
            both, found = f"{pair.first} and {pair.second}", f"correlation {pair.correlation:.2f}"
            text = f"{both}: {found}, limit {TWICE_RATIO:g}; nothing was changed"
            yield told("STEM_TWICE", text, measured=abs(pair.correlation), limit=TWICE_RATIO)


def _twice(pair: PairFigures) -> bool:
    return pair.of == "both" and pair.delay_frames is not None and abs(pair.correlation) >= TWICE_RATIO
