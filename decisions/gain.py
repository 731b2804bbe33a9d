"""Decides the gain that brings a group of tracks to the target after the limiter: here a loudness target is decided.

Tracks that share a gain are taken together: their gating blocks are pooled (law 4). Where the limiter acts, the loudness after
it was measured at a few gains, and the wanted one is found between them; where that would crush a track, the target is
given up at the profile's limit, and the reason is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from scipy.interpolate import PchipInterpolator

from dsp.gating import integrated_lufs, pooled
from schemas.profile import LimiterChoice, Profile
from schemas.steps import Rehearsed

STEPS_DB = (-0.4, 0.6, 2.0, 4.5)
"""Gains to rehearse, from the one that would do without a limiter: what a limiter takes is a smooth curve between them.
Closest where most albums end up; light limiting costs a few tenths."""
BISECTIONS = 40


class GainDecision(NamedTuple):
    """The gain, what it is expected to give (never reported as measured), and why it stops short, if it does."""

    gain_db: float
    expected_lufs: float
    limited: str | None


def decide_gain(group: Sequence[Rehearsed], profile: Profile) -> GainDecision:
    """The one gain of a group of tracks."""
    target, takes = profile.loudness.target_lufs, len(group[0].takes)
    if not takes:
        source = group_lufs(group)
        gain_db = min(group[0].draft.gains_db[0], profile.loudness.max_gain_db)
        limited = _by_gain(source, target, profile) if source + gain_db < target - 1e-9 else None
        return GainDecision(gain_db, source + gain_db, limited)
    gains = [take.gain_db for take in group[0].takes]
    levels = [integrated_lufs(pooled(r.takes[k].gating for r in group)) for k in range(takes)]
    losses = [g - (level if level is not None else g) for g, level in zip(gains, levels, strict=True)]
    loss_db = PchipInterpolator(
        gains, losses
    )  # monotone between the takes: a limiter that takes nothing stays at nothing

    def level_at(gain_db: float) -> float:
        return gain_db - float(loss_db(max(gain_db, gains[0])))

    most_db, limited = _most_gain_db(group, gains, profile)
    wanted_db = _solve(level_at, target, gains[0] - 12.0, gains[-1])
    if wanted_db <= most_db:
        short = level_at(wanted_db) < target - profile.loudness.tolerance_lu
        why = f"even {wanted_db:+.1f} dB of gain leaves it at {level_at(wanted_db):.1f} LUFS" if short else None
        return GainDecision(wanted_db, level_at(wanted_db), why)
    return GainDecision(most_db, level_at(most_db), limited)


def group_lufs(group: Sequence[Rehearsed]) -> float:
    """Pooled loudness of the sources; the tracks of a group are known not to be silent."""
    loudness = integrated_lufs(pooled(r.draft.analysis.gating for r in group))
    assert loudness is not None, "silent tracks are rejected before"
    return loudness


def _most_gain_db(group: Sequence[Rehearsed], gains: list[float], profile: Profile) -> tuple[float, str]:
    """The highest gain that the guards allow, and which one holds it back."""
    most_db = profile.loudness.max_gain_db
    why = f"no programme is raised by more than {most_db:g} dB"
    for rehearsed in group:
        for limit_db, reductions, words in _guards(rehearsed, profile.limiter):
            allowed_db = _last_allowed(gains, reductions, limit_db, rehearsed.takes[0].max_reduction_db)
            if allowed_db < most_db:
                title = rehearsed.draft.track.title or rehearsed.draft.track.track_id
                most_db, why = allowed_db, f'more gain would turn "{title}" down by more than {limit_db:g} dB {words}'
    return most_db, why


def _guards(rehearsed: Rehearsed, limiter: LimiterChoice) -> list[tuple[float, list[float], str]]:
    return [
        (limiter.max_reduction_db, [t.max_reduction_db for t in rehearsed.takes], "at its loudest peak"),
        (limiter.max_mean_reduction_db, [t.mean_reduction_db for t in rehearsed.takes], "in the mean"),
    ]


def _last_allowed(gains: list[float], reductions: list[float], limit_db: float, deepest_db: float) -> float:
    """The gain at which a reduction reaches its limit, between the takes; infinite if it does at none.

    With `deepest_db` less gain than at the first take, a track just passes the limiter.
    """
    if reductions[-1] <= limit_db:
        return float("inf")
    if deepest_db > 0.0:
        gains, reductions = [gains[0] - deepest_db, *gains], [0.0, *reductions]
    reduction_db = PchipInterpolator(gains, reductions)
    return _solve(lambda gain_db: float(reduction_db(gain_db)), limit_db, gains[0], gains[-1])


def _by_gain(source_lufs: float, target_lufs: float, profile: Profile) -> str:
    needed = target_lufs - source_lufs
    return f"{needed:+.1f} dB would be needed, no programme is raised by more than {profile.loudness.max_gain_db:g} dB"


def _solve(rising: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a rising function reaches the target, by bisection; an end of the range if it lies outside."""
    if rising(high) <= target:
        return high
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2.0
