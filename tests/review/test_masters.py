"""Which masters stand: of each track those of the newest finished run."""

from __future__ import annotations

import time

import pytest

from review import masters
from review.masters import Catalogue, required_catalogue
from schemas.errors import CatalogueError
from schemas.qc import TrackRow
from tests.review.outputs import DELIVERIES, HOSTILE, look_again, output_of, track_row, write_table


def test_what_a_run_wrote_about_a_track_is_found_again(tmp_path):
    made = output_of(tmp_path, "T1", upc="012345678905")
    found, row = Catalogue(str(made.path)).standing()["T1"], made.rows["R1"][0]
    names = (
        "run_id",
        "track_id",
        "album_id",
        "title",
        "artist",
        "isrc",
        "upc",
        "source_uri",
        "source_sha256",
        "verdict",
    )
    assert {name: getattr(row, name) for name in names} == {name: getattr(found, name) for name in names}
    assert {one.delivery: one.sha256 for one in row.masters} == found.digests
    assert [f"{one}/album/1-01 song.flac" for one in DELIVERIES] == [one.name for one in found.masters]


def test_the_newest_finished_run_counts_for_each_track(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.master("T1", hz=900, run="R2")
    made.finish("R2")
    made.master("T2", hz=950, run="R3")
    made.finish("R3", state="failed")
    assert {"T1": "R2", "T2": "R1"} == {key: one.run_id for key, one in Catalogue(str(made.path)).standing().items()}


def test_a_track_that_the_newest_run_rejected_has_no_standing_master(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.finish("R2", rejected=["T1"])
    assert {"T2"} == Catalogue(str(made.path)).standing().keys()


def test_a_track_that_was_rejected_once_and_mastered_since_stands(tmp_path):
    made = output_of(tmp_path, "T1")
    made.finish("R0", rejected=["T1"])
    assert {"T1"} == Catalogue(str(made.path)).standing().keys()


def test_an_output_that_was_moved_keeps_its_masters(tmp_path):
    made = output_of(tmp_path, "T1")
    moved = made.path.rename(tmp_path / "elsewhere")
    (first, _) = Catalogue(str(moved)).standing()["T1"].masters
    assert (moved / "masters" / first.name).exists()


def test_a_run_that_finishes_is_seen_by_the_next_look(tmp_path):
    made = output_of(tmp_path, "T1")
    catalogue = Catalogue(str(made.path))
    before = catalogue.standing()["T1"].key
    made.master("T1", hz=900, run="R2")
    made.finish("R2", state="running")
    look_again(catalogue)
    assert before == catalogue.standing()["T1"].key
    made.record("R2")
    look_again(catalogue)
    assert (before != catalogue.standing()["T1"].key, "R2") == (True, catalogue.run_id)


def test_the_runs_are_not_listed_more_often_than_every_two_seconds(tmp_path, monkeypatch):
    catalogue, looks = Catalogue(str(output_of(tmp_path, "T1").path)), []
    listed = masters.run_ids
    monkeypatch.setattr(masters, "run_ids", lambda output: looks.append(1) or listed(output))
    for _ in range(50):
        catalogue.standing()
    assert 1 == len(looks)


def test_an_output_without_a_finished_run_is_refused_in_words(tmp_path):
    with pytest.raises(CatalogueError, match="there is no finished run below"):
        required_catalogue(str(tmp_path))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_column_is_text(tmp_path, text):
    row = track_row(track_id=text, album_id=text, title=text, artist=text, isrc=text, upc=text, source_uri=text)
    write_table(tmp_path, "tracks", "R1", TrackRow, [row])
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "R1.json").write_text("{}" if not text else '{"state": "finished"}')
    assert Catalogue(str(tmp_path)).standing().get(text, row).title == text


@pytest.mark.slow
def test_a_hundred_thousand_tracks_are_read_in_seconds(tmp_path):
    made = output_of(tmp_path, "T1")
    (row,) = made.rows["R1"]
    from msgspec.structs import replace

    write_table(made.path, "tracks", "R1", TrackRow, [replace(row, track_id=f"T{n}") for n in range(100_000)])
    began_s = time.process_time()
    assert 100_000 == len(Catalogue(str(made.path)).standing())
    assert time.process_time() - began_s < 15.0
