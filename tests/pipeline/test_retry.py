"""`--retry-rejected` concerns what was rejected and what a run did not come to, and decides whole albums as always."""

from __future__ import annotations

import json

import pytest

from pipeline.retry import NothingToRetry, retried_ids
from pipeline.run_records import owner
from schemas.errors import CatalogueError
from tests.makers import music, write, write_manifest
from tests.pipeline.runs import album, by, master, table
from tests.pipeline.test_cli import ONE_WORKER
from tests.pipeline.test_cli import lathe as lathe
from tests.transforms.members import track

GONE = owner() | {"pid": 2**22 + 1}
TRACKS = [track(number) for number in range(1, 6)]


@pytest.fixture
def past(monkeypatch):
    """Runs that took place, the newest last: (record, ids with masters, ids rejected); what is to be tried again after them."""

    def tried_again(*runs):
        records = [
            {"run_id": str(number), "manifest": "m", "state": "finished"} | record
            for number, (record, _, _) in enumerate(runs)
        ]
        for record in records:
            record["request"] = {"only": None, "limit": None} | record.get("request", {})
        rows = {str(number): {"tracks": good, "rejected": bad} for number, (_, good, bad) in enumerate(runs)}
        monkeypatch.setattr("pipeline.retry.run_records", lambda output: reversed(records))
        monkeypatch.setattr(
            "pipeline.retry.table_rows",
            lambda output, name, run_id, columns: [{"track_id": f"A/{n}"} for n in rows[run_id][name]],
        )
        return [int(name.removeprefix("A/")) for name in retried_ids(TRACKS, "out", "m")]

    return tried_again


def test_what_the_newest_run_rejected_is_tried_again(past):
    assert past(({}, [1, 2], [3, 4, 5])) == [3, 4, 5]


def test_the_newest_run_that_had_a_track_counts(past):
    assert past(({}, [1, 2], [3, 4, 5]), ({"request": {"only": "x"}}, [3], [1])) == [1, 4, 5]


@pytest.mark.parametrize(
    "record",
    [{"state": "interrupted"}, {"state": "stopped"}, {"state": "failed"}, {"state": "running", "owner": GONE}],
    ids=lambda record: record["state"],
)
def test_what_an_unfinished_run_did_not_come_to_is_tried_again(past, record):
    assert past(({"request": {"limit": 2}}, [1], [2]), (record, [], [])) == [2, 3, 4, 5]
    assert past((record | {"request": {"limit": 2}}, [], [])) == [1, 2]


def test_what_a_run_is_at_work_on_is_left_to_it(past):
    with pytest.raises(NothingToRetry, match="nothing to try again: no track of m"):
        past(({"state": "running", "owner": owner()}, [], []))


def test_tracks_that_are_new_in_a_manifest_were_never_tried(past):
    assert past(({"state": "interrupted"}, [], []), ({}, [1, 2], [3])) == [3]


def test_an_unfinished_run_over_another_manifest_is_another_matter(past):
    assert past(({"state": "interrupted", "manifest": "other"}, [], []), ({"request": {"limit": 1}}, [], [1])) == [1]


def test_a_track_with_masters_is_not_tried_again_because_a_later_run_was_cut_off(past):
    assert past(({}, [1, 2, 3, 4], [5]), ({"state": "interrupted"}, [], [])) == [5]


def test_a_retry_that_was_cut_off_leaves_what_it_was_to_try(past):
    cut_off = {"state": "stopped", "request": {"retry_rejected": True}}
    assert past(({}, [1, 2], [3]), (cut_off, [], [])) == [3]


def test_a_source_that_came_late_joins_its_album_and_the_others_are_only_measured(tmp_path):
    manifest, rows = album(tmp_path, 2)
    write_manifest(manifest, [*rows, {**rows[0], "uri": "2.flac", "sequence": 3, "title": "Late"}])
    assert master(manifest, tmp_path / "out").rejected == 1
    write(tmp_path / "2.flac", music(seconds=1, seed=9))
    again = master(manifest, tmp_path / "out", retry_rejected=True)
    assert (again.mastered, again.skipped, again.rejected) == (1, 0, 0)
    states = {row["track_id"]: row["state"] for row in table(tmp_path / "out", "work", again.run_id)}
    assert states == {"A/1/1": "measured", "A/1/2": "measured", "A/1/3": "mastered"}
    alone = master(manifest, tmp_path / "whole")
    gains = [by("title", table(tmp_path / name, "tracks"))["Late"]["gain_db"] for name in ("out", "whole")]
    assert (alone.mastered, gains[0]) == (3, gains[1])


def test_with_nothing_to_try_again_the_command_says_so_and_all_is_well(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    assert lathe("run", manifest, tmp_path / "out", *ONE_WORKER)[0] == 0
    code, out, err = lathe("run", manifest, tmp_path / "out", "--retry-rejected", "--json")
    assert (code, "nothing to try again" in err, json.loads(out)["mastered"]) == (0, True, 0)
    assert len(list((tmp_path / "out/runs").glob("*.json"))) == 1


def test_a_retry_may_be_narrowed_and_one_that_selects_nothing_is_told(tmp_path):
    manifest, rows = album(tmp_path, 1)
    write_manifest(manifest, [*rows, {"uri": "gone.flac", "track_id": "x"}, {"uri": "lost.flac", "track_id": "y"}])
    master(manifest, tmp_path / "out")
    assert master(manifest, tmp_path / "out", retry_rejected=True, only="x").rejected == 1
    with pytest.raises(CatalogueError, match="select none of 2 tracks"):
        master(manifest, tmp_path / "out", retry_rejected=True, only="Song*")
