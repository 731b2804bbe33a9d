"""Songs that come as stems: mixed, then mastered like any track; nothing is lost or done twice, a person has the last word."""

from __future__ import annotations

import json
import os
import random
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec import structs

from media.mixing.shelf import MixShelf
from pipeline.explain import explain
from pipeline.run import Request, dry_run, prepared
from schemas.errors import CatalogueError
from schemas.steps import Job, MixWish
from tests.makers import music, write, write_manifest
from tests.pipeline.runs import by, digests, master, table
from tests.pipeline.songs import STEMS, session, song

EVERYTHING = MixWish(stems=True, versions=("instrumental", "acappella", "tv"))
NULL_DBFS = -120.0  # mixing.md 5.8, rows 1 and 2


def sound(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def file_sha256(path):
    return sha256(Path(path).read_bytes()).hexdigest()


def peak_dbfs(audio):
    return 20.0 * np.log10(max(1e-12, float(np.abs(audio).max())))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A manifest of a song and a plain track, and a run over it with everything that can be asked of a mix."""
    folder = tmp_path_factory.mktemp("mixing")
    write(folder / "plain.flac", music(seconds=4.0))
    rows = [*song(folder, title="From Stems"), {"uri": "plain.flac", "track_id": "plain"}]
    for path in [*folder.rglob("*.wav"), *folder.glob("*.flac")]:
        os.utime(path, (time.time() - 3600.0,) * 2)  # a file as old as its run may have been written after it began
    manifest = write_manifest(folder / "manifest.csv", rows)
    return folder, manifest, master(manifest, folder / "out", mixing=EVERYTHING)


def test_a_song_is_mixed_and_then_mastered_like_any_other_track(ran):
    folder, _, summary = ran
    assert (1, 2, 0, 0) == (summary.mixed, summary.mastered, summary.skipped, summary.rejected)
    row = by("track_id", table(folder / "out", "tracks"))["song"]
    assert row["source_uri"] == str(folder / "out/mixes/song/mix.wav")
    assert abs(row["masters"][0]["integrated_lufs"] + 14.0) < 0.5


def test_every_stem_of_the_manifest_is_told_of(ran):
    (row,) = table(ran[0] / "out", "mixes")
    assert len(STEMS) == len(row["stems"])
    assert {"used"} == {one["state"] for one in row["stems"]}
    assert {"kick", "snare", "bass", "keys", "vocal", "backing_vocal"} == {one["role"] for one in row["stems"]}
    assert all(one["mix_lufs"] is not None for one in row["stems"])


def test_stems_and_rooms_add_up_to_the_mix(ran):
    folder = ran[0] / "out/mixes/song"
    parts = [sound(path) for kind in ("stems", "returns") for path in sorted((folder / kind).glob("*.wav"))]
    assert len(parts) >= len(STEMS)
    assert peak_dbfs(sum(parts) - sound(folder / "mix.wav")) <= NULL_DBFS


def test_versions_add_up_to_the_mix(ran):
    folder = ran[0] / "out/mixes/song"
    both = sound(folder / "versions/instrumental.wav") + sound(folder / "versions/acappella.wav")
    assert peak_dbfs(both - sound(folder / "mix.wav")) <= NULL_DBFS
    assert peak_dbfs(sound(folder / "versions/tv.wav") - sound(folder / "versions/instrumental.wav")) > -60.0


def test_versions_are_delivered_and_measured(ran):
    row = by("track_id", table(ran[0] / "out", "tracks"))["song"]
    assert {"instrumental", "acappella", "tv"} == {one["version"] for one in row["versions"]}
    for one in row["versions"]:
        assert one["true_peak_dbtp"] <= one["ceiling_dbtp"] + 0.05
        assert file_sha256(one["uri"]) == one["sha256"]


def test_every_file_of_a_mix_is_the_one_that_its_row_tells_of(ran):
    (row,) = table(ran[0] / "out", "mixes")
    for one in row["files"]:
        assert file_sha256(one["uri"]) == one["sha256"]


def test_a_second_run_mixes_nothing(ran):
    before = digests(ran[0] / "out", "mixes")
    summary = master(ran[1], ran[0] / "out", mixing=EVERYTHING)
    assert (0, 0, 2, 0) == (summary.mixed, summary.mastered, summary.skipped, summary.rejected)
    assert before == digests(ran[0] / "out", "mixes")
    work = by("track_id", table(ran[0] / "out", "work", summary.run_id))["song"]
    assert {"hear": True, "mix": True} == {
        step["stage"]: step["remembered"] for step in work["steps"] if step["stage"] in ("hear", "mix")
    }


def test_a_mix_and_its_stems_are_explained(ran):
    told = explain("song", str(ran[0] / "out"))
    assert "mixed from 6 stems" in told and "Lead_Vox" in told.replace(" ", "_")
    stem_id = by("role", table(ran[0] / "out", "mixes")[0]["stems"])["kick"]["stem_id"]
    assert "kick, used" in explain(stem_id, str(ran[0] / "out"))


def test_a_dry_run_foresees_a_mix_and_rejects_a_song_whose_stem_is_missing(tmp_path):
    manifest = session(tmp_path)
    found = dry_run(Request(manifest=str(manifest), output=str(tmp_path / "out")))
    assert (1, 0, 0) == (found.mastered, found.skipped, found.rejected)
    assert any("mixed from its stems" in reason for reason in found.reasons)
    (tmp_path / "song/Kick.wav").unlink()
    found = dry_run(Request(manifest=str(manifest), output=str(tmp_path / "out")))
    assert (0, 0, 1) == (found.mastered, found.skipped, found.rejected)
    assert "Kick" in found.refusals[0].text


def test_a_dry_run_foresees_that_a_song_is_skipped(ran):
    found = dry_run(Request(manifest=str(ran[1]), output=str(ran[0] / "out"), mixing=EVERYTHING))
    assert (0, 2, 0) == (found.mastered, found.skipped, found.rejected)


def test_a_dry_run_foresees_that_a_song_is_mixed_again_for_what_its_manifest_says(ran):
    folder = ran[0]
    rows = [*song(folder, title="From Stems"), {"uri": "plain.flac", "track_id": "plain"}]
    said = write_manifest(
        folder / "louder.csv", [{**row, "gain_db": -3} if "Kick" in row["uri"] else row for row in rows]
    )
    found = dry_run(Request(manifest=str(said), output=str(folder / "out"), mixing=EVERYTHING))
    assert (1, 1, 0) == (found.mastered, found.skipped, found.rejected)


def test_settings_that_are_gone_are_made_again(tmp_path):
    wish, manifest = MixWish(master=False), session(tmp_path)
    master(manifest, tmp_path / "out", songs_only=True, mixing=wish)
    settings = tmp_path / "out/mixes/song/settings.json"
    before = settings.read_bytes()
    settings.unlink()
    again = master(manifest, tmp_path / "out", songs_only=True, mixing=wish)
    assert 1 == again.mixed and before == settings.read_bytes()
    assert "settings.json" in table(tmp_path / "out", "mixes", again.run_id)[0]["reason"]


def test_what_a_run_that_died_left_beside_a_mix_is_moved_aside(tmp_path):
    wish, manifest, output = MixWish(master=False), session(tmp_path), tmp_path / "out"
    master(manifest, output, songs_only=True, mixing=wish)
    _, (track,), _ = prepared(Request(manifest=str(manifest), output=str(output)))
    left = write(tmp_path / "left.wav", music(seconds=1.0))
    shelf, uri = (
        MixShelf(track, Job(output=str(output), run_id="dead", profiles={})),
        output / "mixes/song/stems/Kick.wav",
    )
    shelf.publish(left, str(uri), file_sha256(left))
    again = master(manifest, output, songs_only=True, mixing=wish)
    assert (0, 1) == (again.mixed, again.skipped)
    assert not uri.exists() and list((output / "superseded").rglob("Kick.wav"))


def test_a_bad_stem_rejects_its_song_alone_and_says_which(tmp_path):
    rows = [*song(tmp_path, "good"), *song(tmp_path, "bad")]
    (tmp_path / "bad/Snare.wav").write_bytes(b"no sound")
    summary = master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert (1, 1, 1) == (summary.mixed, summary.mastered, summary.rejected)
    (row,) = table(tmp_path / "out", "rejected")
    assert ("bad", "SOURCE_UNREADABLE") == (row["track_id"], row["code"]) and "Snare" in row["text"]


def test_what_was_found_of_its_stems_asks_for_ears_at_the_master(tmp_path):
    rows = song(tmp_path)
    rows.append({**rows[0], "stem_id": "kick again"})
    master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    (row,) = table(tmp_path / "out", "tracks")
    assert ("listen", True) == (row["verdict"], "STEM_DUPLICATE" in {one["code"] for one in row["findings"]})


def test_a_run_may_end_with_the_mixes(tmp_path):
    wish = MixWish(master=False)
    manifest = session(tmp_path)
    summary = master(manifest, tmp_path / "out", songs_only=True, mixing=wish)
    assert (1, 0, 0, 0) == (summary.mixed, summary.mastered, summary.skipped, summary.rejected)
    assert not (tmp_path / "out/masters").exists()
    again = master(manifest, tmp_path / "out", songs_only=True, mixing=wish)
    assert (0, 0, 1, 0) == (again.mixed, again.mastered, again.skipped, again.rejected)


def test_the_order_of_rows_changes_no_byte(tmp_path):
    rows, made = song(tmp_path), []
    for turn in range(2):
        random.Random(turn).shuffle(rows)
        master(write_manifest(tmp_path / f"{turn}.csv", rows), tmp_path / f"out{turn}", mixing=EVERYTHING)
        made.append(digests(tmp_path / f"out{turn}", "mixes") | digests(tmp_path / f"out{turn}"))
    assert made[0] == made[1]


@pytest.mark.slow
def test_two_workers_make_the_bytes_of_one(tmp_path):
    manifest = session(tmp_path)
    master(manifest, tmp_path / "one", mixing=EVERYTHING)
    master(manifest, tmp_path / "two", "--direct_num_workers=2", mixing=EVERYTHING)
    assert digests(tmp_path / "one", "mixes") == digests(tmp_path / "two", "mixes")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_settings_given_back_make_the_same_bytes_and_an_edit_is_obeyed(tmp_path):
    manifest = session(tmp_path)
    master(manifest, tmp_path / "out", mixing=MixWish(stems=True))
    settings = tmp_path / "mine.json"
    settings.write_bytes((tmp_path / "out/mixes/song/settings.json").read_bytes())
    master(manifest, tmp_path / "back", mixing=MixWish(stems=True, settings=(str(settings),)))
    assert digests(tmp_path / "out", "mixes") == digests(tmp_path / "back", "mixes")

    edited = json.loads(settings.read_text())
    kick = next(strip for strip in edited["stems"] if strip["role"] == "kick")
    kick["gain_db"] += 1.0
    settings.write_text(json.dumps(edited))
    master(manifest, tmp_path / "louder", mixing=MixWish(stems=True, settings=(str(settings),)))
    name = f"mixes/song/stems/{kick['stem_id']}.wav"
    before, after = (sound(tmp_path / output / name) for output in ("back", "louder"))
    assert 20.0 * np.log10(np.abs(after).max() / np.abs(before).max()) == pytest.approx(1.0, abs=0.01)
    (row,) = table(tmp_path / "louder", "mixes")
    assert row["edited"] and row["reason"] == "never mixed into this output"


def test_settings_that_were_edited_where_they_stand_are_obeyed_once(tmp_path):
    manifest, settings = session(tmp_path), tmp_path / "out/mixes/song/settings.json"
    master(manifest, tmp_path / "out", songs_only=True, mixing=MixWish(master=False))
    wish = MixWish(master=False, settings=(str(settings),))
    unedited = master(manifest, tmp_path / "out", songs_only=True, mixing=wish)
    edited = json.loads(settings.read_text())
    edited["stems"][0]["gain_db"] += 1.0
    settings.write_text(json.dumps(edited))
    runs = [master(manifest, tmp_path / "out", songs_only=True, mixing=wish) for _ in range(2)]
    assert [0, 1, 0] == [unedited.mixed, *(run.mixed for run in runs)]
    assert edited["stems"][0]["gain_db"] == json.loads(settings.read_text())["stems"][0]["gain_db"]


def test_settings_of_another_session_reject_the_song(tmp_path):
    master(session(tmp_path / "a"), tmp_path / "a/out")
    other = song(tmp_path / "b")
    write(tmp_path / "b/song/Kick.wav", 0.5 * music(seconds=6.0, rate_hz=48_000, channels=1), 48_000)
    wish = MixWish(settings=(str(tmp_path / "a/out/mixes/song/settings.json"),))
    summary = master(write_manifest(tmp_path / "b/m.csv", other), tmp_path / "b/out", mixing=wish)
    assert 1 == summary.rejected
    (row,) = table(tmp_path / "b/out", "rejected")
    assert "MIX_SETTINGS_OTHER_SESSION" == row["code"]


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"no json", "MIX_SETTINGS_INVALID", "^--settings .*mine.json: the settings are no JSON"),
        (None, "MIX_SETTINGS_INVALID", "^--settings: settings .*mine.json cannot be read"),
        (
            b'{"mix_id": "thrid"}',
            "MIX_SETTINGS_OTHER_SESSION",
            'for the song "thrid", the manifest has "first", "second"',
        ),
        (b'{"stems": []}', "MIX_SETTINGS_OTHER_SESSION", "does not say which song it is for"),
    ],
)
def test_settings_that_are_no_song_s_are_refused_before_anything_is_mixed(tmp_path, data, code, said):
    rows = [*song(tmp_path, "first", STEMS[:2]), *song(tmp_path, "second", STEMS[:2])]
    settings = tmp_path / "mine.json"
    if data is not None:
        settings.write_bytes(data)
    manifest, wish = write_manifest(tmp_path / "m.csv", rows), MixWish(settings=(str(settings),))
    with pytest.raises(CatalogueError, match=f"(?s){said}") as refused:
        dry_run(Request(manifest=str(manifest), output=str(tmp_path / "out"), mixing=wish))
    assert code == refused.value.code and str(settings) in str(refused.value)
    with pytest.raises(CatalogueError):
        master(manifest, tmp_path / "out", mixing=wish)
    assert not (tmp_path / "out").exists()


def test_settings_need_not_name_their_song_where_only_one_is_chosen(tmp_path):
    rows = [*song(tmp_path, "first", STEMS[:2]), *song(tmp_path, "second", STEMS[:2])]
    settings = tmp_path / "mine.json"
    settings.write_bytes(b'{"stems": [{"stem_id": "Kick", "gain_db": -6}]}')
    manifest, wish = write_manifest(tmp_path / "m.csv", rows), MixWish(settings=(str(settings),))
    found = dry_run(Request(manifest=str(manifest), output=str(tmp_path / "out"), mixing=wish, only="first"))
    assert (1, 0, 0) == (found.mastered, found.skipped, found.rejected)


def test_an_edited_fader_is_told_as_set_by_hand_and_a_dry_run_knows_whose_mix_stands(tmp_path):
    manifest, output = session(tmp_path), tmp_path / "out"
    master(manifest, output)
    edited = json.loads((output / "mixes/song/settings.json").read_text())
    kick = next(strip for strip in edited["stems"] if strip["stem_id"] == "Kick")
    kick["gain_db"] += 1.0
    (tmp_path / "mine.json").write_text(json.dumps(edited))
    wish = MixWish(settings=(str(tmp_path / "mine.json"),))
    for _ in range(2):  # told the same when it is mixed again from what was edited before
        master(manifest, output, mixing=wish, force=True)
        told = explain("Kick", str(output))
        assert f"gain_db {kick['gain_db']:+.2f} dB: set by hand" in told and "usually stands" not in told
    assert "Decided for the whole, before what was set by hand" in explain("song", str(output))
    asked = Request(manifest=str(manifest), output=str(output))
    assert 1 == dry_run(structs.replace(asked, mixing=wish)).skipped
    assert 1 == dry_run(asked).mastered


def test_a_stem_whose_file_is_given_a_telling_name_is_mixed_again(tmp_path):
    rows = song(tmp_path, names=("Keys", "BGV"), role="")
    write(tmp_path / "song/take 1.wav", sound(tmp_path / "song/Keys.wav"), 48_000)
    rows[0] |= {"uri": "song/take 1.wav", "stem_id": "one"}
    rows[1] |= {"stem_id": "two"}
    master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    (tmp_path / "song/take 1.wav").rename(tmp_path / "song/Kick.wav")
    rows[0] |= {"uri": "song/Kick.wav"}
    summary = master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert 1 == summary.mixed
    assert "what the names of the stems say" in table(tmp_path / "out", "mixes", summary.run_id)[0]["reason"]
    assert "one  kick, used" in explain("one", str(tmp_path / "out")).replace("song/", "")


def test_a_changed_stem_is_mixed_again_and_says_so(tmp_path):
    manifest = session(tmp_path)
    master(manifest, tmp_path / "out")
    write(tmp_path / "song/Kick.wav", 0.5 * sound(tmp_path / "song/Kick.wav"), 48_000)
    summary = master(manifest, tmp_path / "out")
    assert 1 == summary.mixed
    row = table(tmp_path / "out", "mixes", summary.run_id)[0]
    assert "stems" in row["reason"] and list((tmp_path / "out/superseded").rglob("mix.wav"))
