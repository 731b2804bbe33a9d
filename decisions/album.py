"""Decides album by album: which tracks run into each other, what is done before the gain, and then the gain.

`draft_album` comes after the analysis, `settle_album` after the rehearsal; both take all tracks of an album and give one
result for each. Rejected tracks go through unchanged: they are known, but they poison nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from hashlib import sha256
from statistics import fmean
from typing import NamedTuple

from decisions.asked_gain import LOUDNESS_STEP_LU, SettledGroup, aimed, settle_group, target_of
from decisions.gain import DYNAMIC_STEPS_DB, STEPS_DB, source_lufs
from decisions.head import RunHead, decide_heads
from decisions.revisions import asked_decisions, asked_of, differs, with_references
from decisions.runs import after, before, joins_decision, runs_of
from decisions.tone import tone_change_lu
from dsp.settings import LimiterSettings, QuantiserSettings
from schemas.plan import Decision, DeliveryPlan, Head, Plan
from schemas.profile import Delivery, Profile
from schemas.signoff import Asked, Revision
from schemas.steps import (
    Analysed,
    Analysing,
    Draft,
    Drafting,
    Planned,
    Planning,
    Rehearsed,
    Rehearsing,
    Rejected,
    Unasked,
)

SAFE_PEAK_DB = 0.2
"""A predicted peak this far under the ceiling never meets the limiter; closer ones are rehearsed."""
PARTS_HINT = "Give the missing tracks, or correct track_total."
WIDE_GAP_DB = 4.0
"""From here on the takes reach down to where the limiter is idle: what it takes is read from a curve through them."""
NARROW_GAP_DB = 0.1
"""Gains nearer to each other than this tell nothing new of a limiter, and rounded they may be one gain (our choice)."""


def draft_album(members: Sequence[Analysing], profile: Profile) -> list[Drafting]:
    """A draft for each track that was analysed, in album order; rejected tracks as they came, all of an album in parts."""
    if missing := _missing(members):
        return [_left_out(member, "ALBUM_NOT_WHOLE", missing, PARTS_HINT) for member in members]
    if clash := _clash(members):
        return [_left_out(member, "ALBUM_CLASH", clash, "Correct the manifest that is wrong.") for member in members]
    tracks = sorted((m for m in members if isinstance(m, Analysed)), key=lambda m: m.track.order)
    return [*(m for m in members if isinstance(m, Rejected)), *_drafts(tracks, profile)]


def _drafts(tracks: Sequence[Analysed], profile: Profile) -> Iterator[Draft]:
    """First what would be done if nobody had set a run of joined tracks apart from its album, then what is done."""
    runs, album = runs_of(tracks), [track.track for track in tracks]
    asked = [asked_of([album[i] for i in run], album) for run in runs]
    groups = _groups(runs, profile)
    apart = {n for group in groups if len(group) > 1 for n in group if differs(asked[n])}
    usual = [one.album if len(groups) < len(runs) else one.run for one in asked]
    heads = _heads(tracks, runs, profile, usual)
    own = _heads(tracks, runs, profile, [one.run for one in asked]) if apart else heads
    for group in groups:
        steps = usual[group[0]].loudness_steps
        goal = aimed(profile, target_of(profile, steps))
        sharing = [(tracks[i], heads[n].head) for n in group for i in runs[n]]
        plain_db = _plain_db(sharing, goal)
        gains_db = _gains_db(sharing, plain_db, goal, 0.0 if steps < 0 else WIDE_GAP_DB)
        for n in group:
            drawn = _Drawn(n, own[n] if n in apart else heads[n], asked[n], gains_db)
            if n in apart:
                drawn = _apart(drawn, heads[n].head, [tracks[i] for i in runs[n]], plain_db, goal)
            yield from (_draft(tracks, runs[n], i, drawn, profile) for i in runs[n])


class _Drawn(NamedTuple):
    """What the drafts of a run of joined tracks have in common."""

    run: int
    head: RunHead
    asked: Asked
    gains_db: tuple[float, ...]
    unasked: Unasked | None = None


def _heads(
    tracks: Sequence[Analysed], runs: Sequence[Sequence[int]], profile: Profile, revisions: Sequence[Revision]
) -> list[RunHead]:
    heard = [with_references([tracks[i] for i in run], revision) for run, revision in zip(runs, revisions, strict=True)]
    return decide_heads(heard, profile, revisions)


def _apart(drawn: _Drawn, usual: Head, run: Sequence[Analysed], plain_db: float, goal: Profile) -> _Drawn:
    """A run that is to differ from its album: tried around its own gain, and as it would be unasked around its album's.

    Its album is decided as if nobody had asked, so that no other track of it changes. `plain_db` is the gain at which the album
    would meet its goal if there were no limiter.
    """
    steps = drawn.asked.run.loudness_steps - drawn.asked.album.loudness_steps
    of_tone_lu = _tone_lu([(track, drawn.head.head) for track in run]) - _tone_lu([(track, usual) for track in run])
    middle_db = plain_db + LOUDNESS_STEP_LU * steps - of_tone_lu
    gains_db = _tried_db(middle_db, _peak_dbtp(run), drawn.head.head.dynamic, goal, 0.0)
    return drawn._replace(gains_db=gains_db, unasked=Unasked(head=usual, gains_db=drawn.gains_db))


def _missing(members: Sequence[Analysing]) -> str:
    """How an album is not whole, in words; empty where it is, or where nobody told how many tracks it has."""
    totals = sorted({m.track.track_total for m in members if isinstance(m, Analysed) and m.track.track_total})
    if not totals or len(members) >= totals[-1]:
        return ""
    told = " and ".join(map(str, totals))
    return f"{len(members)} of {totals[-1]} tracks have come" + (
        f"; the manifests tell of {told}" if totals[1:] else ""
    )


def _clash(members: Sequence[Analysing]) -> str:
    """How manifests of one album contradict each other, in words; within one manifest they cannot."""
    tracks = sorted((m.track for m in members if isinstance(m, Analysed)), key=lambda track: track.track_id)
    profiles = sorted({track.profile for track in tracks if track.profile})
    if profiles[1:]:
        return f"its manifests name the profiles {' and '.join(profiles)}"
    places: dict[tuple[object, ...], str] = {}
    for track in tracks:
        for place in ((track.disc, track.sequence or track.track_id), (track.album_folder, track.file_stem)):
            if (other := places.setdefault(place, track.track_id)) != track.track_id:
                return f"tracks {other} and {track.track_id} have one place: {track.file_stem}"
    return ""


def _left_out(member: Analysing, code: str, text: str, hint: str) -> Rejected:
    return member if isinstance(member, Rejected) else Rejected.of(member.track, "draft", code, text, hint)


def settle_album(members: Sequence[Rehearsing], profile: Profile, masters: str) -> list[Planning]:
    """The plan of each rehearsed track; `masters` is the folder (URI) below which deliveries stand."""
    rehearsed = sorted((m for m in members if isinstance(m, Rehearsed)), key=lambda m: m.draft.track.order)
    plans: list[Planning] = [m for m in members if isinstance(m, Rejected)]
    for number, group in _gain_groups(rehearsed, profile).items():
        settled = settle_group(group, profile)
        plans += [_planned(one.draft, settled, (number, len(group)), profile, masters) for one in group]
    return plans


def _groups(runs: Sequence[Sequence[int]], profile: Profile) -> list[list[int]]:
    """Numbers of runs that share a gain: each for itself, or the whole album."""
    if profile.loudness.mode == "track" or not runs:
        return [[number] for number in range(len(runs))]
    return [list(range(len(runs)))]


def _plain_db(group: Sequence[tuple[Analysed, Head]], profile: Profile) -> float:
    """The gain that would meet the target if there were no limiter."""
    loudness = source_lufs([member.analysis.gating for member, _ in group], profile)
    return min(profile.loudness.target_lufs - loudness - _tone_lu(group), profile.loudness.max_gain_db)


def _gains_db(
    group: Sequence[tuple[Analysed, Head]], plain_db: float, profile: Profile, wide_gap_db: float
) -> tuple[float, ...]:
    """The gain that would do without a limiter, alone if that is certain to be so, else the gains around it to try."""
    peak_dbtp = _peak_dbtp([member for member, _ in group])
    untouched = all(not head.settings() for _, head in group)
    if untouched and peak_dbtp + plain_db < profile.limiter.ceiling_dbtp - SAFE_PEAK_DB:
        return (plain_db,)
    return _tried_db(plain_db, peak_dbtp, any(head.dynamic for _, head in group), profile, wide_gap_db)


def _tone_lu(group: Sequence[tuple[Analysed, Head]]) -> float:
    """How much the equalisers of a group change its loudness."""
    return fmean(tone_change_lu(head.equaliser, one.analysis.figures.spectrum_db) for one, head in group)


def _peak_dbtp(tracks: Sequence[Analysed]) -> float:
    peaks_dbtp = [track.analysis.figures.true_peak_dbtp for track in tracks]
    return max((peak for peak in peaks_dbtp if peak is not None), default=-math.inf)


def _tried_db(
    plain_db: float, peak_dbtp: float, dynamic: bool, profile: Profile, wide_gap_db: float
) -> tuple[float, ...]:
    """Gains around the one that would do without a limiter."""
    tried_db = [plain_db + step for step in (DYNAMIC_STEPS_DB if dynamic else STEPS_DB)]
    idle_db = profile.limiter.ceiling_dbtp - SAFE_PEAK_DB - peak_dbtp
    lower_db = _lower_db(idle_db, tried_db[0], wide_gap_db)
    return tuple(round(gain_db, 3) for gain_db in [*lower_db, *tried_db])


def _lower_db(idle_db: float, first_db: float, wide_gap_db: float) -> list[float]:
    """Gains below the first, down to where the limiter does nothing: a guard may hold the gain down to there."""
    gap_db = first_db - idle_db
    return [] if gap_db < max(wide_gap_db, NARROW_GAP_DB) else [idle_db, idle_db + gap_db / 2.0]


def _limiter(profile: Profile) -> LimiterSettings:
    choice = profile.limiter
    return LimiterSettings(
        ceiling_dbtp=choice.ceiling_dbtp,
        lookahead_s=choice.lookahead_s,
        hold_s=choice.hold_s,
        release_s=choice.release_s,
        character=profile.taste.limiter,
    )


def _draft(tracks: Sequence[Analysed], run: Sequence[int], i: int, drawn: _Drawn, profile: Profile) -> Draft:
    track, joined = tracks[i], [tracks[k].track for k in run]
    position = sum(tracks[k].analysis.format.frames for k in run if k < i)
    told = asked_decisions(track.track, joined, [one.track for one in tracks])
    return Draft(
        track=track.track,
        analysis=track.analysis,
        head=drawn.head.head,
        limiter=_limiter(profile),
        gains_db=drawn.gains_db,
        before=before([tracks[k] for k in run if k < i], position, profile),
        after=after([tracks[k] for k in run if k > i]),
        position_frames=position,
        run=drawn.run,
        touch_ratio=drawn.head.touch_ratio,
        references_refused=drawn.head.references_refused,
        decisions=(*told, *joins_decision(tracks, run, i), *drawn.head.decisions),
        asked=drawn.asked,
        unasked=drawn.unasked,
    )


def _gain_groups(rehearsed: Sequence[Rehearsed], profile: Profile) -> dict[int, list[Rehearsed]]:
    """By number, those that share a gain: the whole album, or each run of joined tracks."""
    groups: dict[int, list[Rehearsed]] = {}
    for one in rehearsed:
        groups.setdefault(one.draft.run if profile.loudness.mode == "track" else 0, []).append(one)
    return groups


def _planned(draft: Draft, settled: SettledGroup, group: tuple[int, int], profile: Profile, masters: str) -> Planned:
    gain = settled.of(draft)
    gain_db = round(gain.gain_db, 3)
    plan = Plan(
        profile=profile.name,
        style=profile.taste.name,
        intensity=profile.intensity,
        target_lufs=settled.target_lufs,
        tolerance_lu=profile.loudness.tolerance_lu,
        mode=profile.loudness.mode,
        head=draft.head,
        gain_db=gain_db,
        gain_group=group[0],
        shared_by=group[1],
        deliveries=tuple(_delivery(draft, one, gain_db, profile, masters) for one in profile.delivery),
        before=draft.before,
        after=draft.after,
        position_frames=draft.position_frames,
        target_limited=gain.limited or settled.gain.limited,
        references_refused=draft.references_refused,
        decisions=(*draft.decisions, *settled.held(draft), _gain_decision(draft, settled, group[1], profile)),
        asked=settled.instructed(draft),
    )
    return Planned(track=draft.track, analysis=draft.analysis, plan=plan)


def _gain_decision(draft: Draft, settled: SettledGroup, together: int, profile: Profile) -> Decision:
    gain, target = settled.of(draft), settled.target_lufs
    loudest = "the loudest of " if profile.loudness.mode == "loudest" else ""
    whom = f"{loudest}the {together} tracks that share it" if together > 1 else "the track"
    if draft.run in settled.own:
        whom, target = "the track", settled.aims_lufs[draft.run]
    if gain.limited:
        why = f"stops {target - gain.expected_lufs:.1f} LU short of {target:.4g} LUFS: {gain.limited}"
    elif draft.run in settled.own:
        beside = f"a reviewer wants it beside its album, which gets {settled.gain.gain_db:+.2f} dB"
        why = f"brings it to {target:.1f} LUFS, where {beside}"
    elif draft.needs_rehearsal:
        why = f"brings {whom} to {target:g} LUFS after the limiter, as rehearsed"
    else:
        why = f"brings {whom} to {target:g} LUFS; no peak reaches the ceiling"
    return Decision(what="gain", how_much=f"{gain.gain_db:+.2f} dB", why=why)


def _delivery(draft: Draft, choice: Delivery, gain_db: float, profile: Profile, masters: str) -> DeliveryPlan:
    track, source = draft.track, draft.analysis.format
    rate_hz = choice.rate_hz or source.rate_hz
    exact = rate_hz == source.rate_hz and not source.floating and (source.bits or 99) <= choice.bits
    untouched = exact and gain_db == 0.0 and not draft.head.settings() and not draft.needs_rehearsal
    return DeliveryPlan(
        name=choice.name,
        uri=f"{masters}/{choice.name}/{track.album_folder}/{track.file_stem}.{choice.container}",
        container=choice.container,
        rate_hz=rate_hz,
        limiter=_limiter(profile),
        quantiser=_quantiser(choice, not untouched, _seed(track.track_id, choice.name)),
    )


def _quantiser(choice: Delivery, dither: bool, seed: int) -> QuantiserSettings:
    return QuantiserSettings(bits=choice.bits, dither=dither, seed=seed, shaping=choice.shaping if dither else "flat")


def _seed(track_id: str, delivery: str) -> int:
    """Seed of the dither, from the identity of track and delivery (law 8)."""
    return int.from_bytes(sha256(f"{track_id}\n{delivery}".encode()).digest()[:8], "big") >> 1
