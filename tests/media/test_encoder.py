"""A finished file holds exactly the integers that it was given, in the plainest form of its container."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from media.encoder import TAG_NAMES, Encoder
from schemas.errors import TrackError

TAGS = {name: f"{name} / Ωδή 🎹" for name in TAG_NAMES}


def integers(bits, frames=5_000, channels=2):
    """Left-aligned integers as a quantiser gives them, with both ends of the range."""
    found = np.random.default_rng(1).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (frames, channels))
    found[0], found[1] = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return found.astype(np.int16) if bits == 16 else (found << 8).astype(np.int32)


def encoded(path, samples, bits, tags=TAGS, blocks=(1_000, 1_001)):
    with Encoder(path, path.suffix[1:], bits, 44_100, samples.shape[1], tags) as encoder:
        for block in np.split(samples, blocks):
            encoder.write(block)
    return path


def chunks(path):
    """The chunks of a WAV in order: (name, content); what follows the last one counts as a chunk too."""
    data = path.read_bytes()
    assert (data[:4], data[8:12], int.from_bytes(data[4:8], "little")) == (b"RIFF", b"WAVE", len(data) - 8)
    found, at = [], 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    assert at == len(data)
    return found


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("container", ["flac", "wav"])
def test_integers_come_back_to_the_bit(tmp_path, container, bits, channels):
    samples = integers(bits, channels=channels)
    path = encoded(tmp_path / f"a.{container}", samples, bits)
    assert np.array_equal(soundfile.read(path, dtype=samples.dtype.name, always_2d=True)[0], samples)


@pytest.mark.parametrize(("container", "bits"), [("flac", 16), ("flac", 24), ("wav", 16), ("wav", 24)])
def test_the_file_is_of_the_format_that_was_asked_for(tmp_path, container, bits):
    found = soundfile.info(encoded(tmp_path / f"a.{container}", integers(bits), bits))
    assert (found.format, found.subtype, found.frames) == (container.upper(), f"PCM_{bits}", 5_000)


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_is_of_the_plain_kind_that_every_store_takes(tmp_path, bits, channels):
    found = chunks(encoded(tmp_path / "a.wav", integers(bits, channels=channels), bits))
    assert (found[0][0], found[0][1][:2], len(found[0][1])) == (b"fmt ", b"\1\0", 16)


@pytest.mark.parametrize("frames", [4_999, 5_000])
@pytest.mark.parametrize("tags", [TAGS, {}])
def test_nothing_follows_the_audio_of_a_wav_but_the_byte_that_makes_it_even(tmp_path, tags, frames):
    found = chunks(encoded(tmp_path / "a.wav", integers(24, frames=frames, channels=1), 24, tags))
    assert (found[-1][0], len(found[-1][1])) == (b"data", 3 * frames)


def test_tags_of_a_wav_stand_before_its_audio(tmp_path):
    names = [name for name, _ in chunks(encoded(tmp_path / "a.wav", integers(16), 16))]
    assert names.index(b"LIST") < names.index(b"data")


@pytest.mark.parametrize("container", ["flac", "wav"])
def test_tags_are_read_back(tmp_path, container):
    with soundfile.SoundFile(encoded(tmp_path / f"a.{container}", integers(16), 16)) as handle:
        found = {name: getattr(handle, name) for name in TAG_NAMES}
    assert found == TAGS


@pytest.mark.parametrize("container", ["flac", "wav"])
def test_a_master_without_tags_invents_none(tmp_path, container):
    with soundfile.SoundFile(encoded(tmp_path / f"a.{container}", integers(16), 16, tags={"title": ""})) as handle:
        assert [getattr(handle, name) for name in TAG_NAMES] == [""] * len(TAG_NAMES)


@pytest.mark.parametrize("container", ["flac", "wav"])
def test_a_long_title_is_kept_whole(tmp_path, container):
    title = "Ein langer Titel, " * 50
    with soundfile.SoundFile(encoded(tmp_path / f"a.{container}", integers(16), 16, {"title": title})) as handle:
        assert handle.title == title


@pytest.mark.parametrize("container", ["flac", "wav"])
def test_the_same_samples_give_the_same_bytes_however_they_arrive(tmp_path, container):
    one = encoded(tmp_path / f"a.{container}", integers(24), 24)
    other = encoded(tmp_path / f"b.{container}", integers(24), 24, blocks=(1, 7, 4_000))
    assert one.read_bytes() == other.read_bytes()


def test_a_wav_beyond_4_gib_is_refused_before_its_header_lies(tmp_path, monkeypatch):
    monkeypatch.setattr("media.encoder.MAX_WAV_BYTES", 19_999)
    with pytest.raises(TrackError, match="OUTPUT_TOO_LARGE: a WAV holds at most 4 GiB"):
        encoded(tmp_path / "a.wav", integers(16), 16, blocks=(4_999,))


def test_a_flac_may_be_of_any_length(tmp_path, monkeypatch):
    monkeypatch.setattr("media.encoder.MAX_WAV_BYTES", 20_000)
    assert soundfile.info(encoded(tmp_path / "a.flac", integers(24), 24)).frames == 5_000
