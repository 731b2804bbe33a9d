"""Checks of a session before anything is decided: what is wrong with its stems, and what is done about it.

`candidates` says what to measure, `check_session` what was found, `hygiene` is the step that mends it. A finding whose code
rejects (`schemas.codes`) ends the song.
"""

from __future__ import annotations

from collections.abc import Iterator

from decisions.mixing.candidates import candidates as candidates
from decisions.mixing.link_checks import bleeds, pair_checks, shifts
from decisions.mixing.rate_checks import lengths_and_rates, lying_rates
from decisions.mixing.reference_checks import reference_checks
from decisions.mixing.session import Session
from decisions.mixing.stem_checks import faults, role_checks, silent_stems
from decisions.mixing.twin_checks import bounces, copies, doubles
from decisions.mixing.verdicts import Verdict, applied, told, usable
from schemas.mix import MixSettings
from schemas.qc import Finding

SHOWN = 8
"""So many stems a rejection names: our choice."""


def check_session(session: Session) -> tuple[Finding, ...]:
    """Everything that was found in a session, in the order of the checks."""
    return tuple(verdict.finding for verdict in verdicts_of(session))


def hygiene(session: Session, settings: MixSettings) -> MixSettings:
    """The step that leaves out, moves and turns over stems as the checks found."""
    return applied(settings, verdicts_of(session))


def verdicts_of(session: Session) -> list[Verdict]:
    """Findings with what follows from each; a stem that is left out is looked at no further."""
    found = silent_stems(session)
    found += copies(session, _out(found))
    found += bounces(session, _out(found))
    found += lying_rates(session, _out(found))
    found += shifts(session, _out(found))
    found += pair_checks(session, _out(found))
    found += _told(session, _out(found))
    if not usable(session, _out(found)):
        found.append(told("NO_STEMS_LEFT", _none_left(session, found), measured=0.0, limit=1.0))
    return found


def _none_left(session: Session, found: list[Verdict]) -> str:
    """Why no stem is used, stem by stem: a song that is rejected has no other place where that stands."""
    left_out = {one.stem_id: one.finding.code for one in found if one.leaves_out}
    why = [f"{one.stem.stem_id} ({left_out.get(one.stem.stem_id, 'muted')})" for one in session.stems]
    more = f" and {len(why) - SHOWN} more" if why[SHOWN:] else ""
    return f"none of {len(why)} stems can be used: {', '.join(why[:SHOWN])}{more}"


def _told(session: Session, out: set[str]) -> Iterator[Verdict]:
    """What changes nothing."""
    yield from reference_checks(session, out)
    yield from doubles(session, out)
    yield from bleeds(session, out)
    yield from lengths_and_rates(session, out)
    yield from faults(session, out)
    yield from role_checks(session, out)


def _out(verdicts: list[Verdict]) -> set[str]:
    return {verdict.stem_id for verdict in verdicts if verdict.leaves_out}
