"""Sample rates and lengths of a session: rates that differ, a header that lies, stems that are cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.verdicts import Verdict, told, usable
from dsp.audio import Floats
from dsp.mixing.trace import ONSETS_PER_S, STEPS_PER_S

USUAL_RATES_HZ = (44_100, 48_000, 88_200, 96_000)
CONFUSED_HZ = ({44_100, 48_000}, {88_200, 96_000})
"""Where a rhythm alone tells: twice as fast, any music fits itself."""
LENGTH_LIMIT_S = 1.0
SAME_LENGTH_RATIO = 0.0005
"""Lengths so close, or 0.05 s, count as equal: exports round their ends."""
SAME_LENGTH_S = 0.05
RHYTHM_RATIO = 0.25
"""Correlation of two courses of loudness from which on they share a rhythm. Tuned."""
CLEARLY_RATIO = 2.0
LONGEST_S = 300.0
"""As much of a stem is compared: a wrong rate shows soon."""


def lying_rates(session: Session, without: set[str]) -> list[Verdict]:
    """Stems that were recorded at another rate than their header says: the song is rejected."""
    stems = usable(session, without)
    usual_s = _usual_length_s(stems)
    found = []
    for one in stems:
        if not one.stem.lock and (lie := _lie(one, stems, usual_s)) is not None:
            found.append(_verdict(one, *lie))
    return found


def lengths_and_rates(session: Session, without: set[str]) -> Iterator[Verdict]:
    """Stems of other rates and lengths: told."""
    stems = usable(session, without)
    rates = Counter(one.figures.format.rate_hz for one in stems)
    if len(rates) > 1:
        others = [one.stem.stem_id for one in stems if one.figures.format.rate_hz != session.rate_hz]
        text = f"{', '.join(others)} resampled to {session.rate_hz} Hz, the rate of the session"
        yield told("STEM_RATES_MIXED", text, measured=float(len(rates)), limit=1.0)
    usual_s = _usual_length_s(stems)
    for one in stems:
        off_s = one.figures.format.duration_s - usual_s
        if abs(off_s) > LENGTH_LIMIT_S:
            text = f"{one.stem.stem_id}: {abs(off_s):.1f} s {'longer' if off_s > 0.0 else 'shorter'} than the others;"
            yield told(
                "STEM_LENGTH_DIFFERS", f"{text} all begin together", measured=off_s, limit=LENGTH_LIMIT_S, unit="s"
            )


def _usual_length_s(stems: list[HeardStem]) -> float:
    """The length that most stems have; of equals the longest."""
    lengths = [one.figures.format.duration_s for one in stems]
    if not lengths:
        return 0.0
    return max(lengths, key=lambda length: (sum(_same(length, other) for other in lengths), length))


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= max(SAME_LENGTH_S, SAME_LENGTH_RATIO * other)


def _lie(one: HeardStem, stems: list[HeardStem], usual_s: float) -> tuple[int, float, float, float] | None:
    """Its real rate, its length against the others', and how its rhythm fits theirs as it is and at that rate."""
    others = [other for other in stems if other is not one]
    header_hz, length_s = one.figures.format.rate_hz, one.figures.format.duration_s
    if len(others) < 2:
        return None
    together = _course_of(others)
    as_it_is = _likeness(_course(one), together, 1.0)
    for rate_hz in USUAL_RATES_HZ:  # a stem as long as the others was not made at another rate
        slower = rate_hz / header_hz  # as it is, it lasts so many times as long as it should
        fitting = _likeness(_course(one), together, slower)
        if _same(length_s, usual_s) or slower == 1.0:
            continue
        confused = {rate_hz, header_hz} in CONFUSED_HZ
        no_rhythm = confused and max(fitting, as_it_is) < RHYTHM_RATIO  # the length alone has to tell
        by_length = _same(length_s / slower, usual_s) and (fitting >= as_it_is or no_rhythm)
        by_rhythm = confused and fitting > max(RHYTHM_RATIO, CLEARLY_RATIO * as_it_is)
        if by_length or by_rhythm:
            return rate_hz, length_s / usual_s, as_it_is, fitting
    return None


def _verdict(one: HeardStem, rate_hz: int, length_ratio: float, as_it_is: float, fitting: float) -> Verdict:
    header_hz = one.figures.format.rate_hz
    text = (
        f"{one.stem.stem_id}: its header says {header_hz} Hz, but it was made at {rate_hz} Hz: {length_ratio:.4f} times as"
        f" long as the others, and its rhythm fits theirs by {fitting:.2f} at that rate, by {as_it_is:.2f} as it is"
    )
    return told("STEM_RATE_LIES", text, measured=length_ratio, limit=1.0)


def _course(one: HeardStem) -> Floats:
    """When something begins: the roots of the rises, blurred to 50 ms, at 100 a second."""
    rises = np.sqrt(one.trace.onsets[: round(LONGEST_S * ONSETS_PER_S)].astype(np.float64))
    peak = float(rises.max(initial=0.0))
    return _blurred(np.minimum(rises, 0.5 * peak) / peak) if peak > 0.0 else rises


def _course_of(stems: list[HeardStem]) -> Floats:
    courses = [_course(one) for one in stems]
    total = np.zeros(max(len(course) for course in courses))
    for course in courses:
        total[: len(course)] += course
    return total


def _blurred(values: Floats) -> Floats:
    return np.asarray(np.convolve(values, np.hanning(7)[1:-1], "same"))


def _likeness(course: Floats, together: Floats, slower: float) -> float:
    """Correlation of two courses, the first played faster by a factor."""
    if len(course) < STEPS_PER_S or len(together) < STEPS_PER_S:
        return 0.0
    count = min(len(together), int(len(course) / slower))
    moved = np.interp(np.arange(count) * slower, np.arange(len(course)), course)
    first, second = moved - moved.mean(), together[:count] - together[:count].mean()
    both = float(np.square(first).sum()) * float(np.square(second).sum())
    return float((first * second).sum()) / both**0.5 if both > 0.0 else 0.0
