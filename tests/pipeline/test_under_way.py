"""What a live watch knows of its runs that are under way."""

from __future__ import annotations

import json

from pipeline.live import Live
from pipeline.run import Request
from pipeline.run_records import seconds_of

BEGAN = "2026-11-27T02:00:00+00:00"


def record(output, run_id, watched, state="running", **more):
    run_id = f"29990101T00000{run_id}Z"
    path = output / "runs" / f"{run_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"run_id": run_id, "state": state, "began": BEGAN, "watched": watched, **more}))


def test_runs_under_way_and_albums_without_a_row_are_counted_for_this_source_alone(tmp_path):
    source, output = str(tmp_path / "in"), tmp_path / "out"
    record(output, "1", source, state="finished", albums=9)
    record(output, "2", source, albums=3)
    record(output, "3", source, albums=1, began="2026-11-27T03:00:00+00:00")
    record(output, "4", "elsewhere", albums=9)
    (output / "qc/albums/run=29990101T000002Z").mkdir(parents=True)
    (output / "qc/albums/run=29990101T000002Z/albums-0.parquet").touch()
    live = Live(source, Request(manifest="", output=str(output)), patience_s=60.0)
    assert live.known() == {
        "lathe_runs_under_way": 2,
        "lathe_oldest_run_under_way_timestamp_seconds": seconds_of(BEGAN),
        "lathe_albums_open": 3,
    }


def test_where_nothing_is_under_way_there_is_no_oldest_run(tmp_path):
    live = Live(str(tmp_path), Request(manifest="", output=str(tmp_path / "out")), patience_s=60.0)
    assert (0, None, 0) == tuple(live.known().values())
