"""The benchmark of the detectors: which music it takes, and what it counts as found."""

from __future__ import annotations

import importlib
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.qc import Finding
from tests.makers import RATE_HZ, music, write

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
detectors: Any = importlib.import_module("detectors")
pieces: Any = importlib.import_module("pieces")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("music")
    for album in ("a", "b"):
        for number in range(8):
            write(made / album / f"{number}.flac", music(seconds=2.0, seed=number))
    write(made / ".hidden" / "sound.wav", music(seconds=2.0))
    return made


def found(folder: Path) -> list[Any]:
    """All pieces, as if they were a minute long each."""
    return [piece._replace(frames=60 * RATE_HZ) for piece in pieces.pieces_in([folder], never_coded=False)]


def test_a_piece_is_named_and_held_out_by_its_folder_and_stem(folder: Path) -> None:
    every = pieces.pieces_in([folder], never_coded=False)
    assert 16 == len(every) and "a/0" == every[0].name
    assert [zlib.crc32(piece.name.encode()) % 2 == 1 for piece in every] == [piece.held_out for piece in every]


def test_both_halves_and_all_albums_have_their_share_of_the_spoilt_pieces(folder: Path) -> None:
    picked = pieces.chosen(found(folder), 4)
    assert [2, 2] == [sum(piece.held_out is half for piece in picked) for half in (False, True)]
    assert {"a", "b"} == {piece.path.parent.name for piece in picked}
    assert picked == pieces.chosen(found(folder)[::-1], 4)


def test_an_excerpt_keeps_the_end_that_a_fault_concerns(folder: Path) -> None:
    piece = pieces.pieces_in([folder], never_coded=False)[0]
    whole = piece.whole()
    assert np.array_equal(whole[:RATE_HZ], piece.excerpt(1.0, "start"))
    assert np.array_equal(whole[-RATE_HZ:], piece.excerpt(1.0, "end"))
    assert np.array_equal(whole, piece.excerpt(9.0)) and RATE_HZ == len(piece.excerpt(1.0))


@pytest.mark.parametrize(
    ("at_s", "expected"), [((1.0, 2.0), (3, 2)), ((1.01, 9.0), (3, 1)), ((), (3, 0)), ((1.0, 1.0, 1.0), (3, 1))]
)
def test_a_place_is_found_only_where_a_finding_names_it(at_s: tuple[float, ...], expected: tuple[int, int]) -> None:
    finding = Finding(code="CLICKS", severity="warn", text="", at_s=at_s)
    assert expected == detectors._matched(detectors.FAULTS["clicks"], (1.0, 2.0, 3.0), finding)


def test_known_faults_count_apart_and_a_line_that_is_not_one_is_refused(tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("# note\na/Half a Letter HUM an organ's blower\nb/* DC_OFFSET all of them\n", encoding="utf-8")
    lines = detectors._known(known)
    alarms = [detectors.Alarm(code, name, True, "") for code, name in (("HUM", "a/Half a Letter"), ("HUM", "b/1"))]
    assert ["an organ's blower", ""] == [detectors._if_known(alarm, lines).known for alarm in alarms]
    known.write_text("a/1 NO_CODE why\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="NAME CODE reason"):
        detectors._known(known)
