"""The steps of whole albums as transforms: all members of an album meet, and a pure function decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import apache_beam as beam

from decisions.album import draft_album, settle_album
from schemas.profile import Profile
from schemas.steps import AnyMember, Job, Member, Rejected, album_of, track_of
from transforms.outcomes import attempt_album, tell_refused

Decide = Callable[[Sequence[AnyMember], Job], list[AnyMember]]


class DraftAlbums(beam.PTransform):
    """Analysed tracks -> drafts, decided album by album."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return (
            members
            | "Group" >> GroupByAlbum()
            | "Draft" >> beam.FlatMap(_draft, self._job).with_output_types(Member)
            | "Spread" >> beam.Reshuffle()
        )


class SettleAlbums(beam.PTransform):
    """Rehearsed tracks -> plans, with the gain that the album's tracks share."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return (
            members
            | "Group" >> GroupByAlbum()
            | "Settle" >> beam.FlatMap(_settle, self._job).with_output_types(Member)
            | "Spread" >> beam.Reshuffle()
        )


class GroupByAlbum(beam.PTransform):
    """Members -> (album_id, its members)."""

    def expand(self, members: beam.PCollection[Member]) -> beam.PCollection[tuple[str, Iterable[Member]]]:
        return (
            members
            | "Key" >> beam.Map(lambda m: (album_of(m), m)).with_output_types(tuple[str, Member])
            | "Meet" >> beam.GroupByKey()
        )


def draft(members: Sequence[AnyMember], job: Job) -> list[AnyMember]:
    """All tracks of an album, analysed -> drafted."""
    return attempt_album("draft", lambda: draft_album(members, profile_of(members, job)), members, job)  # type: ignore[arg-type]


def settle(members: Sequence[AnyMember], job: Job) -> list[AnyMember]:
    """All tracks of an album, rehearsed -> planned."""
    masters = f"{job.output}/masters"
    return attempt_album("settle", lambda: settle_album(members, profile_of(members, job), masters), members, job)  # type: ignore[arg-type]


def _draft(album: tuple[str, Iterable[AnyMember]], job: Job) -> list[AnyMember]:
    return _told(list(album[1]), draft, job)


def _settle(album: tuple[str, Iterable[AnyMember]], job: Job) -> list[AnyMember]:
    return _told(list(album[1]), settle, job)


def _told(members: list[AnyMember], decide: Decide, job: Job) -> list[AnyMember]:
    """What was decided, after it was told."""
    decided = decide(members, job)
    tell_refused(members, decided, lambda _: job.run_id)
    return decided


def profile_of(members: Sequence[AnyMember], job: Job) -> Profile:
    """The profile of an album: the manifest was checked to name one for all its tracks."""
    named = (track_of(m) for m in members if not isinstance(m, Rejected))
    return job.profiles[next((track.profile for track in named if track is not None), "")]
