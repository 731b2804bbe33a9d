"""Small catalogues and runs over them in this process: one line each in a test."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipeline.run import Request, Summary, run_catalogue
from tests.makers import music, write, write_manifest

Row = Mapping[str, object]


def master(manifest: Path | str, output: Path | str, *beam_options: str, **request: Any) -> Summary:
    """A run in this process, with one worker."""
    options = ("--direct_num_workers=1", *beam_options)
    return run_catalogue(
        Request(manifest=str(manifest), output=str(output), beam_options=options, **request), lambda done, total: None
    )


def album(
    folder: Path, tracks: int = 2, *, seconds: float = 1.0, **more: object
) -> tuple[Path, list[dict[str, object]]]:
    """Writes an album of music that differs from track to track in level; returns its manifest and the rows of it."""
    rows: list[dict[str, object]] = []
    for i in range(tracks):
        bar = music(seconds=min(seconds, 4.0), level_dbfs=-20 - 4 * i, seed=i)
        write(folder / f"{i}.flac", np.tile(bar, (max(1, round(seconds / 4.0)), 1)))
        rows.append(
            {"uri": f"{i}.flac", "album_id": "A", "sequence": i + 1, "title": f"Song {i}", "joins_next": "no", **more}
        )
    return write_manifest(folder / "manifest.csv", rows), rows


def table(output: Path | str, name: str, run_id: str = "*") -> list[dict[str, Any]]:
    """The rows of a table of quality control."""
    files = sorted(Path(output).glob(f"qc/{name}/run={run_id}/*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def by(column: str, rows: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Rows by the value of a column."""
    return {row[column]: row for row in rows}


def digests(output: Path | str, below: str = "masters") -> dict[str, str]:
    """Name and SHA-256 of every file below a folder of the output."""
    root = Path(output) / below
    found = {p.relative_to(root).as_posix(): p for p in sorted(root.rglob("*")) if p.is_file()}
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


def ask(output: Path | str, **asked: Mapping[str, object]) -> None:
    """Writes what reviewers ask: revisions of tracks by their ids, and of albums by theirs, which are in capitals."""
    overrides = [
        {
            "scope": "album" if subject.isupper() else "track",
            "subject_id": subject,
            "revision": revision,
            "reviewer": "Ann",
            "at": "2026-11-27T10:00:00Z",
        }
        for subject, revision in asked.items()
    ]
    path = Path(output) / "review" / "overrides.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"overrides": overrides}))


def environment(**more: str) -> dict[str, str]:
    """That of this process, with the repository in reach."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **more}
