"""The steps of whole albums as transforms: all members of an album meet, and a pure function decides."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam

from decisions.album import draft_album, settle_album
from schemas.profile import Profile
from schemas.steps import AnyMember, Job, Member, Rejected, album_of, track_of
from transforms.outcomes import attempt_album


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


def _draft(album: tuple[str, Iterable[AnyMember]], job: Job) -> Iterable[AnyMember]:
    known = list(album[1])
    return attempt_album("draft", lambda: draft_album(known, profile_of(known, job)), known)  # type: ignore[arg-type]


def _settle(album: tuple[str, Iterable[AnyMember]], job: Job) -> Iterable[AnyMember]:
    known, masters = list(album[1]), f"{job.output}/masters"
    return attempt_album("settle", lambda: settle_album(known, profile_of(known, job), masters), known)  # type: ignore[arg-type]


def profile_of(members: list[AnyMember], job: Job) -> Profile:
    """The profile of an album: the manifest was checked to name one for all its tracks."""
    named = (track_of(m) for m in members if not isinstance(m, Rejected))
    return job.profiles[next((track.profile for track in named if track is not None), "")]
