"""The steps of an unbounded run: those of a batch, each on the errand of its member, and albums that meet in barriers.

What a member carries lies in the ledger while it waits, below `waiting/<run_id>`; so does the job of its run. When the run is
closed they are gone: an errand that is delivered again after that finds no job, and ends.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import apache_beam as beam
import msgspec
from msgspec import structs

from decisions.rows import work_row
from media import store
from media.ledger import Ledger, fingerprint
from schemas.errands import Errand, Gathered, Ticket, WholeAlbum
from schemas.mix_row import MixRow
from schemas.qc import AlbumRow, RejectedRow, TrackRow, WorkRow
from schemas.steps import AnyMember, Job, Rejected, album_of, track_id_of, track_of
from schemas.track import Track
from transforms.albums import Decide, draft
from transforms.arrow import arrow_schema
from transforms.barrier import Gather
from transforms.log_lines import tell_rejected
from transforms.metrics import count_rows
from transforms.outcomes import tell_refused
from transforms.quality import rows_of_album
from transforms.tracks import is_measured_only, master

LOG = logging.getLogger(__name__)
TABLES: dict[str, type[msgspec.Struct]] = {
    "tracks": TrackRow,
    "albums": AlbumRow,
    "rejected": RejectedRow,
    "work": WorkRow,
    "mixes": MixRow,
}
Step = Callable[[AnyMember, Job], AnyMember]


class Each(beam.PTransform):
    """Errand -> errand, after a step on its member."""

    def __init__(self, output: str, step: Step) -> None:
        super().__init__()
        self._output, self._step = output, step

    def expand(self, errands: beam.PCollection[Errand]) -> beam.PCollection[Errand]:
        return errands | "Step" >> beam.FlatMap(_stepped, self._output, self._step).with_output_types(Errand)


class DecideAlbums(beam.PTransform):
    """Errands -> errands, once all of an album have come and were decided together."""

    def __init__(self, output: str, stage: str, decide: Decide, patience_s: float) -> None:
        super().__init__()
        self._output, self._stage, self._decide, self._patience_s = output, stage, decide, patience_s

    def expand(self, errands: beam.PCollection[Errand]) -> beam.PCollection[Errand]:
        return (
            errands
            | "Wait" >> Wait(self._output, self._stage, self._patience_s)
            | "Decide" >> beam.FlatMap(_decided, self._output, self._decide).with_output_types(Errand)
            | "Spread" >> beam.Reshuffle()
        )


class WriteAlbums(beam.PTransform):
    """Errands at their end -> Parquet below `qc/`, album by album; and a ticket for each track that has a row, by run."""

    def __init__(self, output: str, patience_s: float) -> None:
        super().__init__()
        self._output, self._patience_s = output, patience_s

    def expand(self, errands: beam.PCollection[Errand]) -> beam.PCollection[tuple[str, Ticket]]:
        waited = errands | "Wait" >> Wait(self._output, "rows", self._patience_s)
        return waited | "Write" >> beam.FlatMap(_written, self._output).with_output_types(tuple[str, Ticket])


class Wait(beam.PTransform):
    """Errands -> groups of tickets; the errands themselves lie in the ledger."""

    def __init__(self, output: str, stage: str, patience_s: float) -> None:
        super().__init__()
        self._output, self._stage, self._patience_s = output, stage, patience_s

    def expand(self, errands: beam.PCollection[Errand]) -> beam.PCollection[Gathered]:
        leave = beam.Map(_left, self._output, self._stage).with_output_types(tuple[str, Ticket])
        return errands | "Leave" >> leave | "Gather" >> Gather(self._patience_s, self._stage)


def master_selected(member: AnyMember, job: Job) -> AnyMember:
    """A plan as mastered, or as rejected; a track that was not selected as it came, for it must be told what it took."""
    return next(iter(master(member, job)), member)


def draft_and_keep(members: Sequence[AnyMember], job: Job) -> list[AnyMember]:
    """All tracks of an album as drafts; an album of several manifests is kept as it was when it was whole."""
    drafts = draft(members, job)
    tracks = tuple(track for member in drafts if (track := track_of(member)) is not None)
    if tracks and tracks[0].track_total:
        kept = WholeAlbum(tracks=tuple(structs.replace(track, selected=False) for track in tracks))
        Ledger(job.output, job.run_id).put("albums", fingerprint(tracks[0].album_id), kept)
    return drafts


def missing_parts(output: str, run_id: str, tracks: Sequence[Track]) -> list[Track]:
    """The other tracks of an album, as they were when it was last whole; none where it was not, or is not by them."""
    kept = Ledger(output, run_id).get("albums", fingerprint(tracks[0].album_id), WholeAlbum)
    present = {track.track_id for track in tracks}
    others = [track for track in kept.tracks if track.track_id not in present] if kept else []
    return others if len(present) + len(others) == tracks[0].track_total else []


def waiting_folder(output: str, run_id: str) -> str:
    """Where everything lies that a run keeps while its tracks are under way."""
    return store.join(output, "ledger", _waiting(run_id))


def waiting_runs(output: str) -> list[str]:
    """Runs that keep something for their tracks."""
    folder = store.join(output, "ledger", "waiting")
    return sorted({uri[len(folder) + 1 :].partition("/")[0] for uri in store.list_files(folder)})


def open_run(job: Job) -> None:
    """Keeps the job of a run for its errands."""
    Ledger(job.output, job.run_id).put(_waiting(job.run_id), "job", job)


@lru_cache(maxsize=64)
def job_of(output: str, run_id: str) -> Job | None:
    """The job of a run; None once it is closed."""
    return Ledger(output, run_id).get(_waiting(run_id), "job", Job)


def _waiting(run_id: str) -> str:
    return f"waiting/{run_id}"


def _stepped(errand: Errand, output: str, step: Step) -> Iterator[Errand]:
    job = job_of(output, errand.run_id)
    if job is None:
        LOG.warning("run %s is closed: track %s came again", errand.run_id, track_id_of(errand.member))
        return
    yield structs.replace(errand, member=step(errand.member, job))


def _left(errand: Errand, output: str, stage: str) -> tuple[str, Ticket]:
    track_id = track_id_of(errand.member)
    name = fingerprint(stage, errand.run_id, track_id)
    Ledger(output, errand.run_id).put(_waiting(errand.run_id), name, errand)
    return errand.group, Ticket(name=name, run_id=errand.run_id, track_id=track_id, of=errand.of)


def _fetched(tickets: Sequence[Ticket], output: str) -> list[Errand]:
    """The errands of tickets, those of the latest run first; without those of runs that are closed."""
    latest_first = sorted(tickets, key=lambda ticket: ticket.run_id, reverse=True)
    found = [Ledger(output, t.run_id).get(_waiting(t.run_id), t.name, Errand) for t in latest_first]
    if None in found:
        LOG.warning("a run is closed: %d of %d tracks came again", found.count(None), len(found))
    return [errand for errand in found if errand is not None]


def _decided(gathered: Gathered, output: str, decide: Decide) -> Iterator[Errand]:
    errands = _fetched(gathered.tickets, output)
    job = _job_of_album(errands, output)
    if job is None:
        return
    own = {track_id_of(errand.member): errand for errand in errands}
    # Two rounds of one album may end in the same run.
    this_round = fingerprint([ticket.name for ticket in gathered.tickets])
    group = f"{job.run_id}/{album_of(errands[0].member)}/{this_round}"
    members = [errand.member for errand in errands]
    decided = decide(members, job)
    tell_refused(members, decided, lambda track_id: own[track_id].run_id)
    for member in decided:
        yield structs.replace(own[track_id_of(member)], member=member, group=group, of=len(errands))
    for errand in _fetched(gathered.repeated, output):
        alone = f"{group}/{errand.run_id}/{track_id_of(errand.member)}"
        yield structs.replace(errand, member=_repeated(errand.member, errand.run_id, job.run_id), group=alone, of=1)


def _job_of_album(errands: Sequence[Errand], output: str) -> Job | None:
    """That of its latest run, with the profiles of all its runs; None where none is open."""
    jobs = [job for errand in errands if (job := job_of(output, errand.run_id)) is not None]
    if not jobs:
        return None
    profiles = {name: profile for job in reversed(jobs) for name, profile in job.profiles.items()}
    return structs.replace(jobs[0], profiles=profiles)


def _repeated(member: AnyMember, run_id: str, counts: str) -> AnyMember:
    """A track of one run as rejected, for it is that of another that counts."""
    track = track_of(member)
    if track is None:
        return member
    text = f"the track came again in run {counts} before its album was whole"
    told = Rejected.of(track, "draft", "TRACK_REPEATED", text, "That run counts.")
    rejected = structs.replace(told, spent=member.spent)
    tell_rejected(rejected, run_id)
    return rejected


def _written(gathered: Gathered, output: str) -> Iterator[tuple[str, Ticket]]:
    errands = _fetched(gathered.tickets, output)
    job = _job_of_album(errands, output)
    if job is None:
        return
    rows = _rows_by_file(errands, job)
    for (table, run_id), of_run in sorted(rows.items()):
        name = f"{table}-{fingerprint(gathered.group)}.parquet"
        _write(store.join(output, "qc", table, f"run={run_id}", name), TABLES[table], of_run, job)
    count_rows(row for (table, _), of_run in rows.items() if table not in ("work", "mixes") for row in of_run)
    tracks = {errand.run_id: errand.tracks for errand in errands}
    for (table, run_id), of_run in sorted(rows.items()):
        if table in ("tracks", "rejected"):
            yield from ((run_id, _ticket(row, tracks[run_id])) for row in of_run)


def _rows_by_file(errands: Sequence[Errand], job: Job) -> dict[tuple[str, str], list[Any]]:
    """The rows of an album by table and run."""
    rows: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for errand in errands:
        rows["work", errand.run_id].append(work_row(errand.member, errand.run_id))
    ended = [errand for errand in errands if not is_measured_only(errand.member)]
    if ended:
        jobs = {errand.run_id: job_of(job.output, errand.run_id) or job for errand in ended}
        for table, row in rows_of_album([(errand.member, jobs[errand.run_id]) for errand in ended], job):
            rows[table, row.run_id].append(row)
    return rows


def _ticket(row: TrackRow | RejectedRow, tracks: int) -> Ticket:
    name = fingerprint("row", row.run_id, row.track_id)
    return Ticket(name=name, run_id=row.run_id, track_id=row.track_id, of=tracks)


def _write(uri: str, record: type[msgspec.Struct], rows: Sequence[msgspec.Struct], job: Job) -> None:
    """One file with all rows of an album in a table: the same rows give the same file, so that a retry changes nothing."""
    # Imported late: a worker that writes no rows never pays for it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=arrow_schema(record))
    with store.scratch(job.output, job.run_id) as folder:
        path = folder / "rows.parquet"
        # The names inside lists as Beam's sink writes them: a table has one schema, whoever wrote a part of it.
        pq.write_table(table, path, use_compliant_nested_type=False)
        store.replace(path, uri)
