"""A catalogue in a bucket gives the same masters as one on disk; the bucket is an emulator on this machine."""

from __future__ import annotations

import json
import time
from hashlib import sha256

import pyarrow.parquet as pq
import pytest

from media import store
from media.analysis import analyse
from media.glance import glance
from media.lanes import Beacon, Lookout
from pipeline.explain import explain
from pipeline.run import Request, dry_run
from pipeline.run_records import mark_killed, owner, run_records
from schemas.errors import CatalogueError, TrackError
from tests.makers import music, noise, write, write_manifest
from tests.media import emulator
from tests.pipeline.runs import album, by, digests, master, table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BUCKET = "gs://music"
ODD_TITLE = "Nº 1 [live] 100% 🎹"  # no #: the emulator forgets to quote it in its links


@pytest.fixture(scope="module")
def bucket():
    """An empty bucket, for this process alone."""
    with emulator.running():
        yield BUCKET


@pytest.fixture(scope="module")
def ran(bucket, tmp_path_factory):
    """The same catalogue mastered on disk and in the bucket: (local output, summary of the run in the bucket)."""
    folder = tmp_path_factory.mktemp("cloud")
    manifest, rows = album(folder / "in", 2, artist="Somebody")
    write(folder / "in/odd.flac", music(seconds=1, seed=5))
    odd = {"uri": "odd.flac", "track_id": "odd", "title": ODD_TITLE}
    write_manifest(manifest, [*rows, odd, {"uri": "gone.flac", "album_id": "A", "sequence": 9}])
    for path in (folder / "in").iterdir():
        upload(path, f"{bucket}/in/{path.name}")
    master(manifest, folder / "out")
    return folder / "out", master(f"{bucket}/in/manifest.csv", f"{bucket}/out")


def upload(path, uri):
    copy = path.with_name(path.name + ".copy")
    copy.write_bytes(path.read_bytes())
    store.replace(copy, uri)


def in_bucket(folder):
    """Name and SHA-256 of everything below a folder of the bucket."""
    uri = f"{BUCKET}/{folder}"
    return {one[len(uri) + 1 :]: sha256(store.read_bytes(one)).hexdigest() for one in store.list_files(uri)}


def rows_in_bucket(name, run_id):
    found = []
    for uri in store.list_files(f"{BUCKET}/out/qc/{name}/run={run_id}"):
        with store.fetched(uri) as path:
            found += pq.ParquetFile(path).read().to_pylist()
    return found


def test_nothing_is_lost_in_a_bucket(ran):
    assert (ran[1].mastered, ran[1].rejected, ran[1].rejections) == (3, 1, {"SOURCE_MISSING": 1})


def test_a_bucket_holds_the_same_masters_as_a_disk(ran):
    assert in_bucket("out/masters") == digests(ran[0])


def test_every_figure_in_a_bucket_is_that_of_a_run_on_disk(ran):
    here = by("track_id", table(ran[0], "tracks"))
    there = by("track_id", rows_in_bucket("tracks", ran[1].run_id))
    kept = ("gain_db", "source", "findings", "overview", "source_sha256", "verdict")
    assert {name: [row[k] for k in kept] for name, row in there.items()} == {
        name: [row[k] for k in kept] for name, row in here.items()
    }


def test_every_master_in_a_bucket_has_the_figures_that_are_told_of_it(ran):
    for row in rows_in_bucket("tracks", ran[1].run_id):
        for told in row["masters"]:
            with store.fetched(told["uri"]) as path:
                found = analyse(path)
            assert (found.sha256, found.figures.integrated_lufs) == (told["sha256"], told["integrated_lufs"])


def test_the_record_of_a_run_lies_in_the_bucket(ran):
    assert list(in_bucket("out/runs")) == [f"{ran[1].run_id}.json", "metrics.prom"]


def test_a_track_in_a_bucket_is_explained(ran):
    assert "mastered, listen" in explain("Song 0", f"{BUCKET}/out")


def test_a_second_run_in_a_bucket_skips_everything_and_a_new_title_moves_its_master(ran):
    before = in_bucket("out/masters")
    second = master(f"{BUCKET}/in/manifest.csv", f"{BUCKET}/out")
    assert (second.mastered, second.skipped) == (0, 3)
    manifest = ran[0].parent / "in/manifest.csv"
    manifest.write_text(manifest.read_text().replace("[live]", "[studio]"))
    upload(manifest, f"{BUCKET}/in/manifest.csv")
    third = master(f"{BUCKET}/in/manifest.csv", f"{BUCKET}/out")
    assert (third.mastered, third.skipped) == (1, 2)
    moved = in_bucket(f"out/superseded/{third.run_id}")
    assert moved.items() <= before.items()
    assert sorted(moved) == [name for name in sorted(before) if "live" in name]


def test_a_folder_of_a_bucket_is_a_manifest(ran, tmp_path):
    upload(write(tmp_path / "a.flac", music(seconds=1)), f"{BUCKET}/albums/One [1]/01 First.flac")
    summary = master(f"{BUCKET}/albums/One [1]/", tmp_path / "out")
    assert (summary.mastered, list(digests(tmp_path / "out"))) == (
        1, ["cd/One [1]/1-01 First.wav", "flac24/One [1]/1-01 First.flac"],
    )  # fmt: skip


def test_sources_in_a_bucket_may_be_mastered_onto_a_disk(ran, tmp_path):
    summary = master(f"{BUCKET}/in/manifest.csv", tmp_path / "out", only="Song*")
    assert summary.mastered == 2
    assert digests(tmp_path / "out").items() <= digests(ran[0]).items()


def test_a_manifest_that_is_not_in_the_bucket_is_told(bucket, tmp_path):
    with pytest.raises(CatalogueError, match='"gs://music/in/gone.csv" does not exist'):
        master(f"{bucket}/in/gone.csv", tmp_path / "out")


def test_a_source_in_a_bucket_is_looked_at_without_being_fetched(bucket, tmp_path, monkeypatch):
    path = write(tmp_path / "long.wav", noise(seconds=60))
    upload(path, f"{bucket}/glance/long.wav")

    def fetched(uri):
        raise AssertionError("the whole file was fetched")

    monkeypatch.setattr(store, "fetched", fetched)
    here, there = glance(str(path)), glance(f"{bucket}/glance/long.wav")
    assert (there.format, there.size_bytes) == (here.format, here.size_bytes)
    assert abs(there.changed_s - time.time()) < 3600.0


def test_what_is_wrong_with_a_source_in_a_bucket_is_seen_at_a_glance(bucket, tmp_path):
    (tmp_path / "text.wav").write_text("not music")
    (tmp_path / "empty.wav").touch()
    for path in list(tmp_path.iterdir()):
        upload(path, f"{bucket}/glance/{path.name}")
    for name, code in (("text.wav", "SOURCE_UNREADABLE"), ("empty.wav", "SOURCE_EMPTY")):
        with pytest.raises(TrackError, match=".") as found:
            glance(f"{bucket}/glance/{name}")
        assert found.value.code == code
    with pytest.raises(FileNotFoundError, match=r"gone\.wav"):
        glance(f"{bucket}/glance/gone.wav")


def test_a_dry_run_over_a_bucket_foresees_what_is_in_its_ledger(ran):
    found = dry_run(Request(manifest=f"{BUCKET}/in/manifest.csv", output=f"{BUCKET}/out"))
    assert (found.tracks, found.skipped, found.rejected, found.missing) == (4, 3, 1, [f"{BUCKET}/in/gone.flac"])
    assert found.learned_from_runs >= 1


def test_a_beacon_in_a_bucket_is_seen_and_goes_with_its_run(bucket, monkeypatch):
    monkeypatch.setattr("media.lanes.places", lambda output: [f"{output}/.lanes"])
    monkeypatch.setattr("media.lanes.LOOK_EVERY_S", 0.0)
    lookout = Lookout(f"{bucket}/lanes")
    assert lookout.live() is None
    with Beacon(f"{bucket}/lanes", "r1"):
        assert lookout.live() == "r1"
    assert lookout.live() is None


def test_a_run_into_a_bucket_that_was_killed_is_told_by_the_next(bucket):
    gone = {"run_id": "1", "state": "running", "owner": owner() | {"pid": 2**22 + 1}}
    store.write_bytes(f"{bucket}/killed/runs/1.json", json.dumps(gone).encode())
    mark_killed(f"{bucket}/killed")
    assert [record["state"] for record in run_records(f"{bucket}/killed")] == ["interrupted"]
