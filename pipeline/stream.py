"""The graph of an unbounded run: the steps of a batch, with albums that meet in barriers instead of joins.

The arrival of a manifest begins a run of its own, with a record and rows of its own; the pipeline that carries them all goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.coders import StrUtf8Coder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from msgspec import Struct, structs

from media import store
from media.inbox import content_digest
from media.ledger import Ledger
from pipeline.arrivals import Arrival, asked_of, is_done, remember
from pipeline.run import Request, Summary, facts, prepared
from pipeline.run_records import FAILED, FINISHED, REFUSED, Record, begun, ended, run_record, seconds_since
from pipeline.workplace import cleared
from schemas.errands import Errand, Gathered, Ticket
from schemas.errors import CatalogueError
from schemas.steps import Job, Listed
from schemas.track import Track
from transforms.albums import draft, settle
from transforms.barrier import Gather
from transforms.coders import register_coders
from transforms.errands import (
    DecideAlbums,
    Each,
    WriteAlbums,
    analyse_listed,
    master_selected,
    open_run,
    waiting_folder,
)
from transforms.tracks import rehearse


class Watched(Struct, frozen=True, kw_only=True):
    """What an unbounded run is asked to do with whatever arrives; the request names no manifest."""

    source: str
    """The folder or subscription."""
    request: Request
    patience_s: float
    """How long an album waits for tracks of other manifests, from its first track on."""


def master_arrivals(arrivals: beam.PCollection[tuple[str, str]], watched: Watched) -> None:
    """(manifest, digest of its content) -> masters and rows of quality control, below the output of the request."""
    register_coders()
    output, patience_s = watched.request.output, watched.patience_s
    listed = arrivals | "ReadManifests" >> ReadManifests(watched)
    analysed = listed | "Analyse" >> Each(output, analyse_listed)
    drafts = analysed | "DraftAlbums" >> DecideAlbums(output, "draft", draft, patience_s)
    rehearsed = drafts | "Rehearse" >> Each(output, rehearse)
    plans = rehearsed | "SettleAlbums" >> DecideAlbums(output, "settle", settle, patience_s)
    masters = plans | "Master" >> Each(output, master_selected)
    rows = masters | "WriteAlbums" >> WriteAlbums(output, patience_s)
    rows | "CloseRuns" >> CloseRuns(watched)


class ReadManifests(beam.PTransform):
    """(manifest, digest) -> an errand for each track, once for each content."""

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched

    def expand(self, arrivals: beam.PCollection[tuple[str, str]]) -> beam.PCollection[Errand]:
        return (
            arrivals
            | "TakeOnce" >> beam.ParDo(_TakeOnce()).with_output_types(tuple[str, str, str])
            | "Read" >> beam.FlatMap(_errands, self._watched).with_output_types(Errand)
            | "Spread" >> beam.Reshuffle()
        )


class CloseRuns(beam.PTransform):
    """Tickets of rows -> the record of each run, when each of its tracks has a row."""

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched

    def expand(self, tickets: beam.PCollection[tuple[str, Ticket]]) -> None:
        # Albums lose patience first: each of their tracks has a row before the run that sent it is closed.
        closed = tickets | "Gather" >> Gather(2.0 * self._watched.patience_s, "runs")
        closed | "Close" >> beam.Map(_close, self._watched)


class _TakeOnce(beam.DoFn):
    """Knows the content of each manifest that it took: a source may tell it again. Names the run that it begins."""

    TAKEN = ReadModifyWriteStateSpec("taken", StrUtf8Coder())

    def process(
        self,
        arrival: tuple[str, str],
        now: Any = beam.DoFn.TimestampParam,
        taken: Any = beam.DoFn.StateParam(TAKEN),
    ) -> Iterator[tuple[str, str, str]]:
        uri, digest = arrival
        if taken.read() != digest:
            taken.write(digest)
            yield uri, digest, run_id_of(uri, digest, now.micros // 1_000_000)


def run_id_of(uri: str, digest: str, at_s: int) -> str:
    """The name of the run that an arrival begins: when it was seen, and what; the same whenever the step is repeated.

    >>> run_id_of("gs://label/new.csv", "ab" * 32, 1_700_000_000)
    '20231114T221320Z-7c8e19a8'
    """
    seen = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at_s))
    return f"{seen}-{sha256(f'{uri} {digest}'.encode()).hexdigest()[:8]}"


def _errands(arrival: tuple[str, str, str], watched: Watched) -> Iterator[Errand]:
    uri, token, run_id = arrival
    digest = token.partition(":")[0]
    request = structs.replace(watched.request, manifest=uri)
    job = Job(output=request.output, run_id=run_id, profiles={}, force=request.force, speech=request.speech)
    known = {"manifest": uri, "digest": digest, "watched": watched.source}
    try:
        asked = asked_of(request)
        if not request.force and is_done(Ledger(request.output, run_id), uri, digest, asked):
            return
        selection, tracks, profiles = prepared(request)
        if content_digest(uri) != digest:
            raise CatalogueError("MANIFEST_CHANGED", f"{uri} was changed while it was read; its new content comes next")
    except CatalogueError as error:
        ended(job.output, begun(job, {**known, "code": error.code, "problems": error.problems}), REFUSED)
        return
    job = structs.replace(job, profiles=profiles)
    open_run(job)
    begun(job, {**facts(request, selection, profiles), **known, "asked": asked})
    yield from _of_tracks(tracks, run_id)


def _of_tracks(tracks: list[Track], run_id: str) -> Iterator[Errand]:
    """Albums with a total may come in several manifests, and meet under their own name; others under that of their run."""
    members = Counter(track.album_id for track in tracks)
    selected = sum(track.selected for track in tracks)
    for track in tracks:
        group = f"album/{track.album_id}" if track.track_total else f"{run_id}/{track.album_id}"
        of = track.track_total or members[track.album_id]
        yield Errand(run_id=run_id, member=Listed(track=track), group=group, of=of, tracks=selected)


def _close(gathered: Gathered, watched: Watched) -> None:
    """Writes how a run ended, and forgets what it kept while it was under way."""
    output, run_id = watched.request.output, gathered.group
    record = run_record(output, run_id)
    summary = _summary(gathered, record, output)
    whole = len(gathered.tickets) >= gathered.tickets[0].of
    ended(output, record | msgspec.to_builtins(summary), FINISHED if whole else FAILED)
    if whole and not summary.rejected:
        arrival = Arrival(digest=record["digest"], asked=record["asked"], run_id=run_id)
        remember(Ledger(output, run_id), record["manifest"], arrival)
    store.remove_folder(waiting_folder(output, run_id))
    cleared(output, run_id)


def _summary(gathered: Gathered, record: Record, output: str) -> Summary:
    outcomes = [ticket.outcome for ticket in gathered.tickets if ticket.outcome is not None]
    masters = [one for one in outcomes if one.outcome != "rejected"]
    rejected = [one for one in outcomes if one.outcome == "rejected"]
    made = [one for one in masters if one.outcome == "mastered"]
    cpu_s = round(sum(one.cpu_s for one in outcomes), 3)
    return Summary(
        run_id=gathered.group,
        mastered=len(made),
        skipped=len(masters) - len(made),
        rejected=len(rejected),
        findings=dict(sorted(Counter(code for one in masters for code in one.codes).items())),
        rejections=dict(sorted(Counter(code for one in rejected for code in one.codes).items())),
        failed=sum(one.verdict == "rejected" for one in masters),
        audio_s=round(sum(one.audio_s for one in made), 3),
        wall_s=seconds_since(record),
        cpu_s=cpu_s,
        work_cpu_s=cpu_s,
        output=output,
    )
