"""Decides the gain that brings a group of tracks to the target after the limiter: here a loudness target is decided.

Tracks that share a gain are taken together: their gating blocks are pooled (law 4). Where the limiter acts, the loudness after
it was measured at a few gains, and the wanted one is found between them; where that would crush a track, the target is
given up at the profile's limit, and the reason is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from scipy.interpolate import PchipInterpolator

from decisions.levels import level_lufs
from dsp.gating import GatingBlocks
from schemas.profile import LimiterChoice, Profile
from schemas.steps import Rehearsed

STEPS_DB = (-0.4, 0.6, 2.0, 4.5)
"""Gains to rehearse, from the one that would do without a limiter: what a limiter takes is a smooth curve between them.
Closest where most albums end up; light limiting costs a few tenths."""
DYNAMIC_STEPS_DB = (-1.5, 0.5, 2.0, 4.0, 7.0)
"""Where compression comes before the gain, which makes the loudness before the limiter a guess."""
BISECTIONS = 40


class GainDecision(NamedTuple):
    """The gain, what it is expected to give (never reported as measured), and why it stops short, if it does, at which price."""

    gain_db: float
    expected_lufs: float
    limited: str | None


def decide_gain(group: Sequence[Rehearsed], profile: Profile) -> GainDecision:
    """The one gain of a group of tracks."""
    target, takes = profile.loudness.target_lufs, len(group[0].takes)
    if not takes:
        source = source_lufs([r.draft.analysis.gating for r in group], profile)
        gain_db = min(group[0].draft.gains_db[0], profile.loudness.max_gain_db)
        limited = _by_gain(source, target, profile) if source + gain_db < target - 1e-9 else None
        return GainDecision(gain_db, source + gain_db, limited)
    gains = [take.gain_db for take in group[0].takes]
    levels = [level_lufs([r.takes[k].gating for r in group], profile.loudness.mode) for k in range(takes)]
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
    return GainDecision(most_db, level_at(most_db), f"{limited}; {_price(group, gains, wanted_db)}")


def source_lufs(tracks: Sequence[GatingBlocks], profile: Profile) -> float:
    """Loudness of the sources of a group, as the profile counts it; its tracks are known not to be silent."""
    loudness = level_lufs(tracks, profile.loudness.mode)
    assert loudness is not None, "silent tracks are rejected before"
    return loudness


def _price(group: Sequence[Rehearsed], gains: list[float], wanted_db: float) -> str:
    """What reaching the target would have cost, at worst of all tracks."""
    deepest_db = max(_at(gains, [t.max_reduction_db for t in r.takes], wanted_db) for r in group)
    mean_db = max(_at(gains, [t.mean_reduction_db for t in r.takes], wanted_db) for r in group)
    more = "at least " if wanted_db >= gains[-1] else ""
    return f"the target would cost {more}{deepest_db:.1f} dB at the loudest peak and {mean_db:.1f} dB in the mean"


def _at(gains: list[float], values: list[float], gain_db: float) -> float:
    return float(PchipInterpolator(gains, values)(min(max(gain_db, gains[0]), gains[-1])))


def _most_gain_db(group: Sequence[Rehearsed], gains: list[float], profile: Profile) -> tuple[float, str]:
    """The highest gain that the guards allow, and which one holds it back."""
    most_db = profile.loudness.max_gain_db
    why = f"no programme is raised by more than {most_db:g} dB"
    for rehearsed in group:
        title = rehearsed.draft.track.title or rehearsed.draft.track.track_id
        for guard in _guards(rehearsed, profile.limiter):
            allowed_db = _last_allowed(gains, guard)
            if allowed_db < most_db:
                most_db, why = allowed_db, f"more gain would {guard.words.format(title=title)}"
    return most_db, why


class _Guard(NamedTuple):
    """A reading that must not exceed its limit, at each take; at `idle_db` less gain than the first it is `idle`."""

    limit: float
    readings: list[float]
    words: str
    idle_db: float
    idle: float


def _guards(rehearsed: Rehearsed, limiter: LimiterChoice) -> list[_Guard]:
    takes, touch = rehearsed.takes, rehearsed.draft.touch_ratio
    deepest_db, title = takes[0].max_reduction_db, '"{title}"'
    most_db, mean_db = touch * limiter.max_reduction_db, touch * limiter.max_mean_reduction_db
    guards = [
        _Guard(
            most_db, [t.max_reduction_db for t in takes],
            f"turn {title} down by more than {most_db:g} dB at its loudest peak", deepest_db, 0.0,
        ),
        _Guard(
            mean_db, [t.mean_reduction_db for t in takes],
            f"turn {title} down by more than {mean_db:g} dB in the mean", deepest_db, 0.0,
        ),
    ]  # fmt: skip
    if all(take.max_short_term_lufs is not None for take in takes):
        guards.append(_density_guard(rehearsed, limiter))
    return guards


def _density_guard(rehearsed: Rehearsed, limiter: LimiterChoice) -> _Guard:
    """The loudest 3 s must stay as far under the ceiling as asked, or as they lie under the peaks of the source."""
    loudest = [take.max_short_term_lufs or 0.0 for take in rehearsed.takes]
    psr_lu = rehearsed.draft.analysis.figures.psr_min_lu
    floor_lu = min(limiter.min_psr_lu, limiter.min_psr_lu if psr_lu is None else psr_lu)
    words = f'bring the loudest 3 s of "{{title}}" nearer than {floor_lu:.1f} LU to the ceiling'
    # Before the limiter works, a decibel of gain is a decibel of loudness.
    return _Guard(limiter.ceiling_dbtp - floor_lu, loudest, words, 12.0, loudest[0] - 12.0)


def _last_allowed(gains: list[float], guard: _Guard) -> float:
    """The gain at which a reading reaches its limit, between the takes; infinite if it does at none."""
    if guard.readings[-1] <= guard.limit:
        return float("inf")
    readings = guard.readings
    if guard.idle_db > 0.0:
        gains, readings = [gains[0] - guard.idle_db, *gains], [guard.idle, *readings]
    reading = PchipInterpolator(gains, readings)
    return _solve(lambda gain_db: float(reading(gain_db)), guard.limit, gains[0], gains[-1])


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
