"""Float files: what goes in comes out, the same bytes every time, however long they are."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import soundfile

from media.analysis import analyse
from media.headers import data_bytes
from media.mixing.float_wav import FloatWav, header
from media.source import open_source, sha256_of
from schemas.errors import TrackError
from tests.makers import music, sine


def written(path: Path, audio: np.ndarray, block_frames: int = 1_000, rate_hz: int = 48_000) -> FloatWav:
    with FloatWav(path, rate_hz, audio.shape[1], len(audio)) as wav:
        for at in range(0, len(audio), block_frames):
            wav.write(audio[at : at + block_frames])
    return wav


@pytest.mark.parametrize("channels", [1, 2])
def test_what_was_written_is_read_again(tmp_path, channels):
    audio = music(seconds=0.5, channels=channels, level_dbfs=6.0)
    written(tmp_path / "mix.wav", audio)
    found, rate_hz = soundfile.read(tmp_path / "mix.wav", always_2d=True, dtype="float32")
    assert (48_000, True) == (rate_hz, np.array_equal(audio.astype(np.float32), found))


def test_a_source_takes_it_as_it_takes_any_float_file(tmp_path):
    audio = sine(997, level_dbfs=-6.0, seconds=1.0)
    written(tmp_path / "mix.wav", audio)
    with open_source(tmp_path / "mix.wav") as source:
        source.check_length()
        found = np.concatenate(list(source.blocks()))
    assert np.array_equal(audio.astype(np.float32), found)
    assert -6.0 == pytest.approx(analyse(tmp_path / "mix.wav").figures.true_peak_dbtp, abs=0.01)


def test_the_same_sound_has_the_same_bytes_however_it_came(tmp_path):
    audio = music(seconds=0.5)
    first, second = (written(tmp_path / f"{k}.wav", audio, block) for k, block in enumerate((1, 4_096)))
    assert first.path.read_bytes() == second.path.read_bytes()


def test_it_knows_its_own_digest_and_peak(tmp_path):
    wav = written(tmp_path / "mix.wav", -sine(997, level_dbfs=3.0, seconds=0.1))
    assert sha256_of(wav.path) == wav.sha256
    assert 3.0 == pytest.approx(wav.peak_dbfs, abs=0.01)


def test_a_file_without_frames_is_whole_and_has_no_peak(tmp_path):
    wav = written(tmp_path / "mix.wav", np.zeros((0, 2)))
    assert (0, 58, None) == (soundfile.info(wav.path).frames, wav.path.stat().st_size, wav.peak_dbfs)
    assert sha256(wav.path.read_bytes()).hexdigest() == wav.sha256


def test_a_file_of_other_length_than_promised_is_not_let_pass(tmp_path):
    with (
        pytest.raises(ValueError, match=r"was to hold 10 frames, 4 were given"),
        FloatWav(tmp_path / "m", 48_000, 2, 10) as wav,
    ):
        wav.write(np.zeros((4, 2)))


def test_more_than_four_gigabytes_are_counted(tmp_path):
    frames = 600_000_000  # 4.8 GB, of which the disk holds none: the file is a hole
    with (tmp_path / "long.wav").open("wb") as handle:
        handle.write(header(48_000, 2, frames))
        handle.truncate(handle.tell() + 8 * frames)
    assert frames == soundfile.info(tmp_path / "long.wav").frames
    assert (8 * frames, 8 * frames) == data_bytes(tmp_path / "long.wav")
    with open_source(tmp_path / "long.wav") as source:
        source.check_length()


def test_a_long_file_that_was_cut_short_is_caught(tmp_path):
    with (tmp_path / "long.wav").open("wb") as handle:
        handle.write(header(48_000, 2, 600_000_000))
        handle.truncate(handle.tell() + 8 * 599_999_999)
    with open_source(tmp_path / "long.wav") as source, pytest.raises(TrackError, match="SOURCE_TRUNCATED"):
        source.check_length()


def test_a_full_disk_is_told_with_what_is_free_on_it(small_disk):
    with pytest.raises(TrackError, match=r"OUTPUT_NOT_WRITABLE: mix.wav could not be written \(No space left"):
        written(small_disk / "mix.wav", music(seconds=3.0))
