"""A run over a catalogue: every figure is proved on the files, nothing is lost, and only what changed is done again."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec import to_builtins
from scipy.signal import resample_poly

from decisions.choices import Choices
from media.analysis import analyse
from pipeline import run as runs
from pipeline.run import LostTracksError
from tests.makers import music, noise, sine, write, write_manifest
from tests.media.oracle import loudness_lufs, pooled_lufs
from tests.pipeline.conftest import BAD, TITLES
from tests.pipeline.runs import album, by, digests, master, table

LOUDNESS_TOLERANCE_LU = 0.05
"""Another meter cuts its blocks at other frames."""
TARGET_TOLERANCE_LU = 0.1  # the profile's
TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6


@pytest.fixture(scope="module")
def tracks(ran):
    return by("track_id", table(ran.output, "tracks"))


@pytest.fixture(scope="module")
def albums(ran):
    return by("album_id", table(ran.output, "albums"))


@pytest.fixture(scope="module")
def rejected(ran):
    return by("track_id", table(ran.output, "rejected"))


@pytest.fixture(scope="module")
def delivered(tracks):
    """Every delivered file with its row."""
    return [master for row in tracks.values() for master in row["masters"]]


def level_db(ratio):
    return 20.0 * math.log10(ratio)


# Law 5: what is reported was measured on the file


def test_every_master_is_the_file_that_was_measured(delivered):
    found = [sha256(Path(one["uri"]).read_bytes()).hexdigest() for one in delivered]
    assert found == [one["sha256"] for one in delivered]


def test_every_file_below_masters_has_its_row(ran, delivered):
    files = sorted(str(path) for path in (ran.output / "masters").rglob("*") if path.is_file())
    assert files == sorted(one["uri"] for one in delivered)


def test_every_format_is_that_of_the_file(delivered):
    found = [soundfile.info(one["uri"]) for one in delivered]
    assert [(one.samplerate, one.frames, one.subtype) for one in found] == [
        (one["rate_hz"], one["frames"], f"PCM_{one['bits']}") for one in delivered
    ]


def test_every_loudness_is_that_of_another_meter(delivered):
    found = [loudness_lufs(*soundfile.read(one["uri"], always_2d=True)) for one in delivered]
    assert found == pytest.approx([one["integrated_lufs"] for one in delivered], abs=LOUDNESS_TOLERANCE_LU)


def test_every_peak_is_that_of_the_samples(delivered):
    found = [level_db(np.abs(soundfile.read(one["uri"])[0]).max()) for one in delivered]
    assert found == pytest.approx([one["sample_peak_dbfs"] for one in delivered], abs=1e-9)


def test_every_figure_is_found_again_by_measuring_the_file(delivered):
    figures_of = [analyse(Path(one["uri"])).figures for one in delivered]
    found = [
        {name: list(value) if isinstance(value, tuple) else value for name, value in to_builtins(one).items()}
        for one in figures_of
    ]
    assert found == [{name: one[name] for name in figures} for one, figures in zip(delivered, found, strict=True)]


def test_every_source_is_the_file_that_was_measured(tracks):
    found = [sha256(Path(row["source_uri"]).read_bytes()).hexdigest() for row in tracks.values()]
    assert found == [row["source_sha256"] for row in tracks.values()]


# Law 6: no file exceeds its ceiling


def test_no_sample_exceeds_the_ceiling(delivered):
    found = [level_db(np.abs(soundfile.read(one["uri"])[0]).max()) - one["ceiling_dbtp"] for one in delivered]
    assert max(found) <= 0.0


def test_nothing_between_the_samples_exceeds_the_ceiling(delivered):
    loud = [one for one in delivered if "/loud/" in one["uri"]]
    found = [
        level_db(np.abs(resample_poly(soundfile.read(one["uri"])[0], 32, 1)).max()) - one["ceiling_dbtp"]
        for one in loud
    ]
    assert -0.5 < max(found) <= TRUE_PEAK_TOLERANCE_DB


def test_the_limiter_had_work_to_do(tracks):
    assert tracks["loud/1/1"]["limiter_max_reduction_db"] > 1.0


# Law 4: albums


@pytest.mark.parametrize(("name", "target_lufs"), [("loud", -10.0), ("soft", -14.0)])
@pytest.mark.parametrize("delivery", ["flac24", "cd"])
def test_an_album_meets_its_target_as_a_whole(ran, name, delivery, target_lufs):
    files = sorted((ran.output / f"masters/{delivery}/{name}").iterdir())
    assert pooled_lufs(files) == pytest.approx(target_lufs, abs=TARGET_TOLERANCE_LU)


@pytest.mark.parametrize("name", ["loud", "soft"])
def test_the_loudness_of_an_album_is_pooled_not_averaged(ran, albums, name):
    files = sorted((ran.output / f"masters/flac24/{name}").iterdir())
    found = albums[name]["master_integrated_lufs"], albums[name]["source_integrated_lufs"]
    sources = sorted(ran.sources.glob(f"{name}-*"))
    assert found == pytest.approx((pooled_lufs(files), pooled_lufs(sources)), abs=LOUDNESS_TOLERANCE_LU)


def test_an_album_keeps_the_distance_between_its_tracks(tracks):
    rows = [tracks[f"soft/1/{number}"] for number in (1, 2, 3)]
    changes = [row["masters"][0]["integrated_lufs"] - row["source"]["integrated_lufs"] for row in rows]
    assert max(changes) - min(changes) < 0.5


def test_the_tracks_of_an_album_share_one_gain(tracks, albums):
    assert {tracks[f"loud/1/{number}"]["gain_db"] for number in (1, 2)} == {albums["loud"]["gain_db"]}


def test_rejected_tracks_do_not_poison_their_album(albums, tracks):
    assert albums["broken"]["master_integrated_lufs"] == pytest.approx(-14.0, abs=TARGET_TOLERANCE_LU)
    assert tracks["good"]["outcome"] == "mastered"


def test_an_album_that_lacks_tracks_says_so(albums):
    (found,) = [one for one in albums["broken"]["findings"] if one["code"] == "ALBUM_INCOMPLETE"]
    assert (albums["broken"]["tracks"], found["measured"]) == (len(BAD) + 1, len(BAD))


def test_an_album_that_cannot_reach_its_target_without_harm_stops_short_and_says_why(tmp_path):
    path = write(tmp_path / "a.flac", music(seconds=3, level_dbfs=-55))
    manifest = write_manifest(tmp_path / "m.csv", [{"uri": path.name, "title": "Whisper"}])
    summary = master(manifest, tmp_path / "out")
    (row,) = table(tmp_path / "out", "tracks")
    assert (summary.findings["TARGET_LIMITED"], row["gain_db"], row["verdict"]) == (1, 18.0, "listen")


# Law 9: nothing is lost


def test_mastered_skipped_and_rejected_are_the_rows_of_the_manifest(ran):
    found = (ran.summary.mastered, ran.summary.skipped, ran.summary.rejected)
    assert found == (len(ran.rows) - len(BAD), 0, len(BAD))


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_track_is_rejected_with_its_own_code(rejected, bad):
    row = rejected[bad.name]
    assert (row["code"], row["stage"], bool(row["text"]), bool(row["hint"])) == (bad.code, "analyse", True, True)


def test_a_rejected_track_tells_its_row_of_the_manifest(ran, rejected):
    expected = {row["track_id"]: i for i, row in enumerate(ran.rows, start=2) if row.get("track_id") in rejected}
    assert {name: row["row"] for name, row in rejected.items()} == expected


def test_rejections_are_counted_by_code(ran):
    codes = [bad.code for bad in BAD]
    assert ran.summary.rejections == {code: codes.count(code) for code in sorted(set(codes))}


def test_a_catalogue_of_which_nothing_can_be_mastered_still_ends_with_its_rows(tmp_path):
    manifest = write_manifest(tmp_path / "m.csv", [{"uri": "gone.wav"}, {"uri": "lost.wav", "album_id": "A"}])
    summary = master(manifest, tmp_path / "out")
    assert (summary.mastered, summary.rejections) == (0, {"SOURCE_MISSING": 2})


def test_integers_stored_as_floats_reject_one_track_and_stop_no_run(tmp_path):
    manifest, rows = album(tmp_path)
    write(tmp_path / "bad.wav", noise() * 2.0**23, subtype="FLOAT")
    write_manifest(manifest, [*rows, {"uri": "bad.wav", "album_id": "A", "sequence": 3, "title": "bad"}])
    summary = master(manifest, tmp_path / "out")
    assert (summary.mastered, summary.rejected) == (2, 1)


@pytest.mark.parametrize("table", ["tracks", "rejected"])
def test_rows_that_vanish_are_never_passed_over(tmp_path, monkeypatch, table):
    from transforms import quality

    manifest, rows = album(tmp_path)
    write_manifest(manifest, [*rows, {"uri": "gone.flac", "album_id": "A", "sequence": 9}])
    whole = quality._rows
    monkeypatch.setattr(quality, "_rows", lambda album, job: [row for row in whole(album, job) if row.tag != table])
    with pytest.raises(LostTracksError, match="tracks without a row: .*A/1/"):
        master(manifest, tmp_path / "out")


def test_rows_that_come_twice_are_never_passed_over(tmp_path, monkeypatch):
    from transforms import quality

    manifest, _ = album(tmp_path)
    once = quality._rows
    monkeypatch.setattr(quality, "_rows", lambda album, job: [*once(album, job), *once(album, job)])
    with pytest.raises(LostTracksError, match="rows too many: .*A/1/1"):
        master(manifest, tmp_path / "out")


def test_the_unforeseen_rejects_one_track_and_the_others_finish(tmp_path, monkeypatch):
    from transforms import tracks as steps

    manifest, _ = album(tmp_path, 3)
    work = steps.master_track

    def fail_on_two(planned, job):
        if planned.track.sequence == 2:
            raise ZeroDivisionError("unforeseen")
        return work(planned, job)

    monkeypatch.setattr(steps, "master_track", fail_on_two)
    summary = master(manifest, tmp_path / "out")
    assert (summary.mastered, summary.rejections) == (2, {"INTERNAL_ERROR": 1})


def test_a_full_disk_rejects_what_does_not_fit_and_the_run_ends(tmp_path, small_disk):
    manifest, rows = album(tmp_path, 1)
    write(tmp_path / "long.flac", noise(seconds=20))
    write_manifest(manifest, [*rows, {"uri": "long.flac"}])
    summary = master(manifest, small_disk / "out")
    assert (summary.mastered, summary.rejections) == (1, {"OUTPUT_NOT_WRITABLE": 1})
    assert len(list((small_disk / "out/masters").rglob("*.*"))) == 2


# What a track is


def test_mono_stays_mono_and_is_told(tracks):
    row = tracks["mono"]
    assert {soundfile.info(one["uri"]).channels for one in row["masters"]} == {1}
    found = {one["code"]: one["text"] for one in row["findings"]}
    assert {"MONO_SOURCE", "SPEC_FAILED"} <= set(found) and "two equal channels" in found["SPEC_FAILED"]


def test_a_master_keeps_the_rate_of_its_source_unless_the_delivery_has_its_own(tracks):
    found = {one["delivery"]: one["rate_hz"] for one in tracks["fine"]["masters"]}
    assert found == {"flac24": 192_000, "cd": 44_100}


@pytest.mark.parametrize("number", TITLES)
@pytest.mark.parametrize("delivery", ["flac24", "cd"])
def test_whatever_a_title_holds_its_master_lies_in_the_output(ran, tracks, number, delivery):
    row = tracks[f"../odd: titles/1/{number}"]
    (uri,) = [one["uri"] for one in row["masters"] if one["delivery"] == delivery]
    folder = ran.output / "masters" / delivery
    assert (Path(uri).resolve().is_file(), Path(uri).resolve().parents[1]) == (True, folder)


def test_a_title_is_reported_as_it_was_given(tracks):
    found = {tracks[f"../odd: titles/1/{number}"]["title"] for number in (1, 2, 5, 10)}
    assert found == {TITLES[number] for number in (1, 2, 5, 10)}


# What a run writes


def test_a_run_leaves_its_record(ran):
    record = json.loads((ran.output / f"runs/{ran.summary.run_id}.json").read_text())
    assert {"command", "versions", "profiles", "request", "manifest_digest", "wall_s", "cpu_s"} <= set(record)
    assert (record["mastered"], record["rejected"]) == (ran.summary.mastered, ran.summary.rejected)


def test_the_record_of_a_run_names_every_version_that_touches_the_sound(ran):
    versions = json.loads((ran.output / f"runs/{ran.summary.run_id}.json").read_text())["versions"]
    assert {"sound", "figures", "python", "lathe", "numpy", "numba", "scipy", "soundfile", "soxr"} <= set(versions)


def test_the_record_of_a_run_holds_the_resolved_profile(ran):
    record = json.loads((ran.output / f"runs/{ran.summary.run_id}.json").read_text())
    assert {name: one["loudness"]["target_lufs"] for name, one in record["profiles"].items()} == {
        "(run)": -14.0, "loud": -10.0,
    }  # fmt: skip


def test_a_plan_holds_every_setting_and_its_reason(tracks):
    plan = json.loads(tracks["loud/1/1"]["plan"])
    assert {"head", "gain_db", "deliveries", "decisions"} <= set(plan)
    assert all(one["why"] for one in plan["decisions"])


def test_the_length_of_what_was_mastered_is_counted(ran, tracks):
    assert ran.summary.audio_s == pytest.approx(sum(row["duration_s"] for row in tracks.values()), abs=0.001)


@pytest.mark.parametrize("name", ["tracks", "albums", "rejected"])
def test_no_number_in_a_table_is_nan_or_infinite(ran, name):
    assert json.loads(json.dumps(rows := table(ran.output, name), allow_nan=False)) == rows


def test_the_overview_of_a_track_is_there_for_drawing(tracks):
    found = tracks["loud/1/1"]["overview"]
    assert {len(found[side][line]) for side in ("source", "master") for line in ("low", "high")} == {400}


def test_nothing_but_results_stays_in_the_output(ran):
    found = {path.name for path in ran.output.iterdir()}
    assert found == {"masters", "qc", "runs", "ledger"}


def test_a_run_never_writes_beside_its_output(ran):
    assert {path.name for path in ran.output.parent.iterdir()} == {"sources", "output"}


# Law 10: only what changed


def test_a_second_run_skips_everything_and_says_why(tmp_path):
    manifest, _ = album(tmp_path)
    first = master(manifest, tmp_path / "out")
    second = master(manifest, tmp_path / "out")
    reasons = {row["reason"] for row in table(tmp_path / "out", "tracks", second.run_id)}
    assert (second.mastered, second.skipped, second.audio_s) == (0, 2, 0)
    assert reasons == {f"source, settings and version are those of run {first.run_id}; the masters stand unaltered"}


def test_a_skipped_track_is_reported_with_the_same_figures(tmp_path):
    manifest, _ = album(tmp_path)
    found = [table(tmp_path / "out", "tracks", master(manifest, tmp_path / "out").run_id) for _ in range(2)]
    assert [row["masters"] for row in found[0]] == [row["masters"] for row in found[1]]


@pytest.mark.parametrize(
    ("change", "redone"),
    [
        ({"title": "New"}, {"A/1/2": "name, tags"}),
        ({"artist": "New"}, {"A/1/2": "tags"}),
        ({"genre": "Rock"}, {"A/1/2": "tags"}),
    ],
)
def test_a_changed_row_touches_that_track_alone(tmp_path, change, redone):
    manifest, rows = album(tmp_path, 3)
    first = master(manifest, tmp_path / "out")
    write_manifest(manifest, [rows[0], rows[1] | change, rows[2]])
    second = master(manifest, tmp_path / "out")
    found = {row["track_id"]: row["reason"] for row in table(tmp_path / "out", "tracks", second.run_id)}
    assert second.mastered == 1
    assert {name: found[name] for name in redone} == {
        name: f"changed since run {first.run_id}: {what}" for name, what in redone.items()
    }


def test_a_changed_source_touches_its_album_and_no_other(tmp_path):
    manifest, rows = album(tmp_path)
    write(tmp_path / "other.flac", music(seconds=1))
    write_manifest(manifest, [*rows, {"uri": "other.flac", "track_id": "other"}])
    master(manifest, tmp_path / "out")
    write(tmp_path / "0.flac", music(seconds=1, level_dbfs=-10, seed=9))
    second = master(manifest, tmp_path / "out")
    found = {row["track_id"]: row["reason"].split(": ")[-1] for row in table(tmp_path / "out", "tracks", second.run_id)}
    assert (found["A/1/1"], found["A/1/2"]) == ("source, settings", "settings")
    assert found["other"].startswith("source, settings and version are those of run")


def test_another_profile_is_told_as_changed_settings(tmp_path):
    manifest, _ = album(tmp_path)
    master(manifest, tmp_path / "out")
    second = master(manifest, tmp_path / "out", profile="dynamic")
    reasons = {row["reason"].split(": ")[-1] for row in table(tmp_path / "out", "tracks", second.run_id)}
    assert (second.mastered, reasons) == (2, {"settings"})


def test_rows_that_are_added_leave_other_albums_alone(tmp_path):
    manifest, rows = album(tmp_path)
    master(manifest, tmp_path / "out")
    before = digests(tmp_path / "out")
    write(tmp_path / "new.flac", music(seconds=1, seed=7))
    write_manifest(manifest, [{"uri": "new.flac", "track_id": "new"}, *rows])
    second = master(manifest, tmp_path / "out")
    assert (second.mastered, second.skipped) == (1, 2)
    assert before.items() <= digests(tmp_path / "out").items()


def test_force_makes_everything_again_to_the_same_bytes(tmp_path):
    manifest, _ = album(tmp_path)
    master(manifest, tmp_path / "out")
    before = digests(tmp_path / "out")
    second = master(manifest, tmp_path / "out", force=True)
    assert (second.mastered, digests(tmp_path / "out"), digests(tmp_path / "out", "superseded")) == (2, before, {})


# A part of a catalogue


def test_a_part_of_an_album_gets_the_gain_of_the_whole(tmp_path):
    manifest, _ = album(tmp_path, 3)
    master(manifest, tmp_path / "whole")
    summary = master(manifest, tmp_path / "part", only="Song 1")
    whole = by("title", table(tmp_path / "whole", "tracks"))
    (row,) = table(tmp_path / "part", "tracks")
    assert (summary.mastered, row["gain_db"]) == (1, whole["Song 1"]["gain_db"])
    assert digests(tmp_path / "part").items() <= digests(tmp_path / "whole").items()


def test_a_part_of_an_album_is_not_blamed_for_the_loudness_of_the_whole(tmp_path):
    manifest, _ = album(tmp_path, 3)
    summary = master(manifest, tmp_path / "out", only="Song 2")
    assert {"TARGET_LIMITED", "LOUDNESS_OFF_TARGET"} & set(summary.findings) == set()


def test_the_first_tracks_of_a_catalogue_are_those_of_the_whole(tmp_path):
    manifest, _ = album(tmp_path, 3)
    master(manifest, tmp_path / "whole")
    summary = master(manifest, tmp_path / "part", limit=2)
    assert summary.mastered == 2
    assert digests(tmp_path / "part").items() <= digests(tmp_path / "whole").items()


def test_masters_of_tracks_that_were_not_selected_stay_as_they_are(tmp_path):
    manifest, rows = album(tmp_path, 3)
    master(manifest, tmp_path / "out")
    before = digests(tmp_path / "out")
    write_manifest(manifest, [row | {"title": f"New {i}"} for i, row in enumerate(rows)])
    master(manifest, tmp_path / "out", only="New 0")
    after = digests(tmp_path / "out")
    assert {name for name in before if name not in after} == {"cd/A/1-01 Song 0.wav", "flac24/A/1-01 Song 0.flac"}


# Laws 7 and 8: the same bytes


def test_a_run_that_is_replayed_leaves_the_same_files_and_bytes(tmp_path):
    manifest, rows = album(tmp_path)
    write_manifest(manifest, [*rows, {"uri": "gone.flac", "album_id": "A", "sequence": 9}])
    master(manifest, tmp_path / "once")
    summary = master(manifest, tmp_path / "twice", "--direct_runner_bundle_repeat=2")
    assert (summary.mastered, summary.rejected) == (2, 1)
    assert digests(tmp_path / "twice") == digests(tmp_path / "once")
    assert digests(tmp_path / "twice", "superseded") == {}


def test_the_order_of_the_manifest_changes_no_byte(tmp_path):
    manifest, rows = album(tmp_path, 3)
    master(manifest, tmp_path / "one")
    write_manifest(manifest, rows[::-1])
    master(manifest, tmp_path / "other")
    assert digests(tmp_path / "one") == digests(tmp_path / "other")


def test_the_place_of_a_catalogue_changes_no_byte(tmp_path):
    found = []
    for place in ("here", "there"):
        manifest, _ = album(tmp_path / place)
        master(manifest, tmp_path / place / "out")
        found.append(digests(tmp_path / place / "out"))
    assert found[0] == found[1]


def test_music_that_runs_on_is_joined_in_a_run(tmp_path):
    parts = np.split(sine(220, level_dbfs=-20, seconds=4), [90_001])
    rows = [
        {"uri": write(tmp_path / f"{i}.flac", part).name, "album_id": "A", "sequence": i + 1}
        for i, part in enumerate(parts)
    ]
    master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    plans = [json.loads(row["plan"]) for row in table(tmp_path / "out", "tracks")]
    whats = [{one["what"] for one in plan["decisions"]} for plan in plans]
    assert ["join" in what for what in whats] == [True, True]


def test_a_folder_of_audio_is_a_manifest_that_does_not_hold_its_own_output(tmp_path):
    album(tmp_path / "music/Album")
    (tmp_path / "music/Album/manifest.csv").unlink()
    first = master(tmp_path / "music", tmp_path / "music/out")
    second = master(tmp_path / "music", tmp_path / "music/out")
    assert (first.mastered, second.mastered, second.skipped) == (2, 0, 2)


def test_the_run_is_named_by_its_start_and_runs_of_one_second_are_numbered(tmp_path, monkeypatch):
    manifest, _ = album(tmp_path, 1)
    names = [master(manifest, tmp_path / "out").run_id for _ in range(3)]
    assert (len(set(names)), names) == (3, sorted(names))


def test_progress_ends_with_every_track(tmp_path):
    manifest, _ = album(tmp_path)
    told = []
    request = runs.Request(
        manifest=str(manifest), output=str(tmp_path / "out"), beam_options=("--direct_num_workers=1",)
    )
    runs.run_catalogue(request, lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)


# Style and references


def test_a_run_masters_as_was_chosen_and_a_row_by_its_own_references(tmp_path):
    manifest, rows = album(tmp_path, 2)
    write(tmp_path / "bright.flac", noise(seconds=12, level_dbfs=-20))
    rows[1]["reference"] = "bright.flac | nowhere.flac"
    write_manifest(manifest, rows)
    summary = master(manifest, tmp_path / "out", choices=Choices(style="open"))
    found = by("track_id", table(tmp_path / "out", "tracks", summary.run_id))
    plans = [json.loads(found[name]["plan"]) for name in sorted(found)]
    assert [plan["style"] for plan in plans] == ["open", "open"]
    assert summary.findings["REFERENCE_UNUSABLE"] == 1
    assert ["1 reference" in json.dumps(plan["decisions"]) for plan in plans] == [False, True]
