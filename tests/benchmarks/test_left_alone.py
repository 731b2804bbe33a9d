"""The benchmark of good masters: its profiles load, and it reads gains and changes off the rows of a run."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from decisions.profile_files import load_profile
from media.manifest import read_manifest
from tests.makers import music, write, write_manifest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
left_alone: Any = importlib.import_module("left_alone")
pace: Any = importlib.import_module("pace")


def outcome(head: dict[str, Any], moved_db: float = 0.0) -> dict[str, Any]:
    """A row of a track that was made 3 LU louder, one third octave by more."""
    before, after = [-40.0] * 31, [-37.0] * 31
    after[17] += moved_db
    return {
        "plan": json.dumps({"head": head}),
        "source": {"spectrum_db": before, "plr_lu": 12.0, "integrated_lufs": -17.0},
        "masters": [{"spectrum_db": after, "plr_lu": 11.6, "integrated_lufs": -14.0}],
    }


def test_gains_are_those_of_the_plan_and_the_side_has_the_middles_unless_it_has_its_own() -> None:
    both = outcome({"equaliser": {"gains_db": [0.1, -0.7], "side_gains_db": [0.9, 0.2]}})
    one = outcome({"equaliser": {"gains_db": [0.1, -0.7]}})
    assert [(0.7, 0.9), (0.7, 0.7), (0.0, 0.0)] == [
        (left_alone.middle_db(row), left_alone.side_db(row)) for row in (both, one, outcome({}))
    ]


def test_a_change_of_level_moves_no_band() -> None:
    assert 0.0 == left_alone.moved_db(outcome({}))
    assert 2.8 * 27 / 28 == pytest.approx(left_alone.moved_db(outcome({}, moved_db=2.8)))


def test_changes_of_loudness_and_plr_are_master_less_source() -> None:
    assert 3.0 == pytest.approx(left_alone.level_change_lu(outcome({})))
    assert -0.4 == pytest.approx(left_alone.plr_change_lu(outcome({})))


def test_only_runs_near_its_own_loudness_are_held_to_the_plr() -> None:
    asked = [
        {row.asked for row in left_alone.figures("run", [outcome({})], held=held) if "median of" in row.figure}
        for held in (False, True)
    ]
    assert [{"-"}, {"under 0.5 LU"}] == asked


def test_an_albums_own_loudness_is_held_to_what_a_profile_may_ask_for() -> None:
    albums = [{"album_id": name, "source_integrated_lufs": lufs} for name, lufs in (("a", -2.0), ("b", -17.31))]
    assert {"a": -4.0, "b": -17.31} == left_alone.own_lufs(albums)


def test_an_album_with_peaks_over_the_ceiling_is_turned_down_until_they_fit() -> None:
    albums = [{"album_id": name, "source_integrated_lufs": -12.0} for name in ("a", "b")]
    tracks = [
        {"album_id": name, "source": {"true_peak_dbtp": peak_dbtp}, "masters": [{"ceiling_dbtp": -1.0}]}
        for name, peak_dbtp in (("a", -3.0), ("a", 0.5), ("b", -6.0))
    ]
    assert {"a": -14.5, "b": -12.0} == left_alone.fitting_lufs(albums, tracks)


def test_each_album_gets_a_profile_at_its_loudness(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    rows = [{"uri": f"{album}.flac", "album_id": album, "genre": "ambient"} for album in ("a", "b")]
    for row in rows:
        write(tmp_path / row["uri"], music(seconds=1.0))
    made = left_alone.write_manifest(write_manifest(tmp_path / "m.csv", rows), work, "own", {"a": -9.5, "b": -17.0})
    tracks = read_manifest(str(made), roots=[str(tmp_path)])
    assert {"ambient"} == {track.genre for track in tracks}
    assert [-9.5, -17.0] == [load_profile(track.profile).loudness.target_lufs for track in tracks]


def test_paces_are_compared_with_the_run_that_makes_what_the_peers_make() -> None:
    paces = {pace.ONE: 50.0, pace.FULL: 40.0, "matchering": 20.0}
    found = {row.figure: row for row in pace.figures(paces)}
    assert ("2.5x", "2.50x") == found[f"{pace.ONE}, against matchering"][1:]
    assert ("40", "50.0") == found[pace.ONE][1:]


def test_the_profile_of_the_comparison_has_one_delivery(tmp_path: Path) -> None:
    (tmp_path / "pace.toml").write_text(pace.PROFILE, encoding="utf-8")
    (delivery,) = load_profile(str(tmp_path / "pace.toml")).delivery
    assert ("flac", 24) == (delivery.container, delivery.bits)
