"""Which masters stand: of each track those of the newest finished run, unless that run rejected it since.

Reads only the columns that sign-off and release need, so that a catalogue of 100,000 tracks takes seconds, and each run once.
"""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import Any

from msgspec import Struct

from pipeline.run_records import RUNNING, is_finished, run_ids, run_record
from review.standing import rows_of, standing_rows
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
            self._standing, self._runs = _standing(self._output) if runs else {}, runs

    def _is_whole(self, run_id: str) -> bool:
        if run_id not in self._ended:
            record = run_record(self._output, run_id)
            if not record or record.get("state") == RUNNING:
                return False
            self._ended[run_id] = is_finished(record)
        return self._ended[run_id]


def required_catalogue(output: str) -> Catalogue:
    """The catalogue of an output that a run has finished in; raises CatalogueError where there is none."""
    catalogue = Catalogue(output)
    if catalogue.run_id is None:
        raise CatalogueError(
            "OUTPUT_EMPTY", f"there is no finished run below {output}: give the OUTPUT of a `lathe run`"
        )
    return catalogue


def _standing(output: str) -> dict[str, Standing]:
    columns = (*_PLAIN, *(f"masters.{name}" for name in _OF_MASTERS))
    return {
        row["track_id"]: _of_row(row, part.run_id)
        for part in standing_rows(output).now
        if part.table == "tracks"
        for batch in rows_of(part, columns)
        for row in batch.to_pylist()
    }


def _of_row(row: dict[str, Any], run_id: str) -> Standing:
    masters = tuple(
        Master(delivery=one["delivery"], name="/".join(one["uri"].split("/")[-3:]), sha256=one["sha256"])
        for one in row["masters"]
    )
    return Standing(run_id=run_id, masters=masters, **{name: row[name] for name in _PLAIN})
