"""Decides what a reviewer's word makes of a tone that was decided: brighter or darker, wider or narrower, less of it, or none.

The steps are small, and come on top of what was decided; the guard of the profile holds for both together, and no band is
widened until its sides cancel in mono.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decisions.revisions import Wish
from decisions.tone import CENTRES, SMALLEST_DB, Heard, Tone, equaliser_of
from dsp.audio import Floats
from dsp.bands import BAND_EDGES_HZ
from dsp.spectrum import CENTRES_HZ
from schemas.plan import Decision
from schemas.signoff import Revision

TONE_STEP_DB = 1.0
"""At 10 kHz: what a listener who compares hears as a shade brighter, not as another sound (our choice)."""
SHELF_HZ = (1_000.0, 10_000.0)
"""Nothing below the first, all above the second, straight over the octaves between: a shelf as broad as a tone control's."""
WIDTH_STEP_DB = 1.0
"""Of the side against the middle: 12 % of width (our choice)."""
MOST_ASKED_DB = 3.0
"""The guard where a profile leaves the tone alone, and on the width: three steps."""
LEAST_CORRELATION = 0.2
"""No band is widened to less (our choice): at 0 the sides are as loud as the middle, and half of it is lost in mono."""
_SHELF: Floats = np.interp(np.log(CENTRES), np.log(SHELF_HZ), (0.0, 1.0))


def decide_asked_tone(tone: Tone, run: Sequence[Heard], wish: Wish) -> Tone:
    """The tone of a run of joined tracks as it was decided, changed as a reviewer asked."""
    asked = wish.revision
    if not (asked.tone_steps or asked.width_steps or asked.leave_alone or asked.tone_amount_ratio is not None):
        return tone
    middle_db, widen_db = _kept(tone, asked)
    most_db = wish.profile.tone.max_db or MOST_ASKED_DB
    wanted_db = middle_db + asked.tone_steps * TONE_STEP_DB * _SHELF
    curve_db = np.clip(wanted_db, -most_db, most_db)
    wider_db = _asked_width_db(run, asked.width_steps)
    side_db = np.clip(curve_db + np.clip(widen_db + wider_db, -MOST_ASKED_DB, MOST_ASKED_DB), -most_db, most_db)
    decisions = [*tone.decisions]
    if asked.leave_alone:
        decisions = [Decision(what="tone and width", how_much="off", why="a reviewer asked to leave it alone")]
    elif asked.tone_amount_ratio is not None:
        decisions.append(_amount_decision(asked.tone_amount_ratio))
    if asked.tone_steps:
        decisions.append(_tone_decision(curve_db - middle_db, bool(np.abs(wanted_db).max() > most_db), most_db))
    if asked.width_steps:
        decisions.append(_width_decision(side_db - curve_db - widen_db, asked.width_steps, run))
    return Tone(equaliser_of(curve_db, side_db - curve_db), tuple(decisions))


def _kept(tone: Tone, asked: Revision) -> tuple[Floats, Floats]:
    """What is kept of the curve of the middle that was decided, and of the side's against it."""
    if tone.settings is None or asked.leave_alone:
        return np.zeros(len(CENTRES)), np.zeros(len(CENTRES))
    middle_db = np.array(tone.settings.gains_db)
    widen_db = np.array(tone.settings.side_gains_db or tone.settings.gains_db) - middle_db
    return (1.0 if asked.tone_amount_ratio is None else asked.tone_amount_ratio) * middle_db, widen_db


def _asked_width_db(run: Sequence[Heard], steps: int) -> Floats:
    """Gain of the side against the middle; widening spares the bass, which a record and a club want in the middle."""
    if any(track.figures.side_mid_lu is None for track in run):
        return np.zeros(len(CENTRES))
    bands_db = [min(steps * WIDTH_STEP_DB, 0.0 if band == 0 else _room_db(run, band)) for band in range(4)]
    return np.array(bands_db)[np.searchsorted(BAND_EDGES_HZ, CENTRES)]


def _room_db(run: Sequence[Heard], band: int) -> float:
    """How far a band may be widened: of channels as loud as each other, (1 - r) / (1 + r) is the power of side over middle."""
    found = [track.figures.correlation_bands for track in run]
    known = [bands[band] for bands in found if len(bands) > band]
    if len(known) < len(run) or any(one is None for one in known):
        return 0.0
    least = min(max(-0.999, min(0.999, one)) for one in known if one is not None)
    allowed = (1.0 - LEAST_CORRELATION) / (1.0 + LEAST_CORRELATION)
    return max(0.0, 10.0 * math.log10(allowed * (1.0 + least) / (1.0 - least)))


def _amount_decision(ratio: float) -> Decision:
    why = "a reviewer asked for this share of the correction that was decided"
    return Decision(what="tone as asked", how_much=f"{100.0 * ratio:.0f} % of it", why=why)


def _tone_decision(change_db: Floats, held: bool, most_db: float) -> Decision:
    at_10k = CENTRES_HZ.index(min(CENTRES_HZ, key=lambda hz: abs(hz - SHELF_HZ[1])))
    why = f"{TONE_STEP_DB:g} dB a step, on top of what was decided"
    why += f"; no band may move by more than {most_db:g} dB" if held else ""
    return Decision(what="tone as asked", how_much=f"{change_db[at_10k]:+.1f} dB at 10 kHz", why=why)


def _width_decision(change_db: Floats, steps: int, run: Sequence[Heard]) -> Decision:
    most = float(change_db[np.abs(change_db).argmax()])
    why = f"{WIDTH_STEP_DB:g} dB a step, on top of what was decided"
    if any(track.figures.side_mid_lu is None for track in run):
        why = "there is no side signal"
    elif abs(most) < abs(steps) * WIDTH_STEP_DB - SMALLEST_DB:
        why += f"; the guards allow no more: {LEAST_CORRELATION:g} of correlation in each band, for mono"
    return Decision(what="width as asked", how_much=f"side {most:+.1f} dB", why=why)
