"""Which stems of a session are worth holding against each other in their sound, and at which moments: read from traces alone.

Traces find what may be so, at no cost; the sound proves it (`media.mixing.pairs`), and `decisions.mixing.checks` judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from decisions.mixing.session import HeardStem, Session
from dsp.audio import Floats
from dsp.gating import energy_of
from dsp.mixing.fitting import gains_of, left_over_db
from dsp.mixing.trace import BARK_BANDS, ONSETS_PER_S, STEPS_PER_S
from schemas.mix import REFERENCE, LinkWish, PairMoments, PairWish, SumWish

MOMENTS = 24
"""Excerpts of a pair: enough for a vote, and read in 50 ms."""
TWIN_MOMENTS = REFERENCE_MOMENTS = 10
"""Those are longer, for the delay may be; every stem has them."""
PAIR_MOMENTS = 48
"""Of microphones that a person declared as one: they are to be moved, so that they are read twice as well."""
SUM_MOMENTS = 40
PART_MOMENTS = 3
"""Each part of a sum is heard at least so often where it is loud."""
PAIR_DELAY_S = 0.05
"""Declared microphones of one source lie within 17 m."""
MIC_DELAY_S = 0.025
REFERENCE_DELAY_S = 0.25
TWIN_RATIO = 0.9
"""Likeness of two traces from which on they may be one sound. Tuned: copies have 0.97 and more, late ones too."""
MOST_TWINS, MOST_BLEEDS, MOST_MIXES = 32, 64, 4
MIX_LEFT_DB = -5.0
"""What is left of a bounce when the energies of the other stems are taken from it: energies add up but roughly."""
PART_RATIO = 1e-8
"""A part whose energy is 40 dB below that of a bounce is still looked for in it: squares of energies are compared."""
LOUD_LU = -20.0
"""Re its own loudness: a step with less says little of a stem."""
BLEED_HITS = 8
"""As many onsets must be heard in another stem's pauses."""
BLEED_SHARE = 0.7
"""Of the hits."""
BLEED_FLOOR_RATIO = 1e-6
"""-60 dB: bleed below that harms nobody."""


def candidates(session: Session) -> LinkWish:
    """What to measure of a session beyond its stems; nothing where it has one stem."""
    stems = [one for one in session.stems if one.trace.active.any() and not one.stem.mute]
    pairs = {(one.first, one.second, one.of): one for one in _pairs(session, stems)}
    return LinkWish(pairs=tuple(pairs.values()), sums=tuple(_sums(session, stems)))


def _pairs(session: Session, stems: list[HeardStem]) -> Iterator[PairWish]:
    """Later ones replace earlier ones of the same two stems."""
    yield from _twins(stems)
    yield from _bleeds(stems)
    for one, other in combinations(stems, 2):
        if one.stem.pair is not None and one.stem.pair == other.stem.pair:
            yield from _wish(one, other, _together(one, other, PAIR_MOMENTS), PAIR_DELAY_S)
    if session.reference is not None:
        for one in stems:
            at_s = _best(_share(one, session.reference), _loud(one), REFERENCE_MOMENTS)
            yield from (
                structs.replace(wish, second=REFERENCE)
                for wish in _wish(one, session.reference, at_s, REFERENCE_DELAY_S)
            )


def _wish(
    one: HeardStem, other: HeardStem, at_s: tuple[float, ...], max_delay_s: float, of: PairMoments = "both"
) -> Iterator[PairWish]:
    if at_s:
        yield PairWish(first=one.stem.stem_id, second=other.stem.stem_id, of=of, at_s=at_s, max_delay_s=max_delay_s)


def _twins(stems: list[HeardStem]) -> Iterator[PairWish]:
    """Those whose traces look like one sound; the same bytes need no proof."""
    steps = max((one.trace.steps for one in stems), default=0)
    courses = [_course(one, steps) for one in stems]
    found = []
    for (n, one), (m, other) in combinations(enumerate(stems), 2):
        alike = float((courses[n] * courses[m]).sum())
        if alike > TWIN_RATIO and one.figures.sha256 != other.figures.sha256:
            found.append((alike, one, other))
    for _, one, other in sorted(found, key=lambda twin: -twin[0])[:MOST_TWINS]:
        yield from _wish(one, other, _together(one, other, TWIN_MOMENTS), REFERENCE_DELAY_S)


def _course(one: HeardStem, steps: int) -> NDArray[np.float32]:
    """Band amplitudes of a stem over time, of length 1: the product of two is their likeness, whatever their gains."""
    course = np.zeros((steps, BARK_BANDS), np.float32)
    course[: one.trace.steps] = np.sqrt(_blurred(one.trace.bands))
    return course / np.float32(max(1e-20, float(np.square(course).sum()) ** 0.5))


def _blurred(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over 0.3 s: a hit that falls across two steps looks like one that falls into one."""
    padded = np.pad(bands, ((1, 1), (0, 0)))
    return padded[:-2] + 2.0 * padded[1:-1] + padded[2:]


class _Bleed(NamedTuple):
    ratio: float
    one: HeardStem
    other: HeardStem
    at_s: tuple[float, ...]


def _bleeds(stems: list[HeardStem]) -> Iterator[PairWish]:
    """Stems whose hits seem to be heard in another's pauses, or below what it plays itself."""
    hits = {one.stem.stem_id: _hits(one.trace.onsets.astype(np.float64)) for one in stems}
    tried = (_bleed(one, other, hits[one.stem.stem_id]) for one, other in permutations(stems, 2))
    found = [bleed for bleed in tried if bleed is not None]
    for bleed in sorted(found, key=lambda bleed: -bleed.ratio)[:MOST_BLEEDS]:
        yield from _wish(bleed.one, bleed.other, bleed.at_s, MIC_DELAY_S, "bleed")


def _bleed(one: HeardStem, other: HeardStem, hits: NDArray[np.int64]) -> _Bleed | None:
    """Rises of energy in `other` when `one` hits, where `other` has least to say itself."""
    hits = hits[hits < len(other.trace.onsets)]
    if len(hits) < BLEED_HITS:
        return None
    around = np.clip(hits[:, None] + np.arange(-1, 4), 0, len(other.trace.onsets) - 1)
    ratios = other.trace.onsets[around].max(axis=1).astype(np.float64) / one.trace.onsets[hits]
    heard = ratios > BLEED_FLOOR_RATIO
    if heard.mean() < BLEED_SHARE or heard.sum() < BLEED_HITS:
        return None
    softest = hits[heard][np.argsort(ratios[heard], kind="stable")][:MOMENTS]
    return _Bleed(float(np.median(ratios)), one, other, tuple(sorted((softest / ONSETS_PER_S).tolist())))


def _hits(onsets: Floats) -> NDArray[np.int64]:
    """Where the strongest onsets stand: within 15 dB of the strongest but few, 0.1 s apart."""
    rising = onsets[onsets > 0.0]
    if not len(rising):
        return np.zeros(0, np.int64)
    least = float(np.quantile(rising, 0.98)) * 10.0**-1.5
    places = [int(place) for place in np.flatnonzero(onsets >= least)]
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= ONSETS_PER_S // 10:
            kept.append(place)
        elif onsets[place] > onsets[kept[-1]]:
            kept[-1] = place
    return np.array(kept, np.int64)


def _sums(session: Session, stems: list[HeardStem]) -> Iterator[SumWish]:
    if len(stems) < 2:
        return
    names = tuple(one.stem.stem_id for one in stems)
    if session.reference is not None:
        yield SumWish(target=REFERENCE, parts=names, at_s=_moments_of_parts(stems), signed=True)
    for target in _mixes(stems):
        parts = [one for one in stems if one.stem.stem_id != target]
        others = tuple(one.stem.stem_id for one in parts)
        yield SumWish(target=target, parts=others, at_s=_moments_of_parts(parts))


def _mixes(stems: list[HeardStem]) -> list[str]:
    """Stems whose energy is much that of several others, the likeliest first."""
    if len(stems) < 3:
        return []
    steps = max(one.trace.steps for one in stems)
    rows = np.zeros((len(stems), steps * BARK_BANDS))
    for row, one in zip(rows, stems, strict=True):
        row[: one.trace.bands.size] = one.trace.bands.ravel()
    gram = np.einsum("it,jt->ij", rows, rows)
    found = []
    for n, one in enumerate(stems):
        order = [n, *(k for k in range(len(stems)) if k != n)]
        table = np.ascontiguousarray(gram[np.ix_(order, order)])
        gains = gains_of(table)
        left_db = left_over_db(table, gains)
        shares = gains**2 * np.diag(table)[1:] > PART_RATIO * table[0, 0]
        if left_db is not None and left_db < MIX_LEFT_DB and shares.sum() >= 2:
            found.append((left_db, one.stem.stem_id))
    return [name for _, name in sorted(found)[:MOST_MIXES]]


def _moments_of_parts(parts: list[HeardStem]) -> tuple[float, ...]:
    """Moments at which each part is loud against the others."""
    steps = max(one.trace.steps for one in parts)
    total = np.full(steps, energy_of(-70.0))
    for one in parts:
        total[: one.trace.steps] += one.trace.energies
    each = max(PART_MOMENTS, SUM_MOMENTS // len(parts))
    found: set[float] = set()
    for one in parts:
        found.update(_best(one.trace.energies / total[: one.trace.steps], _loud(one), each))
    return tuple(sorted(found))


def _together(one: HeardStem, other: HeardStem, count: int = MOMENTS) -> tuple[float, ...]:
    """Moments at which both are loud."""
    steps = min(one.trace.steps, other.trace.steps)
    levels = [stem.trace.energies[:steps] / energy_of(stem.figures.integrated_lufs or 0.0) for stem in (one, other)]
    return _best(np.minimum(levels[0], levels[1]), _loud(one)[:steps] & _loud(other)[:steps], count)


def _share(one: HeardStem, whole: HeardStem) -> Floats:
    """Energy of a stem against that of a mix, as long as both last."""
    steps = min(one.trace.steps, whole.trace.steps)
    return np.asarray(one.trace.energies[:steps] / (whole.trace.energies[:steps] + energy_of(-70.0)))


def _loud(one: HeardStem) -> NDArray[np.bool_]:
    """Steps in which a stem is heard well."""
    least = energy_of((one.figures.integrated_lufs or 0.0) + LOUD_LU)
    return np.asarray(one.trace.active & (one.trace.energies >= least))


def _best(scores: Floats, usable: NDArray[np.bool_], count: int = MOMENTS) -> tuple[float, ...]:
    """The step with the highest score in each of so many stretches of what is usable."""
    places = np.flatnonzero(usable[: len(scores)])
    stretches = np.array_split(places, min(count, len(places))) if len(places) else []
    return tuple(float(part[scores[part].argmax()]) / STEPS_PER_S for part in stretches)
