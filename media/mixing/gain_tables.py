"""The gains of an automatic mix as a table: a row each tenth of a second, the time first, then a column for each microphone."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.automix import GainsFormat

LEAST_DB = -120.0
TIME = "time_s"
BATCH_STEPS = 36_000
"""An hour at a time."""


def write_gains(
    folder: Path, kind: GainsFormat, names: Sequence[str], powers: NDArray[np.float32], step_s: float
) -> str:
    """Writes `gains.parquet` or `gains.csv` from mean squares (steps, microphones), in dB; returns its name."""
    path = folder / f"gains.{kind}"
    if kind == "csv":
        _write_csv(path, names, powers, step_s)
    else:
        _write_parquet(path, names, powers, step_s)
    return path.name


def _batches(powers: NDArray[np.float32], step_s: float) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float32]]]:
    for at in range(0, len(powers), BATCH_STEPS):
        batch = powers[at : at + BATCH_STEPS]
        gains_db = 10.0 * np.log10(np.maximum(batch, np.float32(10.0 ** (LEAST_DB / 10.0))))
        yield np.asarray((at + np.arange(len(batch))) * step_s, np.float64), gains_db.astype(np.float32)


def _write_csv(path: Path, names: Sequence[str], powers: NDArray[np.float32], step_s: float) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow([TIME, *names])
        for times_s, gains_db in _batches(powers, step_s):
            for time_s, row in zip(times_s, gains_db, strict=True):
                writer.writerow([f"{time_s:.3f}", *(f"{gain:.2f}" for gain in row)])


def _write_parquet(path: Path, names: Sequence[str], powers: NDArray[np.float32], step_s: float) -> None:
    import pyarrow as pa  # 0.2 s that a table as text does not need
    import pyarrow.parquet as pq

    schema = pa.schema([(TIME, pa.float64()), *((name, pa.float32()) for name in names)])
    with pq.ParquetWriter(path, schema) as writer:
        for times_s, gains_db in _batches(powers, step_s):
            writer.write_table(pa.table([times_s, *np.ascontiguousarray(gains_db.T)], schema=schema))
