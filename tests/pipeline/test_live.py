"""A watch as one unbounded pipeline, live on Prism: masters as of a batch, a clean end, and nothing lost when it is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.live import Live
from pipeline.prism import found_prism
from pipeline.run import Request
from pipeline.run_records import owner, run_records
from pipeline.stream import Watched, master_arrivals
from pipeline.subscription import ReadSubscription, arrivals_of
from schemas.errors import CatalogueError
from tests.makers import write_manifest
from tests.pipeline.runs import album, digests, environment, master, table

LATHE = str(Path(sys.executable).with_name("lathe"))
PATIENCE_S = 120.0
NOBODY = 99_999_999
"""No process has this number."""


# What needs no runner


def test_prism_is_taken_where_no_runner_is_named_and_it_is_on_path(monkeypatch, tmp_path):
    (tmp_path / "prism").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [str(tmp_path / "prism"), None] == [found_prism(()), found_prism(("--runner=FlinkRunner",))]
    monkeypatch.setenv("PATH", "")
    assert [None, str(tmp_path / "prism")] == [
        found_prism(()),
        found_prism(("--runner=PrismRunner", f"--prism_location={tmp_path / 'prism'}")),
    ]


def test_prism_that_is_asked_for_and_missing_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CatalogueError, match=r"Prism is not at any place on PATH") as caught:
        found_prism(("--runner=PrismRunner",))
    assert "RUNNER_MISSING" == caught.value.code


def test_a_message_about_a_manifest_becomes_an_arrival_and_any_other_is_left_out(tmp_path):
    manifest = write_manifest(tmp_path / "m.csv", [{"uri": "a.wav"}])
    messages = [str(manifest), str(tmp_path / "gone.csv"), "gs://label/cover.jpg", "", "\x00"]
    found = [one for text in messages for one in arrivals_of(PubsubMessage(text.encode(), {}))]
    assert [str(manifest)] == [uri for uri, _ in found]


def test_the_graph_of_a_subscription_stands_before_anything_runs():
    asked = Request(manifest="", output="gs://b/out")
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    arrivals = pipeline | ReadSubscription(
        "pubsub://projects/some-label/subscriptions/arrivals", [("gs://b/left.csv", "token")]
    )
    master_arrivals(arrivals, Watched(source="s", request=asked, owner={}, patience_s=60.0))
    graph = pipeline.to_runner_api()
    assert "beam:transform:pubsub_read:v1" in {one.spec.urn for one in graph.components.transforms.values()}
    assert len(graph.SerializeToString()) < 1_000_000


def under_way(output, run_id, watched):
    """What a run of a watch has on the disk while its tracks are rendered."""
    for name in (f".parts/{run_id}/tmp1/cd.wav", f"ledger/waiting/{run_id}/ab/abc.json"):
        (output / name).parent.mkdir(parents=True)
        (output / name).touch()
    (output / "runs").mkdir(exist_ok=True)
    (output / "runs" / f"{run_id}.json").write_text(
        json.dumps(
            {
                "run_id": run_id,
                "state": "running",
                "watched": watched,
                "manifest": "m.csv",
                "digest": "0",
                "owner": {**owner(), "pid": NOBODY},
            }
        )
    )


def test_what_a_killed_watch_had_in_the_making_is_swept_by_the_next_of_the_same_folder(tmp_path):
    source, output = str(tmp_path / "in"), tmp_path / "out"
    under_way(output, "mine", source)
    under_way(output, "another", str(tmp_path / "elsewhere"))
    Live(source, Request(manifest="", output=str(output)), 60.0).clear_up()
    assert ["another"] == [path.name for path in (output / ".parts").iterdir()]
    assert ["another"] == [path.name for path in (output / "ledger/waiting").iterdir()]
    assert {"mine": "interrupted", "another": "running"} == {
        record["run_id"]: record["state"] for record in run_records(str(output))
    }


def test_a_stop_leaves_nothing_in_the_making(tmp_path):
    live = Live(str(tmp_path / "in"), Request(manifest="", output=str(tmp_path / "out")), 60.0)
    live.stop()
    live.close()
    assert [] == [path for path in (tmp_path / "out").rglob("*") if path.is_file() or ".parts" in path.parts]


# Live


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """An album of four tracks: its folder, its rows, and its masters from one batch."""
    folder = tmp_path_factory.mktemp("catalogue")
    manifest, rows = album(folder / "in", 4, seconds=8.0)
    master(manifest, folder / "batch")
    return folder / "in", rows, digests(folder / "batch")


class Watching:
    """A `lathe watch` in a process of its own, in a session of its own as on a terminal."""

    def __init__(self, prism: str, inbox: Path, output: Path, *options: str) -> None:
        inbox.mkdir(exist_ok=True)
        self.output = output
        path = f"{prism}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            [LATHE, "watch", str(inbox), str(output), "--json", *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment(PATH=path),
        )  # fmt: skip

    def wait_for(self, what, seconds=PATIENCE_S):
        until = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < until, "it took too long"
            time.sleep(0.2)

    def ended(self, **counts):
        """Whether a run has ended with these counts."""
        records = [json.loads(path.read_text()) for path in self.output.glob("runs/*.json")]
        return any(counts.items() <= record.items() for record in records)

    def interrupt(self):
        """Ctrl-C, which reaches every process of a terminal; returns exit code and what was said."""
        os.killpg(self.process.pid, signal.SIGINT)
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said

    def kill(self):
        self.process.kill()
        self.process.wait()


def drop(inbox, name, folder, rows):
    """A manifest that appears whole."""
    inbox.mkdir(exist_ok=True)
    hidden = write_manifest(inbox / f".{name}", [{**row, "uri": str(folder / str(row["uri"]))} for row in rows])
    hidden.rename(inbox / name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_arrives_in_parts_is_mastered_as_one_and_ctrl_c_ends_it_when_all_is_done(prism, catalogue, tmp_path):
    folder, rows, expected = catalogue
    watching = Watching(prism, tmp_path / "in", tmp_path / "out", "--root", str(folder))
    parts = [{**row, "track_total": 4} for row in rows]
    drop(tmp_path / "in", "one.csv", folder, parts[:2])
    watching.wait_for(lambda: len(list(tmp_path.glob("out/ledger/analysis/*/*.json"))) == 2)
    drop(tmp_path / "in", "two.csv", folder, parts[2:])
    watching.wait_for(lambda: len(list(tmp_path.glob("out/ledger/analysis/*/*.json"))) == 4)
    code, said = watching.interrupt()
    assert 0 == code, said
    assert expected == digests(tmp_path / "out"), said
    assert 4 == len(table(tmp_path / "out", "tracks")) and 2 == said.count('"mastered":2')
    assert not list(tmp_path.glob("out/ledger/waiting/*")) and not list(tmp_path.glob("out/.parts/*"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rows_land_within_a_minute_of_their_album_while_another_album_still_waits(prism, catalogue, tmp_path):
    folder, rows, expected = catalogue
    watching = Watching(prism, tmp_path / "in", tmp_path / "out", "--root", str(folder), "--patience-s", "3600")
    waiting = [{**rows[0], "album_id": "B", "track_total": 2}]
    drop(tmp_path / "in", "waiting.csv", folder, waiting)
    drop(tmp_path / "in", "whole.csv", folder, rows)
    watching.wait_for(lambda: set(expected) == set(digests(tmp_path / "out")))
    mastered_s = time.monotonic()
    watching.wait_for(lambda: watching.ended(state="finished", mastered=4))
    assert time.monotonic() - mastered_s < 60.0
    code, said = watching.interrupt()
    assert 0 == code and "ALBUM_NOT_WHOLE" in said
    assert ["B"] == [row["album_id"] for row in table(tmp_path / "out", "rejected")]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_source_that_comes_after_its_manifest_is_mastered_when_it_is_there(prism, catalogue, tmp_path):
    folder, rows, expected = catalogue
    late = tmp_path / "late"
    shutil.copytree(folder, late)
    (late / "2.flac").rename(tmp_path / "2.flac")
    watching = Watching(prism, tmp_path / "in", tmp_path / "out", "--root", str(late))
    drop(tmp_path / "in", "all.csv", late, rows)
    watching.wait_for(lambda: watching.ended(mastered=3, rejected=1))
    (tmp_path / "2.flac").rename(late / "2.flac")
    watching.wait_for(lambda: watching.ended(rejected=0))
    assert 0 == watching.interrupt()[0]
    assert expected == digests(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_watch_after_one_that_was_killed_does_the_rest(prism, catalogue, tmp_path):
    folder, rows, expected = catalogue
    watching = Watching(prism, tmp_path / "in", tmp_path / "out", "--root", str(folder))
    drop(tmp_path / "in", "all.csv", folder, rows)
    watching.wait_for(lambda: list(tmp_path.glob("out/masters/*/*/*")))
    watching.kill()
    assert set(digests(tmp_path / "out").items()) <= set(expected.items())
    again = Watching(prism, tmp_path / "in", tmp_path / "out", "--root", str(folder))
    again.wait_for(lambda: again.ended(state="finished"))
    assert 0 == again.interrupt()[0]
    assert expected == digests(tmp_path / "out")
    states = sorted(json.loads(path.read_text())["state"] for path in tmp_path.glob("out/runs/*.json"))
    assert ["finished", "interrupted"] == states
    assert not list(tmp_path.glob("out/ledger/waiting/*"))
