#!/usr/bin/env python3
"""Masters a manifest in one process and without Beam: the same steps, decisions and rows in a plain loop.

usage: plain_loop.py MANIFEST OUTPUT PROFILE

What a run of `lathe` takes beyond this is Beam's own cost (scale.py). It writes the same masters and rows.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from decisions.album import draft_album, settle_album
from decisions.rows import album_row, track_row
from media.steps import analyse_track, master_track, rehearse_track
from pipeline.run import Request, prepared
from schemas.qc import AlbumRow, TrackRow
from schemas.steps import AnyMember, Draft, Job, Mastered, Planned, album_of
from transforms.arrow import arrow_schema

RUN_ID = "plain"
M = TypeVar("M", bound=AnyMember)
N = TypeVar("N")


def main() -> None:
    """Masters what the command line names; prints how many tracks that were."""
    manifest, output, profile = sys.argv[1:]
    print(len(plain_loop(Request(manifest=manifest, output=output, profile=profile))))


def plain_loop(request: Request) -> list[Mastered]:
    """Masters a manifest under one profile; a track that must be rejected ends it."""
    selection, tracks, profiles = prepared(request)
    job, profile = Job(output=selection.output, run_id=RUN_ID, profiles=profiles), profiles[""]
    analysed = [analyse_track(track, job) for track in tracks]
    drafts = _by_album(analysed, lambda album: draft_album(album, profile))
    rehearsed = [rehearse_track(draft, job) for draft in drafts if isinstance(draft, Draft)]
    plans = _by_album(rehearsed, lambda album: settle_album(album, profile, f"{job.output}/masters"))
    mastered = [master_track(planned, job) for planned in plans if isinstance(planned, Planned)]
    _write(job, "tracks", TrackRow, [track_row(one, RUN_ID, profile) for one in mastered])
    _write(job, "albums", AlbumRow, _by_album(mastered, lambda album: [album_row(album, RUN_ID, profile)]))
    return mastered


def _by_album(members: Iterable[M], decide: Callable[[list[M]], Iterable[N]]) -> list[N]:
    albums: defaultdict[str, list[M]] = defaultdict(list)
    for member in members:
        albums[album_of(member)].append(member)
    return [one for album in albums.values() for one in decide(album)]


def _write(job: Job, table: str, record: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> None:
    folder = Path(job.output) / "qc" / table / f"run={RUN_ID}"
    folder.mkdir(parents=True, exist_ok=True)
    found = pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], arrow_schema(record))
    pq.write_table(found, folder / f"{table}.parquet")


if __name__ == "__main__":
    main()
