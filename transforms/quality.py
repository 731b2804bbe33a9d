"""Writes the rows of quality control as Parquet: tracks, albums, rejected, and what all that took; one folder for each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import apache_beam as beam
import msgspec

from decisions.mixing.rows import mix_row
from decisions.rows import album_row, rejected_row, track_row, work_row
from media.mixing.shelf import mix_record
from media.store import join
from schemas.mix_row import MixRow
from schemas.qc import AlbumRow, RejectedRow, TrackRow, WorkRow
from schemas.steps import AnyMember, Job, Listed, Mastered, Member, Rejected
from transforms.albums import GroupByAlbum, profile_of
from transforms.arrow import arrow_schema
from transforms.metrics import count_rows

AnyRow: TypeAlias = TrackRow | AlbumRow | RejectedRow | MixRow


class WriteQuality(beam.PTransform):
    """Mastered and rejected tracks -> Parquet below `qc/`; `songs`: some of them may have been mixed from stems."""

    def __init__(self, job: Job, *, songs: bool = False) -> None:
        super().__init__()
        self._job, self._songs = job, songs

    def expand(self, members: beam.PCollection[Member]) -> None:
        # Grouping is a checkpoint too: a retry of the sink never masters again.
        albums = members | "Group" >> GroupByAlbum()
        rows = albums | "Rows" >> beam.FlatMap(_rows, self._job).with_outputs("tracks", "albums", "rejected", "mixes")
        rows.tracks | "WriteTracks" >> _sink(self._job, "tracks", TrackRow)
        rows.albums | "WriteAlbums" >> _sink(self._job, "albums", AlbumRow)
        rows.rejected | "WriteRejected" >> _sink(self._job, "rejected", RejectedRow)
        if self._songs:
            rows.mixes | "WriteMixes" >> _sink(self._job, "mixes", MixRow)


class WriteMixes(beam.PTransform):
    """Songs that were only mixed, and rejected ones -> Parquet below `qc/`."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> None:
        kept = members | "Keep" >> beam.Reshuffle()
        rows = kept | "Rows" >> beam.FlatMap(_mix_rows, self._job).with_outputs("rejected", "mixes")
        rows.rejected | "WriteRejected" >> _sink(self._job, "rejected", RejectedRow)
        rows.mixes | "WriteMixes" >> _sink(self._job, "mixes", MixRow)


class WriteWork(beam.PTransform):
    """Tracks as they left the run, also those that were only measured -> Parquet below `qc/work`."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> None:
        rows = members | "RowsOfWork" >> beam.Map(_work_row, self._job)
        # A checkpoint, so that a retry of the sink never masters again.
        rows | "Keep" >> beam.Reshuffle() | "WriteWork" >> _sink(self._job, "work", WorkRow)


def _sink(job: Job, table: str, record: type[msgspec.Struct]) -> beam.PTransform:
    prefix = join(job.output, "qc", table, f"run={job.run_id}", table)
    return beam.io.WriteToParquet(prefix, arrow_schema(record), file_name_suffix=".parquet", num_shards=1)


def _rows(album: tuple[str, Iterable[AnyMember]], job: Job) -> Iterator[beam.pvalue.TaggedOutput]:
    for table, row in rows_of_album([(member, job) for member in album[1]], job):
        if not isinstance(row, MixRow):
            count_rows([row])
        yield beam.pvalue.TaggedOutput(table, msgspec.to_builtins(row))


def rows_of_album(members: Sequence[tuple[AnyMember, Job]], job: Job) -> Iterator[tuple[str, AnyRow]]:
    """The rows of an album, which belongs to `job`, and of its tracks, each with its own job; each track is judged once."""
    verdicts = []
    for member, own in members:
        if isinstance(member, Mastered):
            mix = row_of_mix(member, own)
            if mix is not None:
                yield "mixes", mix
            row = track_row(member, own.run_id, own.profiles[member.track.profile], mix.findings if mix else ())
            verdicts.append(row.verdict)
            yield "tracks", row
        elif isinstance(member, Rejected):
            yield "rejected", rejected_row(member, own.run_id)
    known = [member for member, _ in members]
    yield "albums", album_row(known, job.run_id, profile_of(known, job), verdicts)  # type: ignore[arg-type]


def row_of_mix(member: AnyMember, job: Job) -> MixRow | None:
    """The row of a track that was mixed from stems; None for any other."""
    if not isinstance(member, Mastered | Listed) or member.track.song is None:
        return None
    record = mix_record(member.track.track_id, job)
    if record is None:
        raise LookupError(f"{member.track.track_id} was mixed, and its record is gone from the ledger")
    return mix_row(member.track, record, job.run_id, mastered=isinstance(member, Mastered))


def _mix_rows(member: AnyMember, job: Job) -> Iterator[beam.pvalue.TaggedOutput]:
    if isinstance(member, Rejected):
        rejected = rejected_row(member, job.run_id)
        count_rows([rejected])
        yield beam.pvalue.TaggedOutput("rejected", msgspec.to_builtins(rejected))
    elif (row := row_of_mix(member, job)) is not None:
        yield beam.pvalue.TaggedOutput("mixes", msgspec.to_builtins(row))


def _work_row(member: AnyMember, job: Job) -> dict[str, Any]:
    return msgspec.to_builtins(work_row(member, job.run_id))  # type: ignore[no-any-return]
