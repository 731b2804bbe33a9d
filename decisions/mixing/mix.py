"""How a mix is made: its steps in the order in which an engineer takes them, then what a rehearsal of them teaches.

Repair and time come first; then what each stem needs by itself; levels; places; what stands in another's way; rooms; buses.
Faders are decided from the stems as delivered (whether somebody meant their balance shows there alone) and held where
processing moves them.
"""

from __future__ import annotations

from decisions.mixing.buses import decide_buses
from decisions.mixing.checks import hygiene
from decisions.mixing.corrective import decide_corrective
from decisions.mixing.ducking import decide_ducking
from decisions.mixing.dynamics import decide_dynamics
from decisions.mixing.headroom import leave_headroom
from decisions.mixing.holding import before_fader, hold_levels
from decisions.mixing.levels import decide_levels
from decisions.mixing.masking import decide_masking
from decisions.mixing.pans import decide_pans
from decisions.mixing.prediction import processed
from decisions.mixing.reverbs import decide_reverbs
from decisions.mixing.riding import decide_riding
from decisions.mixing.session import Rehearsal, Session, Step, neutral_settings
from decisions.mixing.sharing import decide_sharing
from dsp.audio import Floats
from schemas.mix import MixSettings

IN_ADVANCE: tuple[Step, ...] = (
    hygiene,
    decide_sharing,
    decide_levels,
    decide_corrective,
    decide_dynamics,
    decide_riding,
)
"""What is done to each stem for itself, and its fader as if nothing else were done."""
TOGETHER: tuple[Step, ...] = (
    decide_pans,
    decide_masking,
    decide_ducking,
    decide_reverbs,
    decide_buses,
)
"""What is done for the sake of other stems."""


def draft_mix(session: Session) -> MixSettings:
    """Everything that can be decided from what was measured of the stems."""
    settings = neutral_settings(session)
    for step in IN_ADVANCE:
        settings = step(session, settings)
    settings = hold_levels(session, settings, _energies(processed(session, settings)), "processing")
    for step in TOGETHER:
        settings = step(session, settings)
    return settings


def settle_mix(session: Session, draft: MixSettings, rehearsal: Rehearsal) -> MixSettings:
    """The draft, with faders and the gain of the mix as its rehearsal asks for them."""
    strips = {strip.stem_id: strip for strip in draft.stems}
    found = {name: before_fader(strips[name], heard) for name, heard in rehearsal.energies.items() if name in strips}
    # The draft's faders took back already what its processing was foretold to do.
    held = hold_levels(processed(session, draft), draft, found, "the mix")
    return leave_headroom(held, draft, rehearsal)


def _energies(session: Session) -> dict[str, Floats]:
    return {one.stem.stem_id: one.trace.energies for one in session.stems}
