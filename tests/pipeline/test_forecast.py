"""A dry run says what a run would do and take, is held against what a run then does, and writes nothing."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest
import soundfile

from media.store import list_files
from pipeline import forecast as forecasts
from pipeline.calibration import DEFAULT, calibrated
from pipeline.forecast import Forecast, forecast
from pipeline.prices import Price, PriceTable, costs, load_prices
from pipeline.run import Request, dry_run
from pipeline.words import forecast_text
from schemas.errors import CatalogueError
from schemas.steps import Job
from schemas.track import Track
from tests.makers import music, write, write_manifest
from tests.media.plans import profile
from tests.pipeline.conftest import BAD
from tests.pipeline.runs import album, by, master, table
from tests.pipeline.test_cli import ONE_WORKER
from tests.pipeline.test_cli import lathe as lathe

FREE = PriceTable(currency="EUR", price=(Price(name="here", per_core_hour=0.0, source="-", date="2026"),))


def foreseen(manifest, output, **request) -> Forecast:
    return dry_run(Request(manifest=str(manifest), output=str(output), **request))


def outcomes(found):
    return found.mastered, found.skipped, found.rejected


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """An album of three, loud enough to be rehearsed, and a run over it: (folder, manifest, its rows, summary)."""
    folder = tmp_path_factory.mktemp("forecast")
    manifest, rows = album(folder, 3, seconds=24.0, profile="loud")
    for path in folder.glob("*.flac"):
        os.utime(path, (time.time() - 3600.0,) * 2)
    return folder, manifest, rows, master(manifest, folder / "out")


# What would be done


def test_nothing_is_written(ran):
    before = {uri: os.stat(uri).st_mtime_ns for uri in list_files(str(ran[0]))}
    foreseen(ran[1], ran[0] / "out")
    foreseen(ran[1], ran[0] / "new")
    assert {uri: os.stat(uri).st_mtime_ns for uri in list_files(str(ran[0]))} == before
    assert not (ran[0] / "new").exists()


def test_no_sound_is_decoded(ran, monkeypatch):
    def read(*_, **__):
        raise AssertionError("sound was decoded")

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    assert outcomes(foreseen(ran[1], ran[0] / "out")) == (0, 3, 0)
    assert outcomes(foreseen(ran[1], ran[0] / "new")) == (3, 0, 0)


def test_what_was_mastered_would_be_skipped(ran):
    found = foreseen(ran[1], ran[0] / "out")
    assert found.reasons == {"skipped: source, settings and version are unchanged, and the masters are there": 3}
    assert (found.mastered_audio_s, found.bytes_written) == (0.0, 0)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [({"force": True}, "asked for by --force"), ({"profile": "streaming", "force": True}, "asked for by --force")],
)
def test_force_is_foreseen(ran, request_, reason):
    assert list(foreseen(ran[1], ran[0] / "out", **request_).reasons) == [f"mastered: {reason}"]


def test_other_tags_are_foreseen_as_such(ran):
    rows = [row | {"artist": "Somebody"} for row in ran[2]]
    found = foreseen(write_manifest(ran[0] / "tags.csv", rows), ran[0] / "out")
    assert list(found.reasons) == [f"mastered: changed since run {ran[3].run_id}: tags"]
    assert [(one.stage, one.tracks) for one in found.stages] == [("analyse", 0), ("rehearse", 0), ("master", 3)]


def test_another_profile_is_foreseen_as_what_has_to_be_tried_again(ran):
    rows = [row | {"profile": "club"} for row in ran[2]]
    found = foreseen(write_manifest(ran[0] / "profile.csv", rows), ran[0] / "out")
    assert (outcomes(found), found.stages[0].tracks) == ((3, 0, 0), 0)


def test_a_master_that_was_taken_away_is_made_again(ran, tmp_path):
    (master_path,) = (ran[0] / "out/masters/cd").rglob("1-01*")
    master_path.rename(tmp_path / "away")
    found = foreseen(ran[1], ran[0] / "out")
    (tmp_path / "away").rename(master_path)
    assert (outcomes(found), "mastered: missing or altered in the output: cd" in found.reasons) == ((1, 2, 0), True)


def test_a_source_that_is_newer_than_its_masters_is_read_to_know_whether_it_changed(ran):
    path = ran[0] / "0.flac"
    before = os.stat(path)
    os.utime(path)
    touched = outcomes(foreseen(ran[1], ran[0] / "out"))
    content = path.read_bytes()
    write(path, soundfile.read(path)[0] * 0.5)
    changed = foreseen(ran[1], ran[0] / "out")
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (touched, outcomes(changed), changed.stages[0].tracks) == ((0, 3, 0), (3, 0, 0), 1)


def test_after_a_run_that_was_cut_off_its_measurements_are_known_by_content(ran, tmp_path):
    (tmp_path / "out/runs").mkdir(parents=True)
    (tmp_path / "out/runs/1.json").write_text('{"state": "interrupted"}')
    (tmp_path / "out/ledger").mkdir()
    (tmp_path / "out/ledger/analysis").symlink_to(ran[0] / "out/ledger/analysis")
    found = foreseen(ran[1], tmp_path / "out")
    assert [(one.stage, one.tracks) for one in found.stages] == [("analyse", 0), ("rehearse", 3), ("master", 3)]


SURE = {
    "SOURCE_MISSING", "SOURCE_NOT_A_FILE", "SOURCE_EMPTY", "SOURCE_UNREADABLE", "SOURCE_TRUNCATED", "SOURCE_TOO_SHORT",
    "RATE_UNSUPPORTED", "CHANNELS_UNSUPPORTED", "DURATION_MISMATCH",
}  # fmt: skip


def test_what_a_header_tells_is_rejected_for_certain_and_what_it_does_not_is_left_open(tmp_path):
    for bad in BAD:
        bad.make(tmp_path / bad.name)
    rows = [{"uri": bad.name, "track_id": bad.name, **bad.row} for bad in BAD]
    found = foreseen(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert {one.track_id: one.code for one in found.refusals} == {
        bad.name: bad.code for bad in BAD if bad.code in SURE and bad.name != "cut.flac"
    }
    assert found.missing == [str(tmp_path / "missing.wav")]


def test_a_source_that_is_new_in_an_album_leaves_the_album_to_be_decided_again(ran):
    write(ran[0] / "new.flac", music(seconds=2, seed=8))
    rows = [*ran[2], {**ran[2][0], "uri": "new.flac", "sequence": 9, "title": "New"}]
    found = foreseen(write_manifest(ran[0] / "more.csv", rows), ran[0] / "out")
    assert (outcomes(found), found.stages[0].tracks) == ((4, 0, 0), 1)


def test_only_counts_what_would_be_mastered_and_tells_what_is_measured_for_it(ran):
    found = foreseen(ran[1], ran[0] / "new", only="Song 1")
    assert (found.tracks, found.measured_only, outcomes(found)) == (1, 2, (1, 0, 0))
    assert [one.tracks for one in found.stages] == [3, 3, 1]


# What it would take


def test_hours_and_gigabytes_are_those_of_the_files(ran):
    found = foreseen(ran[1], ran[0] / "out", force=True)
    written = sum(path.stat().st_size for path in (ran[0] / "out/masters").rglob("*.*"))
    assert found.audio_s == pytest.approx(3 * 24.0)
    assert found.bytes_read == sum((ran[0] / f"{i}.flac").stat().st_size for i in range(3))
    assert found.bytes_written == pytest.approx(written, rel=0.01)


def test_what_a_run_took_is_what_the_next_is_expected_to_take(ran):
    taken = by("track_id", table(ran[0] / "out", "work", ran[3].run_id))
    told = dict.fromkeys(("analyse", "rehearse", "master"), 0.0)
    for row in taken.values():
        for step in row["steps"]:
            told[step["stage"]] += step["cpu_s"]
    write_manifest(ran[0] / "same.csv", [row | {"album_id": "B"} for row in ran[2]])
    for path in (ran[0] / "out/ledger/analysis").rglob("*.json"):
        path.rename(path.with_suffix(".away"))
    found = foreseen(ran[0] / "same.csv", ran[0] / "out")
    for path in (ran[0] / "out/ledger/analysis").rglob("*.away"):
        path.rename(path.with_suffix(".json"))
    assert {one.stage: one.cpu_s for one in found.stages} == pytest.approx(told, rel=0.02)
    assert found.cpu_s == pytest.approx(ran[3].cpu_s, rel=0.02)
    assert (found.learned_from_tracks, found.learned_from_runs) == (3, 1)


def test_a_run_that_only_remembers_teaches_nothing_of_the_work(ran):
    before = calibrated(str(ran[0] / "out")).cpu_s_per_sample
    master(ran[1], ran[0] / "out")
    after = calibrated(str(ran[0] / "out")).cpu_s_per_sample
    real = [(stage, False) for stage in ("analyse", "rehearse", "master")]
    assert [after[step] for step in real] == [before[step] for step in real]
    assert after["master", True] != DEFAULT.cpu_s_per_sample["master", True]


def test_workers_share_the_work_but_not_the_longest_track(ran):
    one, many = (
        foreseen(ran[1], ran[0] / "new", beam_options=(f"--direct_num_workers={number}",)) for number in (1, 3)
    )
    assert (one.workers, many.workers, one.cpu_s) == (1, 3, many.cpu_s)
    assert one.wall_s > 2.5 * many.wall_s


# A large manifest


class Sources:
    """A hundred thousand tracks that exist only as one file."""

    def __init__(self, path, count):
        self.path = write(path, np.zeros((44_100, 2)))
        self.tracks = [
            Track(
                row=number, uri=str(path), track_id=str(number), album_id=f"A{number // 10}", album_folder="a", file_stem="b"
            )
            for number in range(count)
        ]  # fmt: skip


def test_of_a_hundred_thousand_tracks_a_sample_is_looked_at_and_scaled_up(tmp_path):
    sources = Sources(tmp_path / "a.flac", 100_000)
    job = Job(output=str(tmp_path / "out"), run_id="r", profiles={"": profile()})
    began_s = time.thread_time()
    found = forecast(sources.tracks, job, FREE, ())
    assert time.thread_time() - began_s < 20.0
    assert (found.looked_at, found.tracks, outcomes(found)) == (forecasts.LOOKED_AT, 100_000, (100_000, 0, 0))
    assert (found.audio_s, found.stages[0].tracks) == (100_000.0, 100_000)
    assert "2000 of 100000 tracks were looked at" in forecast_text(found)


def test_a_sample_takes_whole_albums_from_all_over_the_manifest(monkeypatch):
    monkeypatch.setattr(forecasts, "LOOKED_AT", 40)
    albums = [[number] * 10 for number in range(100)]
    assert [one[0] for one in forecasts._spread(albums)] == [0, 25, 50, 75]


# Money


def test_money_is_core_hours_memory_and_records_between_the_steps():
    price = {"per_core_hour": 0.05, "memory_gb_per_core": 4.0, "per_gb_hour": 0.0025, "per_gb_shuffled": 0.01}
    lines = PriceTable(currency="EUR", price=(Price(name="there", source="s", date="d", **price),))
    (cost,) = costs(lines, 100 * 3600.0, 50e9)
    assert (cost.amount, cost.currency) == (pytest.approx(100 * 0.05 + 100 * 4 * 0.0025 + 50 * 0.01), "EUR")


def test_every_price_that_comes_with_lathe_tells_its_source_and_date():
    assert all(one.source and one.date >= "2025" for one in load_prices(None).price)
    assert load_prices(None).price[0].per_core_hour == 0.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('currency = "EUR"', "price"),
        ('currency = "EUR"\n[[price]]\nname = "x"\nper_core_hour = -1\nsource = "s"\ndate = "d"', "line 4"),
        ('currency = "EUR"\n[[price]]\nname = "x"\nper_core_hours = 1', "per_core_hour"),
        ("currency = ", "Invalid value"),
    ],
)
def test_a_price_table_that_is_wrong_is_told(tmp_path, text, told):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(CatalogueError, match=told):
        load_prices(str(tmp_path / "mine.toml"))


def test_a_price_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_prices(str(tmp_path / "mine.toml"))


def test_ones_own_prices_are_told_in_words_and_as_json(lathe, ran, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'currency = "CHF"\n[[price]]\nname = "rack"\nper_core_hour = 3600\nsource = "ours"\ndate = "2026-11"'
    )
    command = ("run", ran[1], ran[0] / "new", "--dry-run", "--prices", mine)
    code, out, err = lathe(*command, *ONE_WORKER)
    assert (code, out, "CHF  rack (ours, 2026-11)" in err) == (0, "", True)
    found = json.loads(lathe(*command, "--json", *ONE_WORKER)[1])
    assert found["costs"][0]["amount"] == pytest.approx(found["cpu_s"], rel=0.001)
