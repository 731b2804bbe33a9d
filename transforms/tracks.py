"""The steps of single tracks as transforms: read the manifest, analyse, rehearse, master. One output for each input."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam
from msgspec import structs

from media.steps import analyse_track, master_track, rehearse_track, standing_run
from schemas.steps import AnyMember, Draft, Job, Mastered, Member, Planned, Rejected
from schemas.track import Track
from transforms.outcomes import attempt, report_progress


class Analyse(beam.PTransform):
    """Track -> what was measured of it, or why it is rejected."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, tracks: beam.PCollection[Track]) -> beam.PCollection[Member]:
        return tracks | "AnalyseTrack" >> beam.Map(_analyse, self._job).with_output_types(Member)


class Rehearse(beam.PTransform):
    """Draft -> how its gains come out of the limiter."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return drafts | "RehearseTrack" >> beam.Map(_rehearse, self._job).with_output_types(Member)


class Master(beam.PTransform):
    """Plan -> proved masters in the output; tracks that were not selected end here."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, plans: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return plans | "MasterTrack" >> beam.FlatMap(_master, self._job).with_output_types(Member)


def _with_standing(member: Rejected, job: Job) -> Rejected:
    """Says so where masters of a rejected track stand from an earlier run: they are not those of this manifest."""
    run_id = standing_run(member.track_id, job)
    if run_id is None:
        return member
    return structs.replace(member, hint=f"{member.hint} Its masters of run {run_id} still stand.".strip())


def _analyse(track: Track, job: Job) -> AnyMember:
    return attempt("analyse", lambda: analyse_track(track, job), track, job)


def _rehearse(member: AnyMember, job: Job) -> AnyMember:
    if not isinstance(member, Draft):
        return member
    return attempt("rehearse", lambda: rehearse_track(member, job), member.track, job)


def _master(member: AnyMember, job: Job) -> Iterable[AnyMember]:
    if isinstance(member, Planned) and member.track.selected:
        planned = member
        member = attempt("master", lambda: master_track(planned, job), planned.track, job)
    elif isinstance(member, Planned) or not getattr(member, "selected", True):
        return
    if isinstance(member, Rejected):
        member = _with_standing(member, job)
    report_progress(job, member.outcome if isinstance(member, Mastered) else "rejected")
    yield member
