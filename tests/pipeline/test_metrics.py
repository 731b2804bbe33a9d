"""What a run tells Prometheus and Beam: the same as its tables, under names that are documented, in a batch and in a stream."""

from __future__ import annotations

import re
import threading
from itertools import pairwise
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families

from pipeline import metrics_file
from pipeline.batch import master_catalogue
from pipeline.metrics import FAMILIES, Tally, exposition
from pipeline.metrics_file import MetricsFile
from pipeline.metrics_page import metrics_page
from pipeline.run import Request, prepared
from pipeline.run_records import run_records
from pipeline.runner import pipeline_options
from schemas.codes import CODES
from schemas.steps import Job, Spent
from tests.makers import write_manifest
from tests.pipeline.runs import album, master, table
from tests.pipeline.test_stream import play
from tests.pipeline.test_watch import watched
from tests.transforms.members import analysed
from transforms.metrics import ALL, count_step

VALUES = {
    "outcome": "mastered|skipped|rejected", "code": "[A-Z0-9_]+", "verdict": "ready|listen|rejected",
    "severity": "info|warn|fail", "stage": "analyse|rehearse|master", "what": "draft|settle|rows|runs",
    "how": "complete|impatient",
}  # fmt: skip
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def series(text):
    """Every sample by name and labels; fails for what Prometheus would not read."""
    return {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def told(output):
    return series((output / "runs/metrics.prom").read_text())


def of(name, found):
    return {labels[0][1] if labels else "": value for (one, *labels), value in found.items() if one == name}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An album of two, and two tracks that cannot be mastered."""
    folder = tmp_path_factory.mktemp("metrics")
    manifest, rows = album(folder, 2)
    (folder / "no.wav").write_text("no")
    gone = [{"uri": name, "album_id": "B", "sequence": i} for i, name in enumerate(("gone.wav", "no.wav"), 1)]
    return write_manifest(manifest, [*rows, *gone])


@pytest.fixture(scope="module")
def ran(sources, tmp_path_factory):
    """A run, with what Beam counted of it."""
    output = tmp_path_factory.mktemp("ran")
    master(sources, output)
    return output


def counted(result):
    found = result.metrics().query(MetricsFilter().with_namespace("lathe"))
    return {one.key.metric.name: one.result for kind in ("counters", "distributions") for one in found[kind]}


@pytest.fixture(scope="module")
def batch(sources, tmp_path_factory):
    """What Beam counted in a batch."""
    selection, tracks, profiles = prepared(Request(manifest=str(sources), output=str(tmp_path_factory.mktemp("b"))))
    job = Job(output=selection.output, run_id="r", profiles=profiles)
    pipeline = beam.Pipeline(options=pipeline_options(["--direct_num_workers=1"], len(tracks)))
    master_catalogue(pipeline, selection, job)
    result = pipeline.run()
    result.wait_until_finish()
    return counted(result)


@pytest.fixture(scope="module")
def stream(sources, tmp_path_factory):
    """What Beam counted in a stream, and its output."""
    output, results = tmp_path_factory.mktemp("s"), []
    run = beam.Pipeline.run

    def kept(self, *args, **more):
        results.append(run(self, *args, **more))
        return results[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam.Pipeline, "run", kept)
        play(output, (10, sources))
    return counted(results[-1]), output


# Prometheus


def test_the_file_of_a_run_tells_what_its_tables_tell(ran):
    found = told(ran)
    assert {"mastered": 2, "skipped": 0, "rejected": 2} == of("lathe_tracks_total", found)
    assert {"SOURCE_MISSING": 1, "SOURCE_UNREADABLE": 1} == of("lathe_rejections_total", found)
    assert sum(row["duration_s"] for row in table(ran, "tracks")) == of("lathe_audio_seconds_total", found)[""]
    cpu_s = sum(value for (name, *_), value in found.items() if name == "lathe_stage_cpu_seconds_total")
    assert sum(row["cpu_s"] for row in table(ran, "work")) == pytest.approx(cpu_s)
    assert (4, 4, 0) == tuple(of(f"lathe_{n}", found)[""] for n in ("run_tracks", "run_tracks_done", "runs_under_way"))
    assert (0.5, {"finished": 1}) == (of("lathe_last_run_rejected_ratio", found)[""], of("lathe_runs_total", found))


def test_every_name_is_one_of_the_families_and_every_family_says_what_it_is(ran):
    families = list(text_string_to_metric_families((ran / "runs/metrics.prom").read_text()))
    known = {(one.name.removesuffix("_total"), one.kind, one.words) for one in FAMILIES}
    assert {(one.name, one.type, one.documentation) for one in families} <= known
    for family in FAMILIES:
        assert re.fullmatch(r"lathe_[a-z_]+", family.name) and (family.kind == "counter") == family.name.endswith(
            "_total"
        )


def test_no_label_holds_a_track_an_album_or_a_run(ran):
    labels = {label for family in FAMILIES for label in family.labels}
    assert labels == {"state", "outcome", "code", "severity", "verdict", "stage", "work", "reason", "version"}
    assert len(told(ran)) < 100


def test_labels_are_escaped():
    tally = Tally()
    tally.add("lathe_rejections_total", 1, 'A"b\\c\nd')
    assert 1.0 == series(exposition(tally, {}, "1").decode())["lathe_rejections_total", ("code", 'A"b\\c\nd')]


def test_a_file_elsewhere_replaces_that_in_the_output(sources, tmp_path):
    master(sources, tmp_path / "out", metrics=str(tmp_path / "prom" / "lathe.prom"), limit=1)
    assert (tmp_path / "prom/lathe.prom").exists() and not (tmp_path / "out/runs/metrics.prom").exists()
    assert ["lathe.prom"] == [path.name for path in (tmp_path / "prom").iterdir()]


def test_a_reader_never_sees_half_a_file(tmp_path):
    clock = iter(range(0, 10**9, 20))
    file, path, done = (
        MetricsFile(str(tmp_path), clock=lambda: next(clock)),
        tmp_path / "runs/metrics.prom",
        threading.Event(),
    )
    whole = set()

    def read():
        while not done.is_set():
            if path.exists():
                whole.add(
                    path.read_text().endswith(f'lathe_build_info{{version="{metrics_file.version("lathe")}"}} 1.0\n')
                )

    reader = threading.Thread(target=read)
    with file.of_run("r", 1000):
        reader.start()
        for number in range(200):
            file.progressed(lambda number=number: [f"mastered {n}" for n in range(number)])
        done.set()
        reader.join()
    assert {True} == whole


def test_during_a_run_the_tracks_that_ended_are_told_and_never_fewer(tmp_path):
    clock, seen = iter(range(0, 10**9, 20)), []
    file = MetricsFile(str(tmp_path), clock=lambda: next(clock))
    lines = ["mastered a", "rejected b", "mastered a", "skipped c", "mastered b"]  # a bundle that came again
    with file.of_run("r", 3):
        for number in range(len(lines) + 1):
            file.progressed(lambda number=number: lines[:number])
            seen.append(of("lathe_tracks_total", told(tmp_path)))
        assert 1 == of("lathe_runs_under_way", told(tmp_path))[""]
    assert {"mastered": 1, "rejected": 1, "skipped": 1} == seen[-1]
    assert all(a[name] <= b[name] for a, b in pairwise(seen) for name in a)


def test_between_two_writes_pass_ten_seconds(tmp_path):
    now = [0.0]
    file = MetricsFile(str(tmp_path), clock=lambda: now[0])
    with file.of_run("r", 1):
        now[0] = 9.0
        file.progressed(lambda: pytest.fail("too early"))
        now[0] = 10.0
        file.progressed(lambda: ["mastered a"])
        assert 1 == of("lathe_run_tracks_done", told(tmp_path))[""]


@pytest.mark.parametrize(("error", "state"), [(RuntimeError("x"), "failed"), (KeyboardInterrupt(), "stopped")])
def test_a_run_that_ends_badly_is_told_and_the_last_good_one_stays(ran, sources, monkeypatch, error, state, tmp_path):
    file = tmp_path / "m.prom"
    monkeypatch.setattr("pipeline.run._run_graph", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        master(sources, ran, metrics=str(file))
    found, good = series(file.read_text()), next(one for one in run_records(str(ran)) if one["state"] == "finished")
    assert {state: 1} == of("lathe_runs_total", found) and 0 == of("lathe_runs_under_way", found)[""]
    assert abs(of("lathe_last_finished_timestamp_seconds", found)[""] - metrics_file.seconds_of(good["ended"])) < 1


def test_a_file_that_cannot_be_written_ends_no_run(sources, tmp_path):
    (tmp_path / "file").touch()
    assert 1 == master(sources, tmp_path / "out", metrics=str(tmp_path / "file" / "m.prom"), limit=1).mastered


def test_a_watch_adds_up_its_runs(sources, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [{"uri": str(sources.parent / f"{i}.flac"), "album_id": i, "sequence": 1} for i in range(2)]

    def later():
        write_manifest(folder / "b.csv", [rows[1]])

    write_manifest(folder / "a.csv", [rows[0]])
    file = MetricsFile(str(tmp_path / "out"))
    watched(folder, tmp_path / "out", [lambda: None, later], looks=5, metrics=file, roots=(str(sources.parent),))
    found = told(tmp_path / "out")
    assert ({"finished": 2}, 2) == (of("lathe_runs_total", found), of("lathe_tracks_total", found)["mastered"])


def test_a_stream_tells_its_runs_as_they_close(stream):
    _, output = stream
    file, known = MetricsFile(str(output)), {"lathe_runs_under_way": 1.0, "lathe_albums_open": 7.0}
    (record,) = run_records(str(output))
    file.closed(record["run_id"], record["state"], record["wall_s"], lambda: known)
    file.closed("another", "refused", 0.0, lambda: known)
    found = told(output)
    assert {"mastered": 2, "skipped": 0, "rejected": 2} == of("lathe_tracks_total", found)
    assert ({"finished": 1, "refused": 1}, 7) == (of("lathe_runs_total", found), of("lathe_albums_open", found)[""])


def test_a_store_that_does_not_answer_ends_no_watch_and_what_was_known_stays(tmp_path):
    file = MetricsFile(str(tmp_path))

    def silent():
        raise TimeoutError("no answer")

    file.closed("a", "refused", 0.0, lambda: {"lathe_albums_open": 7.0})
    file.closed("b", "refused", 0.0, silent)
    assert (7, {"refused": 2}) == (of("lathe_albums_open", told(tmp_path))[""], of("lathe_runs_total", told(tmp_path)))


# Beam


@pytest.mark.parametrize("graph", ["batch", "stream"])
def test_beam_counts_what_the_tables_tell(request, graph):
    found = request.getfixturevalue(graph)
    found = found if graph == "batch" else found[0]
    assert (2, 2, 1, 1) == tuple(
        found[name]
        for name in ("tracks_mastered", "tracks_rejected", "rejected_SOURCE_MISSING", "rejected_SOURCE_UNREADABLE")
    )
    assert 2000 == found["audio_ms_mastered"]
    assert (4, 2) == (found["cpu_ms_analyse"].count, found["cpu_ms_master"].count)
    assert 2 == found["realtime_percent_master"].count
    assert 2 == sum(number for name, number in found.items() if name.startswith("albums_"))
    assert {f"finding_{code}" for code in CODES} >= {
        "finding_" + name.split("_", 2)[2] for name in found if name.startswith("finding_")
    }


def test_groups_that_opened_in_a_stream_have_closed(stream):
    found, _ = stream
    for what, groups in (("draft", 2), ("settle", 2), ("rows", 2), ("runs", 1)):
        assert (groups, groups) == (found[f"groups_opened_{what}"], found[f"groups_closed_{what}_complete"])


@pytest.mark.parametrize("graph", ["batch", "stream"])
def test_every_name_in_beam_is_documented(request, graph):
    found = request.getfixturevalue(graph)
    patterns = [re.sub(r"\{(\w+)\}", lambda m: f"(?:{VALUES[m[1]]})", metric.name) for metric in ALL]
    names = found if graph == "batch" else found[0]
    assert [] == [name for name in names if not any(re.fullmatch(pattern, name) for pattern in patterns)]


def test_a_step_that_the_run_did_before_is_counted_and_so_are_retries(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "transforms.metrics.Metric.add", lambda self, number=1, **of: seen.update({self.name.format(**of): number})
    )
    count_step(Spent(stage="master", remembered=True, repeated=True, retries=3, queued_s=2.0, waited_s=1.0), analysed())
    assert (1, 3) == (seen["steps_repeated_master"], seen["store_retries"])
    assert (2000, 1000) == (seen["waited_ms_slot"], seen["waited_ms_priority"])
    assert "cpu_ms_master_remembered" in seen and "realtime_percent_master" not in seen


def test_every_metric_that_is_declared_is_counted_somewhere():
    code = (Path(__file__).parents[2] / "transforms/metrics.py").read_text()
    names = re.findall(r"^([A-Z]+) = Metric\(", code, re.M)
    assert len(names) == len(ALL)
    assert [] == [name for name in names if not re.search(rf"\b{name}\b.*\.add\(", code)]


def test_the_page_is_that_of_the_code():
    assert metrics_page() == PAGE.read_text(encoding="utf-8")


def test_a_request_for_the_same_masters_is_the_same_whatever_is_told_of_it():
    from pipeline.arrivals import asked_of
    from schemas.steps import Speech

    request = Request(manifest="", output="o")
    assert asked_of(request) == asked_of(structs.replace(request, metrics="x.prom", speech=Speech(as_json=True)))
