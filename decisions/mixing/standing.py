"""How loud each stem of a session stands, apart from what it is: where it sounds and the song is loud, as its fader leaves it.

Stems of one pair stand together. What is loud is told by how many play, not by how loud they were delivered: wrong faders must
not move the sections that faders are judged by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import sounds
from dsp.audio import Floats
from dsp.gating import OFFSET_LU
from dsp.mixing.trace import STEPS_PER_S, Trace
from schemas.mix import MixSettings, Strip
from schemas.stems import Presence, Role

SHORT_TERM_S = 3.0  # EBU Tech 3341
LOUD_LU = 6.0
"""What lies within that of the loudest tenth of a song counts as its loud sections (our choice)."""
FEWEST_S = 2.0
"""A stem that sounds for less than this in the loud sections is measured wherever it sounds."""


class Unit(NamedTuple):
    """A stem, or the stems of a pair, as one fader moves them."""

    stems: tuple[str, ...]
    role: Role
    confidence: float
    """In the role."""
    presence: Presence
    level_lufs: float
    """As delivered and as the faders of the draft stand."""
    energy_lufs: float
    """The same over the whole song: what it adds to a sum."""
    crest_db: float
    active_ratio: float
    percussivity_ratio: float
    low_ratio: float
    centroid_hz: float
    fixed: bool
    """A person set its fader."""


def standing(session: Session, settings: MixSettings) -> list[Unit]:
    """The units that are heard, in the order of their first stem."""
    strips = {strip.stem_id: strip for strip in settings.stems}
    heard = [one for one in session.stems if strips[one.stem.stem_id].use and sounds(one)]
    if not heard:
        return []
    traces = {one.stem.stem_id: one.trace for one in heard}
    loud = loud_steps(traces)
    groups: dict[str, list[HeardStem]] = {}
    for one in heard:
        groups.setdefault(f"pair {one.stem.pair}" if one.stem.pair else one.stem.stem_id, []).append(one)
    return [_unit(members, strips, loud) for members in groups.values()]


def loud_steps(traces: Mapping[str, Trace]) -> NDArray[np.bool_]:
    """Where the song is loud, were all its stems equally loud while they sound."""
    steps = max((trace.steps for trace in traces.values()), default=0)
    if not steps:
        return np.zeros(0, np.bool_)
    total = np.zeros(steps)
    for trace in traces.values():
        sounding = trace.energies[trace.active]
        if sounding.size:
            total[: trace.steps] += trace.energies / sounding.mean()
    window = min(steps, int(SHORT_TERM_S * STEPS_PER_S))
    smooth = np.convolve(total, np.full(window, 1.0 / window), mode="same")
    return np.asarray(smooth >= np.quantile(smooth, 0.9) * 10.0 ** (-LOUD_LU / 10.0))


def level_lufs(trace: Trace, loud: NDArray[np.bool_]) -> float | None:
    """Loudness of a stem where it sounds and the song is loud; None where it never sounds."""
    there = trace.active & loud[: trace.steps]
    if there.sum() < FEWEST_S * STEPS_PER_S:
        there = trace.active
    mean = float(trace.energies[there].mean()) if there.any() else 0.0
    return 10.0 * float(np.log10(mean)) + OFFSET_LU if mean > 0.0 else None


def _unit(members: list[HeardStem], strips: Mapping[str, Strip], loud: NDArray[np.bool_]) -> Unit:
    gains_db = [strips[one.stem.stem_id].gain_db for one in members]
    joint = _joint([one.trace for one in members], gains_db)
    level = level_lufs(joint, loud)
    main = max(members, key=lambda one: one.figures.integrated_lufs or -np.inf)
    presence: Presence = next((one.stem.presence for one in members if one.stem.presence != "normal"), "normal")
    return Unit(
        stems=tuple(one.stem.stem_id for one in members),
        role=main.role,
        confidence=main.role_confidence,
        presence=presence,
        level_lufs=level if level is not None else -np.inf,
        energy_lufs=10.0 * float(np.log10(max(float(joint.energies.mean()), 1e-20))) + OFFSET_LU,
        crest_db=main.figures.crest_db or 0.0,
        active_ratio=float(joint.active.mean()),
        percussivity_ratio=main.figures.percussivity_ratio,
        low_ratio=main.figures.low_ratio,
        centroid_hz=main.figures.centroid_hz or 0.0,
        fixed=any(one.stem.lock or one.stem.gain_db is not None for one in members),
    )


def _joint(traces: list[Trace], gains_db: list[float]) -> Trace:
    """The stems of a pair as one: their energies add up."""
    if len(traces) == 1:
        return traces[0]._replace(energies=traces[0].energies * 10.0 ** (gains_db[0] / 10.0))
    longest = max(traces, key=lambda trace: trace.steps)
    energies: Floats = np.zeros(longest.steps)
    active = np.zeros(longest.steps, np.bool_)
    for trace, gain_db in zip(traces, gains_db, strict=True):
        energies[: trace.steps] += trace.energies * 10.0 ** (gain_db / 10.0)
        active[: trace.steps] |= trace.active
    return longest._replace(energies=energies, active=active)
