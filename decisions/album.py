"""Decides album by album: which tracks run into each other, what is done before the gain, and then the gain.

`draft_album` comes after the analysis, `settle_album` after the rehearsal; both take all tracks of an album and give one
result for each. Rejected tracks go through unchanged: they are known, but they poison nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256
from statistics import fmean

from decisions.gain import DYNAMIC_STEPS_DB, STEPS_DB, GainDecision, decide_gain, source_lufs
from decisions.head import RunHead, decide_heads
from decisions.runs import after, before, joins_decision, runs_of
from decisions.tone import tone_change_lu
from dsp.settings import LimiterSettings, QuantiserSettings
from schemas.plan import Decision, DeliveryPlan, Head, Plan
from schemas.profile import Delivery, Profile
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
)

SAFE_PEAK_DB = 0.2
"""A predicted peak this far under the ceiling never meets the limiter; closer ones are rehearsed."""
PARTS_HINT = "Give the missing tracks, or correct track_total."
WIDE_GAP_DB = 4.0
"""From here on the takes reach down to where the limiter is idle: what it takes is read from a curve through them."""


def draft_album(members: Sequence[Analysing], profile: Profile) -> list[Drafting]:
    """A draft for each track that was analysed, in album order; rejected tracks as they came, all of an album in parts."""
    if missing := _missing(members):
        return [_left_out(member, "ALBUM_NOT_WHOLE", missing, PARTS_HINT) for member in members]
    if clash := _clash(members):
        return [_left_out(member, "ALBUM_CLASH", clash, "Correct the manifest that is wrong.") for member in members]
    tracks = sorted((m for m in members if isinstance(m, Analysed)), key=lambda m: m.track.order)
    drafts: list[Drafting] = [m for m in members if isinstance(m, Rejected)]
    runs = runs_of(tracks)
    heads = decide_heads([[tracks[i] for i in run] for run in runs], profile)
    for group in _groups(runs, profile):
        gains_db = _gains_db([(tracks[i], heads[n].head) for n in group for i in runs[n]], profile)
        for n in group:
            drafts += [_draft(tracks, runs[n], i, (n, heads[n]), gains_db, profile) for i in runs[n]]
    return drafts


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
        gain = decide_gain(group, profile)
        plans += [_planned(one.draft, gain, (number, len(group)), profile, masters) for one in group]
    return plans


def _groups(runs: Sequence[Sequence[int]], profile: Profile) -> list[list[int]]:
    """Numbers of runs that share a gain: each for itself, or the whole album."""
    if profile.loudness.mode == "track" or not runs:
        return [[number] for number in range(len(runs))]
    return [list(range(len(runs)))]


def _gains_db(group: Sequence[tuple[Analysed, Head]], profile: Profile) -> tuple[float, ...]:
    """The gain that would do without a limiter, alone if that is certain to be so, else the gains around it to try."""
    loudness = source_lufs([member.analysis.gating for member, _ in group], profile)
    tone_lu = fmean(tone_change_lu(head.equaliser, one.analysis.figures.spectrum_db) for one, head in group)
    plain_db = min(profile.loudness.target_lufs - loudness - tone_lu, profile.loudness.max_gain_db)
    peaks_dbtp = [member.analysis.figures.true_peak_dbtp for member, _ in group]
    peak_dbtp = max((peak for peak in peaks_dbtp if peak is not None), default=-math.inf)
    untouched = all(not head.settings() for _, head in group)
    if untouched and peak_dbtp + plain_db < profile.limiter.ceiling_dbtp - SAFE_PEAK_DB:
        return (plain_db,)
    steps_db = DYNAMIC_STEPS_DB if any(head.dynamic for _, head in group) else STEPS_DB
    tried_db = [plain_db + step for step in steps_db]
    idle_db = profile.limiter.ceiling_dbtp - SAFE_PEAK_DB - peak_dbtp
    return tuple(round(gain_db, 3) for gain_db in [*_lower_db(idle_db, tried_db[0]), *tried_db])


def _lower_db(idle_db: float, first_db: float) -> list[float]:
    """Gains below the first, down to where the limiter does nothing: a guard may hold the gain down to there."""
    gap_db = first_db - idle_db
    return [] if gap_db < WIDE_GAP_DB else [idle_db, idle_db + gap_db / 2.0]


def _limiter(profile: Profile) -> LimiterSettings:
    choice = profile.limiter
    return LimiterSettings(
        ceiling_dbtp=choice.ceiling_dbtp,
        lookahead_s=choice.lookahead_s,
        hold_s=choice.hold_s,
        release_s=choice.release_s,
        character=profile.taste.limiter,
    )


def _draft(
    tracks: Sequence[Analysed],
    run: Sequence[int],
    i: int,
    head: tuple[int, RunHead],
    gains_db: tuple[float, ...],
    profile: Profile,
) -> Draft:
    track = tracks[i]
    position = sum(tracks[k].analysis.format.frames for k in run if k < i)
    return Draft(
        track=track.track,
        analysis=track.analysis,
        head=head[1].head,
        limiter=_limiter(profile),
        gains_db=gains_db,
        before=before([tracks[k] for k in run if k < i], position, profile),
        after=after([tracks[k] for k in run if k > i]),
        position_frames=position,
        run=head[0],
        touch_ratio=head[1].touch_ratio,
        references_refused=head[1].references_refused,
        decisions=(*joins_decision(tracks, run, i), *head[1].decisions),
    )


def _gain_groups(rehearsed: Sequence[Rehearsed], profile: Profile) -> dict[int, list[Rehearsed]]:
    """By number, those that share a gain: the whole album, or each run of joined tracks."""
    groups: dict[int, list[Rehearsed]] = {}
    for one in rehearsed:
        groups.setdefault(one.draft.run if profile.loudness.mode == "track" else 0, []).append(one)
    return groups


def _planned(draft: Draft, gain: GainDecision, group: tuple[int, int], profile: Profile, masters: str) -> Planned:
    gain_db = round(gain.gain_db, 3)
    plan = Plan(
        profile=profile.name,
        style=profile.taste.name,
        intensity=profile.intensity,
        target_lufs=profile.loudness.target_lufs,
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
        target_limited=gain.limited,
        references_refused=draft.references_refused,
        decisions=(*draft.decisions, _gain_decision(draft, gain, group[1], profile)),
    )
    return Planned(track=draft.track, analysis=draft.analysis, plan=plan)


def _gain_decision(draft: Draft, gain: GainDecision, together: int, profile: Profile) -> Decision:
    target = profile.loudness.target_lufs
    loudest = "the loudest of " if profile.loudness.mode == "loudest" else ""
    whom = f"{loudest}the {together} tracks that share it" if together > 1 else "the track"
    if gain.limited:
        why = f"stops {target - gain.expected_lufs:.1f} LU short of {target:g} LUFS: {gain.limited}"
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
