"""A handful of the faults of benchmarks/crashes.py, at seeded moments: no row is lost, no master wrong, no file half done."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.makers import music, write

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
crashes: Any = importlib.import_module("crashes")
kinds: Any = importlib.import_module("crash_kinds")
laws: Any = importlib.import_module("crash_laws")
crash_run: Any = importlib.import_module("crash_run")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FAULTS = [("worker", 1), ("driver", 2), ("torn file", 1), ("disk full", 1)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Short tracks in two albums, and what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("crashes")
    length_s = crashes.SKIPPED_S + 2.5 * crashes.EXCERPT_S
    for number in range(len(crashes.ALBUMS) - 1):
        bar = music(seconds=2.0, level_dbfs=-14 - 2 * number, seed=number)
        write(folder / "music" / f"{number}.flac", np.tile(bar, (round(length_s / 2.0), 1)))
    (folder / "work").mkdir()
    return crashes.prepared(folder / "music", folder / "work")


@pytest.mark.parametrize(("kind", "seed"), FAULTS)
def test_a_run_that_was_struck_is_taken_up_as_if_nothing_had_been(site: Any, kind: str, seed: int) -> None:
    if missing := kinds.missing_for(kind, None):
        pytest.skip(missing)
    assert [] == crashes.tried(site, kind, seed).broken


def test_what_is_lost_wrong_half_done_or_left_over_is_counted(site: Any) -> None:
    output = site.work / "undisturbed"
    assert [] == laws.at_the_end(str(output), site.expected)
    name = min(site.expected.masters)
    kinds.tear(output / "masters" / name, Random(1))
    (output / "masters" / "orphan.flac").touch()
    (output / ".parts").mkdir()
    (output / ".parts" / "half.flac").touch()
    (table,) = output.glob("qc/tracks/*/*.parquet")
    table.unlink()
    found = [broken.law for broken in laws.at_the_end(str(output), site.expected)]
    assert {law: found.count(law) for law in laws.LAWS} == {
        laws.LOST_ROW: len(crashes.ALBUMS), laws.WRONG_MASTER: 1, laws.HALF_FILE: 1, laws.LEFT_OVER: 1, laws.OTHER: 0,
    }  # fmt: skip
    assert 2 == len(laws.while_struck(str(output), site.expected))


def test_a_moment_is_the_same_for_the_same_seed_and_within_what_a_run_writes(site: Any) -> None:
    drawn = [crash_run.drawn_moment(Random(seed), site.expected, kinds.EVERYWHERE) for seed in range(50)]
    assert drawn == [crash_run.drawn_moment(Random(seed), site.expected, kinds.EVERYWHERE) for seed in range(50)]
    assert all(1 <= moment.nth <= site.expected.files[moment.folder] for moment in drawn)
    assert set(kinds.EVERYWHERE) == {moment.folder for moment in drawn}
