"""What a browser plays: files as they lie there, and everything else as 24-bit WAV, the same bytes whichever are asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from review.masters import Catalogue
from review.sounds import AlteredError, Sound, Verified, uri_of
from tests.makers import noise, write
from tests.media.emulator import running
from tests.review.outputs import digest, output_of

PLAYED = [("a.flac", "PCM_24"), ("a.wav", "PCM_16"), ("a.wav", "PCM_24"), ("a.wav", "FLOAT")]
MADE = [
    ("a.aiff", "PCM_24"), ("a.w64", "PCM_24"), ("a.caf", "PCM_24"), ("a.rf64", "PCM_24"), ("a.wav", "DOUBLE"),
    ("a.wav", "PCM_32"), ("a.caf", "ALAC_24"),
]  # fmt: skip


def made(path, subtype, audio=None, rate_hz=44_100):
    audio = noise(seconds=0.05) if audio is None else audio
    path.parent.mkdir(exist_ok=True, parents=True)
    if subtype.startswith("PCM"):
        return write(path, audio, rate_hz, subtype)
    soundfile.write(path, audio, rate_hz, subtype=subtype)
    return path


def sound(path, told=None):
    return Sound(str(path), told or digest(path), Verified())


def whole(one):
    return b"".join(one.blocks(0, one.size))


@pytest.mark.parametrize(("name", "subtype"), PLAYED)
def test_what_browsers_play_goes_as_it_lies(tmp_path, name, subtype):
    path = made(tmp_path / name, subtype)
    one = sound(path)
    assert (path.read_bytes(), f'"{digest(path)}"') == (whole(one), one.etag)


@pytest.mark.parametrize(("name", "subtype"), MADE)
def test_what_browsers_do_not_play_becomes_a_24_bit_wav_of_the_length_that_was_told(tmp_path, name, subtype):
    path = made(tmp_path / name, subtype)
    one = sound(path)
    content = whole(one)
    assert (one.size, "audio/wav", f'"{digest(path)}-wav24"') == (len(content), one.media_type, one.etag)
    told, expected = soundfile.info(io.BytesIO(content)), soundfile.info(path)
    assert ("WAV", "PCM_24", expected.frames, 2) == (told.format, told.subtype, told.frames, told.channels)
    played, source = soundfile.read(io.BytesIO(content))[0], soundfile.read(path)[0]
    # 24-bit sources come through exactly; wider ones are rounded by half a step at most.
    assert np.abs(played - source).max() <= (0.0 if subtype.endswith("24") else 2.0**-24)


@pytest.mark.parametrize(("channels", "frames"), [(1, 3), (1, 4), (2, 3), (6, 5), (1, 0)])
def test_a_wav_of_an_odd_number_of_bytes_is_padded(tmp_path, channels, frames):
    path = made(tmp_path / "a.aiff", "PCM_24", noise(seconds=1.0, channels=channels)[:frames])
    content = whole(sound(path))
    assert (0, frames) == (len(content) % 2, soundfile.info(io.BytesIO(content)).frames)
    assert int.from_bytes(content[4:8], "little") == len(content) - 8


def test_values_that_are_no_sound_are_silence_or_full_scale(tmp_path):
    path = made(tmp_path / "a.wav", "DOUBLE", np.array([[np.nan, 9.0], [-9.0, np.inf]]))
    played = soundfile.read(io.BytesIO(whole(sound(path))))[0]
    assert [[0.0, 1.0 - 2.0**-23], [-1.0, 1.0 - 2.0**-23]] == played.tolist()


@pytest.mark.parametrize(("name", "subtype"), [PLAYED[0], MADE[0], MADE[2], MADE[4]])
def test_every_range_is_a_part_of_the_whole(tmp_path_factory, name, subtype):
    one = sound(made(tmp_path_factory.mktemp("sounds") / name, subtype, noise(seconds=0.01, channels=2)[:-1]))
    expected = whole(one)

    @given(st.data())
    def check(data):
        start = data.draw(st.integers(0, len(expected)))
        end = data.draw(st.integers(start, len(expected)))
        assert b"".join(one.blocks(start, end)) == expected[start:end]

    check()


def test_a_long_file_is_made_in_blocks_of_bounded_size(tmp_path):
    one = sound(made(tmp_path / "a.w64", "PCM_24", noise(seconds=20.0)))
    assert max(map(len, one.blocks(0, one.size))) <= 1 << 18


def test_a_file_that_was_changed_since_is_not_played(tmp_path):
    path, verified = made(tmp_path / "a.flac", "PCM_24"), Verified()
    told = digest(path)
    Sound(str(path), told, verified).close()
    made(path, "PCM_24", noise(seconds=0.05, seed=9))
    with pytest.raises(AlteredError):
        Sound(str(path), told, verified)


def test_a_file_is_read_once_to_know_it(tmp_path, monkeypatch):
    path, verified = made(tmp_path / "a.flac", "PCM_24"), Verified()
    told = digest(path)
    Sound(str(path), told, verified).close()
    monkeypatch.setattr("review.sounds._digest", lambda handle: pytest.fail("read again"))
    Sound(str(path), told, verified).close()


def test_what_is_no_audio_is_an_error_of_the_file(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + b"\0" * 60)
    with pytest.raises(OSError, match="it is no audio that can be read"):
        sound(path)


def test_only_what_the_row_names_has_a_place(tmp_path):
    made_output = output_of(tmp_path, "T1")
    track = Catalogue(str(made_output.path)).standing()["T1"]
    assert track.source_uri == uri_of("/out", track, "source")[0]
    assert "/out/masters/cd/album/1-01 song.flac" == uri_of("/out", track, "cd")[0]
    assert [None] * 4 == [uri_of("/out", track, side) for side in ("", "mp3", "../cd", "cd/album")]


def test_a_file_in_a_bucket_is_read_in_ranges(tmp_path):
    from media import store

    path = made(tmp_path / "a.aiff", "PCM_24", noise(seconds=1.0))
    plain = whole(sound(path))
    with running():
        told = digest(path)
        store.publish(path, "gs://music/a.aiff")
        one = Sound("gs://music/a.aiff", told, Verified())
        assert (len(plain), plain[1000:90_000]) == (one.size, b"".join(one.blocks(1000, 90_000)))
        one.close()
