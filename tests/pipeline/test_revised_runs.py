"""Runs that do what a reviewer asked: small catalogues, overrides written by hand, everything measured on what was delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
import soundfile

from dsp.audio import Audio
from dsp.spectrum import CENTRES_HZ
from pipeline.run import Request, dry_run
from schemas.errors import CatalogueError
from schemas.signoff import Override, Overrides, Revision
from tests.makers import music, write, write_manifest
from tests.pipeline.runs import by, digests, master, table

ASKED = "a reviewer's instructions"
SECONDS = 4.0


def song(seed: int, level_dbfs: float = -20.0, hits: float = 0.0) -> Audio:
    """Music with some width, and with hits that a limiter has to catch."""
    middle = music(seconds=SECONDS, channels=1, level_dbfs=level_dbfs, seed=seed)
    side = music(seconds=SECONDS, channels=1, level_dbfs=level_dbfs - 12.0, seed=seed + 50)
    audio = np.hstack([middle + side, middle - side])
    at = np.arange(4_410, len(audio) - 4_410, 22_050)
    for start in at:
        decay = np.exp(-np.arange(2_205) / 300.0)[:, None]
        audio[start : start + 2_205] += hits * decay * np.sin(0.2 * np.arange(2_205))[:, None]
    return audio


def catalogue(folder: Path) -> Path:
    """An album of three songs, the first of which peaks highest, and a song that stands alone."""
    songs = {"a": song(1, hits=0.75), "b": song(2, -24.0), "c": song(3, -22.0), "single": song(4, hits=0.75)}
    for name, audio in songs.items():
        write(folder / f"{name}.wav", audio)
    rows: list[dict[str, object]] = [
        {"uri": f"{name}.wav", "track_id": name, "album_id": "A", "sequence": n, "title": name, "joins_next": "no"}
        for n, name in enumerate("abc", 1)
    ]
    single = {"uri": "single.wav", "track_id": "single", "album_id": "S", "sequence": 1, "title": "single"}
    return write_manifest(folder / "manifest.csv", [*rows, single])


def ask(output: Path, **revisions: Revision) -> None:
    """Writes what is asked, of tracks by their ids and of albums by theirs; nothing asked: no file."""
    path = output / "review" / "overrides.json"
    path.parent.mkdir(exist_ok=True)
    found = [
        Override(
            scope="album" if subject.isupper() else "track",
            subject_id=subject,
            revision=revision,
            reviewer="Ann",
            at="2026-11-27T10:00:00Z",
        )
        for subject, revision in revisions.items()
    ]
    path.write_bytes(msgspec.json.encode(Overrides(overrides=tuple(found))))


class Site(NamedTuple):
    """A catalogue and its output, as first mastered."""

    manifest: Path
    output: Path
    first: Mapping[str, dict[str, Any]]
    masters: Mapping[str, str]

    def run(self, **revisions: Revision) -> dict[str, dict[str, Any]]:
        """The rows of a run after this was asked."""
        ask(self.output, **revisions)
        summary = master(self.manifest, self.output)
        return by("track_id", table(self.output, "tracks", summary.run_id))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("revised")
    manifest, output = catalogue(folder), folder / "output"
    summary = master(manifest, output)
    return Site(manifest, output, by("track_id", table(output, "tracks", summary.run_id)), digests(output))


def remade(rows: Mapping[str, dict[str, Any]]) -> set[str]:
    return {name for name, row in rows.items() if row["outcome"] == "mastered"}


def figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row["masters"][0])


def lufs(row: Mapping[str, Any]) -> float:
    return float(figures(row)["integrated_lufs"])


def tilt_db(row: Mapping[str, Any]) -> float:
    """Level of the third octave at 10 kHz against that at 500 Hz."""
    levels = dict(zip(CENTRES_HZ, figures(row)["spectrum_db"], strict=True))
    high, low = (min(CENTRES_HZ, key=lambda centre: abs(centre - hz)) for hz in (10_000.0, 500.0))
    return float(levels[high] - levels[low])


def test_show(site):
    for name, row in site.first.items():
        print(name, row["gain_db"], row["limiter_max_reduction_db"], lufs(row), [f["code"] for f in row["findings"]])
    for asked in (
        {"single": Revision(limiting_steps=-1)},
        {"a": Revision(limiting_steps=-1)},
        {"b": Revision(tone_steps=1)},
        {"b": Revision(loudness_steps=2)},
        {"b": Revision(width_steps=-2)},
        {"b": Revision(width_steps=2)},
        {"a": Revision(leave_alone=True)},
        {"single": Revision(leave_alone=True)},
        {"A": Revision(loudness_steps=-1)},
        {"A": Revision(loudness_steps=-1), "a": Revision(limiting_steps=-2, tone_steps=2)},
        {"A": Revision(limiting_steps=-1)},
        {"b": Revision(reference="nowhere.wav")},
        {"b": Revision(reference="/etc/passwd")},
        {},
    ):
        rows = site.run(**asked)
        print("ASK", asked, remade(rows))
        for name, row in rows.items():
            f = figures(row)
            print(
                "  ",
                name,
                row["gain_db"],
                round(row["limiter_max_reduction_db"], 2),
                round(lufs(row), 3),
                round(tilt_db(row) - tilt_db(site.first[name]), 2),
                round(f["width_ratio"] - figures(site.first[name])["width_ratio"], 3),
                [f["code"] for f in row["findings"]],
                row["reason"],
            )
            for d in json.loads(row["plan"])["decisions"]:
                if "asked" in d["what"] or d["what"] == "gain" and asked:
                    print("        ", d)
        for al in table(site.output, "albums", row["run_id"]):
            print(
                "   ALBUM",
                al["album_id"],
                al["gain_db"],
                al["master_integrated_lufs"],
                al["target_lufs"],
                [(f["code"], f["text"]) for f in al["findings"]],
            )
    assert digests(site.output) == site.masters
