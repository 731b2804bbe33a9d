"""Decides the gain that brings a group of tracks to the target after the limiter: here a loudness target is decided.

Tracks that share a gain are taken together: their gating blocks are pooled (law 4). Where the limiter acts, the loudness after
it was measured at a few gains, and the wanted one is found between them; where that would crush a track, the target is
given up at the profile's limit, and the reason is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from scipy.interpolate import PchipInterpolator

from decisions.guards import guards_of, last_within
from decisions.levels import level_lufs
from dsp.gating import GatingBlocks
from schemas.profile import Profile
from schemas.steps import Rehearsed

STEPS_DB = (-0.4, 0.6, 2.0, 4.5)
"""Gains to rehearse, from the one that would do without a limiter: what a limiter takes is a smooth curve between them, read
within 0.02 LU on music and 0.05 on noise. Closest where most albums end up; light limiting costs a few tenths, but sparse hits
whose peaks are 3 dB over the ceiling cost 2.5."""
DYNAMIC_STEPS_DB = (-1.5, 0.5, 2.0, 4.0, 7.0)
"""Where compression comes before the gain, which makes the loudness before the limiter a guess."""


NO_CAPS: Mapping[str, float] = MappingProxyType({})


class GainDecision(NamedTuple):
    """The gain, what it is expected to give (never reported as measured), and why it stops short, if it does, at which price."""

    gain_db: float
    expected_lufs: float
    limited: str | None


def decide_gain(group: Sequence[Rehearsed], profile: Profile, caps_db: Mapping[str, float] = NO_CAPS) -> GainDecision:
    """The one gain of a group of tracks; `caps_db` is how deep the limiter may turn a track down, where a reviewer asked."""
    target, takes = profile.loudness.target_lufs, group[0].takes
    level_at = level_curve(group, profile.loudness.mode)
    if not takes:
        source = source_lufs([r.draft.analysis.gating for r in group], profile)
        gain_db = min(target - source, profile.loudness.max_gain_db)
        limited = _by_gain(source, target, profile) if source + gain_db < target - 1e-9 else None
        return GainDecision(gain_db, source + gain_db, limited)
    gains = [take.gain_db for take in takes]
    most_db, limited = _most_gain_db(group, profile, caps_db)
    wanted_db = last_within(level_at, target, gains[0] - 12.0, gains[-1])
    if wanted_db <= most_db:
        short = level_at(wanted_db) < target - profile.loudness.tolerance_lu
        why = f"even {wanted_db:+.1f} dB of gain leaves it at {level_at(wanted_db):.1f} LUFS" if short else None
        return GainDecision(wanted_db, level_at(wanted_db), why)
    if level_at(most_db) >= target - profile.loudness.tolerance_lu:
        return GainDecision(most_db, level_at(most_db), None)
    return GainDecision(most_db, level_at(most_db), f"{limited}; {_price(group, gains, wanted_db)}")


def level_curve(group: Sequence[Rehearsed], mode: str) -> Callable[[float], float]:
    """The loudness of a group after the limiter, by the gain; without takes it is that of the sources, made louder."""
    takes = len(group[0].takes)
    if not takes:
        source = level_lufs([r.draft.analysis.gating for r in group], mode)
        assert source is not None, "silent tracks are rejected before"
        return lambda gain_db: source + gain_db
    gains = [take.gain_db for take in group[0].takes]
    levels = [level_lufs([r.takes[k].gating for r in group], mode) for k in range(takes)]
    losses = [g - (level if level is not None else g) for g, level in zip(gains, levels, strict=True)]
    # Monotone between the takes: a limiter that takes nothing stays at nothing.
    loss_db = PchipInterpolator(gains, losses)
    return lambda gain_db: gain_db - float(loss_db(min(max(gain_db, gains[0]), gains[-1])))


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


def _most_gain_db(group: Sequence[Rehearsed], profile: Profile, caps_db: Mapping[str, float]) -> tuple[float, str]:
    """The highest gain that the guards allow, and which one holds it back."""
    most_db = profile.loudness.max_gain_db
    why = f"no programme is raised by more than {most_db:g} dB"
    for rehearsed in group:
        for guard in guards_of(rehearsed, profile.limiter, caps_db.get(rehearsed.draft.track.track_id)):
            allowed_db = guard.last_allowed_db()
            if allowed_db < most_db:
                most_db, why = allowed_db, f"more gain would {guard.words}"
    return most_db, why


def _by_gain(source_lufs: float, target_lufs: float, profile: Profile) -> str:
    needed = target_lufs - source_lufs
    return f"{needed:+.1f} dB would be needed, no programme is raised by more than {profile.loudness.max_gain_db:g} dB"
