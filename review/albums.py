"""The albums of the report: their pooled loudness before and after, and what was found of them as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pipeline.tables import table_rows
from review.catalogue import VERDICTS, Catalogue

COLUMNS = (
    "album_id",
    "album",
    "artist",
    "tracks",
    "source_integrated_lufs",
    "master_integrated_lufs",
    "target_lufs",
    "loudness_mode",
    "gain_db",
    "verdict",
)


def newest_albums(output: str, run_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The newest row of each album of these runs, the newest run first, by its id."""
    found: dict[str, dict[str, Any]] = {}
    for run_id in run_ids:
        for row in table_rows(output, "albums", run_id, [*COLUMNS, "findings"]):
            found.setdefault(row["album_id"], _told(row))
    return found


def albums_of(catalogue: Catalogue, rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The albums that tracks are on today: those that have a row as it says, others with what their tracks tell."""
    verdicts: dict[int, list[int]] = defaultdict(list)
    for album, verdict in zip(catalogue.columns["album_id"], catalogue.columns["verdict"], strict=True):
        verdicts[album].append(verdict)
    return {
        name: rows.get(name) or _unmeasured(name, verdicts[number])
        for name, number in catalogue.names["album_id"].items()
    }


def _unmeasured(album_id: str, verdicts: list[int]) -> dict[str, Any]:
    told = {"album_id": album_id, "tracks": len(verdicts), "verdict": VERDICTS[min(verdicts)], "findings": []}
    return dict.fromkeys(COLUMNS) | told


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    findings = [{name: one[name] for name in ("code", "severity", "text")} for one in row["findings"]]
    return {**{name: _short(row[name]) for name in COLUMNS}, "findings": findings}


def _short(value: Any) -> Any:
    return round(value, 2) if isinstance(value, float) else value
