"""Decides the gain of a whole mix: as loud as leaves mastering its room, and no limiter to get there."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from decisions.mixing.session import Rehearsal
from dsp.audio import Floats
from dsp.mixing.trace import STEPS_PER_S
from schemas.mix import MixSettings, Why

MOST_DBTP = -6.0
MOST_SHORT_TERM_LUFS = -18.0
"""A mix peaks below the one and is loudest below the other: usual headroom for mastering (our choice, as the design has it)."""
SPARE_DB = 0.1
"""Buses that are compressed act otherwise once faders have moved; peaks rose by 0.01 dB at most (measured)."""
SHORT_TERM_S = 3.0  # EBU Tech 3341
RANGE_DB = 60.0
"""A mix that would need more gain than that is silence."""


def leave_headroom(settings: MixSettings, draft: MixSettings, rehearsal: Rehearsal) -> MixSettings:
    """The settings with the gain of the mix; `draft` was rehearsed, and the faders of `settings` may have moved since."""
    if rehearsal.true_peak_dbtp is None:
        return settings
    risen_db, louder_lu = _risen_db(settings, draft), _louder_lu(settings, draft, rehearsal)
    peak_dbtp = rehearsal.true_peak_dbtp + risen_db
    room_db = MOST_DBTP - SPARE_DB - peak_dbtp
    evidence: dict[str, float | str] = {"true_peak_before_dbtp": round(peak_dbtp, 2)}
    if rehearsal.max_short_term_lufs is not None:
        loudest_lufs = rehearsal.max_short_term_lufs + louder_lu
        room_db = min(room_db, MOST_SHORT_TERM_LUFS - loudest_lufs)
        evidence["max_short_term_before_lufs"] = round(loudest_lufs, 2)
    gain_db = float(np.floor(np.clip(room_db, -RANGE_DB, RANGE_DB) * 100.0) / 100.0)  # never rounded above the room
    text = (
        f"the mix peaks at {MOST_DBTP:g} dBTP at most, and its loudest 3 s lie at {MOST_SHORT_TERM_LUFS:g} LUFS at most"
    )
    return replace(settings, gain_db=gain_db, why={**settings.why, "gain_db": Why(text=text, evidence=evidence)})


def _moves_db(settings: MixSettings, draft: MixSettings) -> dict[str, float]:
    before = {strip.stem_id: strip.gain_db for strip in draft.stems}
    return {strip.stem_id: strip.gain_db - before[strip.stem_id] for strip in settings.stems if strip.use}


def _risen_db(settings: MixSettings, draft: MixSettings) -> float:
    """How much higher the mix may peak: as much as the fader that was raised most. Peaks are not measured again, so none is
    missed."""
    return max(0.0, max(_moves_db(settings, draft).values(), default=0.0))


def _louder_lu(settings: MixSettings, draft: MixSettings, rehearsal: Rehearsal) -> float:
    """Change of the loudest 3 s, from the energies of the strips; rooms are taken to change as all strips together."""
    moves = {name: move for name, move in _moves_db(settings, draft).items() if name in rehearsal.energies}
    if not any(moves.values()):
        return 0.0
    steps = max(len(rehearsal.energies[name]) for name in moves)
    before, after = np.zeros(steps), np.zeros(steps)
    for name, move in moves.items():
        energies = rehearsal.energies[name]
        before[: len(energies)] += energies
        after[: len(energies)] += energies * 10.0 ** (move / 10.0)
    loudest, now = _loudest(before), _loudest(after)
    return 10.0 * float(np.log10(now / loudest)) if loudest > 0.0 and now > 0.0 else 0.0


def _loudest(energies: Floats) -> float:
    window = min(len(energies), int(SHORT_TERM_S * STEPS_PER_S))
    total = np.concatenate([[0.0], np.cumsum(energies)])
    return float((total[window:] - total[:-window]).max(initial=0.0)) if window else 0.0
