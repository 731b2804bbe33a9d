"""What is rendered is the source through the plan: aligned to the sample, whole, and seamless where music runs on."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from msgspec import structs

from decisions.choices import Choices, chosen
from decisions.profile_files import load_profile
from dsp.audio import to_gain
from dsp.resampler import resampled_frames
from media.rendering import render_track, tags_of
from media.steps import master_track, proved
from schemas.errors import TrackError
from schemas.profile import Delivery
from schemas.steps import Job
from tests.makers import music, noise, sine, write
from tests.media.plans import CD, FLAC24, WAV16, WAV24, planned, planned_album, profile, track, untouched

SEAM_DBFS = -120.0  # law 4
CD24 = Delivery(name="cd24", container="flac", bits=24, rate_hz=44_100)


def rendered(plan, folder):
    """Each delivery as integers at full scale 1.0, by name."""
    folder.mkdir(exist_ok=True)
    return {name: soundfile.read(path, always_2d=True)[0] for name, path in render_track(plan, folder).paths.items()}


def lag(one, other):
    """By how many frames the second runs behind the first, by cross-correlation."""
    size = 2 * max(len(one), len(other))
    spectrum = np.fft.rfft(other[:, 0], size) * np.conj(np.fft.rfft(one[:, 0], size))
    return (int(np.argmax(np.fft.irfft(spectrum, size))) + size // 2) % size - size // 2


# One track


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("delivery", [FLAC24, WAV24])
def test_with_nothing_to_do_the_master_is_the_source_to_the_bit(tmp_path, delivery, bits):
    path = write(tmp_path / "a.wav", music(seconds=2), subtype=f"PCM_{bits}")
    found = rendered(untouched(path, delivery), tmp_path / "out")
    assert np.array_equal(found[delivery.name], soundfile.read(path)[0])


def test_a_float_source_is_only_rounded(tmp_path):
    path = write(tmp_path / "a.wav", music(seconds=2), subtype="DOUBLE")
    found = rendered(untouched(path, FLAC24), tmp_path / "out")["flac24"]
    assert np.abs(found - soundfile.read(path)[0]).max() <= 2.0**-24


@pytest.mark.parametrize("gain_db", [-6.0, 12.0])
def test_a_master_has_the_frames_of_its_source_and_stands_in_line_with_it(tmp_path, gain_db):
    path = write(tmp_path / "a.flac", music(seconds=2))
    found = rendered(planned(path, FLAC24, gain_db=gain_db), tmp_path / "out")["flac24"]
    assert (len(found), lag(soundfile.read(path)[0], found)) == (88_200, 0)


def test_the_whole_chain_keeps_time(tmp_path):
    path = write(tmp_path / "a.flac", music(seconds=3) + 0.01)
    plan = planned(path, FLAC24)
    assert plan.plan.head.subsonic and plan.plan.head.equaliser
    assert lag(soundfile.read(path)[0], rendered(plan, tmp_path / "out")["flac24"]) == 0


@pytest.mark.parametrize("frames", [96_000, 96_001, 95_999])
@pytest.mark.parametrize("rate_hz", [48_000, 88_200, 96_000, 192_000])
def test_at_another_rate_a_master_is_as_long_as_the_music(tmp_path, rate_hz, frames):
    path = write(tmp_path / "a.flac", music(seconds=3, rate_hz=48_000)[:frames], rate_hz=rate_hz)
    found = rendered(planned(path, CD, gain_db=0.0), tmp_path / "out")["cd"]
    assert len(found) == resampled_frames(frames, rate_hz, 44_100)


def test_a_click_stays_where_it_was_at_another_rate(tmp_path):
    audio = noise(level_dbfs=-60, seconds=2, rate_hz=48_000)
    audio[48_000] = 0.5
    found = rendered(planned(write(tmp_path / "a.flac", audio, 48_000), CD, gain_db=0.0), tmp_path / "out")["cd"]
    assert int(np.argmax(np.abs(found[:, 0]))) == 44_100


def test_a_plain_gain_is_that_gain(tmp_path):
    path = write(tmp_path / "a.flac", noise(level_dbfs=-40, seconds=2))
    found = rendered(planned(path, FLAC24, gain_db=6.0), tmp_path / "out")["flac24"]
    assert np.abs(found - soundfile.read(path)[0] * to_gain(6.0)).max() <= 1.5 * 2.0**-23  # dither and rounding


def test_deliveries_differ_only_in_their_rounding(tmp_path):
    found = rendered(planned(write(tmp_path / "a.flac", music(seconds=2)), FLAC24, WAV16), tmp_path / "out")
    assert 0 < np.abs(found["flac24"] - found["wav16"]).max() <= 1.5 * 2.0**-15 + 1.5 * 2.0**-23


def test_the_same_plan_gives_the_same_bytes(tmp_path):
    plan = planned(write(tmp_path / "a.flac", music(seconds=2)), FLAC24, CD)
    made = [render_track(plan, _folder(tmp_path / name)).paths for name in ("one", "two")]
    assert [p.read_bytes() for p in made[0].values()] == [p.read_bytes() for p in made[1].values()]


def test_mono_stays_mono(tmp_path):
    found = rendered(planned(write(tmp_path / "a.flac", music(seconds=2, channels=1))), tmp_path / "out")
    assert {name: audio.shape[1] for name, audio in found.items()} == {"flac24": 1, "cd": 1}


def test_the_work_of_the_limiter_is_told(tmp_path):
    path = write(tmp_path / "a.flac", sine(997, level_dbfs=-7.0, seconds=2))
    found = render_track(planned(path, gain_db=9.0), tmp_path)
    assert found.max_reduction_db == pytest.approx(3.0, abs=0.2)


def _folder(path):
    path.mkdir()
    return path


# Tags


def test_the_manifest_speaks_and_the_source_fills_in(tmp_path):
    row = track(tmp_path / "a.flac", title="New", sequence=3, year=1999)
    found = tags_of(row, {"title": "Old", "artist": "Known", "comment": "of the tagger"})
    assert found == {"title": "New", "artist": "Known", "tracknumber": "3", "date": "1999"}


@pytest.mark.parametrize("name", ["flac24", "cd"])
def test_a_master_carries_its_tags(tmp_path, name):
    path = write(tmp_path / "a.flac", noise(seconds=1))
    found = render_track(planned(path, title="Señora 🎺", artist="X", album="Y", genre="Son"), tmp_path).paths[name]
    with soundfile.SoundFile(found) as handle:
        assert (handle.title, handle.artist, handle.album, handle.genre) == ("Señora 🎺", "X", "Y", "Son")


# What goes wrong


def test_a_source_that_changed_since_its_analysis_is_not_mastered(tmp_path):
    plan = planned(write(tmp_path / "a.flac", noise()))
    write(tmp_path / "a.flac", noise(seed=2))
    with pytest.raises(TrackError, match="SOURCE_CHANGED"):
        render_track(plan, tmp_path)


@pytest.mark.parametrize("delivery", [FLAC24, WAV24])
@pytest.mark.parametrize("seconds", [2.8, 3.0, 3.5, 10.0])
def test_a_full_disk_is_told_and_never_leaves_a_master_that_lacks_its_end(tmp_path, small_disk, delivery, seconds):
    plan = planned(write(tmp_path / "a.wav", noise(seconds=seconds)), delivery)
    with pytest.raises(TrackError, match="OUTPUT_NOT_WRITABLE|MASTER_DAMAGED"):
        found = render_track(plan, small_disk)
        proved(found.paths[delivery.name], found.frames[delivery.name], found.md5[delivery.name])


def test_on_a_full_disk_nothing_is_published(tmp_path, small_disk):
    output = str(small_disk / "out")
    (plan,) = planned_album([track(write(tmp_path / "a.wav", noise(seconds=4)))], profile(FLAC24), output)
    job = Job(output=output, run_id="r", profiles={})
    with pytest.raises(TrackError, match="OUTPUT_NOT_WRITABLE|MASTER_DAMAGED"):
        master_track(plan, job)
    assert [path for path in (small_disk / "out").rglob("*") if path.is_file()] == []


def test_a_finished_file_that_lacks_frames_fails_its_proof(tmp_path):
    with pytest.raises(TrackError, match="MASTER_DAMAGED: .* has 44100 frames, 44101 were rendered"):
        proved(write(tmp_path / "a.wav", noise()), 44_101, b"")


def test_a_finished_file_that_rots_before_its_proof_fails_it(tmp_path):
    path = write(tmp_path / "a.flac", noise())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrackError, match="MASTER_DAMAGED: .* does not decode"):
        proved(path, 44_100, b"")


@pytest.mark.parametrize("delivery", [FLAC24, CD, WAV16], ids=lambda one: one.name)
def test_a_finished_file_that_holds_other_sound_than_was_encoded_fails_its_proof(tmp_path, delivery):
    found = render_track(planned(write(tmp_path / "a.flac", music(seconds=1)), delivery), tmp_path)
    path, frames, md5 = found.paths[delivery.name], found.frames[delivery.name], found.md5[delivery.name]
    assert frames == proved(path, frames, md5).format.frames
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrackError, match="MASTER_DAMAGED: .* does not decode"):
        proved(path, frames, md5)


# Music that runs on (law 4)


def piece(seconds, rate_hz):
    """Music that never stops: loud enough for the limiter, with an offset for the subsonic filter."""
    time_s = np.arange(round(seconds * rate_hz))[:, None] / rate_hz
    drone = 0.05 * np.sin(2 * np.pi * np.array([[55.0, 82.5]]) * time_s)
    return music(seconds=seconds, rate_hz=rate_hz, level_dbfs=-17) + drone + 0.01


def distance(one, other):
    return float(np.abs(one - other).max())


def made_to_work(name, style="transparent"):
    """A profile whose target keeps every processor busy, in 24 bits at the source's rate and at that of the disc."""
    base = chosen(load_profile(name), Choices(style=style, intensity="high"))
    loudness = structs.replace(base.loudness, target_lufs=-8.0, max_gain_db=40.0)
    return structs.replace(base, delivery=(FLAC24, CD24), loudness=loudness)


def joined_and_continuous(folder, cuts_s, rate_hz, whole_profile, audio):
    """The masters of a piece cut into tracks, joined again; and the master of the whole under the same settings."""
    parts = np.split(audio, [round(cut * rate_hz) for cut in cuts_s])
    paths = [write(folder / f"{i}.wav", part, rate_hz) for i, part in enumerate(parts)]
    rows = [track(path, sequence=i + 1, joins_next=i + 1 < len(paths)) for i, path in enumerate(paths)]
    plans = [_undithered(one) for one in planned_album(rows, whole_profile)]
    first = plans[0].plan
    whole = _undithered(planned(write(folder / "whole.wav", audio, rate_hz), *whole_profile.delivery))
    same = structs.replace(whole.plan, head=first.head, gain_db=first.gain_db, deliveries=first.deliveries)
    assert first.head.subsonic and first.head.equaliser
    pieces = [rendered(plan, folder / f"out{i}") for i, plan in enumerate(plans)]
    continuous = render_track(structs.replace(whole, plan=same), _folder(folder / "whole"))
    assert continuous.max_reduction_db > 1.5
    return [
        (np.concatenate([one[d.name] for one in pieces]), soundfile.read(continuous.paths[d.name])[0])
        for d in whole_profile.delivery
    ]


def _undithered(plan):
    plain = [
        structs.replace(d, quantiser=type(d.quantiser)(bits=d.quantiser.bits, dither=False))
        for d in plan.plan.deliveries
    ]
    return structs.replace(plan, plan=structs.replace(plan.plan, deliveries=tuple(plain)))


@pytest.mark.parametrize("name", ["streaming", "loud"])
@pytest.mark.parametrize(
    "cuts_s", [(6.5,), (4.123_457, 8.000_021), (6.0, 7.0), (6.0, 6.5, 7.0)], ids=lambda cuts: f"{len(cuts)} cuts"
)
def test_joined_masters_equal_one_continuous_render(tmp_path, cuts_s, name):
    found = joined_and_continuous(tmp_path, cuts_s, 48_000, made_to_work(name), piece(13.0, 48_000))
    for joined, continuous in found:
        assert len(joined) == len(continuous)
        assert distance(joined, continuous) <= to_gain(SEAM_DBFS)


@pytest.mark.parametrize(
    ("name", "style"),
    [("streaming", "balanced"), ("streaming", "warm"), ("streaming", "punchy"), ("podcast", "speech")],
)
def test_no_style_leaves_a_seam(tmp_path, name, style):
    """The run-in is shorter than what came before: what a processor remembers from further back must not be heard."""
    found = joined_and_continuous(tmp_path, (13.000_3, 14.1), 48_000, made_to_work(name, style), piece(17.0, 48_000))
    for joined, continuous in found:
        assert len(joined) == len(continuous)
        assert distance(joined, continuous) <= to_gain(SEAM_DBFS)


def test_a_short_track_does_not_cut_off_what_the_chain_remembers(tmp_path):
    """The compressor still lets go of what was loud two tracks ago."""
    audio = piece(13.0, 48_000)
    audio[6 * 48_000 :] *= 0.1
    found = joined_and_continuous(tmp_path, (6.0, 6.45), 48_000, made_to_work("loud"), audio)
    for joined, continuous in found:
        assert distance(joined, continuous) <= to_gain(SEAM_DBFS)


def test_no_step_is_heard_at_a_seam(tmp_path):
    audio = sine(100, level_dbfs=-9, seconds=13, rate_hz=48_000)
    paths = [write(tmp_path / f"{i}.wav", part, 48_000) for i, part in enumerate(np.split(audio, [300_000]))]
    rows = [track(path, sequence=i + 1, joins_next=not i) for i, path in enumerate(paths)]
    plans = planned_album(rows, profile(FLAC24, CD24, tone_max_db=0.0))
    made = [rendered(plan, tmp_path / f"out{i}") for i, plan in enumerate(plans)]
    for name in ("flac24", "cd24"):
        bends = np.abs(np.diff(np.concatenate([one[name] for one in made]), n=2, axis=0))
        seam = len(made[0][name])
        assert bends[seam - 3 : seam + 3].max() <= bends[4_800:-4_800].min(axis=1).max() + 1e-6


def test_tracks_that_end_in_silence_are_not_run_into_each_other(tmp_path):
    audio = np.concatenate([noise(seconds=2), np.zeros((22_050, 2))])
    rows = [track(write(tmp_path / f"{i}.wav", audio), sequence=i + 1) for i in range(2)]
    assert [(one.plan.before, one.plan.after) for one in planned_album(rows, profile(FLAC24))] == [((), ())] * 2


def test_a_join_is_found_from_the_audio(tmp_path):
    parts = np.split(sine(440, seconds=4), [100_000])
    rows = [track(write(tmp_path / f"{i}.wav", part), sequence=i + 1) for i, part in enumerate(parts)]
    plans = planned_album(rows, profile(FLAC24))
    assert [(bool(one.plan.before), bool(one.plan.after)) for one in plans] == [(False, True), (True, False)]
