"""The benchmark of scale compares like with like."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from pipeline.run import Request
from tests.pipeline.runs import album, digests, master

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
scale: Any = importlib.import_module("scale")
plain: Any = importlib.import_module("plain_loop")


def test_a_plain_loop_makes_the_masters_of_a_run(tmp_path):
    manifest, rows = album(tmp_path, tracks=2)
    master(manifest, tmp_path / "run")
    plain.plain_loop(Request(manifest=str(manifest), output=str(tmp_path / "plain")))
    assert len(digests(tmp_path / "run")) >= len(rows)
    assert digests(tmp_path / "run") == digests(tmp_path / "plain")


def test_a_manifest_of_the_benchmark_fills_one_album_after_the_other(tmp_path):
    names = [f"{n}.flac" for n in range(6)]
    header, *lines = scale.write_rows(tmp_path / "m.csv", names, 3).read_text().splitlines()
    assert header == "uri,album_id,sequence,title"
    assert [line.split(",")[1] for line in lines] == ["album 0"] * 3 + ["album 1"] * 3
