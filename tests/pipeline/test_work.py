"""A run tells of each track how far it came and what that took, and of itself how it ended."""

from __future__ import annotations

import json

import pytest

from media.lanes import Beacon
from media.ledger import fingerprint
from pipeline.explain import explain
from pipeline.run_records import mark_killed, owner, run_records
from pipeline.workplace import workplace
from tests.makers import write_manifest
from tests.pipeline.runs import album, by, master, table


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """An album of three with a fourth that is missing: (output, a run over part of it, a run over all, one that skips)."""
    folder = tmp_path_factory.mktemp("work")
    manifest, rows = album(folder, 3, seconds=4.0)
    write_manifest(manifest, [*rows, {"uri": "gone.flac", "album_id": "A", "sequence": 9, "title": "Gone"}])
    output = folder / "out"
    return output, master(manifest, output, only="Song 1"), master(manifest, output), master(manifest, output)


def work(ran, number):
    return by("track_id", table(ran[0], "work", ran[number].run_id))


def steps(row):
    return {step["stage"]: step["remembered"] for step in row["steps"]}


def test_tracks_that_were_only_measured_for_their_album_are_accounted_for(ran):
    rows = work(ran, 1)
    assert {name: row["state"] for name, row in rows.items()} == {
        "A/1/1": "measured", "A/1/2": "mastered", "A/1/3": "measured", "A/1/9": "measured",
    }  # fmt: skip
    assert rows["A/1/9"]["code"] == "SOURCE_MISSING"
    assert rows["A/1/1"]["cpu_s"] > 0.0


def test_what_was_remembered_is_told_from_what_was_done(ran):
    first, second, third = (work(ran, number)["A/1/1"] for number in (1, 2, 3))
    assert steps(first) == {"analyse": False, "rehearse": False}
    assert steps(second) == {"analyse": True, "rehearse": True, "master": False}
    assert (third["state"], steps(third)) == ("skipped", {"analyse": True, "rehearse": True, "master": True})


def test_bytes_are_those_of_the_source_and_of_the_masters_that_were_made(ran):
    row, skipped = work(ran, 2)["A/1/1"], work(ran, 3)["A/1/1"]
    made = [path.stat().st_size for path in (ran[0] / "masters").rglob("1-01*")]
    assert (row["bytes_read"], row["bytes_written"]) == ((ran[0].parent / "0.flac").stat().st_size, sum(made))
    assert (skipped["bytes_read"], skipped["bytes_written"]) == (row["bytes_read"], 0)


def test_the_sum_of_the_work_is_within_what_the_run_took(ran):
    for number in (1, 2, 3):
        told = sum(row["cpu_s"] for row in work(ran, number).values())
        assert ran[number].work_cpu_s == pytest.approx(told, abs=0.001)
        assert 0.0 < told <= ran[number].cpu_s


def test_what_steps_took_is_in_nothing_that_is_kept_to_decide_by(ran):
    kept = json.loads(next((ran[0] / "ledger/masters").rglob(f"{fingerprint('A/1/1')}.json")).read_text())
    assert kept["record"]["mastered"].get("spent", []) == []


def test_a_run_that_ended_well_says_that_it_is_finished(ran):
    found = list(run_records(str(ran[0])))
    assert [(record["run_id"], record["state"]) for record in found] == [
        (one.run_id, "finished") for one in (ran[3], ran[2], ran[1])
    ]
    assert found[0]["began"] <= found[0]["ended"]


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (RuntimeError("the cable is out"), "failed", "RuntimeError: the cable is out"),
        (KeyboardInterrupt(), "stopped", "Ctrl-C"),
    ],
)
def test_a_run_that_ends_badly_says_how(tmp_path, monkeypatch, error, state, words):
    manifest, _ = album(tmp_path, 1)
    seen = []

    def graph(*_):
        seen.extend(run_records(str(tmp_path / "out")))
        raise error

    monkeypatch.setattr("pipeline.run._run_graph", graph)
    with pytest.raises(type(error)):
        master(manifest, tmp_path / "out")
    (record,) = run_records(str(tmp_path / "out"))
    assert ([one["state"] for one in seen], record["state"], words in record["error"]) == (["running"], state, True)


def written(output, run_id, **record):
    path = output / f"runs/{run_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"run_id": run_id, **record}))


def states(output):
    return {record["run_id"]: record["state"] for record in run_records(str(output))}


def test_the_next_run_tells_of_one_that_was_killed_and_of_no_other(tmp_path):
    gone = owner() | {"pid": 2**22 + 1}
    written(tmp_path, "1-killed", state="running", owner=gone)
    written(tmp_path, "2-number-taken-again", state="running", owner=owner() | {"began_s": 1.0})
    written(tmp_path, "3-elsewhere", state="running", owner=gone | {"host": "another"})
    written(tmp_path, "4-at-work", state="running", owner=owner())
    written(tmp_path, "5-done", state="finished", owner=gone)
    with workplace(str(tmp_path), "6"):
        assert states(tmp_path) == {
            "1-killed": "interrupted", "2-number-taken-again": "interrupted", "3-elsewhere": "running",
            "4-at-work": "running", "5-done": "finished",
        }  # fmt: skip


def test_nobody_waits_any_more_for_a_run_that_is_known_to_be_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("media.lanes.places", lambda output: [f"{output}/.lanes"])
    Beacon(str(tmp_path), "1-killed").__enter__()
    Beacon(str(tmp_path), "2-at-work").__enter__()
    written(tmp_path, "1-killed", state="running", owner=owner() | {"pid": 2**22 + 1})
    written(tmp_path, "2-at-work", state="running", owner=owner())
    mark_killed(str(tmp_path))
    left = [path.name.split("-")[0] for path in (tmp_path / ".lanes").iterdir()]
    Beacon(str(tmp_path), "2-at-work").put_out()
    assert left == ["2"]


def test_a_record_that_is_no_record_stops_nobody(tmp_path):
    written(tmp_path, "1", state="running", owner="nobody")
    (tmp_path / "runs/2.json").write_text("{half")
    (tmp_path / "runs/3.json").write_text("[]")
    mark_killed(str(tmp_path))
    assert [record["run_id"] for record in run_records(str(tmp_path))] == ["3", "2", "1"]


def test_a_track_is_explained_by_the_newest_run_that_finished(ran):
    written(ran[0], "99999999T000000Z", state="running", owner=owner())
    assert "mastered" in explain("Song 1", str(ran[0])) or "skipped" in explain("Song 1", str(ran[0]))
