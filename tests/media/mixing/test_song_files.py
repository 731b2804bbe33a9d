"""Stems open side by side: in step, at one rate, as long as the longest; no more memory and no more files than that takes."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import ResamplerSettings
from media.mixing import song_files
from media.mixing.song_files import BLOCK_FRAMES, allow_open_files, opened_song
from media.source import sha256_of
from schemas.errors import TrackError
from schemas.stems import Stem
from tests.makers import music, write

RATE_HZ = 48_000


def stems_of(files: Mapping[str, Path]) -> list[Stem]:
    return [Stem(row=2, uri=str(path), stem_id=name) for name, path in files.items()]


def read(files: Mapping[str, Path], rate_hz: int = RATE_HZ) -> list[Audio]:
    heard = {name: sha256_of(path) for name, path in files.items()}
    with opened_song(stems_of(files), heard, rate_hz) as song:
        blocks = list(song.blocks())
        assert {len(block) for step in blocks for block in step} <= {BLOCK_FRAMES, song.frames % BLOCK_FRAMES}
        return [np.concatenate(line) for line in zip(*blocks, strict=True)]


def test_shorter_stems_end_in_silence(tmp_path):
    long, short = music(seconds=1.0, rate_hz=RATE_HZ), music(seconds=0.3, rate_hz=RATE_HZ, channels=1)
    found = read(
        {
            "long": write(tmp_path / "a.wav", long, RATE_HZ, "FLOAT"),
            "short": write(tmp_path / "b.wav", short, RATE_HZ, "FLOAT"),
        }
    )
    assert np.array_equal(long.astype(np.float32), found[0])
    assert np.array_equal(short.astype(np.float32), found[1][: len(short)])
    assert (len(long), False) == (len(found[1]), found[1][len(short) :].any())


@pytest.mark.parametrize("from_hz", [44_100, 96_000])
def test_stems_of_another_rate_come_at_that_of_the_session(tmp_path, from_hz):
    sound = music(seconds=1.0, rate_hz=from_hz)
    files = {"one": write(tmp_path / "a.wav", music(seconds=0.5, rate_hz=RATE_HZ), RATE_HZ)}
    files["other"] = write(tmp_path / "b.wav", sound, from_hz, "DOUBLE")
    found = read(files)[1]
    assert RATE_HZ == len(found)
    assert np.array_equal(process(sound, from_hz, ResamplerSettings(rate_hz=RATE_HZ)), found)


def test_a_flac_is_read_in_step_with_a_wav(tmp_path):
    sound = music(seconds=0.7, rate_hz=RATE_HZ)
    one, other = read(
        {"one": write(tmp_path / "a.wav", sound, RATE_HZ), "other": write(tmp_path / "b.flac", sound, RATE_HZ)}
    )
    assert np.array_equal(one, other)


def test_a_stem_that_is_cut_short_is_caught(tmp_path):
    path = write(tmp_path / "a.wav", music(seconds=0.5))
    path.write_bytes(path.read_bytes()[:-9_000])
    with pytest.raises(TrackError, match="SOURCE_TRUNCATED"):
        read({"one": path})


def test_a_stem_of_more_than_two_channels_is_refused(tmp_path):
    path = write(tmp_path / "a.wav", music(seconds=0.5, channels=4))
    with pytest.raises(TrackError, match="CHANNELS_UNSUPPORTED: stem one has 4 channels"):
        read({"one": path})


def test_a_song_without_stems_is_none():
    with pytest.raises(ValueError, match="at least one stem"), opened_song([], {}, RATE_HZ):
        pass


# Open files


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits of open files as (soft, hard), the last being the one in force; the process keeps its own."""
    told = [(256, 4_096)]
    monkeypatch.setattr(song_files.resource, "getrlimit", lambda which: told[-1])
    monkeypatch.setattr(song_files.resource, "setrlimit", lambda which, limit: told.append(limit))
    return told


def test_a_limit_that_is_high_enough_is_left_alone(limits):
    limits.append((4_000, 4_096))
    allow_open_files(100)
    assert (4_000, 4_096) == limits[-1] and 2 == len(limits)


def test_the_soft_limit_leaves_room_for_songs_that_are_mixed_beside_it(limits):
    for _ in range(4):  # threads of one process, none of which knows of the others
        allow_open_files(100)
    assert limits[-1][0] >= 4 * 100 + song_files.SPARE_FILES


def test_no_soft_limit_exceeds_the_hard_one(limits):
    allow_open_files(1_000)
    assert (4_096, 4_096) == limits[-1]


def test_the_hard_limit_is_told_where_it_is_too_low(limits):
    with pytest.raises(TrackError, match="OPEN_FILES_LIMIT: 5000 files .* the system allows a process 4096 in all"):
        allow_open_files(5_000)


def test_no_limit_needs_no_raising(limits):
    limits.append((resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    allow_open_files(1_000_000)
    assert (resource.RLIM_INFINITY, resource.RLIM_INFINITY) == limits[-1]


MANY = """
import resource, sys
from pathlib import Path
from media.mixing.rendering import render_mix
from schemas.steps import MixWish
from tests.media.mixing.songs import many_stems
track, settings = many_stems(Path(sys.argv[1]), count=int(sys.argv[2]), seconds=float(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
render_mix(track, settings, Path(sys.argv[1]) / "out", MixWish(stems=len(sys.argv) > 4))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mib(folder: Path, count: int, seconds: float, *more: str) -> int:
    """Memory that a process of its own needs to render a song of so many stems; its soft limit is 128 open files."""
    command = [sys.executable, "-c", MANY, str(folder), str(count), str(seconds), *more]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_two_hundred_stems_are_rendered_with_all_their_files(tmp_path):
    assert peak_mib(tmp_path, 200, 2.0, "stems") > 0
    assert 200 == len(list((tmp_path / "out" / "stems").iterdir()))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_song(tmp_path):
    short, long = (peak_mib(tmp_path / name, 8, seconds) for name, seconds in (("short", 10.0), ("long", 120.0)))
    assert long - short <= 8  # MiB: of 330 MB of sound more


@pytest.mark.slow
def test_a_stem_more_takes_a_mebibyte(tmp_path):
    few, many = (peak_mib(tmp_path / str(count), count, 10.0) for count in (8, 72))
    assert (many - few) / 64 <= 1.0
