"""The steps of a track do what has changed, say why, and end the same when they are run twice."""

from __future__ import annotations

import pytest
from msgspec import structs

from decisions.album import draft_album, settle_album
from media import steps, store
from media.ledger import Ledger
from media.masters import Shelf
from media.source import sha256_of
from media.steps import analyse_track, master_track, rehearse_track
from schemas.errors import TrackError
from schemas.plan import Instructed
from schemas.signoff import Revision
from schemas.steps import Job, Planned
from tests.decisions import records
from tests.makers import music, noise, write
from tests.media.plans import CD, FLAC24, profile, track


class Output:
    """An output, and the runs over it: each masters the tracks that it is given, as one album."""

    def __init__(self, folder):
        self.folder, self.runs = folder, 0

    def job(self, chosen, **options):
        self.runs += 1
        return Job(output=str(self.folder), run_id=f"run{self.runs}", profiles={"": chosen}, **options)

    def master(self, *tracks, chosen=None, **options):
        chosen = chosen or profile(FLAC24, CD)
        job = self.job(chosen, **options)
        drafts = draft_album([analyse_track(one, job) for one in tracks], chosen)
        takes = [rehearse_track(draft, job) for draft in drafts]
        made = [master_track(plan, job) for plan in settle_album(takes, chosen, f"{job.output}/masters")]
        return made[0] if len(made) == 1 else made

    def bytes(self, below="masters"):
        root = self.folder / below
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def output(tmp_path):
    return Output(tmp_path / "out")


@pytest.fixture
def song(tmp_path):
    return track(write(tmp_path / "song.flac", music(seconds=2)), title="Song", sequence=1, file_stem="1-01 Song")


# What has not changed is skipped, and it is said why


def test_the_first_time_everything_is_made(output, song):
    found = output.master(song)
    assert (found.outcome, found.reason) == ("mastered", "never mastered into this output")


def test_every_delivery_stands_at_its_name(output, song):
    output.master(song)
    assert sorted(output.bytes()) == ["cd/A/1-01 Song.wav", "flac24/A/1-01 Song.flac"]


def test_the_second_time_nothing_is_made(output, song):
    first, second = output.master(song), output.master(song)
    assert (second.outcome, second.masters) == ("skipped", first.masters)
    assert second.reason == "source, settings and version are those of run run1; the masters stand unaltered"


def test_what_stands_is_not_rendered_again(output, song, monkeypatch):
    output.master(song)
    monkeypatch.setattr(steps, "render_track", None)
    assert output.master(song).outcome == "skipped"


def test_an_analysis_is_remembered(output, song, monkeypatch):
    first = output.master(song).analysis
    monkeypatch.setattr(steps, "analyse", None)
    assert output.master(song).analysis == first


def test_a_rehearsal_is_remembered(output, song, monkeypatch):
    output.master(song)
    monkeypatch.setattr(steps, "rehearse", None)
    assert output.master(song).outcome == "skipped"


def test_an_output_that_was_moved_is_still_known(output, song, tmp_path):
    output.master(song)
    output.folder = output.folder.rename(tmp_path / "elsewhere")
    found = output.master(song)
    assert (found.outcome, found.masters[0].uri.startswith(str(tmp_path / "elsewhere"))) == ("skipped", True)


def test_a_file_that_was_only_touched_has_not_changed(output, song, tmp_path):
    output.master(song)
    (tmp_path / "song.flac").touch()
    assert output.master(song).outcome == "skipped"


# What has changed is done again


def test_a_changed_source_is_mastered_again(output, song, tmp_path):
    output.master(song)
    write(tmp_path / "song.flac", music(seconds=2, seed=2))
    found = output.master(song)
    assert (found.outcome, found.reason.startswith("changed since run run1: source")) == ("mastered", True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"limiter": {"hold_s": 0.02}}, "settings"),
        ({"loudness": {"target_lufs": -18.0}}, "settings"),
        ({"limiter": {"release_s": 0.2}}, "settings"),
    ],
)
def test_a_changed_profile_is_told_as_changed_settings(output, song, change, word):
    chosen = profile(FLAC24)
    other = structs.replace(chosen, **{t: structs.replace(getattr(chosen, t), **new) for t, new in change.items()})
    output.master(song, chosen=chosen)
    assert output.master(song, chosen=other).reason == f"changed since run run1: {word}"


def test_a_changed_version_of_the_sound_is_a_reason(output, song, monkeypatch):
    output.master(song)
    monkeypatch.setattr(steps, "SOUND_VERSION", 999)
    assert output.master(song).reason == "changed since run run1: version of the sound"


def test_a_changed_artist_changes_the_tags_alone(output, song):
    output.master(song)
    assert output.master(structs.replace(song, artist="Other")).reason == "changed since run run1: tags"


def test_a_changed_place_of_the_source_changes_nothing(output, song, tmp_path):
    output.master(song)
    (tmp_path / "song.flac").rename(tmp_path / "moved.flac")
    assert output.master(structs.replace(song, uri=str(tmp_path / "moved.flac"))).outcome == "skipped"


def test_another_profile_of_the_same_name_and_settings_is_no_change(output, song):
    output.master(song, chosen=profile(FLAC24))
    other = structs.replace(profile(FLAC24), description="Said in other words")
    assert output.master(song, chosen=other).outcome == "skipped"


def test_a_new_neighbour_across_a_join_is_a_reason(output, tmp_path):
    whole = music(seconds=4)
    rows = [
        track(write(tmp_path / f"{i}.flac", half), sequence=i + 1, joins_next=not i)
        for i, half in enumerate((whole[:88_200], whole[88_200:]))
    ]
    output.master(*rows)
    write(tmp_path / "1.flac", whole[88_200:] * 0.99)
    assert "neighbour across a gapless join" in output.master(*rows)[0].reason


def test_a_new_title_moves_the_master_and_keeps_the_old_one(output, song):
    output.master(song)
    before = output.bytes()
    output.master(structs.replace(song, title="New", file_stem="1-01 New"))
    assert sorted(output.bytes()) == ["cd/A/1-01 New.wav", "flac24/A/1-01 New.flac"]
    assert output.bytes("superseded/run2") == before


def test_two_tracks_that_change_places_both_keep_their_old_masters(output, tmp_path):
    rows = [
        track(write(tmp_path / f"{i}.flac", music(seconds=1, seed=i)), sequence=i, file_stem=f"1-0{i} X")
        for i in (1, 2)
    ]
    output.master(*rows)
    before = output.bytes()
    output.master(
        *(structs.replace(row, sequence=3 - row.sequence, file_stem=f"1-0{3 - row.sequence} X") for row in rows)
    )
    assert sorted(output.bytes()) == sorted(before)
    assert output.bytes("superseded/run2") == before


def test_a_master_that_was_replaced_is_kept(output, song, tmp_path):
    output.master(song)
    before = output.bytes()
    write(tmp_path / "song.flac", music(seconds=2, seed=2))
    output.master(song)
    assert output.bytes("superseded/run2") == before


@pytest.mark.parametrize("name", ["cd/A/1-01 Song.wav", "flac24/A/1-01 Song.flac"])
def test_a_master_that_was_deleted_is_made_again(output, song, name):
    output.master(song)
    before = output.bytes()
    (output.folder / "masters" / name).unlink()
    found = output.master(song)
    assert (found.reason, output.bytes()) == (f"missing or altered in the output: {name.partition('/')[0]}", before)


def test_a_master_that_rotted_on_disk_is_made_again_and_the_rotten_one_kept(output, song):
    output.master(song)
    before, path = output.bytes(), output.folder / "masters/cd/A/1-01 Song.wav"
    path.write_bytes(path.read_bytes()[:-2] + b"!!")
    assert output.master(song).reason == "missing or altered in the output: cd"
    assert (output.bytes(), list(output.bytes("superseded/run2"))) == (before, ["cd/A/1-01 Song.wav"])


def test_force_gives_the_same_bytes_and_supersedes_nothing(output, song):
    output.master(song)
    before = output.bytes()
    found = output.master(song, force=True)
    assert (found.reason, output.bytes(), output.bytes("superseded")) == ("asked for by --force", before, {})


def test_a_delivery_that_is_added_is_made(output, song):
    output.master(song, chosen=profile(FLAC24))
    output.master(song, chosen=profile(FLAC24, CD))
    assert sorted(output.bytes()) == ["cd/A/1-01 Song.wav", "flac24/A/1-01 Song.flac"]


def test_a_delivery_that_is_dropped_is_superseded(output, song):
    output.master(song, chosen=profile(FLAC24, CD))
    output.master(song, chosen=profile(FLAC24))
    assert (list(output.bytes()), list(output.bytes("superseded/run2"))) == (
        ["flac24/A/1-01 Song.flac"], ["cd/A/1-01 Song.wav"],
    )  # fmt: skip


# A step that runs twice


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4, 5])
def test_a_retry_after_a_crash_ends_with_the_same_bytes(output, song, tmp_path, monkeypatch, fails_at):
    """The crash comes before something is written: the intent or the master of either delivery, or the record."""
    undisturbed = Output(tmp_path / "undisturbed")
    undisturbed.master(song)
    job = output.job(profile(FLAC24, CD))
    (plan,) = _plans(song, job)
    calls = []

    def crashing(write):
        def crash(path, uri):
            calls.append(uri)
            if len(calls) == fails_at:
                raise OSError("the machine went away")
            write(path, uri)

        return crash

    for verb in ("publish", "replace"):
        monkeypatch.setattr(store, verb, crashing(getattr(store, verb)))
    with pytest.raises(OSError, match="went away"):
        master_track(plan, job)
    master_track(plan, job)
    assert (output.bytes(), output.bytes("superseded")) == (undisturbed.bytes(), {})


def test_a_master_whose_worker_was_killed_before_the_record_does_not_stay_under_an_old_name(output, song, monkeypatch):
    def killed(self, kind, name, record):
        if kind == "masters":
            raise SystemExit("killed")
        put(self, kind, name, record)

    put = Ledger.put
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "put", killed)
        with pytest.raises(SystemExit):
            output.master(song)
    before = output.bytes()
    output.master(structs.replace(song, title="New", file_stem="1-01 New"))
    assert sorted(output.bytes()) == ["cd/A/1-01 New.wav", "flac24/A/1-01 New.flac"]
    assert (len(before), output.bytes("superseded/run2")) == (2, before)


def test_a_track_that_is_skipped_is_rid_of_what_a_killed_run_left_too(output, song, monkeypatch):
    output.master(song)
    renamed = structs.replace(song, title="New", file_stem="1-01 New")
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "clear", lambda self, standing, former: (_ for _ in ()).throw(SystemExit("killed")))
        with pytest.raises(SystemExit):
            output.master(renamed)
    assert (len(output.bytes()), output.master(song).outcome) == (4, "skipped")
    assert sorted(output.bytes()) == ["cd/A/1-01 Song.wav", "flac24/A/1-01 Song.flac"]


def test_a_step_that_ran_twice_in_one_run_changes_nothing(output, song):
    job = output.job(profile(FLAC24, CD))
    (plan,) = _plans(song, job)
    first, before = master_track(plan, job), output.bytes()
    second = master_track(plan, job)
    assert (second.masters, output.bytes(), output.bytes("superseded")) == (first.masters, before, {})


def test_nothing_in_the_making_stays_behind(output, song):
    output.master(song)
    assert output.bytes(".parts") == {}


def _plans(song, job):
    drafts = draft_album([analyse_track(song, job)], job.profiles[""])
    return settle_album([rehearse_track(one, job) for one in drafts], job.profiles[""], f"{job.output}/masters")


# What is refused


def test_a_source_that_is_not_the_announced_file_is_refused(output, song):
    with pytest.raises(TrackError, match=r"HASH_MISMATCH: SHA-256 is [0-9a-f]{12}\.\.\., the manifest says 0{12}"):
        output.master(structs.replace(song, sha256="0" * 64))


def test_a_source_that_is_the_announced_file_is_mastered(output, song, tmp_path):
    found = output.master(structs.replace(song, sha256=sha256_of(tmp_path / "song.flac")))
    assert found.outcome == "mastered"


@pytest.mark.parametrize(
    ("audio", "rate_hz", "row", "message"),
    [
        (noise(seconds=0.2), 44_100, {}, "SOURCE_TOO_SHORT: 0.200 s long; profile streaming takes 0.4 s and more"),
        (noise() * 0.0, 44_100, {}, "SOURCE_SILENT: .*digital silence"),
        (noise(level_dbfs=-90), 44_100, {}, "SOURCE_SILENT: .*sample peak of -7.* dBFS"),
        (noise(), 8_000, {}, "RATE_UNSUPPORTED: 8000 Hz; profile streaming takes 44100 to 192000 Hz"),
        (noise(seconds=5), 384_000, {}, "RATE_UNSUPPORTED: 384000 Hz"),
        (noise(channels=6), 44_100, {}, "CHANNELS_UNSUPPORTED: 6 channels; profile streaming takes 1 to 2"),
        (noise(channels=9), 44_100, {}, "CHANNELS_UNSUPPORTED: .* has 9 channels"),
        (noise(), 44_100, {"duration_s": 7.0}, "DURATION_MISMATCH: 1.0 s long, the manifest says 7.0 s"),
        (noise()[:0], 44_100, {}, "SOURCE_TOO_SHORT: 0.000 s"),
    ],
)
def test_what_cannot_be_mastered_is_refused_with_its_figures(output, tmp_path, audio, rate_hz, row, message):
    song = track(write(tmp_path / "a.wav", audio, rate_hz), **row)
    with pytest.raises(TrackError, match=message):
        output.master(song)


def test_a_small_difference_in_length_is_no_reason_to_refuse(output, song):
    assert output.master(structs.replace(song, duration_s=4.0)).outcome == "mastered"


def test_a_refused_source_is_refused_again_from_memory(output, tmp_path):
    song = track(write(tmp_path / "a.wav", noise(seconds=0.2)))
    for _ in range(2):
        with pytest.raises(TrackError, match="SOURCE_TOO_SHORT"):
            output.master(song)


def planned_of(**changes):
    return Planned(track=records.track(1), analysis=records.analysis(), plan=records.plan(**changes))


def test_where_nobody_asks_a_master_depends_on_what_it_did_before_there_were_reviewers():
    parts = steps._parts(planned_of(), "/out")
    # As it was then; another is right where a plan has another setting.
    assert parts["settings"] == "7f6b4ac6486a4840fa6eddda3db42910"
    assert steps.ASKED not in parts


def test_what_reviewers_ask_is_what_a_master_depends_on_but_not_how_far_its_album_moves_nor_where_a_reference_lies():
    revision = Revision(tone_steps=1, reference="/here/a.wav")
    asked = Instructed(revision=revision, own_gain=True)
    there = Instructed(revision=structs.replace(revision, reference="/there/a.wav"), own_gain=True, moved_lu=0.3)
    one, other = (steps._parts(planned_of(asked=words), "/out") for words in (asked, there))
    assert one == other and one["settings"] == steps._parts(planned_of(), "/out")["settings"]
    more = Instructed(revision=structs.replace(revision, tone_steps=2), own_gain=True)
    assert one[steps.ASKED] != steps._parts(planned_of(asked=more), "/out")[steps.ASKED]
