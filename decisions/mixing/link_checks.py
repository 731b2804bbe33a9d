"""How stems lie against each other and against a reference: microphones of a source are aligned, polarity is mended.

A stem is moved only where a `pair` of the manifest, a drum's overheads or a reference prove that it is off; it is turned over
only inside a pair or against the overheads that hear it. Bleed is told.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from itertools import groupby

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.verdicts import Verdict, fixed, told, usable
from schemas.mix import REFERENCE, PairFigures

RELATED_RATIO = 0.3
"""Correlation of two microphones that hear one source well enough to be aligned or turned over."""
DELAY_S = (0.0001, 0.02)
"""What is no more than rounding, and what is a room: 3.4 cm to 6.9 m."""
SPOTS, OVERHEADS = ("kick", "snare", "toms"), ("cymbals", "drums")
BLEED_DB = -40.0
"""Bleed below that is not told."""
IN_REFERENCE_RATIO = 0.2
"""Correlation with a reference from which on a stem's delay against it counts; most stems of a mix are small parts of it."""
OFF_S = 0.001
"""Against what the other stems agree on: less is a plug-in's delay, and inaudible."""
AGREEING_STEMS = 2


def pair_checks(session: Session, without: set[str]) -> list[Verdict]:
    """Microphones of one source: aligned, and of one polarity."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    verdicts = [verdict for group in _groups(stems) for verdict in _of_group(session, group)]
    verdicts += _of_drums(session, stems)
    return verdicts


def bleeds(session: Session, without: set[str]) -> Iterator[Verdict]:
    """Stems that are heard in another's microphone; overheads and rooms are meant to hear them."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    for pair in session.pairs:
        if pair.of == "bleed" and pair.first in stems and pair.second in stems and _related(pair):
            hears = stems[pair.second]
            level = pair.gain_db
            if hears.role not in (*OVERHEADS, "room") and level is not None and BLEED_DB <= level < 0.0:
                text = f"{pair.second}: {pair.first} is heard in it at {level:.1f} dB, limit {BLEED_DB:g} dB; left as it is"
                yield told("STEM_BLEED", text, measured=level, limit=BLEED_DB, unit="dB")


def shifts(session: Session, without: set[str]) -> list[Verdict]:
    """Stems that lie elsewhere in the reference than the others do: moved to where they belong."""
    stems = {one.stem.stem_id: one for one in usable(session, without)}
    delays = {
        pair.first: pair.delay_frames
        for pair in session.pairs
        if _placed(pair, stems) and pair.delay_frames is not None
    }
    near = OFF_S * session.rate_hz
    found = []
    for name, delay in delays.items():
        others = [other for one, other in delays.items() if one != name]
        usual = statistics.median(others) if others else delay
        agreed = sum(abs(other - usual) <= near for other in others)
        if agreed >= AGREEING_STEMS and agreed > len(others) / 2 and abs(delay - usual) > near:
            found.append(_shift(stems[name], delay - usual, session.rate_hz))
    return found


def _placed(pair: PairFigures, stems: dict[str, HeardStem]) -> bool:
    return pair.second == REFERENCE and pair.first in stems and abs(pair.correlation) >= IN_REFERENCE_RATIO


def _shift(one: HeardStem, later_frames: float, rate_hz: int) -> Verdict:
    off_ms = 1000.0 * later_frames / rate_hz
    text = f"{one.stem.stem_id}: {abs(off_ms):.2f} ms too {'early' if off_ms > 0.0 else 'late'} against the reference"
    verdict = told(
        "STEM_SHIFTED", f"{text}, limit {1000.0 * OFF_S:g} ms", measured=off_ms, limit=1000.0 * OFF_S, unit="ms"
    )
    return fixed(one, verdict, "moved there", delay_frames=round(later_frames, 2))


def _groups(stems: dict[str, HeardStem]) -> list[list[HeardStem]]:
    """The stems of each `pair`, the loudest first: the others are brought to it."""
    named = sorted((one for one in stems.values() if one.stem.pair is not None), key=lambda one: one.stem.pair or "")
    groups = [list(group) for _, group in groupby(named, key=lambda one: one.stem.pair)]
    return [sorted(group, key=_loudness, reverse=True) for group in groups if len(group) > 1]


def _loudness(one: HeardStem) -> tuple[float, str]:
    return one.figures.integrated_lufs or -math.inf, one.stem.stem_id


def _of_group(session: Session, group: list[HeardStem]) -> Iterator[Verdict]:
    anchor, *rest = group
    for one in rest:
        pair = _between(session, one, anchor, "both")
        if pair is not None and _related(pair):
            yield from _brought(session, one, anchor, pair)


def _of_drums(session: Session, stems: dict[str, HeardStem]) -> list[Verdict]:
    """Each spot against the overhead that hears it best, unless a pair of the manifest says what belongs together."""
    found: list[Verdict] = []
    overheads = [one for one in stems.values() if one.role in OVERHEADS]
    for one in stems.values():
        if one.role in SPOTS and one.stem.pair is None:
            heard = [
                (pair, over) for over in overheads if (pair := _between(session, one, over, "bleed")) and _related(pair)
            ]
            if heard:
                pair, over = max(heard, key=lambda both: abs(both[0].correlation))
                found += _brought(session, one, over, pair)
    return found


def _between(session: Session, one: HeardStem, anchor: HeardStem, of: str) -> PairFigures | None:
    """The figures of two stems, `one` first."""
    names = one.stem.stem_id, anchor.stem.stem_id
    for pair in session.pairs:
        if pair.of == of and (pair.first, pair.second) == names:
            return pair
        if pair.of == of == "both" and (pair.second, pair.first) == names:
            return _turned(pair)
    return None


def _turned(pair: PairFigures) -> PairFigures:
    """The same, seen from the other stem."""
    delay, gain = pair.delay_frames, pair.gain_db
    return PairFigures(
        first=pair.second,
        second=pair.first,
        of=pair.of,
        delay_frames=None if delay is None else -delay,
        peak_ratio=pair.peak_ratio,
        stable_ratio=pair.stable_ratio,
        inverted=pair.inverted,
        correlation=pair.correlation,
        gain_db=None if gain is None else 20.0 * math.log10(max(abs(pair.correlation), 1e-9)) * 2.0 - gain,
        residual_db=pair.residual_db,
    )


def _related(pair: PairFigures) -> bool:
    return pair.delay_frames is not None and abs(pair.correlation) >= RELATED_RATIO


def _brought(session: Session, one: HeardStem, anchor: HeardStem, pair: PairFigures) -> Iterator[Verdict]:
    """A stem brought to its anchor: moved by the delay, turned over where they work against each other."""
    delay = pair.delay_frames or 0.0
    if "room" not in (one.role, anchor.role) and DELAY_S[0] <= abs(delay) / session.rate_hz <= DELAY_S[1]:
        yield _delayed(session, one, anchor, pair, delay)
    if pair.inverted:
        text = f"{one.stem.stem_id}: correlation {pair.correlation:.2f} with {anchor.stem.stem_id}, limit {-RELATED_RATIO:g}"
        verdict = told("STEM_INVERTED", text, measured=pair.correlation, limit=-RELATED_RATIO)
        yield fixed(one, verdict, "turned over", invert=True)


def _delayed(session: Session, one: HeardStem, anchor: HeardStem, pair: PairFigures, delay: float) -> Verdict:
    ms = 1000.0 * delay / session.rate_hz
    text = (
        f"{one.stem.stem_id}: {abs(ms):.2f} ms {'before' if ms > 0.0 else 'after'} {anchor.stem.stem_id}, limit"
        f" {1000.0 * DELAY_S[0]:g} ms; together they ripple by {_ripple_db(pair):.1f} dB, aligned by 0 dB"
    )
    verdict = told("STEM_DELAYED", text, measured=ms, limit=1000.0 * DELAY_S[0], unit="ms")
    return fixed(one, verdict, "aligned", delay_frames=round(delay, 2))


def _ripple_db(pair: PairFigures) -> float:
    """Peak to peak of the comb that a sound and its copy r times as high make: 20 log10((1 + r) / (1 - r)), at most 40 dB."""
    r = min(0.98, 10.0 ** (-abs(pair.gain_db or 0.0) / 20.0))
    return 20.0 * math.log10((1.0 + r) / (1.0 - r))
