"""What happened to each track is written as Parquet that anyone can read: one row each, nulls for what has no value."""

from __future__ import annotations

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from decisions.album import draft_album, settle_album
from schemas.qc import AlbumRow, RejectedRow, TrackRow, WorkRow
from schemas.steps import Member, Spent
from tests.transforms.graphs import graph
from tests.transforms.members import JOB, analysed, mastered, rehearsed, rejected
from transforms.arrow import arrow_schema
from transforms.quality import WriteQuality, WriteWork

PROFILE = JOB.profiles[""]


DRAFTS = draft_album([analysed(1), analysed(2)], PROFILE)
PLANNED = settle_album([rehearsed(one) for one in DRAFTS], PROFILE, "/nowhere/masters")


def album():
    return [mastered(one) for one in PLANNED]


def written(folder, members):
    """The tables of a run over these members, by name."""
    with graph() as pipeline:
        found = pipeline | beam.Create(members).with_output_types(Member)
        found | WriteQuality(structs.replace(JOB, output=str(folder)))
        found | WriteWork(structs.replace(JOB, output=str(folder)))
    return {name: _table(folder / f"qc/{name}/run=r") for name in ("tracks", "albums", "rejected", "work")}


def _table(folder):
    (path,) = folder.glob("*.parquet")
    return pq.ParquetFile(path).read()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return written(tmp_path_factory.mktemp("out"), [*album(), rejected(3), rejected(1, "B")])


def test_every_track_has_one_row(tables):
    found = [table.column("track_id").to_pylist() for table in (tables["tracks"], tables["rejected"])]
    assert [sorted(ids) for ids in found] == [["A/1", "A/2"], ["A/3", "B/1"]]


def test_an_album_counts_its_rejected_tracks(tables):
    found = {row["album_id"]: (row["tracks"], row["verdict"]) for row in tables["albums"].to_pylist()}
    assert found == {"A": (3, "listen"), "B": (1, "rejected")}


def test_what_has_no_value_is_null(tables):
    source = tables["tracks"].to_pylist()[0]["source"]
    assert (source["loudness_range_lu"], source["spectrum_db"][-1]) == (None, None)


@pytest.mark.parametrize(
    ("name", "record"),
    [("tracks", TrackRow), ("albums", AlbumRow), ("rejected", RejectedRow), ("work", WorkRow)],
)
def test_a_run_without_tracks_still_leaves_every_table(tmp_path, name, record):
    table = written(tmp_path, [])[name]
    assert (table.num_rows, table.schema.names) == (0, arrow_schema(record).names)


def test_every_track_has_a_row_of_work_also_one_that_was_only_measured(tmp_path):
    spent = (Spent(stage="analyse", cpu_s=1.0, wall_s=2.0, bytes_read=5), Spent(stage="master", cpu_s=0.5, wall_s=1.0))
    unselected = structs.replace(PLANNED[0], track=structs.replace(PLANNED[0].track, selected=False))
    hidden = structs.replace(rejected(7), selected=False)
    members = [structs.replace(album()[1], spent=spent), unselected, rejected(3), hidden]
    rows = {row["track_id"]: row for row in written(tmp_path, members)["work"].to_pylist()}
    states = {name: (row["state"], row["stage"], row["code"]) for name, row in rows.items()}
    assert states == {
        "A/1": ("measured", "", None),
        "A/2": ("mastered", "master", None),
        "A/3": ("rejected", "analyse", "SOURCE_MISSING"),
        "A/7": ("measured", "analyse", "SOURCE_MISSING"),
    }
    told = rows["A/2"]
    assert (told["cpu_s"], told["wall_s"], told["bytes_read"], told["audio_s"], told["deliveries"]) == (
        1.5,
        3.0,
        5,
        10.0,
        2,
    )
    assert [(step["stage"], step["cpu_s"]) for step in told["steps"]] == [("analyse", 1.0), ("master", 0.5)]
