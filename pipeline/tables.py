"""Reads back the tables of quality control that a run wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from media import store


def table_rows(output: str, table: str, run_id: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows of `qc/<table>` of one run; all columns unless some are named."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = []
    for uri in store.list_files(store.join(output, "qc", table, f"run={run_id}")):
        with store.fetched(uri) as path:
            rows += pq.ParquetFile(path).read(columns=columns).to_pylist()
    return rows
