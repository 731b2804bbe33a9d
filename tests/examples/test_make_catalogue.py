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

from decisions.mixing.roles import role_by_name
from media.analysis import analyse
from media.manifest import read_manifest

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
def all_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows(all_rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The tracks; stems stand apart."""
    return [row for row in all_rows if not row["mix_id"]]


@pytest.fixture(scope="module")
def stems(all_rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in all_rows if row["mix_id"]]


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


def test_every_identifier_has_the_right_form(all_rows: list[dict[str, str]], rows: list[dict[str, str]]) -> None:
    assert len({row["isrc"] for row in all_rows}) == len(rows) + len(make.SESSIONS)
    assert all(re.fullmatch("[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", row["isrc"]) for row in all_rows)
    for upc in {row["upc"] for row in all_rows}:
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


# The session


def sounds(folder: Path, stems: list[dict[str, str]]) -> dict[str, Any]:
    return {Path(row["uri"]).stem: soundfile.read(folder / row["uri"], always_2d=True)[0] for row in stems}


def test_the_session_is_read_as_one_song_of_all_its_stems(folder: Path) -> None:
    (song,) = (one for one in read_manifest(str(folder / "manifest.csv"), output="out") if one.song)
    assert (song.track_id, song.title, song.uri) == ("first-take", "First Take", "out/mixes/first-take/mix.wav")
    assert len(song.song.stems) == 11  # type: ignore[union-attr]


def test_all_stems_of_the_session_are_as_long_as_each_other(folder: Path, stems: list[dict[str, str]]) -> None:
    found = {(audio.frames, audio.samplerate) for audio in (soundfile.info(folder / row["uri"]) for row in stems)}
    ((frames, rate_hz),) = found
    assert 40 <= frames / rate_hz <= 60


def test_what_is_wrong_with_the_session_is_wrong_on_purpose(folder: Path, stems: list[dict[str, str]]) -> None:
    found = sounds(folder, stems)
    assert [name for name, audio in found.items() if not audio.any()] == ["Tambourine"]
    copied = [name for name, audio in found.items() if name != "BGV" and np.array_equal(audio, found["BGV"])]
    assert copied == ["BGV copy"]
    assert max(np.abs(audio).max() for audio in found.values()) < 1.0


def test_every_stem_of_the_session_is_called_what_it_sounds_like(folder: Path) -> None:
    (song,) = (one for one in read_manifest(str(folder / "manifest.csv"), output="out") if one.song)
    found = {stem.stem_id: stem.role or role_by_name(stem.stem_id).role for stem in song.song.stems}  # type: ignore[union-attr]
    assert found == {
        "Kick": "kick", "Snare": "snare", "Hats": "cymbals", "Bass DI": "bass",
        "Gtr L": "acoustic_guitar", "Gtr R": "acoustic_guitar", "Keys": "keys",
        "Lead Vox": "vocal", "BGV": "backing_vocal", "BGV copy": "backing_vocal", "Tambourine": "percussion",
    }  # fmt: skip


def test_the_faders_of_the_session_are_far_from_a_balance(folder: Path, stems: list[dict[str, str]]) -> None:
    """Or there would be nothing for a mix to do: one guitar is louder than the singer."""
    found = sounds(folder, stems)
    level = {name: 10 * np.log10(np.mean(audio**2) + 1e-12) for name, audio in found.items()}
    assert level["Gtr L"] > level["Lead Vox"] + 6.0


def test_the_same_session_twice_gives_the_same_bytes(folder: Path, stems: list[dict[str, str]]) -> None:
    (session,) = make.SESSIONS
    for (stem, audio), row in zip(make.perform(session), stems, strict=True):
        data = make.stem_recording(session, stem, audio).data
        assert sha256(data).hexdigest() == row["sha256"] == sha256((folder / row["uri"]).read_bytes()).hexdigest()
