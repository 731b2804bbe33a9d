"""The Flex Template offers what the command line has, and its launcher masters here and writes the graph that Dataflow runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from apache_beam.io.filesystems import FileSystems
from google.cloud import dataflow_v1beta3 as dataflow

from deploy.dataflow import launcher
from media import store
from pipeline import cli
from tests.pipeline.runs import album, digests, environment, master
from tests.pipeline.test_cloud import bucket as bucket

DEPLOY = Path(launcher.__file__).parents[1]
METADATA = DEPLOY / "dataflow" / "metadata.json"
NEEDED = ["--manifest=gs://b/m.csv", "--output=gs://b/out"]
GIVEN = {
    "manifest": "gs://b/m.csv", "output": "gs://b/out", "profile": "club", "style": "warm", "intensity": "low",
    "reference": "gs://b/1.flac;gs://b/2.flac", "reference_amount": "0.5", "target_lufs": "-12.5", "limit": "3",
    "only": "A*", "root": "gs://b", "force": "true", "command": "run", "priority": "true", "retry_rejected": "false",
    "settings": "gs://b/1.json;gs://b/2.json", "stems": "true", "versions": "instrumental,tv",
    "metrics": "gs://b/lathe.prom", "log_format": "json", "log_level": "warning",
    "source": "pubsub://projects/p/subscriptions/s", "patience_s": "3600",
}  # fmt: skip
OF_WATCH = ("source", "patience_s")


def parsed(words):
    """What the command line makes of words, or what it says is wrong with them."""
    name, *rest = words
    return cli.cli.commands[name].make_context("lathe", rest).params


def test_the_metadata_is_what_the_command_line_says():
    written = json.loads(METADATA.read_text(encoding="utf-8"))
    assert written == launcher.metadata(), "write it again: python deploy/dataflow/launcher.py --metadata > " + str(
        METADATA
    )


def test_the_metadata_is_what_dataflow_reads():
    read = dataflow.TemplateMetadata.from_json(METADATA.read_text(encoding="utf-8"), ignore_unknown_fields=False)
    assert [one.name for one in read.parameters] == [one["name"] for one in launcher.metadata()["parameters"]]
    assert [one.name for one in read.parameters if not one.is_optional] == ["output"]
    assert all(one.label and one.help_text for one in read.parameters)


def test_every_parameter_reaches_the_option_of_its_name():
    words = launcher.command_line(f"--{name}={value}" for name, value in GIVEN.items() if name not in OF_WATCH)
    found = parsed(words)
    assert found["references"] == ("gs://b/1.flac", "gs://b/2.flac") and found["roots"] == ("gs://b",)
    assert (found["target_lufs"], found["reference_amount_ratio"], found["limit"]) == (-12.5, 0.5, 3)
    plain = ("manifest", "output", "profile", "style", "intensity", "only")
    assert {name: found[name] for name in plain} == {name: GIVEN[name] for name in plain}
    assert found["force"] is True and found["beam_options"] == ()


def test_every_parameter_takes_what_its_expression_takes():
    for one in launcher.metadata()["parameters"]:
        assert all(re.fullmatch(shape, GIVEN[one["name"]]) for shape in one.get("regexes", []))


@pytest.mark.parametrize(
    "name, value",
    [
        ("manifest", "/disk/manifest.csv"), ("output", "gs://"), ("intensity", "huge"), ("limit", "0"), ("limit", "1.5"),
        ("force", "yes"), ("source", "pubsub://s"), ("target_lufs", "-14 LUFS"), ("reference", "gs://b/1.flac;/2.flac"),
        ("command", "rm"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_a_machine_is_started(name, value):
    (one,) = [one for one in launcher.metadata()["parameters"] if one["name"] == name]
    assert not any(re.fullmatch(shape, value) for shape in one["regexes"])


def test_what_is_no_parameter_goes_to_beam_as_it_is():
    words = launcher.command_line([*NEEDED, "--runner=DataflowRunner", "--labels=a=b", "--no_auth", "--style="])
    assert words == ["run", "gs://b/m.csv", "gs://b/out", "--", "--runner=DataflowRunner", "--labels=a=b", "--no_auth"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--manifest=gs://b/m.csv"], "parameters that run needs are missing: output"),
        ([*NEEDED, "--command=measure"], 'command must be one of run, watch, got "measure"'),
        ([*NEEDED, "--patience_s=60"], "parameters that run does not know: patience_s"),
        ([*NEEDED, "--force=maybe"], 'force must be true or false, got "maybe"'),
    ],
)
def test_the_launcher_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        launcher.command_line(arguments)


def test_a_wrong_value_is_told_as_the_command_line_tells_it():
    with pytest.raises(click.BadParameter, match="not in the range"):
        parsed(launcher.command_line([*NEEDED, "--target_lufs=3"]))


def test_a_watch_is_started_from_the_same_template():
    offered = {one["name"]: one for one in launcher.metadata()["parameters"]}
    assert launcher.metadata()["streaming"] and offered["command"]["regexes"] == ["^(run|watch)$"]
    words = launcher.command_line(["--command=watch", "--source=gs://b/in", "--output=gs://b/out", "--streaming"])
    assert words == ["watch", "gs://b/in", "gs://b/out", "--", "--streaming"]


@pytest.mark.parametrize("source", ["gs://b/in", "pubsub://projects/p/subscriptions/s"])
def test_a_watch_looks_into_a_folder_or_listens_to_a_subscription(source):
    (one,) = [one for one in launcher.metadata()["parameters"] if one["name"] == "source"]
    assert all(re.fullmatch(shape, source) for shape in one["regexes"])


def test_the_nightly_launch_is_one_that_dataflow_reads_with_parameters_that_the_template_has():
    body = (DEPLOY / "schedule" / "launch.json").read_text(encoding="utf-8")
    launch = dataflow.LaunchFlexTemplateRequest.from_json(body, ignore_unknown_fields=False).launch_parameter
    shapes = {one["name"]: one.get("regexes", []) for one in launcher.metadata()["parameters"]}
    assert [
        name for name, value in launch.parameters.items() if not all(re.fullmatch(s, value) for s in shapes[name])
    ] == []
    words = launcher.command_line(f"--{name}={value}" for name, value in launch.parameters.items())
    assert parsed(words)["profile"] == "streaming"


@pytest.mark.slow
def test_the_launcher_gives_the_masters_of_a_run(tmp_path):
    manifest, _ = album(tmp_path / "sources", 2)
    master(manifest, tmp_path / "expected", limit=1)
    given = [f"--manifest={manifest}", f"--output={tmp_path / 'output'}", "--limit=1", "--direct_num_workers=1"]
    ran = subprocess.run([sys.executable, launcher.__file__, *given], env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert digests(tmp_path / "output") == digests(tmp_path / "expected")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_launcher_writes_the_graph_for_dataflow_and_returns(bucket, tmp_path, monkeypatch, capsys):
    manifest, _ = album(tmp_path / "sources", 2)
    for path in manifest.parent.iterdir():
        store.publish(Path(shutil.copy(path, tmp_path)), f"{bucket}/nightly/{path.name}")
    place = {"temp_location": "temp", "staging_location": "staging", "template_location": "graph.json"}
    service = ["--runner=DataflowRunner", "--project=test", "--region=europe-west1", "--job_name=lathe", "--no_auth"]
    service += ["--sdk_container_image=registry.example/lathe:0.1.0"]
    given = [f"--manifest={bucket}/nightly/manifest.csv", f"--output={bucket}/out", *service]
    given += [f"--{name}={bucket}/{where}" for name, where in place.items()]
    monkeypatch.setattr(sys, "argv", ["launcher.py", *given])
    with pytest.raises(SystemExit, match="^0$"):
        launcher.main()
    job = json.load(FileSystems.open(f"{bucket}/graph.json"))
    (pool,) = job["environment"]["workerPools"]
    assert pool["workerHarnessContainerImage"] == "registry.example/lathe:0.1.0"
    assert "is written" in capsys.readouterr().err
    assert not store.exists(f"{bucket}/out/runs")
