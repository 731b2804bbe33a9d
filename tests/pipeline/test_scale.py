"""What a large catalogue costs: a second run decodes nothing, and what the driver holds grows with the rows and no faster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest
import soundfile

from decisions import rows as rows_of_quality
from media import steps
from pipeline.batch import master_catalogue
from pipeline.run import Request, prepared
from schemas.steps import Job
from tests.makers import music, write, write_manifest
from tests.pipeline.runs import album, environment, master

ALBUM = 10
MOST_BYTES_PER_ROW = 6_000
"""100,000 rows then take 572 MiB, beside 150 of Python and Beam."""


def catalogue(folder: Path, rows: int) -> Path:
    """A manifest of so many rows in albums of ten that share ten sources; the sources themselves are not needed to plan."""
    return write_manifest(
        folder / f"{rows}.csv",
        [
            {"uri": f"{n % ALBUM}.flac", "album_id": f"A{n // ALBUM}", "sequence": n % ALBUM + 1, "title": f"Song {n}"}
            for n in range(rows)
        ],
    )


# A process of its own: its peak is that of nothing else.
PLAN = """
import json, resource, sys
import apache_beam
from pipeline.run import Request, prepared
peak_bytes = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak_bytes()
prepared(Request(manifest=sys.argv[1], output=sys.argv[2]))
print(json.dumps(peak_bytes() - before))
"""


def bytes_to_plan(folder: Path, rows: int) -> int:
    """What the driver's memory grows by where a manifest is checked."""
    command = [sys.executable, "-c", PLAN, str(catalogue(folder, rows)), str(folder / "out")]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True)
    return int(json.loads(done.stdout))


def graph_bytes(folder: Path, rows: int) -> int:
    """How large the graph of a run over so many rows is."""
    manifest = catalogue(folder, rows)
    selection, _, profiles = prepared(Request(manifest=str(manifest), output=str(folder / "out")))
    pipeline = beam.Pipeline()
    master_catalogue(pipeline, selection, Job(output=selection.output, run_id="r", profiles=profiles))
    return int(pipeline.to_runner_api().ByteSize())


@pytest.fixture
def opened(monkeypatch):
    """Every file that a decoder or an encoder opens from here on, in this process."""
    found: list[str] = []

    class Counted(soundfile.SoundFile):
        def __init__(self, file, *args, **more):
            found.append(str(file))
            super().__init__(file, *args, **more)

    monkeypatch.setattr(soundfile, "SoundFile", Counted)
    return found


def test_a_second_run_opens_no_decoder(tmp_path, opened):
    manifest, rows = album(tmp_path, tracks=3)
    master(manifest, tmp_path / "out")
    first = len(opened)
    again = master(manifest, tmp_path / "out")
    assert (first > len(rows), len(rows), 0) == (True, again.skipped, len(opened) - first)


def test_a_sound_that_several_albums_share_is_measured_once(tmp_path, monkeypatch):
    for name in ("0.flac", "1.flac"):
        write(tmp_path / name, music(seconds=0.5, level_dbfs=-24, seed=int(name[0])))
    rows = [{"uri": f"{n % 2}.flac", "album_id": f"A{n // 2}", "sequence": n % 2 + 1} for n in range(4)]
    measured: list[str] = []
    measure = steps.analyse
    monkeypatch.setattr(steps, "analyse", lambda path, *a, **k: (measured.append(path.name), measure(path, *a, **k))[1])
    found = master(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert (4, ["0.flac", "1.flac"]) == (found.mastered, sorted(name for name in measured if name[0].isdigit()))


def test_each_track_is_judged_once_however_many_tables_tell_of_it(tmp_path, monkeypatch):
    manifest, rows = album(tmp_path, tracks=2)
    seen: list[str] = []
    judge = rows_of_quality.judged
    monkeypatch.setattr(rows_of_quality, "judged", lambda m, p: (seen.append(m.track.track_id), judge(m, p))[1])
    master(manifest, tmp_path / "out")
    assert len(rows) == len(seen) == len(set(seen))


def test_the_graph_is_as_large_for_ten_rows_as_for_a_thousand(tmp_path):
    few, many = graph_bytes(tmp_path, 10), graph_bytes(tmp_path, 1_000)
    # The manifest's name stands in it, and what is packed in it comes out a few bytes longer or shorter each time.
    assert abs(many - few) <= 1_000


@pytest.mark.slow
def test_what_the_driver_holds_grows_with_the_rows_and_no_faster(tmp_path):
    few, more, most = (bytes_to_plan(tmp_path, rows) for rows in (2_000, 11_000, 20_000))
    assert (most - more) <= 1.5 * (more - few) + (4 << 20)
    assert (most - few) / 18_000 <= MOST_BYTES_PER_ROW
