"""The steps of single tracks as transforms: read the manifest, analyse, rehearse, master. One output for each input."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam
from msgspec import structs

from media.steps import analyse_track, master_track, rehearse_track, standing_run
from schemas.steps import (
    AnyMember,
    Draft,
    Job,
    Listed,
    Mastered,
    Member,
    Planned,
    Rejected,
    Spent,
    track_id_of,
    track_of,
)
from schemas.track import Track
from transforms.outcomes import attempt, report_progress


class Analyse(beam.PTransform):
    """Track -> what was measured of it, or why it is rejected."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, tracks: beam.PCollection[Track]) -> beam.PCollection[Member]:
        return tracks | "AnalyseTrack" >> beam.Map(analyse, self._job).with_output_types(Member)


class AnalyseListed(beam.PTransform):
    """Listed tracks, mixes among them -> what was measured of them; what was rejected before stays so."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return members | "AnalyseTrack" >> beam.Map(analyse_listed, self._job).with_output_types(Member)


class Rehearse(beam.PTransform):
    """Draft -> how its gains come out of the limiter."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return drafts | "RehearseTrack" >> beam.Map(rehearse, self._job).with_output_types(Member)


class MeasuredOnly(beam.PTransform):
    """Of what comes to be rendered, the tracks that are only here for their album: all that is left to tell is what they took."""

    def expand(self, plans: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return plans | "KeepUnselected" >> beam.Filter(is_measured_only).with_output_types(Member)


class Master(beam.PTransform):
    """Plan -> proved masters in the output; tracks that were not selected end here."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, plans: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return plans | "MasterTrack" >> beam.FlatMap(master, self._job).with_output_types(Member)


def analyse(track: Track, job: Job, before: tuple[Spent, ...] = ()) -> AnyMember:
    """A track as measured, or as rejected; `before` is what earlier steps took."""
    return attempt("analyse", lambda: analyse_track(track, job), track, job, before)


def analyse_listed(member: AnyMember, job: Job) -> AnyMember:
    """A row of a manifest as measured, or as rejected."""
    return analyse(member.track, job, member.spent) if isinstance(member, Listed) else member


def rehearse(member: AnyMember, job: Job) -> AnyMember:
    """A draft as rehearsed, or as rejected; whatever else came, as it came."""
    if not isinstance(member, Draft):
        return member
    return attempt("rehearse", lambda: rehearse_track(member, job), member.track, job, member.spent)


def master(member: AnyMember, job: Job) -> Iterable[AnyMember]:
    """A plan as mastered, or as rejected; nothing for a track that was not selected."""
    if is_measured_only(member):
        return
    if isinstance(member, Planned):
        planned = member
        member = attempt("master", lambda: master_track(planned, job), planned.track, job, planned.spent)
    if isinstance(member, Rejected):
        member = _with_standing(member, job)
    report_progress(job, track_id_of(member), member.outcome if isinstance(member, Mastered) else "rejected")
    yield member


def _with_standing(member: Rejected, job: Job) -> Rejected:
    """Says so where masters of a rejected track stand from an earlier run: they are not those of this manifest."""
    run_id = standing_run(member.track_id, job)
    if run_id is None:
        return member
    return structs.replace(member, hint=f"{member.hint} Its masters of run {run_id} still stand.".strip())


def is_measured_only(member: AnyMember) -> bool:
    """Whether a track is only here so that its album is decided as a whole."""
    track = track_of(member)
    return not (track.selected if track is not None else getattr(member, "selected", True))
