"""What happened to each track is written as Parquet that anyone can read: one row each, nulls for what has no value."""

from __future__ import annotations

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from decisions.album import draft_album, settle_album
from schemas.qc import AlbumRow, RejectedRow, TrackRow
from schemas.steps import Member
from tests.transforms.graphs import graph
from tests.transforms.members import JOB, analysed, mastered, rehearsed, rejected
from transforms.arrow import arrow_schema
from transforms.quality import WriteQuality

PROFILE = JOB.profiles[""]


def album():
    drafts = draft_album([analysed(1), analysed(2)], PROFILE)
    return [mastered(one) for one in settle_album([rehearsed(one) for one in drafts], PROFILE, "/nowhere/masters")]


def written(folder, members):
    """The tables of a run over these members, by name."""
    with graph() as pipeline:
        found = pipeline | beam.Create(members).with_output_types(Member)
        found | WriteQuality(structs.replace(JOB, output=str(folder)))
    return {name: _table(folder / f"qc/{name}/run=r") for name in ("tracks", "albums", "rejected")}


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


@pytest.mark.parametrize(("name", "record"), [("tracks", TrackRow), ("albums", AlbumRow), ("rejected", RejectedRow)])
def test_a_run_without_tracks_still_leaves_every_table(tmp_path, name, record):
    table = written(tmp_path, [])[name]
    assert (table.num_rows, table.schema.names) == (0, arrow_schema(record).names)
