"""Which masters stand: of each track those of the newest finished run, unless that run rejected it since.

Reads only the columns that sign-off and release need, so that a catalogue of 100,000 tracks takes seconds, and each run once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from media import store
from pipeline.run_records import RUNNING, is_finished, run_ids, run_record
from schemas.errors import CatalogueError
from schemas.signoff import masters_key

LOOKED_EVERY_S = 2.0
"""How often the list of runs is looked at: a request to a bucket each time."""
_PLAIN = ("track_id", "album_id", "title", "artist", "isrc", "upc", "source_uri", "source_sha256", "verdict")
_OF_MASTERS = ("delivery", "uri", "sha256")


class Master(Struct, frozen=True, kw_only=True):
    """A delivered file that a row names."""

    delivery: str
    name: str
    """Below `masters/` of the output, always `<delivery>/<album>/<file>`: an output may have been moved since."""
    sha256: str


class Standing(Struct, frozen=True, kw_only=True, dict=True):
    """A track as the newest finished run left it."""

    run_id: str
    track_id: str
    album_id: str
    title: str | None
    artist: str | None
    isrc: str | None
    upc: str | None
    source_uri: str
    source_sha256: str
    verdict: str
    masters: tuple[Master, ...]

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each delivery: what a decision is about."""
        return {master.delivery: master.sha256 for master in self.masters}

    @cached_property
    def key(self) -> str:
        """The short name of these masters."""
        return masters_key(self.digests)


class Catalogue:
    """What stands in an output, looked at again where another run has finished; many threads may share it."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._ended: dict[str, bool] = {}
        self._runs: list[str] = []
        self._standing: dict[str, Standing] = {}
        self._looked_s = -LOOKED_EVERY_S
        self._lock = threading.Lock()

    @property
    def run_id(self) -> str | None:
        """The newest finished run."""
        self.standing()
        return self._runs[0] if self._runs else None

    def standing(self) -> dict[str, Standing]:
        """Every track that has masters."""
        with self._lock:
            if time.monotonic() - self._looked_s >= LOOKED_EVERY_S:
                self._look()
                self._looked_s = time.monotonic()
            return self._standing

    def _look(self) -> None:
        runs = [run_id for run_id in run_ids(self._output) if self._is_whole(run_id)]
        if runs != self._runs:
            self._standing, self._runs = _standing(self._output, runs), runs

    def _is_whole(self, run_id: str) -> bool:
        if run_id not in self._ended:
            record = run_record(self._output, run_id)
            if not record or record.get("state") == RUNNING:
                return False
            self._ended[run_id] = is_finished(record)
        return self._ended[run_id]


def standing_masters(output: str) -> dict[str, Standing]:
    """Every track that has masters, by its id."""
    return Catalogue(output).standing()


def required_catalogue(output: str) -> Catalogue:
    """The catalogue of an output that a run has finished in; raises CatalogueError where there is none."""
    catalogue = Catalogue(output)
    if catalogue.run_id is None:
        raise CatalogueError(
            "OUTPUT_EMPTY", f"there is no finished run below {output}: give the OUTPUT of a `lathe run`"
        )
    return catalogue


def _standing(output: str, runs: list[str]) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    seen: set[str] = set()
    for run_id in runs:
        rejected = {row["track_id"] for row in _rows(output, "rejected", run_id, {"track_id"}, seen)}
        for row in _rows(output, "tracks", run_id, {*_PLAIN, *(f"masters.{name}" for name in _OF_MASTERS)}, seen):
            found[row["track_id"]] = _of_row(row, run_id)
            rejected.add(row["track_id"])
        seen |= rejected
    return found


def _rows(output: str, table: str, run_id: str, wanted: set[str], seen: set[str]) -> Iterator[dict[str, Any]]:
    """The rows of a table that are not of a track that a newer run has `seen`; a run with none is not read through."""
    import pyarrow.parquet as pq

    for uri in store.list_files(store.join(output, "qc", table, f"run={run_id}")):
        with store.fetched(uri) as path, pq.ParquetFile(path) as file:
            if seen and seen.issuperset(file.read(["track_id"])["track_id"].to_pylist()):
                continue
            # How a list names its items differs from writer to writer: masters.list.element.uri, masters.list.item.uri.
            paths = [file.schema.column(i).path for i in range(len(file.schema))]
            columns = [path for path in paths if _short(path) in wanted]
            for batch in file.iter_batches(columns=columns):
                yield from (row for row in batch.to_pylist() if row["track_id"] not in seen)


def _short(path: str) -> str:
    parts = path.split(".")
    return f"{parts[0]}.{parts[3]}" if len(parts) == 4 and parts[1] == "list" else path


def _of_row(row: dict[str, Any], run_id: str) -> Standing:
    masters = tuple(
        Master(delivery=one["delivery"], name="/".join(one["uri"].split("/")[-3:]), sha256=one["sha256"])
        for one in row["masters"]
    )
    return Standing(run_id=run_id, masters=masters, **{name: row[name] for name in _PLAIN})
