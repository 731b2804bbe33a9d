"""Which row of quality control tells of each track today: the newest that a finished run left, and the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from media import store
from pipeline.run_records import is_finished, run_records
from schemas.errors import CatalogueError

TABLES = ("tracks", "rejected")
READ_AT_ONCE = 1_000
"""Rows: about 30 MB of drawings."""


class Part(Struct, frozen=True, kw_only=True):
    """A Parquet file of a run, and which of its rows count."""

    run_id: str
    table: str
    uri: str
    rows: tuple[int, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """The parts in which each track of an output has its newest row, and those with the row before it."""

    newest: Mapping[str, Any]
    """The record of the newest finished run."""
    now: tuple[Part, ...]
    before: tuple[Part, ...]
    """Rows of masters only: what a track was before; none for a track that was never mastered before."""


def standing_rows(output: str, against: str | None = None) -> Standing:
    """Looks through all finished runs, the newest first; `against` names the run to compare with, in place of the one before.

    Raises CatalogueError where no run has finished, or `against` is none of them.
    """
    records = [record for record in run_records(output) if is_finished(record)]
    if not records:
        raise CatalogueError("UNKNOWN_SUBJECT", f"there is no finished run below {output}")
    ids = [record["run_id"] for record in records]
    if against is not None and against not in ids:
        raise CatalogueError(
            "UNKNOWN_SUBJECT", f"{against} is no finished run of {output}; there are {', '.join(ids[:9])}"
        )
    seen: dict[str, int] = {}
    """How many rows of a track were met."""
    now: list[Part] = []
    before: list[Part] = []
    for run_id in ids:
        met = dict(seen)
        for table, uri, names in _named(output, run_id):
            fresh = tuple(i for i, name in enumerate(names) if not met.get(name))
            now += [Part(run_id=run_id, table=table, uri=uri, rows=fresh)] if fresh else []
            older = tuple(i for i, name in enumerate(names) if _is_before(met.get(name, 0), run_id, against))
            before += [Part(run_id=run_id, table=table, uri=uri, rows=older)] if older and table == "tracks" else []
            seen.update((name, met.get(name, 0) + 1) for name in names)
    return Standing(newest=records[0], now=tuple(now), before=tuple(before))


def _is_before(met: int, run_id: str, against: str | None) -> bool:
    """Whether a row is the one to compare with: the second that is met, or that of the run that was named."""
    return met == 1 if against is None else bool(met) and run_id == against


def _named(output: str, run_id: str) -> Iterator[tuple[str, str, list[str]]]:
    """The files of a run's tables, each with the ids of its tracks in order."""
    for table in TABLES:
        for uri in store.list_files(store.join(output, "qc", table, f"run={run_id}")):
            with store.fetched(uri) as path:
                yield table, uri, _column_of(path, "track_id")


def rows_of(part: Part, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a part that count, a few at a time; `columns` by name, those inside a list of structs as `masters.uri`."""
    with store.fetched(part.uri) as path, pq.ParquetFile(path, pre_buffer=False) as file:
        first, wanted = 0, np.asarray(part.rows)
        for batch in file.iter_batches(READ_AT_ONCE, columns=_paths(file, columns)):
            inside = wanted[(first <= wanted) & (wanted < first + batch.num_rows)] - first
            first += batch.num_rows
            if len(inside):
                yield batch if len(inside) == batch.num_rows else batch.take(pa.array(inside))


def _paths(file: pq.ParquetFile, columns: Sequence[str] | None) -> list[str] | None:
    """Columns as the file names them: what is in a list is called otherwise from writer to writer."""
    if columns is None:
        return None
    paths = [file.schema.column(i).path for i in range(len(file.schema))]
    return [path for path in paths if path.partition(".")[0] in columns or _short(path) in columns]


def _short(path: str) -> str:
    """`masters.list.element.uri`, or `masters.list.item.uri`, as `masters.uri`."""
    parts = path.split(".")
    return f"{parts[0]}.{parts[3]}" if len(parts) == 4 and parts[1] == "list" else path


def _column_of(path: Path, name: str) -> list[Any]:
    return pq.ParquetFile(path).read(columns=[name]).column(0).to_pylist()  # type: ignore[no-any-return]
