#!/usr/bin/env python3
"""Prints how the QC report grows: time and memory to build it, its size, and how a browser takes it.

usage: report.py OUTPUT [--tracks 5000 100000] [--work FOLDER]

OUTPUT is the output of a run, such as `make demo` leaves (demo/output): its rows are copied under other names, with other hashes,
figures and drawings, until there are so many. Needs Chromium (`apt-get install chromium`) and `pip install playwright`. About
3 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from whole_run import Row, print_row

from pipeline.run_records import is_finished, run_records
from review.page_file import SCRIPTS, SHEETS

BATCH, ALBUM = 1_000, 12
MB, MIB = 1e6, 2**20
BUILD = """\
import resource, sys, time
from review.report import write_report
began_s = time.monotonic()
write_report(sys.argv[1])
print(time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
SMALL, LARGE = 5_000, 100_000


def main() -> None:
    """Measures each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--tracks", type=int, nargs="+", default=[SMALL, LARGE])
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print_row(Row("figure", "asked", "measured"))
        print_row(Row("own code in the page", "300 kB", f"{_own_code_kb():.0f} kB"))
        for tracks in args.tracks:
            output = (args.work or Path(folder)) / str(tracks)
            copy_rows(args.output, output, tracks)
            for row in figures(output, tracks):
                print_row(row)


def figures(output: Path, tracks: int) -> Iterator[Row]:
    """Of one size of catalogue."""
    command = [sys.executable, "-c", BUILD, str(output)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment()).stdout
    build_s, memory_mib = map(float, told.split())
    large = tracks >= LARGE
    yield Row(f"{tracks} tracks: building", "30 s" if large else "-", f"{build_s:.1f} s")
    yield Row("- memory for it", "1024 MiB" if large else "-", f"{memory_mib:.0f} MiB")
    page, scripts = output / "report" / "index.html", list((output / "report" / "tracks").iterdir())
    beside = sum(script.stat().st_size for script in scripts)
    yield Row("- the page", "5 MB" if tracks == SMALL else "-", f"{page.stat().st_size / MB:.2f} MB")
    yield Row(
        "- with all that it loads one by one",
        "5 MB" if tracks == SMALL else "-",
        f"{(page.stat().st_size + beside) / MB:.2f} MB",
    )
    seen = in_browser(page)
    yield Row("- first paint", "1 s" if tracks == SMALL else "-", f"{seen['first_paint_s']:.2f} s")
    yield Row("- ready to use", "-", f"{seen['ready_s']:.2f} s")
    yield Row(
        "- sort, the slowest of the columns", "1 s" if large else "0.3 s", f"{seen['sort_s']:.3f} s ({seen['slowest']})"
    )
    yield Row("- filter and search, the slowest", "1 s" if large else "0.3 s", f"{seen['filter_s']:.3f} s")
    yield Row("- a track's own view", "-", f"{seen['track_s']:.3f} s")
    yield Row("- memory of its scripts", "300 MB" if large else "-", f"{seen['heap_mb']:.0f} MB")
    yield Row("- memory of the browser's process for it", "300 MB" if large else "-", f"{seen['process_mb']:.0f} MB")


def copy_rows(source: Path, output: Path, tracks: int) -> None:
    """The rows of the newest run of an output again and again, each as another track."""
    record = next(record for record in run_records(str(source)) if is_finished(record))
    run_id = record["run_id"]
    (output / "runs").mkdir(parents=True, exist_ok=True)
    (output / "runs" / f"{run_id}.json").write_text(json.dumps(record))
    for table in ("tracks", "albums"):
        found = pa.concat_tables(pq.ParquetFile(path).read() for path in _files(source, table, run_id))
        folder = output / "qc" / table / f"run={run_id}"
        folder.mkdir(parents=True, exist_ok=True)
        wanted = tracks if table == "tracks" else -(-tracks // ALBUM)
        make = _other_tracks if table == "tracks" else _other_albums
        with pq.ParquetWriter(folder / f"{table}.parquet", found.schema) as writer:
            for first in range(0, wanted, BATCH):
                writer.write_table(make(found, first, min(BATCH, wanted - first)))


def _files(output: Path, table: str, run_id: str) -> list[Path]:
    return sorted((output / "qc" / table / f"run={run_id}").glob("*.parquet"))


def _other_tracks(found: pa.Table, first: int, many: int) -> pa.Table:
    rng = np.random.default_rng(first)
    rows = found.take(pa.array([(first + k) % found.num_rows for k in range(many)])).to_pylist()
    return pa.Table.from_pylist([_other_track(row, first + k, rng) for k, row in enumerate(rows)], schema=found.schema)


def _other_track(row: dict[str, Any], number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Drawings are shaken a little and hashes are new, so that nothing packs better than real music would."""
    scale = rng.uniform(0.8, 1.2)
    masters = [
        {**one, "sha256": _digest(number, one["delivery"]), "integrated_lufs": _near(one["integrated_lufs"], rng)}
        for one in row["masters"]
    ]
    drawings = {name: _shaken(side, scale, rng) for name, side in row["overview"].items() if name != "limiter_db"}
    return row | {
        "track_id": f"T{number:07d}",
        "title": f"{row['title']} {number}",
        "album_id": f"album-{number // ALBUM}",
        "source_sha256": _digest(number, "source"),
        "gain_db": _near(row["gain_db"], rng),
        "limiter_max_reduction_db": abs(_near(row["limiter_max_reduction_db"], rng)),
        "source": row["source"]
        | {name: _near(row["source"][name], rng) for name in ("integrated_lufs", "plr_lu", "width_ratio")},
        "masters": masters,
        "overview": row["overview"] | drawings,
    }


def _shaken(side: dict[str, Any], scale: float, rng: np.random.Generator) -> dict[str, Any]:
    def shaken(values: list[float]) -> list[float]:
        return (np.asarray(values) * scale * rng.uniform(0.9, 1.0, len(values))).tolist()  # type: ignore[no-any-return]

    lufs = [None if value is None else value + rng.normal(0.0, 0.5) for value in side["short_term_lufs"]]
    return {"low": shaken(side["low"]), "high": shaken(side["high"]), "short_term_lufs": lufs}


def _other_albums(found: pa.Table, first: int, many: int) -> pa.Table:
    rows = found.take(pa.array([(first + k) % found.num_rows for k in range(many)])).to_pylist()
    told = [
        row | {"album_id": f"album-{first + k}", "album": f"{row['album']} {first + k}"} for k, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(told, schema=found.schema)


def _near(value: float | None, rng: np.random.Generator) -> float:
    return (value or 0.0) + float(rng.normal(0.0, 1.0))


def _digest(number: int, name: str) -> str:
    return sha256(f"{number} {name}".encode()).hexdigest()


def in_browser(page: Path) -> dict[str, Any]:
    """Opens the page from disk as a reviewer would, and takes the times of what they do."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = which("chromium") or which("chromium-browser")
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        tab = browser.new_page(viewport={"width": 1400, "height": 1000})
        began_s = time.monotonic()
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        ready_s = time.monotonic() - began_s
        paint = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN") / 1000
        sorts = {
            name: _timed(tab, f"#view=tracks&sort={name}")
            for name in ("title", "album", "-lufs", "plr", "findings", "-gain_db")
        }
        filters = [
            _timed(tab, f"#view=tracks&{what}")
            for what in ("q=harbour+17", "verdict=ready", "range=lufs:-15:-13", "code=HUM&q=9")
        ]
        track_s = _timed(tab, "#view=track&track=T0000007")
        session = tab.context.new_cdp_session(tab)
        session.send("HeapProfiler.collectGarbage")
        heap = tab.evaluate("performance.memory.usedJSHeapSize")
        told = {
            "first_paint_s": paint,
            "ready_s": ready_s,
            "sort_s": max(sorts.values()),
            "slowest": max(sorts, key=lambda name: sorts[name]),
        }
        told |= {"filter_s": max(filters), "track_s": track_s, "heap_mb": heap / MB, "process_mb": _renderer_mb()}
        browser.close()
    return told


WAITS = """async (hash) => {
  const began = performance.now();
  const main = document.getElementById("main");
  const shown = new Promise((resolve) => new MutationObserver(resolve).observe(main, { childList: true }));
  location.hash = hash;
  await shown;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return (performance.now() - began) / 1000;
}"""
"""From the change of the address until what it asks for was painted."""


def _timed(tab: Any, address: str) -> float:
    return float(tab.evaluate(WAITS, address))


def _renderer_mb() -> float:
    """Resident memory of the largest process that draws pages, without what it shares with others."""
    import psutil

    found = [one for one in psutil.Process().children(recursive=True) if "--type=renderer" in " ".join(one.cmdline())]
    return max((one.memory_full_info().uss / MB for one in found), default=float("nan"))


def _own_code_kb() -> float:
    folder = Path(__file__).parents[1] / "review" / "page"
    return sum((folder / name).stat().st_size for name in (*SCRIPTS, *SHEETS, "index.html")) / 1000


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}


if __name__ == "__main__":
    main()
