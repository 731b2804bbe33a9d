"""Writes up what happened to a track or an album as rows of quality control: no new figures, only what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from decisions.checks import Breach, check_rows, target_result
from decisions.findings import (
    VERDICTS,
    Judged,
    album_findings,
    ceiling_checks,
    judged,
    judged_findings,
    track_findings,
    verdict,
)
from dsp.gating import integrated_lufs, pooled
from schemas.figures import AudioFormat
from schemas.profile import Profile
from schemas.qc import (
    AlbumRow,
    CheckRow,
    Finding,
    MasterFigures,
    Overviews,
    RejectedRow,
    TrackRow,
    VersionFigures,
    WorkRow,
)
from schemas.steps import (
    AnyMember,
    Heard,
    Listed,
    Master,
    Mastered,
    Mastering,
    Rehearsed,
    Rejected,
    VersionMaster,
    album_of,
    track_id_of,
)

IDENTITY = ("track_id", "album_id", "disc", "sequence", "isrc", "upc", "title", "artist", "genre")


def track_row(mastered: Mastered, run_id: str, profile: Profile, of_mix: Sequence[Finding] = ()) -> TrackRow:
    """The row of a track that has masters; `of_mix` is what was found of the stems that it was mixed from."""
    track, audio, known = mastered.track, mastered.analysis.format, judged(mastered, profile)
    findings = (*judged_findings(mastered, known), *of_mix)
    return TrackRow(
        run_id=run_id,
        **{name: getattr(track, name) for name in IDENTITY},
        profile=profile.name,
        source_uri=track.uri,
        source_sha256=mastered.analysis.sha256,
        duration_s=audio.duration_s,
        rate_hz=audio.rate_hz,
        channels=audio.channels,
        source_bits=audio.bits,
        dual_mono=mastered.analysis.dual_mono,
        verdict=verdict(findings),
        outcome=mastered.outcome,
        reason=mastered.reason,
        gain_db=mastered.plan.gain_db,
        limiter_max_reduction_db=mastered.limiter_max_reduction_db,
        limiter_mean_reduction_db=mastered.limiter_mean_reduction_db,
        source=mastered.analysis.figures,
        masters=tuple(
            _master_figures(master, broken, profile)
            for master, broken in zip(mastered.masters, known.breaches, strict=True)
        ),
        findings=findings,
        checks=_checks(mastered, known),
        plan=msgspec.json.encode(mastered.plan).decode(),
        overview=Overviews(
            source=mastered.analysis.overview,
            master=mastered.masters[0].proof.overview,
            limiter_db=mastered.limiter_course_db,
        ),
        versions=tuple(_version_figures(version) for version in mastered.versions),
    )


def album_row(
    members: Sequence[Mastering], run_id: str, profile: Profile, verdicts: Iterable[str] | None = None
) -> AlbumRow:
    """The row of an album; `members` are all its tracks of a run, in any order. Its verdict is that of its worst track.

    `verdicts` are those of its tracks, where their rows are written already.
    """
    tracks = sorted((m for m in members if isinstance(m, Mastered)), key=lambda m: m.track.order)
    rejected = [m for m in members if isinstance(m, Rejected)]
    findings = album_findings(tracks, rejected)
    first = tracks[0] if tracks else None
    # Figures of a whole album mean nothing for a part of it.
    whole = first is not None and (first.plan.mode == "track" or len(tracks) == first.plan.shared_by)
    gains_db = {m.plan.gain_db for m in tracks}
    return AlbumRow(
        run_id=run_id,
        album_id=first.track.album_id if first else rejected[0].album_id,
        upc=first.track.upc if first else None,
        album=first.track.album if first else None,
        artist=first.track.artist if first else None,
        tracks=len(members),
        duration_s=sum(m.analysis.format.duration_s for m in tracks),
        source_integrated_lufs=integrated_lufs(pooled(m.analysis.gating for m in tracks if whole)),
        master_integrated_lufs=integrated_lufs(pooled(m.masters[0].proof.gating for m in tracks if whole)),
        target_lufs=first.plan.target_lufs + first.plan.moved_lu if first else None,
        loudness_mode=first.plan.mode if first else None,
        gain_db=gains_db.pop() if len(gains_db) == 1 else None,
        verdict=_album_verdict(findings, tracks, verdicts or (verdict(track_findings(t, profile)) for t in tracks)),
        findings=findings,
    )


def rejected_row(rejected: Rejected, run_id: str) -> RejectedRow:
    """The row of a track without a master."""
    return RejectedRow(
        run_id=run_id,
        track_id=rejected.track_id,
        album_id=rejected.album_id,
        source_uri=rejected.source_uri,
        row=rejected.row,
        stage=rejected.stage,
        code=rejected.code,
        text=rejected.text,
        hint=rejected.hint,
    )


def work_row(member: AnyMember, run_id: str) -> WorkRow:
    """The row that tells what a track took, as it left the run."""
    audio = format_of(member)
    return WorkRow(
        run_id=run_id,
        track_id=track_id_of(member),
        album_id=album_of(member),
        state=_state(member),
        stage=member.stage if isinstance(member, Rejected) else member.spent[-1].stage if member.spent else "",
        code=member.code if isinstance(member, Rejected) else None,
        audio_s=audio.duration_s if audio else None,
        rate_hz=audio.rate_hz if audio else None,
        channels=audio.channels if audio else None,
        deliveries=len(member.masters) if isinstance(member, Mastered) else None,
        cpu_s=sum(step.cpu_s for step in member.spent),
        wall_s=sum(step.wall_s for step in member.spent),
        waited_s=sum(step.waited_s for step in member.spent),
        bytes_read=sum(step.bytes_read for step in member.spent),
        bytes_written=sum(step.bytes_written for step in member.spent),
        steps=member.spent,
    )


def format_of(member: AnyMember) -> AudioFormat | None:
    """What is known of the source's format; None where it was not measured."""
    if isinstance(member, Rejected | Listed | Heard):
        return None
    return member.draft.analysis.format if isinstance(member, Rehearsed) else member.analysis.format


def _state(member: AnyMember) -> str:
    if isinstance(member, Mastered):
        return member.outcome
    return "rejected" if isinstance(member, Rejected) and member.selected else "measured"


def _checks(mastered: Mastered, known: Judged) -> tuple[CheckRow, ...]:
    """Every limit that was looked at, for the source and each master, and each master's ceiling; passed or not."""
    rows = check_rows(known.source, "source")
    for master, checks in zip(mastered.masters, known.masters, strict=True):
        rows += check_rows([*ceiling_checks(master), *checks], master.delivery)
    for version in mastered.versions:
        rows += check_rows(ceiling_checks(version.master), version.subject)
    return tuple(rows)


def _master_figures(master: Master, broken: Mapping[str, Sequence[Breach]], profile: Profile) -> MasterFigures:
    targets = tuple(target_result(profile.targets[name], ones) for name, ones in broken.items())
    return MasterFigures(targets=targets, **_of_file(master))


def _version_figures(version: VersionMaster) -> VersionFigures:
    return VersionFigures(
        version=version.version,
        linked=version.linked,
        why=version.why,
        own_reduction_db=version.own_reduction_db,
        **_of_file(version.master),
    )


def _of_file(master: Master) -> dict[str, Any]:
    return {
        "delivery": master.delivery,
        "uri": master.uri,
        "sha256": master.proof.sha256,
        "rate_hz": master.proof.format.rate_hz,
        "bits": master.bits,
        "frames": master.proof.format.frames,
        "ceiling_dbtp": master.ceiling_dbtp,
        "target_lufs": master.target_lufs,
        **msgspec.structs.asdict(master.proof.figures),
    }


def _album_verdict(findings: Sequence[Finding], tracks: Sequence[Mastered], verdicts: Iterable[str]) -> str:
    """The worst of the album's own and its tracks'; an album without a master is rejected, whatever else is said of it."""
    said = {verdict(findings), *verdicts}
    return next(one for one in VERDICTS if one in said) if tracks else "rejected"
