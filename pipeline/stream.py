"""The graph of an unbounded run: the steps of a batch, with albums that meet in barriers instead of joins.

The arrival of a manifest begins a run of its own, with a record and rows of its own; the pipeline that carries them all goes on.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.coders import StrUtf8Coder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from msgspec import Struct, structs

from decisions.revisions import instructed
from media import store
from media.inbox import content_digest, digest_in
from media.ledger import Ledger
from pipeline.arrivals import Arrival, asked_of, is_done, remember
from pipeline.overrides import overrides_for
from pipeline.run import Request, facts, prepared, summary_of
from pipeline.run_records import FAILED, FINISHED, REFUSED, begun, ended, run_record, seconds_since
from pipeline.workplace import cleared
from schemas.errands import Errand, Gathered, Ticket
from schemas.errors import CatalogueError
from schemas.steps import Job, Listed
from schemas.track import Track
from transforms.albums import settle
from transforms.barrier import Gather
from transforms.coders import register_coders
from transforms.errands import (
    DecideAlbums,
    Each,
    WriteAlbums,
    draft_and_keep,
    master_selected,
    missing_parts,
    open_run,
    waiting_folder,
)
from transforms.mixes import mix_listed
from transforms.tracks import analyse_listed, rehearse

LOG = logging.getLogger(__name__)


class Watched(Struct, frozen=True, kw_only=True):
    """What an unbounded run is asked to do with whatever arrives; the request names no manifest."""

    source: str
    """The folder or subscription."""
    request: Request
    owner: dict[str, Any]
    """The driver's process: tells a run that is under way from one whose driver died."""
    patience_s: float
    """How long an album waits for tracks of other manifests, from its first track on."""


def master_arrivals(arrivals: beam.PCollection[tuple[str, str]], watched: Watched) -> None:
    """(manifest, token of its arrival) -> masters and rows of quality control, below the output of the request."""
    register_coders()
    output, patience_s = watched.request.output, watched.patience_s
    listed = arrivals | "ReadManifests" >> ReadManifests(watched)
    mixed = listed | "MixSongs" >> Each(output, mix_listed)
    analysed = mixed | "Analyse" >> Each(output, analyse_listed)
    drafts = analysed | "DraftAlbums" >> DecideAlbums(output, "draft", draft_and_keep, patience_s)
    rehearsed = drafts | "Rehearse" >> Each(output, rehearse)
    plans = rehearsed | "SettleAlbums" >> DecideAlbums(output, "settle", settle, patience_s)
    masters = plans | "Master" >> Each(output, master_selected)
    rows = masters | "WriteAlbums" >> WriteAlbums(output, patience_s)
    rows | "CloseRuns" >> CloseRuns(watched)


class ReadManifests(beam.PTransform):
    """(manifest, token) -> an errand for each track, once for each token."""

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
    """Knows the token of each manifest that it took: a source may tell it again. Names the run that it begins."""

    TAKEN = ReadModifyWriteStateSpec("taken", StrUtf8Coder())

    def process(
        self,
        arrival: tuple[str, str],
        now: Any = beam.DoFn.TimestampParam,
        taken: Any = beam.DoFn.StateParam(TAKEN),
    ) -> Iterator[tuple[str, str, str]]:
        uri, token = arrival
        if taken.read() != token:
            taken.write(token)
            yield uri, token, run_id_of(uri, token, now.micros // 1000)


def run_id_of(uri: str, token: str, at_ms: int) -> str:
    """The name of the run that an arrival begins: when it was seen, and what; the same whenever the step is repeated.

    >>> run_id_of("gs://label/new.csv", "ab" * 32, 1_700_000_000_123)
    '20231114T221320Z-123-1d9f44c5'
    """
    seconds, millis = divmod(at_ms, 1000)
    seen = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    return f"{seen}-{millis:03d}-{sha256(f'{uri} {token}'.encode()).hexdigest()[:8]}"


def _errands(arrival: tuple[str, str, str], watched: Watched) -> Iterator[Errand]:
    uri, token, run_id = arrival
    digest = digest_in(token)
    request = structs.replace(watched.request, manifest=uri)
    job = Job(
        output=request.output,
        run_id=run_id,
        profiles={},
        force=request.force,
        speech=request.speech,
        mixing=request.mixing,
    )
    known = {"manifest": uri, "digest": digest, "watched": watched.source, "owner": watched.owner}
    try:
        asked = asked_of(request)
        if not request.force and is_done(Ledger(request.output, run_id), uri, digest, asked):
            return
        selection, tracks, profiles = prepared(request, one_of_many=True)
        if content_digest(uri) != digest:
            raise CatalogueError("MANIFEST_CHANGED", f"{uri} was changed while it was read; its new content comes next")
    except CatalogueError as error:
        ended(job.output, begun(job, {**known, "code": error.code, "problems": error.problems}), REFUSED)
        cleared(job.output, run_id)
        return
    job = structs.replace(job, profiles=profiles)
    open_run(job)
    albums = len({track.album_id for track in tracks})
    begun(job, {**facts(request, selection, profiles), **known, "asked": asked, "albums": albums})
    yield from _of_tracks(tracks, job, request)


def _of_tracks(tracks: list[Track], job: Job, request: Request) -> Iterator[Errand]:
    """Albums with a total may come in several manifests, and meet under their own name; others under that of their run."""
    selected = sum(track.selected for track in tracks)
    albums: defaultdict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        albums[track.album_id].append(track)
    for album_id, here in albums.items():
        total = here[0].track_total or len(here)
        parts = missing_parts(job.output, job.run_id, here) if total > len(here) else []
        if parts:  # as they were when the album was whole; what is asked of them may be another thing now
            parts = instructed(parts, overrides_for(parts, request.manifest, request.output, request.roots))
        group = f"album/{album_id}" if total > len(here) + len(parts) else f"{job.run_id}/{album_id}"
        for track in (*here, *parts):
            yield Errand(run_id=job.run_id, member=Listed(track=track), group=group, of=total, tracks=selected)


def _close(gathered: Gathered, watched: Watched) -> None:
    """Writes how a run ended, and forgets what it kept while it was under way.

    One that ran out of time is closed again, and then as it was, should the rest still come.
    """
    output, run_id = watched.request.output, gathered.group
    record = run_record(output, run_id)
    summary, found = summary_of(output, run_id, seconds_since(record), 0.0)
    whole = len(found) == gathered.tickets[0].of and set(found.values()) == {1}
    ended(output, record | msgspec.to_builtins(summary), FINISHED if whole else FAILED)
    if not whole:
        LOG.error("run %s: %d tracks have rows, %d were to have one", run_id, len(found), gathered.tickets[0].of)
        return
    if not summary.rejected:
        arrival = Arrival(digest=record["digest"], asked=record["asked"], run_id=run_id)
        remember(Ledger(output, run_id), record["manifest"], arrival)
    store.remove_folder(waiting_folder(output, run_id))
    cleared(output, run_id)
