"""Decides album by album: which tracks run into each other, what is done before the gain, and then the gain.

`draft_album` comes after the analysis, `settle_album` after the rehearsal; both take all tracks of an album and give one
result for each. Rejected tracks go through unchanged: they are known, but they poison nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from statistics import fmean

from decisions.cleaning import decide_cleaning, offset_at_start
from decisions.gain import STEPS_DB, GainDecision, decide_gain
from decisions.tone import decide_tone, tone_change_lu
from dsp.edges import runs_on
from dsp.gating import integrated_lufs, pooled
from dsp.settings import CompressorSettings, LimiterSettings, QuantiserSettings
from schemas.plan import Decision, DeliveryPlan, Head, Neighbour, Plan
from schemas.profile import CompressorChoice, Delivery, LimiterChoice, Profile
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
from schemas.track import Track

RUN_IN_S = 5.0
"""How much of a neighbour the chain hears: 20 time constants of the slowest release, so its state differs by 2e-9."""
JOIN_QUIET_RATIO = 0.003  # -50 dBFS: below, a track has ended
SAFE_PEAK_DB = 0.2
"""A predicted peak this far under the ceiling never meets the limiter; closer ones are rehearsed."""


def draft_album(members: Sequence[Analysing], profile: Profile) -> list[Drafting]:
    """A draft for each track that was analysed, in album order; rejected tracks as they came."""
    tracks = sorted((m for m in members if isinstance(m, Analysed)), key=lambda m: m.track.order)
    drafts: list[Drafting] = [m for m in members if isinstance(m, Rejected)]
    runs = _runs(tracks)
    groups = runs if profile.loudness.mode == "track" else [[number for run in runs for number in run]]
    for group in groups if tracks else []:
        spectra = [tracks[i].analysis.figures.spectrum_db for i in group]
        tone = decide_tone(spectra, profile.tone, [tracks[i].analysis.format.duration_s for i in group])
        heads = {i: _head(tracks, run, tone, profile) for run in runs for i in run if i in group}
        gains_db = _gains_db([tracks[i] for i in group], [heads[i][0] for i in group], profile)
        for i in group:
            drafts.append(_draft(tracks, runs, i, heads[i], gains_db, profile))
    return drafts


def settle_album(members: Sequence[Rehearsing], profile: Profile, masters: str) -> list[Planning]:
    """The plan of each rehearsed track; `masters` is the folder (URI) below which deliveries stand."""
    rehearsed = sorted((m for m in members if isinstance(m, Rehearsed)), key=lambda m: m.draft.track.order)
    plans: list[Planning] = [m for m in members if isinstance(m, Rejected)]
    for number, group in _gain_groups(rehearsed, profile).items():
        gain = decide_gain(group, profile)
        plans += [_planned(one.draft, gain, (number, len(group)), profile, masters) for one in group]
    return plans


def _runs(tracks: Sequence[Analysed]) -> list[list[int]]:
    """Indices of tracks, grouped into runs without a gap."""
    runs: list[list[int]] = []
    for i in range(len(tracks)):
        if i and _joins(tracks[i - 1], tracks[i]):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _joins(one: Analysed, following: Analysed) -> bool:
    a, b = one.analysis, following.analysis
    if not _follows(one.track, following.track):
        return False
    if (a.format.rate_hz, a.format.channels) != (b.format.rate_hz, b.format.channels):
        return False
    if one.track.joins_next is not None:
        return one.track.joins_next
    return runs_on(a.tail, b.head, JOIN_QUIET_RATIO)


def _follows(one: Track, following: Track) -> bool:
    """Whether no place of the album lies between two tracks: a rejected or missing one parts its neighbours."""
    if one.sequence is None or following.sequence is None:
        return one.sequence == following.sequence
    return one.disc == following.disc and one.sequence + 1 == following.sequence


def _head(
    tracks: Sequence[Analysed], run: list[int], tone: tuple[object, Decision], profile: Profile
) -> tuple[Head, tuple[Decision, ...]]:
    """The processors before the gain: one set for a run of joined tracks, so that no seam can be heard."""
    cleaning = [decide_cleaning(tracks[i].analysis, profile.cleaning) for i in run]
    subsonic, why = next((c for c in cleaning if c[0] is not None), cleaning[0])
    if subsonic is not None:
        # The filter starts once for the whole run, settled on the offset that it meets first.
        subsonic = replace(subsonic, offset_ratio=offset_at_start(tracks[run[0]].analysis))
    loudness = integrated_lufs(pooled(tracks[i].analysis.gating for i in run))
    compressor = _compressor(loudness, profile.compressor)
    head = Head(subsonic=subsonic, equaliser=tone[0], compressor=compressor[0])  # type: ignore[arg-type]
    return head, (why, tone[1], compressor[1])


def _compressor(loudness: float | None, choice: CompressorChoice | None) -> tuple[CompressorSettings | None, Decision]:
    if choice is None or loudness is None:
        return None, Decision(what="compressor", how_much="off", why="the profile uses none")
    settings = CompressorSettings(
        threshold_dbfs=round(max(-80.0, min(0.0, loudness + choice.threshold_over_loudness_db)), 2),
        compression_ratio=choice.compression_ratio,
        knee_db=choice.knee_db,
        attack_s=choice.attack_s,
        release_s=choice.release_s,
    )
    why = f"threshold {choice.threshold_over_loudness_db:g} dB above the loudness of {loudness:.1f} LUFS"
    how_much = f"{choice.compression_ratio:g}:1 above {settings.threshold_dbfs:.1f} dBFS"
    return settings, Decision(what="compressor", how_much=how_much, why=why)


def _gains_db(group: Sequence[Analysed], heads: Sequence[Head], profile: Profile) -> tuple[float, ...]:
    """The gain that would do without a limiter, alone if that is certain to be so, else the gains around it to try."""
    loudness = integrated_lufs(pooled(m.analysis.gating for m in group))
    assert loudness is not None, "silent tracks are rejected before"
    tone_lu = fmean(
        tone_change_lu(h.equaliser, m.analysis.figures.spectrum_db) for h, m in zip(heads, group, strict=True)
    )
    plain_db = min(profile.loudness.target_lufs - loudness - tone_lu, profile.loudness.max_gain_db)
    peaks_dbtp = [m.analysis.figures.true_peak_dbtp for m in group]
    peak_dbtp = max((peak for peak in peaks_dbtp if peak is not None), default=-math.inf)
    untouched = all(not head.settings() for head in heads)
    if untouched and peak_dbtp + plain_db < profile.limiter.ceiling_dbtp - SAFE_PEAK_DB:
        return (plain_db,)
    return tuple(round(plain_db + step, 3) for step in STEPS_DB)


def _limiter(choice: LimiterChoice) -> LimiterSettings:
    return LimiterSettings(
        ceiling_dbtp=choice.ceiling_dbtp,
        lookahead_s=choice.lookahead_s,
        hold_s=choice.hold_s,
        release_s=choice.release_s,
    )


def _draft(
    tracks: Sequence[Analysed],
    runs: list[list[int]],
    i: int,
    head: tuple[Head, tuple[Decision, ...]],
    gains_db: tuple[float, ...],
    profile: Profile,
) -> Draft:
    number = next(n for n, run in enumerate(runs) if i in run)
    run, track = runs[number], tracks[i]
    position = sum(tracks[k].analysis.format.frames for k in run if k < i)
    return Draft(
        track=track.track,
        analysis=track.analysis,
        head=head[0],
        limiter=_limiter(profile.limiter),
        gains_db=gains_db,
        before=_before([tracks[k] for k in run if k < i], position, profile),
        after=_after([tracks[k] for k in run if k > i]),
        position_frames=position,
        run=number,
        decisions=(*_joins_decision(tracks, run, i), *head[1]),
    )


def _before(previous: Sequence[Analysed], position: int, profile: Profile) -> tuple[Neighbour, ...]:
    """The sound before a track, beginning where the frame grids of all delivery rates meet."""
    if not previous:
        return ()
    rate_hz = previous[0].analysis.format.rate_hz
    step = math.lcm(*(rate_hz // math.gcd(rate_hz, d.rate_hz or rate_hz) for d in profile.delivery))
    start = -(-max(0, position - int(RUN_IN_S * rate_hz)) // step) * step
    return _stretches(previous, start, position)


def _after(following: Sequence[Analysed]) -> tuple[Neighbour, ...]:
    """The sound after a track."""
    if not following:
        return ()
    frames = sum(track.analysis.format.frames for track in following)
    return _stretches(following, 0, min(frames, int(RUN_IN_S * following[0].analysis.format.rate_hz)))


def _stretches(tracks: Sequence[Analysed], start: int, stop: int) -> tuple[Neighbour, ...]:
    """What of each track lies from frame `start` to before `stop` of all of them together."""
    found, at = [], 0
    for track in tracks:
        end = at + track.analysis.format.frames
        first, last = max(start, at), min(stop, end)
        if first < last:
            neighbour = Neighbour(
                uri=track.track.uri, sha256=track.analysis.sha256, first_frame=first - at, frames=last - first
            )
            found.append(neighbour)
        at = end
    return tuple(found)


def _joins_decision(tracks: Sequence[Analysed], run: list[int], i: int) -> list[Decision]:
    beside = [tracks[k].track.title or tracks[k].track.track_id for k in (i - 1, i + 1) if k in run]
    if not beside:
        return []
    names = " and ".join(f'"{name}"' for name in beside)
    why = "the music runs on without a gap: rendered with the neighbour's sound as run-in and run-out"
    return [Decision(what="join", how_much=names, why=why)]


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
        decisions=(*draft.decisions, _gain_decision(draft, gain, group[1], profile)),
    )
    return Planned(track=draft.track, analysis=draft.analysis, plan=plan)


def _gain_decision(draft: Draft, gain: GainDecision, together: int, profile: Profile) -> Decision:
    target = profile.loudness.target_lufs
    whom = f"the {together} tracks that share it" if together > 1 else "the track"
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
        limiter=_limiter(profile.limiter),
        quantiser=QuantiserSettings(bits=choice.bits, dither=not untouched, seed=_seed(track.track_id, choice.name)),
    )


def _seed(track_id: str, delivery: str) -> int:
    """Seed of the dither, from the identity of track and delivery (law 8)."""
    return int.from_bytes(sha256(f"{track_id}\n{delivery}".encode()).digest()[:8], "big") >> 1
