"""The unbounded graph, played by a TestStream: the masters of a batch, a run for each manifest, and every row accounted for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.testing import test_pipeline, test_stream
from apache_beam.transforms.window import TimestampedValue

from media.inbox import content_digest, token_of
from pipeline.run import Request
from pipeline.run_records import run_records
from pipeline.stream import Watched, master_arrivals
from tests.makers import write_manifest
from tests.pipeline.runs import album, ask, by, digests, master, table
from tests.transforms.test_barrier import STREAMS

pytestmark = pytest.mark.timeout(180)

PATIENCE_S, END_S = 3600.0, 1_000_000
TEXT = beam.coders.StrUtf8Coder()


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An album of three tracks: its rows, and its masters from one batch."""
    folder = tmp_path_factory.mktemp("sources")
    manifest, rows = album(folder / "in", 3)
    master(manifest, folder / "batch")
    return folder / "in", rows, digests(folder / "batch")


def arrival(manifest: Path, at_s: float):
    token = token_of(content_digest(str(manifest)), manifest.stat().st_mtime)
    return [TimestampedValue((str(manifest), token), at_s)]


def play(output: Path, *steps, patience_s=PATIENCE_S, **request):
    """Lets manifests arrive, one step of the clock after the other, and then the clock run to its end."""
    stream = test_stream.TestStream(coder=beam.coders.TupleCoder((TEXT, TEXT)))
    for at_s, manifest in steps:
        stream = stream.advance_watermark_to(at_s).add_elements(arrival(manifest, at_s))
    stream = stream.advance_watermark_to(END_S).advance_watermark_to_infinity()
    options = PipelineOptions(["--allow_unsafe_triggers"])
    options.view_as(StandardOptions).streaming = True
    asked = Request(manifest="", output=str(output), **request)
    with test_pipeline.TestPipeline(runner=STREAMS, options=options) as pipeline:
        arrivals = pipeline | stream.with_output_types(tuple[str, str])
        master_arrivals(arrivals, Watched(source="test", request=asked, owner={}, patience_s=patience_s))


def runs(output):
    """The records of the runs, by manifest name; of several of one manifest the newest."""
    return {Path(record["manifest"]).name: record for record in reversed(list(run_records(str(output))))}


def counts(record):
    return record["state"], record["mastered"], record["skipped"], record["rejected"]


def parts_of(folder, rows, *numbers, name, **more):
    return write_manifest(folder / name, [{**rows[n], "track_total": 3, **more} for n in numbers])


def nothing_left_over(output):
    """Nothing that waited, and nothing in the making."""
    return [*output.glob("ledger/waiting/*"), *output.glob(".parts/*")] == []


def test_what_arrives_gets_the_masters_of_a_batch_and_a_run_with_every_row(sources, tmp_path):
    folder, _, expected = sources
    play(tmp_path, (10, folder / "manifest.csv"))
    assert expected == digests(tmp_path)
    (record,) = run_records(str(tmp_path))
    assert ("finished", 3, 0, 0) == counts(record)
    assert {record["run_id"]} == {
        row["run_id"] for name in ("tracks", "albums", "work") for row in table(tmp_path, name)
    }
    assert [3, 1, 3] == [len(table(tmp_path, name)) for name in ("tracks", "albums", "work")]
    assert nothing_left_over(tmp_path)


def test_a_manifest_that_is_told_twice_is_taken_once(sources, tmp_path):
    folder, _, expected = sources
    play(tmp_path, (10, folder / "manifest.csv"), (20, folder / "manifest.csv"))
    assert (expected, 1) == (digests(tmp_path), len(list(run_records(str(tmp_path)))))


def test_an_album_in_two_manifests_is_mastered_as_one(sources, tmp_path):
    folder, rows, expected = sources
    first, second = parts_of(folder, rows, 0, 2, name="one.csv"), parts_of(folder, rows, 1, name="two.csv")
    play(tmp_path, (10, first), (2000, second))
    assert expected == digests(tmp_path)
    assert [("finished", 2, 0, 0), ("finished", 1, 0, 0)] == [
        counts(runs(tmp_path)[one.name]) for one in (first, second)
    ]
    assert [3] == [row["tracks"] for row in table(tmp_path, "albums")]
    assert nothing_left_over(tmp_path)


def test_an_album_that_stays_in_parts_is_rejected_when_its_time_is_over(sources, tmp_path):
    folder, rows, _ = sources
    part = parts_of(folder, rows, 0, 2, name="part.csv")
    play(tmp_path, (10, part))
    assert {} == digests(tmp_path)
    assert ("finished", 0, 0, 2) == counts(runs(tmp_path)["part.csv"])
    assert {("ALBUM_NOT_WHOLE", "2 of 3 tracks have come")} == {
        (r["code"], r["text"]) for r in table(tmp_path, "rejected")
    }
    assert nothing_left_over(tmp_path)


def test_the_rest_of_an_album_that_comes_too_late_is_told_so_and_both_together_are_mastered(sources, tmp_path):
    folder, rows, expected = sources
    first, rest = parts_of(folder, rows, 0, 2, name="early.csv"), parts_of(folder, rows, 1, name="late.csv")
    play(tmp_path, (10, first), (10_000, rest))
    assert ({}, 3) == (digests(tmp_path), len(table(tmp_path, "rejected")))
    play(tmp_path, (20_000, first), (20_010, rest))
    assert expected == digests(tmp_path)


def test_of_a_track_in_two_manifests_of_an_album_the_later_counts_and_each_run_accounts_for_its_rows(sources, tmp_path):
    folder, rows, _ = sources
    first = parts_of(folder, rows, 0, 2, name="old.csv")
    again = parts_of(folder, rows, 0, 1, name="new.csv", genre="Jazz")
    play(tmp_path, (10, first), (20, again))
    told = by("track_id", table(tmp_path, "tracks"))
    assert 3 == len(told) and [("TRACK_REPEATED", "A/1/1")] == [
        (r["code"], r["track_id"]) for r in table(tmp_path, "rejected")
    ]
    assert [("finished", 1, 0, 1), ("finished", 2, 0, 0)] == [
        counts(runs(tmp_path)[one.name]) for one in (first, again)
    ]
    assert "Jazz" == told["A/1/1"]["genre"]


def test_a_wrong_manifest_stops_nothing_and_is_told(sources, tmp_path):
    folder, rows, expected = sources
    wrong = write_manifest(folder / "wrong.csv", [{**rows[0], "isrc": "nonsense"}])
    play(tmp_path, (10, wrong), (20, folder / "manifest.csv"))
    assert expected == digests(tmp_path)
    assert ("refused", "MANIFEST_INVALID") == (
        runs(tmp_path)["wrong.csv"]["state"],
        runs(tmp_path)["wrong.csv"]["code"],
    )
    assert nothing_left_over(tmp_path)


def test_a_missing_source_never_holds_up_its_album(sources, tmp_path):
    folder, rows, _ = sources
    gone = write_manifest(folder / "gone.csv", [rows[0], {**rows[1], "uri": "gone.flac"}, rows[2]])
    play(tmp_path, (10, gone))
    assert ("finished", 2, 0, 1) == counts(runs(tmp_path)["gone.csv"])
    assert {"SOURCE_MISSING": 1} == runs(tmp_path)["gone.csv"]["rejections"]


def test_a_second_watch_leaves_what_was_mastered_whole_and_takes_up_the_rest(sources, tmp_path):
    folder, rows, _ = sources
    gone = write_manifest(folder / "later.csv", [{**rows[1], "uri": "later.flac", "album_id": "B"}])
    play(tmp_path, (10, folder / "manifest.csv"), (20, gone))
    (folder / "later.flac").write_bytes((folder / "1.flac").read_bytes())
    play(tmp_path, (1000, folder / "manifest.csv"), (1010, gone))
    assert 3 == len(list(run_records(str(tmp_path))))
    assert ("finished", 1, 0, 0) == counts(runs(tmp_path)["later.csv"])


def test_one_part_of_an_album_that_comes_again_alone_finds_the_others_as_they_were(sources, tmp_path):
    folder, rows, expected = sources
    first = parts_of(folder, rows, 0, 2, name="first.csv")
    second = parts_of(folder, rows, 1, name="second.csv")
    play(tmp_path, (10, first), (20, second))
    again = parts_of(folder, rows, 1, name="second.csv", genre="Jazz")
    play(tmp_path, (1000, again))
    assert ("finished", 1, 0, 0) == counts(runs(tmp_path)["second.csv"])
    assert set(expected) == set(digests(tmp_path))
    assert "Jazz" == by("track_id", table(tmp_path, "tracks", runs(tmp_path)["second.csv"]["run_id"]))["A/1/2"]["genre"]


def test_parts_that_come_again_do_what_reviewers_ask_by_then(sources, tmp_path):
    folder, rows, expected = sources
    first, second = parts_of(folder, rows, 0, 2, name="a.csv"), parts_of(folder, rows, 1, name="b.csv")
    play(tmp_path, (10, first), (20, second))
    ask(tmp_path, A={"loudness_steps": -1})
    play(tmp_path, (1000, first))
    assert ("finished", 2, 0, 0) == counts(runs(tmp_path)["a.csv"])
    assert {"A"} == {one["subject_id"] for one in runs(tmp_path)["a.csv"]["overrides"]}
    ask(tmp_path)
    play(tmp_path, (2000, parts_of(folder, rows, 1, name="b.csv", genre="Pop")))
    of_second = [row for row in table(tmp_path, "tracks") if row["track_id"] == "A/1/2"]
    assert (2, 1) == (len(of_second), len({row["gain_db"] for row in of_second}))
    play(tmp_path, (3000, first))
    assert {name: expected[name] for name in expected if "1-02" not in name}.items() <= digests(tmp_path).items()


def test_a_refused_manifest_that_is_written_again_is_taken_again(sources, tmp_path):
    folder, _, expected = sources
    profile = tmp_path / "mine.toml"
    profile.write_text("nonsense")
    manifest = folder / "again.csv"
    manifest.write_bytes((folder / "manifest.csv").read_bytes())
    play(tmp_path / "out", (10, manifest), profile=str(profile))
    assert "refused" == runs(tmp_path / "out")["again.csv"]["state"]
    profile.write_text('based_on = "streaming"\n')
    os.utime(manifest, (1, 1))
    play(tmp_path / "out", (1000, manifest), profile=str(profile))
    assert "finished" == runs(tmp_path / "out")["again.csv"]["state"] and set(expected) == set(
        digests(tmp_path / "out")
    )


def test_a_total_that_is_too_small_loses_no_row(sources, tmp_path):
    folder, rows, _ = sources
    first = write_manifest(folder / "s1.csv", [{**rows[0], "track_total": 2}])
    second = write_manifest(folder / "s2.csv", [{**row, "track_total": 2} for row in rows[1:]])
    play(tmp_path, (10, first), (20, second))
    told = [row["track_id"] for name in ("tracks", "rejected") for row in table(tmp_path, name)]
    assert ["A/1/1", "A/1/2", "A/1/3"] == sorted(told) == sorted(row["track_id"] for row in table(tmp_path, "work"))
    assert {"finished"} == {record["state"] for record in runs(tmp_path).values()}


def test_manifests_of_an_album_that_contradict_each_other_are_told_and_nothing_of_it_is_mastered(sources, tmp_path):
    folder, rows, _ = sources
    first = parts_of(folder, rows, 0, 2, name="one-place.csv")
    second = parts_of(folder, rows, 1, name="same-place.csv", sequence=1, track_id="other")
    play(tmp_path, (10, first), (20, second))
    assert {} == digests(tmp_path)
    assert {"ALBUM_CLASH"} == {row["code"] for row in table(tmp_path, "rejected")} and 3 == len(
        table(tmp_path, "rejected")
    )


def test_two_arrivals_of_one_moment_are_two_runs_in_order(sources, tmp_path):
    folder, rows, _ = sources
    other = write_manifest(folder / "moment.csv", [{**rows[0], "album_id": "M"}])
    play(tmp_path, (10, folder / "manifest.csv"), (10.001, other))
    names = [record["manifest"].rpartition("/")[2] for record in run_records(str(tmp_path))]
    assert ["moment.csv", "manifest.csv"] == names


def test_only_what_is_asked_for_is_mastered_and_its_album_is_decided_whole(sources, tmp_path):
    folder, _, expected = sources
    play(tmp_path, (10, folder / "manifest.csv"), only="Song 1")
    assert {name: sha for name, sha in expected.items() if "Song 1" in name} == digests(tmp_path)
    assert ("finished", 1, 0, 0) == counts(runs(tmp_path)["manifest.csv"])
    assert 3 == len(table(tmp_path, "work")) and nothing_left_over(tmp_path)


def test_a_profile_that_is_edited_between_two_arrivals_counts_from_the_next_on(sources, tmp_path):
    folder, _, _ = sources
    profile = tmp_path / "mine.toml"
    profile.write_text('based_on = "streaming"\n[loudness]\ntarget_lufs = -18.0\n')
    play(tmp_path / "out", (10, folder / "manifest.csv"), profile=str(profile))
    profile.write_text('based_on = "streaming"\n[loudness]\ntarget_lufs = -16.0\n')
    play(tmp_path / "out", (1000, folder / "manifest.csv"), profile=str(profile))
    assert [3, 3] == [record["mastered"] for record in run_records(str(tmp_path / "out"))]
    kept = [record["profiles"]["(run)"]["loudness"]["target_lufs"] for record in run_records(str(tmp_path / "out"))]
    assert [-16.0, -18.0] == kept


def test_the_record_of_a_run_tells_what_a_batch_tells(sources, tmp_path):
    folder, _, _ = sources
    play(tmp_path / "stream", (10, folder / "manifest.csv"))
    master(folder / "manifest.csv", tmp_path / "batch")
    (streamed,), (batched,) = run_records(str(tmp_path / "stream")), run_records(str(tmp_path / "batch"))
    same = ("state", "mastered", "findings", "rejections", "audio_s", "failed", "manifest", "versions", "profiles")
    assert json.dumps([streamed[key] for key in same]) == json.dumps([batched[key] for key in same])
    assert set(batched) - {"owner"} <= set(streamed)
