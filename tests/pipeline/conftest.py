"""One catalogue with everything that can be wrong with a track, mastered once for all tests of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from dsp.audio import Audio
from pipeline.run import Summary
from tests.makers import music, noise, write, write_manifest
from tests.media.conftest import disk_of
from tests.pipeline.runs import master

PRISM = "github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0"
TITLES = {
    1: "a/b/c", 2: "../../../escape", 3: "..", 4: "new\nline", 5: "🎹 Für Élise 🎶", 6: "very long " * 30,
    7: "a/b/c", 8: 'CON: "x" <y> |z|?*', 9: "ends with dots...", 10: "/etc/passwd",
}  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which the rows of a run fit, and a track of 20 s does not."""
    yield from disk_of(tmp_path, 800)


class Bad(NamedTuple):
    """A source that cannot be mastered."""

    name: str
    code: str
    make: Callable[[Path], object]
    row: Mapping[str, object] = MappingProxyType({})


class Ran(NamedTuple):
    """A run over the whole catalogue."""

    sources: Path
    output: Path
    manifest: Path
    rows: list[dict[str, object]]
    summary: Summary


def _cut(path: Path, audio: Audio, ratio: float = 0.5) -> None:
    data = write(path, audio).read_bytes()
    path.write_bytes(data[: int(len(data) * ratio)])


def _rotten(path: Path) -> None:
    data = bytearray(write(path, music(seconds=1)).read_bytes())
    data[len(data) // 2] ^= 0x5A
    path.write_bytes(data)


def _not_finite(path: Path) -> None:
    audio = noise()
    audio[100] = np.nan
    write(path, audio, subtype="FLOAT")


BAD = [
    Bad("missing.wav", "SOURCE_MISSING", lambda path: None),
    Bad("folder.wav", "SOURCE_NOT_A_FILE", lambda path: path.mkdir()),
    Bad("empty.wav", "SOURCE_EMPTY", lambda path: path.touch()),
    Bad("text.wav", "SOURCE_UNREADABLE", lambda path: path.write_text("not music")),
    Bad("cut.flac", "SOURCE_CORRUPT", lambda path: _cut(path, noise(seconds=2))),
    Bad("cut.wav", "SOURCE_TRUNCATED", lambda path: _cut(path, noise(seconds=2))),
    Bad("rotten.flac", "SOURCE_CORRUPT", _rotten),
    Bad("nan.wav", "SOURCE_NOT_FINITE", _not_finite),
    Bad("short.wav", "SOURCE_TOO_SHORT", lambda path: write(path, noise(seconds=0.2))),
    Bad("silent.wav", "SOURCE_SILENT", lambda path: write(path, noise() * 0.0)),
    Bad("telephone.wav", "RATE_UNSUPPORTED", lambda path: write(path, noise(rate_hz=8_000), 8_000)),
    Bad("surround.wav", "CHANNELS_UNSUPPORTED", lambda path: write(path, noise(channels=6))),
    Bad("stems.wav", "CHANNELS_UNSUPPORTED", lambda path: write(path, noise(channels=32))),
    Bad("other.wav", "HASH_MISMATCH", lambda path: write(path, noise()), {"sha256": "0" * 64}),
    Bad("longer.wav", "DURATION_MISMATCH", lambda path: write(path, noise()), {"duration_s": 60}),
]


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The catalogue and its first run."""
    folder = tmp_path_factory.mktemp("catalogue")
    sources = folder / "sources"
    rows = [*_albums(sources), *_titles(sources), *_bad(sources)]
    manifest = write_manifest(sources / "manifest.csv", rows)
    summary = master(manifest, folder / "output")
    return Ran(sources, folder / "output", manifest, rows, summary)


def _albums(folder: Path) -> list[dict[str, object]]:
    made: list[tuple[str, Any, int, dict[str, object]]] = [
        (
            "loud-1.flac",
            music(seconds=4, level_dbfs=-11, seed=1),
            44_100,
            {"album_id": "loud", "sequence": 1, "profile": "loud"},
        ),
        (
            "loud-2.flac",
            music(seconds=4, level_dbfs=-15, seed=2),
            44_100,
            {"album_id": "loud", "sequence": 2, "profile": "loud"},
        ),
        ("soft-1.wav", _at(48_000, -22, 3), 48_000, {"album_id": "soft", "sequence": 1}),
        ("soft-2.wav", _at(48_000, -30, 4), 48_000, {"album_id": "soft", "sequence": 2}),
        ("soft-3.wav", _at(48_000, -26, 5), 48_000, {"album_id": "soft", "sequence": 3}),
        ("mono.wav", music(channels=1, level_dbfs=-18), 44_100, {"track_id": "mono"}),
        ("fine.wav", _at(192_000, -18, 6), 192_000, {"track_id": "fine"}),
    ]
    for name, audio, rate_hz, _ in made:
        write(folder / name, audio, rate_hz)
    return [{"uri": name, "title": name, **row} for name, _, _, row in made]


def _at(rate_hz: int, level_dbfs: float, seed: int) -> Audio:
    return music(seconds=4, rate_hz=rate_hz, level_dbfs=level_dbfs, seed=seed)


def _titles(folder: Path) -> list[dict[str, object]]:
    for number in TITLES:
        write(folder / f"title-{number}.flac", music(seconds=1, seed=number))
    return [
        {"uri": f"title-{number}.flac", "album_id": "../odd: titles", "sequence": number, "title": title}
        for number, title in TITLES.items()
    ]


def _bad(folder: Path) -> list[dict[str, object]]:
    for bad in BAD:
        bad.make(folder / bad.name)
    write(folder / "good.flac", music(seconds=2))
    good = {"uri": "good.flac", "album_id": "broken", "track_id": "good", "sequence": 99}
    return [
        {"uri": bad.name, "album_id": "broken", "track_id": bad.name, "sequence": number, **bad.row}
        for number, bad in enumerate(BAD, start=1)
    ] + [good]


@pytest.fixture(scope="session")
def prism(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the program `prism`: that on PATH, else built with Go."""
    if found := shutil.which("prism"):
        return str(Path(found).parent)
    if shutil.which("go") is None:
        pytest.skip("Prism is not on PATH, and there is no Go to build it")
    folder = tmp_path_factory.mktemp("prism")
    built = subprocess.run(
        ["go", "install", PRISM], env={**os.environ, "GOBIN": str(folder)}, capture_output=True, text=True
    )
    if built.returncode:
        pytest.skip(f"Prism cannot be built: {built.stderr[-200:]}")
    return str(folder)
