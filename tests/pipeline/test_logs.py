"""The log of a run as JSON: one object a line on stderr, from the driver and from two worker processes at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.makers import write_manifest
from tests.pipeline.runs import album, environment, table

HOSTILE = 'a\n"b"\x1b[31m'
IDS = ("run_id", "track_id", "album_id", "stage", "code")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An album whose tracks are mastered, and six tracks that are not: four by themselves, two by their album."""
    folder = tmp_path_factory.mktemp("logs")
    manifest, rows = album(folder, 2)
    (folder / f"{HOSTILE}.wav").write_text("no")
    bad = ["gone.wav", f"{HOSTILE}.wav", "gone too.wav", "and gone.wav"]
    rows += [{"uri": uri, "album_id": f"B{i % 2}", "sequence": i, "title": HOSTILE} for i, uri in enumerate(bad, 1)]
    rows += [
        {"uri": f"{i}.flac", "album_id": "C", "sequence": i + 1, "track_total": 5, "title": HOSTILE} for i in range(2)
    ]
    return write_manifest(manifest, rows)


def lathe(manifest, output, *options, **more):
    command = [
        sys.executable,
        "-c",
        "from review.cli import main; main()",
        "run",
        str(manifest),
        str(output),
        *options,
    ]
    done = subprocess.run(
        [*command, "--", "--direct_num_workers=2"], env=environment(**more), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def ran(sources, tmp_path_factory):
    """(lines on stderr, output) of a run that tells everything."""
    output = tmp_path_factory.mktemp("out")
    err = lathe(sources, output, "--log-format", "json", "--log-level", "debug")
    return [json.loads(line) for line in err.splitlines()], output


def test_every_line_on_stderr_is_an_object_with_severity_time_and_message(ran):
    for line in ran[0]:
        assert {"severity", "time", "message"} <= set(line)
        assert line["severity"] in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def test_each_rejected_track_has_one_line_with_its_ids(ran):
    lines, output = ran
    told = [tuple(line[name] for name in IDS) for line in lines if "code" in line]
    assert sorted(told) == sorted(tuple(row[name] for name in IDS) for row in table(output, "rejected"))
    assert 6 == len(told) and {"ALBUM_NOT_WHOLE"} == {code for *_, album_id, _, code in told if album_id == "C"}


def test_each_step_of_each_track_tells_what_it_took(ran):
    lines, output = ran
    took = sorted((line["track_id"], line["stage"]) for line in lines if "seconds" in line)
    assert took == sorted((row["track_id"], step["stage"]) for row in table(output, "work") for step in row["steps"])


def test_what_the_driver_says_is_an_object_too(ran):
    assert "2 mastered, 0 skipped, 6 rejected" in ran[0][-1]["message"]


def test_words_say_nothing_of_single_tracks(sources, tmp_path):
    err = lathe(sources, tmp_path)
    assert "2 mastered, 0 skipped, 6 rejected" in err and "gone.wav" not in err


def test_the_environment_asks_for_json_too_and_warnings_are_enough(sources, tmp_path):
    lines = [json.loads(line) for line in lathe(sources, tmp_path, LATHE_LOG="json").splitlines()]
    assert ["WARNING"] * 6 == [line["severity"] for line in lines if line["logger"] == "lathe.tracks"]
