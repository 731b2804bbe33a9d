"""Decides how a lead vocal is ridden: its fader follows slow differences in level, so that every phrase is heard.

Towards the median of its own loudness over 0.4 s, by 6 dB at most and no faster than 6 dB a second. Rests are not raised; between
words the hand stays where it is. A vocal that is even already is left alone.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisions.mixing.prediction import spread_db, strip_energies, to_level
from decisions.mixing.reasons import RANGES_DB, UNSURE
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import leads, open_strips, replaced, with_why
from dsp.audio import Floats
from dsp.mixing.trace import STEPS_PER_S
from schemas.mix import MixSettings, Strip, Why

WINDOW_S = 0.4
SHORT_TERM_S = 3.0  # EBU Tech 3341
RATE_DB_PER_S = 6.0
STRENGTH_RATIO = 1.0
"""Of each difference that lasts: what is faster than the rate allows stays, and is the singer's own phrasing (our choice)."""
EVEN_LU = 4.0
"""A vocal whose short-term loudness stays within this, 10th to 90th percentile, is even (our choice)."""
ROUNDING_DB = 0.01
"""Gains are kept to this."""
REST_S = 0.5
"""A pause from this length on is a rest; a shorter one is a breath, and belongs to its phrase (our choice)."""
REST_MOST_DB = 0.25
"""No rest is raised by more (asked: 0.5 dB, and the straight lines between points need some of it)."""


def decide_riding(session: Session, settings: MixSettings) -> MixSettings:
    """Automation for each lead vocal that is uneven."""
    lead = leads(session, settings)
    made = {}
    for one, strip in open_strips(session, settings):
        # A microphone of gain sharing is turned down on purpose.
        sung = strip.role == "vocal" and strip.stem_id in lead and not strip.automation_db and strip.sharing is None
        if sung and (changed := _ridden(one, strip, settings.rate_hz)) is not None:
            made[strip.stem_id] = changed
    return replaced(settings, made)


def ride_db(energies: Floats, active: NDArray[np.bool_], most_db: float) -> Floats:
    """(steps,) The gain that evens out some energies, within `most_db`, the rate, and what rests allow."""
    width = max(1, round(WINDOW_S * STEPS_PER_S))
    around = _mean_active(energies, active, width)
    level_db = to_level(around)
    median_db = float(np.median(level_db[active]))
    wanted = np.clip(STRENGTH_RATIO * (median_db - level_db), -most_db, most_db)
    wanted = np.interp(np.arange(len(energies)), np.flatnonzero(active), wanted[active])
    most = np.where(rests(active), REST_MOST_DB, most_db)
    step_db = RATE_DB_PER_S / STEPS_PER_S - ROUNDING_DB
    smooth = 0.5 * (_below(wanted, step_db) - _below(-wanted, step_db))
    return _below(np.minimum(smooth, most), step_db)


def rests(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The steps of pauses that are no mere breath."""
    found = ~active
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < REST_S * STEPS_PER_S:
            found[start:end] = False
    return found


def _ridden(one: HeardStem, strip: Strip, rate_hz: int) -> Strip | None:
    energies, active = strip_energies(one, strip, rate_hz), one.trace.active
    before_lu = spread_db(energies, active, SHORT_TERM_S)
    if before_lu <= EVEN_LU:
        return None
    confidence = min(0.8, one.role_confidence)
    most_db = RANGES_DB["ride"] * (1.0 if confidence >= UNSURE else 0.5)
    gain_db = ride_db(energies, active, most_db)
    after_lu = spread_db(energies * 10.0 ** (gain_db / 10.0), active, SHORT_TERM_S)
    evidence: dict[str, float | str] = {
        "short_term_spread_lu": round(before_lu, 1),
        "even_within_lu": EVEN_LU,
        "predicted_spread_lu": round(after_lu, 1),
        "most_raised_db": round(float(gain_db.max()), 1),
        "most_lowered_db": round(float(gain_db.min()), 1),
    }
    why = Why(text="its phrases lie far apart in level: its fader is ridden", evidence=evidence, confidence=confidence)
    points = tuple(round(math.floor(gain / ROUNDING_DB) * ROUNDING_DB, 2) for gain in gain_db.tolist())
    return msgspec.structs.replace(strip, automation_db=points, why=with_why(strip, {"automation_db": why}))


def _mean_active(energies: Floats, active: NDArray[np.bool_], width: int) -> Floats:
    """The mean energy of the active steps around each."""
    box = np.ones(width + 1 - width % 2)
    count = np.convolve(active.astype(np.float64), box, mode="same")
    return np.asarray(np.convolve(energies * active, box, mode="same") / np.maximum(count, 1.0))


def _below(curve: Floats, step_db: float) -> Floats:
    """The highest curve that lies nowhere above another and moves by no more than `step_db` a step."""
    out = curve.copy()
    for n in range(1, len(out)):
        out[n] = min(out[n], out[n - 1] + step_db)
    for n in range(len(out) - 2, -1, -1):
        out[n] = min(out[n], out[n + 1] + step_db)
    return out
