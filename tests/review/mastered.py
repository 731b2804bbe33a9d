"""A small catalogue that Lathe really mastered, once for all tests of what people see, hear and decide."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from dsp.audio import Audio, to_gain
from review.report import write_report
from tests.makers import music, noise, write, write_manifest
from tests.pipeline.runs import master


class Mastered(NamedTuple):
    """Sources, output and manifest of a run."""

    folder: Path
    output: Path
    manifest: Path

    @property
    def page(self) -> Path:
        """The report."""
        return self.output / "report" / "index.html"

    def run(self) -> None:
        """Runs again as the next scheduled run would, and writes the report."""
        master(self.manifest, self.output)
        write_report(str(self.output))


@pytest.fixture(scope="session")
def mastered_once(tmp_path_factory: pytest.TempPathFactory) -> Mastered:
    """Two albums: five songs, of which one is loud and dense, and a sixth that cannot be mastered."""
    folder = tmp_path_factory.mktemp("mastered")
    rows = []
    for k, (album, title, level_dbfs, hits_db) in enumerate(SONGS):
        write(folder / f"{k}.wav", struck(music(seconds=6.0, level_dbfs=level_dbfs, seed=k), hits_db))
        rows.append(
            {
                "uri": f"{k}.wav",
                "album_id": album,
                "album": album.title(),
                "sequence": k + 1,
                "title": title,
                "track_id": f"T{k}",
                "artist": "The Makers",
            }
        )
    write(folder / "silent.wav", noise() * 0.0)
    rows.append(
        {
            "uri": "silent.wav",
            "album_id": "reeds",
            "album": "Reeds",
            "sequence": 9,
            "title": "Nothing",
            "track_id": "T9",
        }
    )
    made = Mastered(folder, folder / "output", write_manifest(folder / "manifest.csv", rows))
    made.run()
    return made


SONGS = [
    ("reeds", "Ålesund 2", -24.0, None),
    ("reeds", "Alesund 10", -20.0, None),
    ("stones", "Granite", -26.0, None),
    ("stones", "Slate", -26.0, -3.0),
    ("stones", "Flint </script>", -28.0, None),
]
"""Album, title, level, and level of hits that ask for a limiter."""


def struck(audio: Audio, hits_db: float | None) -> Audio:
    """The same with a hit of 5 ms twice a second."""
    if hits_db is None:
        return audio
    hit, out = noise(level_dbfs=-12.0, seconds=0.005, seed=7), audio.copy()
    hit *= to_gain(hits_db) / np.abs(hit).max()
    for start in range(0, len(out) - len(hit), 22_050):
        out[start : start + len(hit)] = hit
    return out


@pytest.fixture
def mastered(mastered_once: Mastered, tmp_path: Path) -> Iterator[Mastered]:
    """A copy that a test may change; audio is shared, as it never changes in place."""
    output = tmp_path / "output"
    shutil.copytree(mastered_once.output, output)
    write_report(str(output))  # from here, sources lie elsewhere
    yield Mastered(mastered_once.folder, output, mastered_once.manifest)
