"""Songs that were mixed from stems, as the report shows them: one script for each, which the page loads when it is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from pipeline.run_records import is_finished, run_records
from pipeline.tables import table_rows
from review.columns import packed
from review.details import NAME_DIGITS

DRAWN_POINTS = 200
"""Of a rider's course: as fine as a screen shows it."""
LISTED = ("title", "artist", "album_id", "run_id", "outcome", "mastered", "edited", "duration_s")
DECIMALS = 3


def newest_mixes(output: str) -> Iterator[dict[str, Any]]:
    """The newest row of each song that any finished run mixed, by name."""
    found: dict[str, dict[str, Any]] = {}
    for record in run_records(output):
        if is_finished(record):
            for row in table_rows(output, "mixes", record["run_id"]):
                found.setdefault(row["mix_id"], row)
    yield from (found[name] for name in sorted(found))


def mix_script(row: Mapping[str, Any], output: str) -> tuple[str, str]:
    """Name (by content) and text of the script that tells all of a song's mix."""
    text = packed(_told(row, output))
    name = sha256(text.encode()).hexdigest()[:NAME_DIGITS]
    return name, f'latheTracks("{name}","{text}");\n'


def listed(row: Mapping[str, Any], script: str) -> dict[str, Any]:
    """A song in the list of mixes."""
    states = [one["state"] for one in row["stems"]]
    figures = row["figures"]
    return {
        **{name: row[name] for name in LISTED},
        "script": script,
        "stems": len(states),
        "used": states.count("used"),
        "lufs": _short(figures["integrated_lufs"]),
        "peak": _short(figures["true_peak_dbtp"]),
        "findings": [{name: one[name] for name in ("code", "severity", "text")} for one in row["findings"]],
    }


def _told(row: Mapping[str, Any], output: str) -> dict[str, Any]:
    settings = json.loads(row["settings"])
    strips = {strip["stem_id"]: strip for strip in settings["stems"]}
    return {
        "mix_id": row["mix_id"],
        "reason": row["reason"],
        "stems": [{**_rounded(one), "strip": _strip(strips[one["stem_id"]])} for one in row["stems"]],
        "buses": settings["buses"],
        "returns": settings["returns"],
        "groups": settings["groups"],
        "gain_db": settings["gain_db"],
        "why": settings["why"],
        "findings": row["findings"],
        "files": [{**one, "path": _inside(one["uri"], output)} for one in row["files"]],
        "settings_path": _inside(row["settings_uri"], output),
    }


def _strip(strip: dict[str, Any]) -> dict[str, Any]:
    """A strip with so much of its automation as is drawn."""
    course = strip["automation_db"]
    step = max(1, -(-len(course) // DRAWN_POINTS))
    return {**strip, "automation_db": [round(value, 2) for value in course[::step]]}


def _inside(uri: str, output: str) -> str:
    """A file by its place in the output, wherever that lies today."""
    for top in ("mixes", "masters"):
        if f"/{top}/" in uri:
            return f"{top}/" + uri.split(f"/{top}/", 1)[1] if not uri.startswith(output) else uri[len(output) + 1 :]
    return uri


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in values.items()}


def _short(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value
