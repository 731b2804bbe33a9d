"""Decides the gain of tracks of which a reviewer asked to be louder, quieter, or limited less: steps from what would be done.

The guards of the profile hold whatever is asked; where they hold a gain back, that is told as it always is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType, structs

from decisions.gain import GainDecision, decide_gain, level_curve
from decisions.guards import reduction_db
from decisions.levels import level_lufs
from decisions.revisions import held_decisions
from dsp.gating import BINS_PER_LU, GatingBlocks
from schemas.plan import Decision, Instructed
from schemas.profile import Profile
from schemas.steps import Draft, Rehearsed

LOUDNESS_STEP_LU = 1.0
"""What a listener who compares two masters hears as louder, and little more (our choice)."""
LESS_LIMITING_DB, LESS_LIMITING_SHARE = 1.5, 1.0 / 3.0
"""A step of less limiting takes so much off the deepest reduction, or so large a share of it, whichever is more (our choice):
a decibel must be sure to come off whatever the rehearsal misread, and of heavy limiting a decibel is not heard."""
QUIETEST_LUFS, LOUDEST_LUFS = -40.0, -4.0
"""As `loudness.target_lufs` of a profile."""


class SettledGroup(NamedTuple):
    """The gain of tracks that share one, and those of its runs that a reviewer set apart, by number of the run."""

    target_lufs: float
    gain: GainDecision
    own: dict[int, GainDecision]
    aims_lufs: dict[int, float]
    moved_lu: float
    limited_less: tuple[Draft, ...]
    """Those of which less limiting was asked than of their album: they may hold the gain of all down."""

    def of(self, draft: Draft) -> GainDecision:
        """The gain of a track."""
        return self.own.get(draft.run, self.gain)

    def held(self, draft: Draft) -> list[Decision]:
        """What a track is told of those that hold the gain down."""
        others = [one.track for one in self.limited_less if one.run != draft.run]
        return held_decisions(draft.track, others)

    def instructed(self, draft: Draft) -> Instructed | UnsetType:
        """What reviewers asked, as the plan of a track keeps it; nothing where nobody asked."""
        made = Instructed(
            revision=draft.asked.run,
            own_gain=draft.run in self.own,
            held_by={
                one.track.track_id: one.asked.run.limiting_steps for one in self.limited_less if one.run != draft.run
            },
            moved_lu=self.moved_lu,
        )
        return UNSET if made == Instructed() else made


def settle_group(group: Sequence[Rehearsed], profile: Profile) -> SettledGroup:
    """The gain of tracks that share one, decided as if nobody had set any of them apart, and then the gains of those."""
    alone = _is_one_run(group)
    asked = group[0].draft.asked
    steps = asked.run.loudness_steps if alone else asked.album.loudness_steps
    usual = [one.as_unasked() for one in group]
    gain, caps_db, held = _shared_gain(usual, profile, steps, alone)
    apart = _apart(group)
    aims_lufs = {number: _aim_lufs(run, gain.gain_db, profile.loudness.mode) for number, run in apart.items()}
    own = {number: decide_gain(run, aimed(profile, aims_lufs[number]), caps_db) for number, run in apart.items()}
    return SettledGroup(
        target_lufs=target_of(profile, steps),
        gain=gain,
        own=own,
        aims_lufs=aims_lufs,
        moved_lu=round(_moved_lu(group, gain.gain_db, own, profile.loudness.mode), 3) if own else 0.0,
        limited_less=_limited_less(group) if held and not alone else (),
    )


def target_of(profile: Profile, steps: int) -> float:
    """A profile's target, moved by some steps.

    >>> from decisions.profile_files import load_profile
    >>> target_of(load_profile("streaming"), -2)
    -16.0
    """
    return _within(profile.loudness.target_lufs + LOUDNESS_STEP_LU * steps)


def aimed(profile: Profile, target_lufs: float) -> Profile:
    """A profile with another target."""
    if target_lufs == profile.loudness.target_lufs:
        return profile
    return structs.replace(profile, loudness=structs.replace(profile.loudness, target_lufs=_within(target_lufs)))


def _is_one_run(group: Sequence[Rehearsed]) -> bool:
    """Whether no others share the gain of joined tracks: what is asked of one of them is then asked of all that share it."""
    return len({one.draft.run for one in group}) == 1 and group[0].draft.unasked is None


def _apart(group: Sequence[Rehearsed]) -> dict[int, list[Rehearsed]]:
    """The runs that are to differ from their album, by number."""
    apart: dict[int, list[Rehearsed]] = {}
    for one in group:
        if one.draft.unasked is not None:
            apart.setdefault(one.draft.run, []).append(one)
    return apart


def _limited_less(group: Sequence[Rehearsed]) -> tuple[Draft, ...]:
    drafts = [one.draft for one in group]
    return tuple(one for one in drafts if one.asked.run.limiting_steps != one.asked.album.limiting_steps)


def _shared_gain(
    group: Sequence[Rehearsed], profile: Profile, steps: int, alone: bool
) -> tuple[GainDecision, dict[str, float], bool]:
    """The one gain of a group, so many steps from its target; how deep its limiter may work, and whether that holds it down."""
    goal = aimed(profile, target_of(profile, max(0, steps)))
    plain = decide_gain(group, goal)
    caps_db = _caps_db(group, plain.gain_db, alone)
    reached = _held_down(plain, group, goal, caps_db)
    gain = _quieter(reached, group, profile, steps, caps_db) if steps < 0 else reached
    return gain, caps_db, reached is not plain


def _quieter(
    reached: GainDecision, group: Sequence[Rehearsed], profile: Profile, steps: int, caps_db: Mapping[str, float]
) -> GainDecision:
    """So many steps below the target, or below what is reached where that falls short: quieter must be quieter."""
    target = target_of(profile, steps)
    goal = min(target, _within(reached.expected_lufs + LOUDNESS_STEP_LU * steps)) if reached.limited else target
    gain = decide_gain(group, aimed(profile, goal), caps_db)
    return gain._replace(limited=gain.limited or reached.limited) if goal < target else gain


def _caps_db(group: Sequence[Rehearsed], gain_db: float, alone: bool) -> dict[str, float]:
    """How deep the limiter may turn down which track, of those of which less limiting was asked."""
    found = {one.draft.track.track_id: _cap_db(one, gain_db, alone) for one in group}
    return {track_id: cap_db for track_id, cap_db in found.items() if cap_db is not None}


def _held_down(
    gain: GainDecision, group: Sequence[Rehearsed], goal: Profile, caps_db: Mapping[str, float]
) -> GainDecision:
    """The gain of a group where its limiter is to do less."""
    held = decide_gain(group, goal, caps_db) if caps_db else gain
    return held._replace(limited=held.limited or gain.limited) if held.gain_db < gain.gain_db else gain


def _aim_lufs(run: Sequence[Rehearsed], gain_db: float, mode: str) -> float:
    """How loud a run is to be that differs from its album: as its gain makes it unasked, and some steps."""
    asked = run[0].draft.asked
    steps = asked.run.loudness_steps - asked.album.loudness_steps
    return level_curve([one.as_unasked() for one in run], mode)(gain_db) + LOUDNESS_STEP_LU * steps


def _moved_lu(group: Sequence[Rehearsed], gain_db: float, own: Mapping[int, GainDecision], mode: str) -> float:
    """How far the loudness of a group moves because some of its runs got gains of their own; `own` by number of the run."""
    before, after = [], []
    for member in group:
        run = [one.as_unasked() for one in group if one.draft.run == member.draft.run]
        blocks = _at_gain(member.as_unasked(), gain_db, mode)
        decided = own.get(member.draft.run)
        change_lu = decided.expected_lufs - level_curve(run, mode)(gain_db) if decided else 0.0
        before.append(blocks)
        after.append(_shifted(blocks, change_lu))
    was, becomes = level_lufs(before, mode), level_lufs(after, mode)
    return becomes - was if was is not None and becomes is not None else 0.0


def _within(lufs: float) -> float:
    return max(QUIETEST_LUFS, min(LOUDEST_LUFS, lufs))


def _cap_db(one: Rehearsed, gain_db: float, alone: bool) -> float | None:
    """How deep the limiter may turn a track down; None where nobody asked.

    Left alone it is kept off the limiter, but for a single track of an album: that would move it against its neighbours.
    """
    asked = one.draft.asked
    if not one.takes:
        return None
    if (asked.run if alone else asked.album).leave_alone:
        return 0.0
    if not asked.run.limiting_steps:
        return None
    deepest_db = reduction_db(one, gain_db)
    for _ in range(-asked.run.limiting_steps):
        deepest_db = max(0.0, deepest_db - max(LESS_LIMITING_DB, LESS_LIMITING_SHARE * deepest_db))
    return deepest_db


def _at_gain(one: Rehearsed, gain_db: float, mode: str) -> GatingBlocks:
    """About the gating blocks of a track at a gain: those of the nearest take, or of the source, brought to its level there."""
    level_at = level_curve([one], mode)
    if not one.takes:
        return _shifted(one.draft.analysis.gating, gain_db)
    take = min(one.takes, key=lambda take: abs(take.gain_db - gain_db))
    return _shifted(take.gating, level_at(gain_db) - level_at(take.gain_db))


def _shifted(blocks: GatingBlocks, change_lu: float) -> GatingBlocks:
    """The blocks of a programme that became louder as a whole; blocks at the absolute gate do not count either way."""
    bins, ratio = round(change_lu * BINS_PER_LU), 10.0 ** (change_lu / 10.0)
    kept = [
        (b + bins, c, round(e * ratio)) for b, c, e in zip(blocks.bins, blocks.counts, blocks.energies, strict=True)
    ]
    kept = [one for one in kept if one[0] >= 0]
    return GatingBlocks(*(tuple(one[k] for one in kept) for k in range(3)))
