"""A source decodes to the very samples that were recorded, and one that is not what it claims to be is told so."""

from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile

from media.source import BLOCK_FRAMES, open_source
from schemas.errors import TrackError
from tests.makers import music, noise, sine, write
from tests.media.verbatim_flac import write_flac


def decoded(path, start=0, stop=None):
    with open_source(path) as source:
        return np.concatenate([np.zeros((0, source.format.channels)), *source.blocks(start, stop)])


def checked(path):
    with open_source(path) as source:
        windows = [window.T.copy() for window in source.windows()]  # each is valid until the next is asked for
        return np.concatenate([np.zeros((0, source.format.channels)), *windows])


def refusal(path):
    with pytest.raises(TrackError, match=r"\S") as caught:
        checked(path)
    return caught.value


def integers(rng, bits, frames=10_000, channels=2):
    """Random samples of a bit depth, with both ends of its range."""
    found = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (frames, channels))
    found[0], found[1] = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return found


def written(path, samples, bits, subtype, rate_hz=44_100):
    soundfile.write(path, (samples << (32 - bits)).astype(np.int32), rate_hz, subtype=subtype)
    return path


def altered(path, at, *, to=None):
    """The file with one byte changed (or some written) at a place, which may be a share of its length."""
    data = bytearray(path.read_bytes())
    at = int(at * len(data)) if isinstance(at, float) else at
    new = bytes([data[at] ^ 0x5A]) if to is None else to
    data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def shortened(path, ratio=0.6):
    os.truncate(path, int(path.stat().st_size * ratio))
    return path


def synchsafe(length):
    return bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))


def with_id3(path, length=1_000):
    """Some taggers put an ID3 tag before a FLAC."""
    path.write_bytes(b"ID3\x04\x00\x00" + synchsafe(length) + bytes(length) + path.read_bytes())
    return path


# What decodes, decodes exactly


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("name", "bits", "subtype"),
    [
        ("a.wav", 8, "PCM_U8"),
        ("a.wav", 16, "PCM_16"),
        ("a.wav", 24, "PCM_24"),
        ("a.wav", 32, "PCM_32"),
        ("a.aiff", 8, "PCM_S8"),
        ("a.aiff", 16, "PCM_16"),
        ("a.aiff", 24, "PCM_24"),
        ("a.aiff", 32, "PCM_32"),
        ("a.flac", 8, "PCM_S8"),
        ("a.flac", 16, "PCM_16"),
        ("a.flac", 24, "PCM_24"),
    ],
)
def test_every_bit_depth_decodes_to_the_very_integers(tmp_path, rng, name, bits, subtype, channels):
    samples = integers(rng, bits, channels=channels)
    path = written(tmp_path / name, samples, bits, subtype)
    assert np.array_equal(decoded(path) * 2.0 ** (bits - 1), samples)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("name", "bits", "subtype"),
    [
        ("a.wav", 8, "PCM_U8"),
        ("a.aiff", 16, "PCM_16"),
        ("a.wav", 24, "PCM_24"),
        ("a.flac", 24, "PCM_24"),
        ("a.wav", 32, "PCM_32"),
    ],
)
def test_meters_see_what_is_rendered_to_24_bits(tmp_path, rng, name, bits, subtype, channels):
    samples = integers(rng, bits, frames=40_000, channels=channels)
    path = written(tmp_path / name, samples, bits, subtype)
    assert np.array_equal(decoded(path).astype(np.float32), checked(path))  # float32 holds 24 bits exactly


def test_windows_are_of_one_length_but_the_last(tmp_path):
    with open_source(write(tmp_path / "a.flac", noise())) as source:
        assert [16_384, 16_384, 11_332] == [window.shape[1] for window in source.windows()]


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_a_flac_of_another_encoder_decodes_to_the_very_integers(tmp_path, rng, bits):
    samples = integers(rng, bits)
    assert np.array_equal(checked(write_flac(tmp_path / "a.flac", samples, bits)) * 2.0 ** (bits - 1), samples)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_float_sources_above_full_scale_keep_every_sample(tmp_path, subtype):
    loud = (noise(level_dbfs=3.0, seconds=0.5)).astype(np.float32).astype(np.float64)
    assert np.array_equal(checked(write(tmp_path / "a.wav", loud, subtype=subtype)), loud)


@pytest.mark.parametrize("name", ["a.flac", "a.wav"])
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 0), (0, 1), (0, None), (1, 2), (BLOCK_FRAMES - 1, BLOCK_FRAMES + 1), (12_345, None), (44_099, 44_100)],
)
def test_a_part_of_a_source_is_that_slice_of_the_whole(tmp_path, name, start, stop):
    path = write(tmp_path / name, noise())
    assert np.array_equal(decoded(path, start, stop), decoded(path)[start:stop])


def test_a_source_is_never_held_as_a_whole(tmp_path):
    with open_source(write(tmp_path / "a.flac", noise(seconds=2.0))) as source:
        assert max(len(block) for block in source.blocks()) == BLOCK_FRAMES


def test_the_format_names_container_codec_and_depth(tmp_path):
    with open_source(write(tmp_path / "a.flac", noise(channels=1), rate_hz=96_000)) as source:
        found = source.format
    assert (found.container, found.bits, found.rate_hz, found.channels, found.frames, found.lossy) == (
        "FLAC", 24, 96_000, 1, 44_100, False,
    )  # fmt: skip


def test_a_lossy_source_is_known_as_such(tmp_path):
    soundfile.write(tmp_path / "a.ogg", noise(), 44_100, format="OGG", subtype="VORBIS")
    with open_source(tmp_path / "a.ogg") as source:
        assert (source.format.lossy, source.format.bits) == (True, None)


def test_tags_of_a_source_are_read(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 44_100, 2, "PCM_16") as handle:
        handle.title, handle.artist = "Für Elise", "L. v. B."
        handle.write(noise(seconds=0.1))
    with open_source(tmp_path / "a.flac") as source:
        assert (source.tags["title"], source.tags["artist"]) == ("Für Elise", "L. v. B.")


# What is no audio file


def test_a_missing_source_is_named(tmp_path):
    assert refusal(tmp_path / "gone.wav").code == "SOURCE_MISSING"


def test_a_folder_is_no_source(tmp_path):
    assert refusal(tmp_path).code == "SOURCE_NOT_A_FILE"


def test_a_link_that_leads_nowhere_is_a_missing_source(tmp_path):
    (tmp_path / "a.wav").symlink_to(tmp_path / "gone.wav")
    assert refusal(tmp_path / "a.wav").code == "SOURCE_MISSING"


def test_an_empty_file_is_told_from_one_that_is_no_audio(tmp_path):
    (tmp_path / "a.wav").touch()
    assert refusal(tmp_path / "a.wav").code == "SOURCE_EMPTY"


@pytest.mark.parametrize("content", [b"\0", b"not music\n" * 100, b"RIFF", b"fLaC", b"%PDF-1.4\n", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_is_no_audio_is_refused_whatever_its_name(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    assert refusal(tmp_path / "a.wav").code == "SOURCE_UNREADABLE"


def test_content_counts_not_the_name(tmp_path):
    path = write(tmp_path / "a.flac", sine(440)).rename(tmp_path / "a.wav")
    assert np.array_equal(checked(path), checked(write(tmp_path / "b.flac", sine(440))))


@pytest.mark.parametrize("bits", [12, 20, 32])
def test_a_flac_of_a_depth_that_cannot_be_read_is_refused_with_a_reason(tmp_path, rng, bits):
    refused = refusal(write_flac(tmp_path / "a.flac", integers(rng, bits), bits))
    assert (refused.code, refused.text.endswith(": ")) == ("SOURCE_UNREADABLE", False)


def test_a_flac_made_from_a_pipe_announces_no_length_and_is_not_called_damaged(tmp_path, rng):
    path = write_flac(tmp_path / "a.flac", integers(rng, 16), 16, announce_length=False)
    assert refusal(path).code == "SOURCE_UNREADABLE"


# What is damaged


@pytest.mark.parametrize("place", [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.999])
def test_one_rotten_byte_in_a_flac_is_found(tmp_path, place):
    path = altered(write(tmp_path / "a.flac", music(seconds=2.0)), place)
    assert refusal(path).code == "SOURCE_CORRUPT"


def test_a_flac_whose_md5_is_of_other_audio_is_corrupt(tmp_path):
    path = altered(write(tmp_path / "a.flac", music(seconds=1.0)), 26)
    assert "MD5" in refusal(path).text


def test_a_flac_that_is_not_checked_decodes_in_spite_of_its_md5(tmp_path):
    path = altered(write(tmp_path / "a.flac", noise()), 26)
    with open_source(path) as source:
        assert 44_100 == sum(window.shape[1] for window in source.windows(own_checksum=False))


@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_md5_of_any_depth_is_checked(tmp_path, rng, bits, channels):
    path = written(
        tmp_path / "a.flac", integers(rng, bits, channels=channels), bits, f"PCM_{'S8' if bits == 8 else bits}"
    )
    assert len(checked(path)) == 10_000
    assert "MD5" in refusal(altered(path, 26)).text


def test_a_flac_without_md5_is_accepted(tmp_path):
    path = altered(write(tmp_path / "a.flac", noise()), 26, to=bytes(16))
    assert len(checked(path)) == 44_100


def test_a_flac_behind_an_id3_tag_decodes(tmp_path):
    path = with_id3(write(tmp_path / "a.flac", noise()))
    assert len(checked(path)) == 44_100


@pytest.mark.parametrize("length", [100, 1_000, 70_000])
def test_an_id3_tag_does_not_hide_the_md5_of_a_flac(tmp_path, length):
    path = with_id3(altered(write(tmp_path / "a.flac", noise()), 26), length)
    assert refusal(path).code == "SOURCE_CORRUPT"


@pytest.mark.parametrize("ratio", [0.1, 0.6, 0.99])
def test_a_flac_that_breaks_off_is_never_taken_for_whole(tmp_path, ratio):
    path = shortened(write(tmp_path / "a.flac", noise(seconds=2.0)), ratio)
    assert refusal(path).code in ("SOURCE_TRUNCATED", "SOURCE_CORRUPT")


@pytest.mark.parametrize(
    ("container", "code"),
    [
        ("WAV", "SOURCE_TRUNCATED"),
        ("WAVEX", "SOURCE_TRUNCATED"),
        ("AIFF", "SOURCE_TRUNCATED"),
        ("W64", "SOURCE_TRUNCATED"),
        ("RF64", "SOURCE_TRUNCATED"),
        ("CAF", "SOURCE_UNREADABLE"),
    ],
)
def test_a_file_that_holds_less_than_its_header_promises_is_cut_short(tmp_path, container, code):
    soundfile.write(tmp_path / "a", noise(seconds=2.0), 44_100, subtype="PCM_24", format=container)
    assert refusal(shortened(tmp_path / "a")).code == code


def test_a_wav_that_lacks_one_byte_is_cut_short(tmp_path):
    path = write(tmp_path / "a.wav", noise())
    os.truncate(path, path.stat().st_size - 1)
    assert "promises 264600 bytes of audio, the file holds 264599" in refusal(path).text


def with_sizes(path, size):
    at = path.read_bytes().index(b"data") + 4
    return altered(altered(path, at, to=size), 4, to=size)


def test_a_wav_that_was_streamed_has_no_sizes_and_is_accepted(tmp_path):
    path = with_sizes(write(tmp_path / "a.wav", noise()), b"\xff\xff\xff\xff")
    assert len(checked(path)) == 44_100


def test_a_wav_whose_recorder_died_before_it_wrote_the_sizes_is_not_taken_for_an_empty_one(tmp_path):
    path = with_sizes(write(tmp_path / "a.wav", noise()), b"\0\0\0\0")
    assert refusal(path).code == "SOURCE_CORRUPT"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("frame", "place"), [(0, "0.000 s"), (22_050, "0.500 s"), (44_099, "1.000 s")])
def test_what_is_no_number_is_found_at_its_place(tmp_path, bad, frame, place):
    audio = noise()
    audio[frame, 1] = bad
    refused = refusal(write(tmp_path / "a.wav", audio, subtype="FLOAT"))
    assert (refused.code, refused.text.endswith(place)) == ("SOURCE_NOT_FINITE", True)
