"""Which tracks `--retry-rejected` tries again: those that were rejected, and those that an unfinished run never came to.

A track with masters is not tried again, whatever the checks of its masters say: the same settings would give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.run_records import RUNNING, is_finished, is_gone, run_records
from pipeline.tables import table_rows
from schemas.manifest import select
from schemas.track import Track


class NothingToRetry(Exception):  # noqa: N818, it is no error: all is well
    """No track of the manifest was rejected or left unfinished."""


def retried_ids(tracks: list[Track], output: str, manifest: str) -> tuple[str, ...]:
    """Ids of the tracks of a manifest to be tried again, in its order; raises NothingToRetry if there are none."""
    records = list(run_records(output))
    rejected = _rejected(output, [record["run_id"] for record in records if is_finished(record)])
    unfinished = _unfinished(tracks, records, manifest) - rejected.keys()
    found = tuple(t.track_id for t in tracks if rejected.get(t.track_id) or t.track_id in unfinished)
    if not found:
        text = f"nothing to try again: no track of {manifest} was rejected or left unfinished by the runs into {output}"
        raise NothingToRetry(text)
    return found


def _rejected(output: str, run_ids: list[str]) -> dict[str, bool]:
    """For each track that a finished run has a row of: whether the newest such run rejected it."""
    newest: dict[str, bool] = {}
    for run_id in run_ids:
        for table, is_rejected in (("tracks", False), ("rejected", True)):
            for row in table_rows(output, table, run_id, ["track_id"]):
                newest.setdefault(row["track_id"], is_rejected)
    return newest


def _unfinished(tracks: list[Track], records: list[dict[str, Any]], manifest: str) -> set[str]:
    """What runs over this manifest were to master that ended too early, since the last that finished the whole of it."""
    found: set[str] = set()
    for record in _since_the_last_whole_run(records, manifest):
        request = record["request"]
        if not is_finished(record) and not request.get("retry_rejected") and _has_ended(record):
            found |= {track.track_id for track in select(tracks, only=request["only"], limit=request["limit"])}
    return found


def _since_the_last_whole_run(records: list[dict[str, Any]], manifest: str) -> Iterator[dict[str, Any]]:
    for record in records:
        if record.get("manifest") != manifest:
            continue
        request = record["request"]
        if is_finished(record) and not any(request.get(name) for name in ("only", "limit", "retry_rejected")):
            return
        yield record


def _has_ended(record: dict[str, Any]) -> bool:
    return record.get("state") != RUNNING or is_gone(record.get("owner"))
