"""The example catalogue: music that is whole where it should be, and faults where they should be."""

from __future__ import annotations

import csv
import importlib
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped,unused-ignore]

from media.analysis import analyse

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
make: Any = importlib.import_module("make_catalogue")
Fault: Any = make.Fault
FAULTS = {take.title: take.fault for album in make.ALBUMS for take in album.takes if take.fault}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("catalogue")
    assert make.main([str(made)]) == 0
    return made


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def the_row(rows: list[dict[str, str]], fault: Any) -> dict[str, str]:
    return next(row for row in rows if FAULTS.get(row["title"]) is fault)


def test_every_good_track_is_long_enough_and_unclipped(folder: Path, rows: list[dict[str, str]]) -> None:
    good = [row for row in rows if row["title"] not in FAULTS]
    assert len(good) >= 12
    for row in good:
        audio, rate_hz = soundfile.read(folder / row["uri"])
        assert len(audio) >= 30 * rate_hz
        assert 0.05 < np.abs(audio).max() < 10 ** (-0.3 / 20)


def test_no_good_track_has_a_click_a_dropout_or_a_burst_of_noise(folder: Path, rows: list[dict[str, str]]) -> None:
    good = [folder / row["uri"] for row in rows if row["title"] not in FAULTS]
    found = {path.name: analyse(path).detected for path in good}
    seen = {name: (one.clicks, one.dropouts, one.noise_bursts) for name, one in found.items()}
    assert {name: kinds for name, kinds in seen.items() if any(kind.count for kind in kinds)} == {}


def test_what_the_manifest_declares_is_true_but_for_one_hash(folder: Path, rows: list[dict[str, str]]) -> None:
    declared = [row for row in rows if row["sha256"]]
    wrong = [row for row in declared if sha256((folder / row["uri"]).read_bytes()).hexdigest() != row["sha256"]]
    assert wrong == [the_row(rows, Fault.WRONG_SHA256)]
    for row in (row for row in rows if row["duration_s"]):
        assert float(row["duration_s"]) == pytest.approx(soundfile.info(folder / row["uri"]).duration, abs=0.001)


def test_every_identifier_has_the_right_form(rows: list[dict[str, str]]) -> None:
    assert len({row["isrc"] for row in rows}) == len(rows)
    assert all(re.fullmatch("[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", row["isrc"]) for row in rows)
    for upc in {row["upc"] for row in rows}:
        assert len(upc) == 12
        assert (3 * sum(map(int, upc[::2])) + sum(map(int, upc[1::2]))) % 10 == 0


def test_every_fault_is_where_it_was_put(folder: Path, rows: list[dict[str, str]]) -> None:
    def read(fault: Any) -> Any:
        return soundfile.read(folder / the_row(rows, fault)["uri"])[0]

    assert np.mean(np.abs(read(Fault.CLIPPED)) > 0.9999) > 0.005
    assert read(Fault.DC_OFFSET).mean(axis=0) == pytest.approx([0.02, 0.01], abs=0.001)
    assert not read(Fault.SILENT).any()
    assert not (folder / the_row(rows, Fault.MISSING)["uri"]).exists()


def test_a_truncated_file_promises_more_than_it_holds(folder: Path, rows: list[dict[str, str]]) -> None:
    path = folder / the_row(rows, Fault.TRUNCATED)["uri"]
    promised = soundfile.info(path).frames
    assert promised >= 30 * 44_100
    with soundfile.SoundFile(path) as file, pytest.raises(soundfile.LibsndfileError, match="[Ee]rror"):
        file.read(promised)


def test_joined_halves_are_one_recording(folder: Path, rows: list[dict[str, str]]) -> None:
    first = next(place for place, row in enumerate(rows) if row["joins_next"] == "true")
    halves = [soundfile.read(folder / row["uri"])[0] for row in rows[first : first + 2]]
    steps = np.abs(np.diff(np.concatenate(halves), axis=0))
    seam = len(halves[0]) - 1
    assert steps[seam].max() <= steps[seam - 100 : seam + 100].max()
    assert np.sqrt(np.mean(halves[0][-4800:] ** 2)) > 0.01  # music sounds at the seam


def test_the_same_song_twice_gives_the_same_bytes(folder: Path, rows: list[dict[str, str]]) -> None:
    album = make.ALBUMS[-1]
    data = make.record(album, album.takes[0]).data
    path = folder / next(row["uri"] for row in rows if row["title"] == album.takes[0].title)
    assert sha256(data).hexdigest() == sha256(path.read_bytes()).hexdigest()
