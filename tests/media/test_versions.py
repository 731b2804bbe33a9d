"""Masters of the versions of a mix: they follow the full master, add up to it, and never break the ceiling."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from msgspec import structs

from decisions.album import draft_album, settle_album
from decisions.choices import Choices, chosen
from decisions.profile_files import load_profile
from dsp.audio import to_db, to_gain
from dsp.settings import EqualiserSettings, SaturationSettings, SubsonicSettings
from media.ledger import Ledger
from media.rendering import render_track
from media.steps import analyse_track, foreseen_reason, master_track, rehearse_track, standing_run
from media.versions import asked_versions, version_uri
from schemas.errors import TrackError
from schemas.plan import Head
from schemas.stems import Song, Stem
from schemas.steps import Job, MixWish
from tests.makers import RATE_HZ, music, noise, write
from tests.media.plans import CD, FLAC24, WAV24, profile, track

SUM_DBFS = -120.0  # law of versions
TOLERANCE_DB = 0.05  # law 6
ALL = ("instrumental", "acappella", "tv")
SONG = Song(stems=(Stem(row=1, uri="a.wav", stem_id="a"),))


class Output:
    """An output that holds mixes with their versions, and the runs that master them."""

    def __init__(self, folder):
        self.folder, self.runs = folder, 0

    def mix(self, name, parts, versions=ALL, rate_hz=RATE_HZ, **row):
        """A song of (music, lead, backing voices) as Lathe mixes it: 32-bit float files."""
        band, lead, backing = parts
        folder = self.folder / "mixes" / name
        made = {"instrumental": band, "acappella": lead + backing, "tv": band + backing}
        for version in versions:
            write(folder / "versions" / f"{version}.wav", made[version], rate_hz, "FLOAT")
        path = write(folder / "mix.wav", band + lead + backing, rate_hz, "FLOAT")
        return track(path, track_id=name, title=name, file_stem=name, song=SONG, **row)

    def job(self, versions, chosen, **options):
        self.runs += 1
        mixing = MixWish(versions=versions)
        return Job(output=str(self.folder), run_id=f"run{self.runs}", profiles={"": chosen}, mixing=mixing, **options)

    def plans(self, *tracks, versions=ALL, chosen=None, **options):
        chosen = chosen or profile(FLAC24, CD)
        job = self.job(versions, chosen, **options)
        drafts = draft_album([analyse_track(one, job) for one in tracks], chosen)
        takes = [rehearse_track(draft, job) for draft in drafts]
        return list(settle_album(takes, chosen, f"{job.output}/masters")), job

    def master(self, *tracks, **options):
        plans, job = self.plans(*tracks, **options)
        made = [master_track(plan, job) for plan in plans]
        return made[0] if len(made) == 1 else made

    def bytes(self, below="masters"):
        root = self.folder / below
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def sound(self, name):
        return soundfile.read(self.folder / "masters" / name, always_2d=True)[0]


@pytest.fixture
def output(tmp_path):
    return Output(tmp_path / "out")


def parts(seconds=3.0, rate_hz=RATE_HZ, loud_db=0.0):
    """Music, a lead and backing voices that add up without peaks of their own: the voices are softer parts of the music."""
    band = music(level_dbfs=-22 + loud_db, seconds=seconds, rate_hz=rate_hz)
    return [np.float32(one).astype(np.float64) for one in (band, 0.5 * band, 0.25 * band)]


def clashing(seconds=3.0):
    """A voice that takes peaks away from the music: without it the music is louder than the mix."""
    band = noise(level_dbfs=-16, seconds=seconds)
    return band, -0.6 * band, 0.01 * noise(level_dbfs=-20, seconds=seconds, seed=3)


def under(plan, **changes):
    return structs.replace(plan, plan=structs.replace(plan.plan, **changes))


def undithered(plan):
    plain = tuple(
        structs.replace(d, quantiser=type(d.quantiser)(bits=24, dither=False, seed=d.quantiser.seed))
        for d in plan.plan.deliveries
    )
    return under(plan, deliveries=plain)


# Where they stand


def test_every_version_that_is_asked_for_stands_beside_the_full_master_in_every_delivery(output):
    output.master(output.mix("Song", parts()))
    names = ["Song", "Song (acappella)", "Song (instrumental)", "Song (tv)"]
    expected = [f"cd/A/{name}.wav" for name in names] + [f"flac24/A/{name}.flac" for name in names]
    assert sorted(output.bytes()) == sorted(expected)


def test_they_are_told_with_their_proofs_as_they_were_delivered(output):
    found = output.master(output.mix("Song", parts()), versions=("tv", "instrumental"))
    told = [(one.version, one.master.delivery, one.linked, one.why) for one in found.versions]
    assert told == [
        ("instrumental", "flac24", True, ""), ("instrumental", "cd", True, ""),
        ("tv", "flac24", True, ""), ("tv", "cd", True, ""),
    ]  # fmt: skip
    for one in found.versions:
        assert one.master.proof.format.frames == round(3.0 * RATE_HZ)
        assert one.master.uri.endswith(f"/Song ({one.version}).{'flac' if one.master.delivery == 'flac24' else 'wav'}")


def test_a_version_is_named_in_its_title(output):
    output.master(output.mix("Song", parts()))
    with soundfile.SoundFile(output.folder / "masters/flac24/A/Song (tv).flac") as handle:
        assert handle.title == "Song (tv)"


def test_a_recording_that_was_not_mixed_here_has_no_versions(output, tmp_path):
    song = track(write(tmp_path / "song.flac", music(seconds=2)))
    assert output.master(song).versions == ()


def test_the_full_master_is_the_same_file_with_and_without_versions(output, tmp_path):
    with_versions = output.master(output.mix("Song", parts(loud_db=6.0)))
    without = Output(tmp_path / "other")
    alone = without.master(without.mix("Song", parts(loud_db=6.0)), versions=())
    assert [m.proof.sha256 for m in alone.masters] == [m.proof.sha256 for m in with_versions.masters]
    assert alone.limiter_course_db == with_versions.limiter_course_db


# They add up


HEADS = {
    "nothing": Head(),
    "equaliser": Head(equaliser=EqualiserSettings(freqs_hz=(80.0, 1000.0, 9000.0), gains_db=(3.0, -2.0, 3.0))),
    "an offset": Head(subsonic=SubsonicSettings(cutoff_hz=20.0, offset_ratio=(0.01, 0.01))),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 48_000, 96_000])
def test_instrumental_and_a_cappella_add_up_to_the_full_master(output, tmp_path, rate_hz, head):
    song = output.mix("Song", parts(rate_hz=rate_hz), rate_hz=rate_hz)
    cd24 = structs.replace(CD, name="cd24", bits=24)
    (plan,), job = output.plans(song, chosen=profile(WAV24, cd24))
    plan = undithered(under(plan, head=head, gain_db=20.0))
    followers = [undithered(one) for one in asked_versions(plan, job).values()]
    found = render_track(plan, tmp_path / "made", followers)
    assert found.max_reduction_db > 6.0
    for name in ("wav24", "cd24"):
        full = soundfile.read(found.paths[name])[0]
        instrumental, acappella, _ = (soundfile.read(one.paths[name])[0] for one in found.followers)
        assert to_db(np.abs(full - (instrumental + acappella)).max()) <= SUM_DBFS


def test_they_add_up_as_delivered_too_but_for_their_dither(output):
    output.master(output.mix("Song", parts(loud_db=12.0)))
    full, instrumental, acappella = (
        output.sound(f"flac24/A/Song{name}.flac") for name in ("", " (instrumental)", " (acappella)")
    )
    assert np.abs(full - instrumental - acappella).max() <= 3 * 1.5 * 2.0**-23 + to_gain(SUM_DBFS)


def test_no_two_files_share_their_dither(output):
    (plan,), job = output.plans(output.mix("Song", parts()))
    planned = [plan, *asked_versions(plan, job).values()]
    seeds = {d.quantiser.seed for one in planned for d in one.plan.deliveries}
    assert len(seeds) == 4 * len(plan.plan.deliveries)


def test_the_same_mix_gives_the_same_versions(output, tmp_path):
    output.master(output.mix("Song", parts()))
    other = Output(tmp_path / "other")
    other.master(other.mix("Song", parts()), versions=("tv", "acappella", "instrumental"))
    assert output.bytes() == other.bytes()


# Where they cannot


def test_a_version_with_peaks_of_its_own_stays_under_the_ceiling_and_says_so(output):
    found = output.master(output.mix("Song", clashing()), chosen=profile(FLAC24, CD, tone_max_db=0.0))
    versions = {(one.version, one.master.delivery): one for one in found.versions}
    for one in found.versions:
        assert one.master.proof.figures.true_peak_dbtp <= one.master.ceiling_dbtp + TOLERANCE_DB
    for delivery in ("flac24", "cd"):
        loud, soft = versions["instrumental", delivery], versions["acappella", delivery]
        assert not loud.linked
        assert loud.own_reduction_db > 3.0
        assert loud.why.startswith(
            "it has peaks of its own over the ceiling; a limiter of its own turned them down by up"
        )
        assert soft.linked
        assert soft.own_reduction_db == 0.0


def test_between_its_own_peaks_a_guarded_version_still_follows_the_mix(output, tmp_path):
    band, lead, backing = parts(seconds=6.0, loud_db=6.0)
    at = 4 * RATE_HZ
    band[at : at + 200] += 0.9
    lead[at : at + 200] -= 0.9
    song = output.mix("Song", (band, lead, backing))
    (plan,), job = output.plans(song, chosen=profile(WAV24))
    plan = undithered(under(plan, head=Head(), gain_db=9.0))
    found = render_track(plan, tmp_path / "made", [undithered(one) for one in asked_versions(plan, job).values()])
    full, instrumental, acappella = (soundfile.read(one.paths["wav24"])[0] for one in (found, *found.followers[:2]))
    apart = np.abs(full - instrumental - acappella).max(axis=1)
    assert found.followers[0].max_reduction_db > 3.0
    assert apart[: at - RATE_HZ // 2].max() <= to_gain(SUM_DBFS) < apart[at : at + 200].max()


def test_behind_a_chain_that_hears_what_it_bends_a_version_has_a_chain_of_its_own(output):
    warm = chosen(load_profile("streaming"), Choices(style="warm", intensity="high"))
    warm = structs.replace(warm, delivery=(FLAC24,))
    found = output.master(output.mix("Song", parts(seconds=5.0)), chosen=warm)
    assert [one.linked for one in found.versions] == [False] * 3
    why = found.versions[0].why
    assert why.startswith("the chain acts on each sound by what it hears (")
    for one in found.versions:
        assert one.master.proof.figures.true_peak_dbtp <= one.master.ceiling_dbtp + TOLERANCE_DB


def test_a_version_with_a_chain_of_its_own_is_the_mix_of_that_name_through_the_same_plan(output, tmp_path):
    (plan,), job = output.plans(output.mix("Song", parts()), versions=("instrumental",), chosen=profile(WAV24))
    head = Head(saturation=SaturationSettings())
    plan = under(plan, head=head)
    made = master_track(plan, job)
    (version,) = asked_versions(plan, job).values()
    expected = render_track(version, tmp_path / "expected").paths["wav24"]
    assert (output.folder / "masters/wav24/A/Song (instrumental).wav").read_bytes() == expected.read_bytes()
    assert [one.linked for one in made.versions] == [False]


def test_a_song_without_voices_has_a_silent_a_cappella_and_an_instrumental_that_is_the_mix(output):
    band = parts(loud_db=9.0)[0]
    found = output.master(output.mix("Song", (band, 0.0 * band, 0.0 * band)))
    assert all(one.linked for one in found.versions)
    assert not output.sound("cd/A/Song (acappella).wav").any()
    full, instrumental = (output.sound(f"flac24/A/Song{name}.flac") for name in ("", " (instrumental)"))
    assert np.abs(full - instrumental).max() <= 3.0 * 2.0**-23


# Law 10: only what changed is made again


def test_what_stands_is_skipped_with_its_versions(output):
    song = output.mix("Song", parts())
    first, second = output.master(song), output.master(song)
    assert (second.outcome, second.versions) == ("skipped", first.versions)


def test_a_version_that_is_newly_asked_for_is_made_and_nothing_is_superseded(output):
    song = output.mix("Song", parts())
    output.master(song, versions=())
    before = output.bytes()
    found = output.master(song, versions=("tv",))
    assert found.reason == "changed since run run1: tv version"
    assert sorted(set(output.bytes()) - set(before)) == ["cd/A/Song (tv).wav", "flac24/A/Song (tv).flac"]
    assert {name: output.bytes()[name] for name in before} == before
    assert not (output.folder / "superseded").exists()


def test_a_version_that_is_no_longer_asked_for_is_superseded(output):
    song = output.mix("Song", parts())
    output.master(song, versions=("instrumental", "tv"))
    found = output.master(song, versions=("instrumental",))
    assert found.reason == "changed since run run1: tv version"
    assert {one.version for one in found.versions} == {"instrumental"}
    assert sorted(output.bytes("superseded/run2")) == ["cd/A/Song (tv).wav", "flac24/A/Song (tv).flac"]


def test_a_version_whose_source_changed_is_made_again(output):
    song = output.mix("Song", parts())
    output.master(song)
    band, _, backing = parts()
    write(output.folder / "mixes/Song/versions/tv.wav", band + 0.5 * backing, subtype="FLOAT")
    assert output.master(song).reason == "changed since run run1: tv version"
    assert len(output.bytes("superseded/run2")) == 2


def test_a_master_of_a_version_that_was_deleted_or_rotted_is_made_again(output):
    song = output.mix("Song", parts())
    output.master(song)
    made = output.bytes()
    (output.folder / "masters/cd/A/Song (tv).wav").unlink()
    path = output.folder / "masters/flac24/A/Song (acappella).flac"
    path.write_bytes(path.read_bytes()[:-1])
    assert output.master(song).reason == "missing or altered in the output: flac24 (acappella), cd (tv)"
    assert output.bytes() == made


def test_a_new_title_moves_the_versions_with_the_master(output):
    song = output.mix("Song", parts())
    output.master(song)
    output.master(structs.replace(song, file_stem="New"))
    assert {name.rpartition("/")[2].split(" (")[0].split(".")[0] for name in output.bytes()} == {"New"}
    assert len(output.bytes("superseded/run2")) == 8


def test_an_output_that_was_moved_still_knows_its_versions(output, tmp_path):
    song = output.mix("Song", parts())
    output.master(song)
    output.folder = output.folder.rename(tmp_path / "moved")
    moved = structs.replace(song, uri=str(output.folder / "mixes/Song/mix.wav"))
    assert output.master(moved).outcome == "skipped"


def test_it_is_foreseen_that_a_version_will_be_made(output):
    song = output.mix("Song", parts())
    output.master(song, versions=())
    (plan,), job = output.plans(song, versions=("tv",))
    assert foreseen_reason(plan, job) == "changed since run run1: tv version"
    assert standing_run("Song", job) == "run1"


def test_a_retry_after_a_crash_ends_with_the_same_versions(output, tmp_path, monkeypatch):
    song = output.mix("Song", parts())
    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="killed"):
        patched.setattr(Ledger, "put", lambda self, kind, name, record: _killed() if kind == "masters" else None)
        output.master(song)
    output.master(song)
    other = Output(tmp_path / "other")
    other.master(other.mix("Song", parts()))
    assert output.bytes() == other.bytes()


def _killed():
    raise RuntimeError("killed")


# What goes wrong


def test_a_mix_that_holds_nothing_of_a_version_is_mastered_without_it(output):
    song = output.mix("Song", parts(), versions=("instrumental",))
    found = output.master(song)
    assert {one.version for one in found.versions} == {"instrumental"}
    assert output.master(song).outcome == "skipped"


def test_a_version_that_a_new_mix_does_not_hold_any_more_is_superseded(output):
    song = output.mix("Song", parts())
    output.master(song)
    (output.folder / "mixes/Song/versions/acappella.wav").unlink()
    assert output.master(song).reason == "changed since run run1: acappella version"
    assert len(output.bytes("superseded/run2")) == 2


def test_a_version_of_another_length_is_told(output):
    song = output.mix("Song", parts())
    write(output.folder / "mixes/Song/versions/tv.wav", parts(seconds=2.0)[0], subtype="FLOAT")
    text = "SOURCE_CHANGED: the tv at .* has 88200 frames in 2 channels at 44100 Hz, its mix 132300 in 2"
    with pytest.raises(TrackError, match=text):
        output.master(song)


# Music that runs on


def joined_songs(output, with_versions=True):
    """Two songs that run on into each other, and their plans without dither under settings of our own."""
    whole = parts(seconds=8.0)
    halves = [[one[: 4 * RATE_HZ + 77] for one in whole], [one[4 * RATE_HZ + 77 :] for one in whole]]
    rows = [
        output.mix("One", halves[0], sequence=1, joins_next=True),
        output.mix("Two", halves[1], sequence=2) if with_versions else output.mix("Two", halves[1], (), sequence=2),
    ]
    plans, job = output.plans(*rows, chosen=profile(WAV24))
    equaliser = HEADS["equaliser"]
    return [undithered(under(plan, head=equaliser, gain_db=12.0)) for plan in plans], job


def made(plan, job, folder):
    found = render_track(plan, folder, [undithered(one) for one in asked_versions(plan, job).values()])
    return [soundfile.read(one.paths["wav24"])[0] for one in (found, *found.followers)]


def test_joined_versions_run_on_without_a_seam_as_the_full_masters_do(output, tmp_path):
    plans, job = joined_songs(output)
    one, two = (made(plan, job, tmp_path / plan.track.track_id) for plan in plans)
    whole_song = output.mix("Whole", parts(seconds=8.0))
    (whole,), _ = output.plans(whole_song, chosen=profile(WAV24))
    same = undithered(under(whole, head=plans[0].plan.head, gain_db=12.0))
    for first, second, continuous in zip(one, two, made(same, job, tmp_path / "whole"), strict=True):
        assert np.abs(np.concatenate([first, second]) - continuous).max() <= to_gain(SUM_DBFS)


def test_beside_a_neighbour_without_versions_they_still_add_up(output, tmp_path):
    plans, job = joined_songs(output, with_versions=False)
    full, instrumental, acappella, _ = made(plans[0], job, tmp_path / "made")
    assert np.abs(full - instrumental - acappella).max() <= to_gain(SUM_DBFS)


def test_a_new_version_of_a_neighbour_is_a_reason(output):
    plans, job = joined_songs(output)
    master_track(plans[0], job)
    path = version_uri(plans[1].track.uri, "tv")
    soundfile.write(path, parts(seconds=8.0)[1][4 * RATE_HZ + 77 :], RATE_HZ, subtype="FLOAT")
    assert foreseen_reason(plans[0], job) == f"changed since run {job.run_id}: tv version"
