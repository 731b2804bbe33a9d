"""The Kubernetes manifests are valid, fit each other, and say what deploy/flink/cluster.py says."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from deploy.flink import cluster
from pipeline.cli import cli

yaml = pytest.importorskip("yaml")
jsonschema = pytest.importorskip("jsonschema")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

FOLDER = Path(cluster.__file__).parents[1] / "kubernetes"
OPERATOR = "org.apache.flink:flink-kubernetes-operator-api:1.10.0"
DEFINITION = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"
FLINKS_OWN_MIB = 256 + 192 + 128 + 128
"""What Flink takes of a TaskManager's memory where nothing is said: metaspace, overhead, its own heap and off-heap memory."""
TRACK_MIB = 300
"""A worker with a track, resident (docs/deploying.md)."""


def documents():
    return {
        (one["kind"], one["metadata"]["name"]): one
        for path in sorted(FOLDER.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    }


ALL = documents()
FLINK = ALL["FlinkDeployment", "lathe-flink"]["spec"]
TASK_MANAGER = FLINK["taskManager"]["podTemplate"]["spec"]
SERVER = ALL["Deployment", "lathe-job-server"]["spec"]["template"]["spec"]
NIGHT = ALL["CronJob", "lathe-nightly"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def container(pod, name):
    (found,) = [one for one in pod["containers"] if one["name"] == name]
    return found


def mebibytes(size):
    number, unit = re.fullmatch(r"(\d+)(m|mb|Mi|Gi)", size).groups()
    return int(number) * (1024 if unit == "Gi" else 1)


@pytest.mark.parametrize("name", [name for name in ALL if name[0] != "FlinkDeployment"], ids="-".join)
def test_a_manifest_is_what_kubernetes_takes(name):
    kubernetes_validate.validate(ALL[name], "1.33", strict=True)


@pytest.mark.slow
def test_the_flink_manifest_is_what_the_operator_takes(tmp_path):
    if shutil.which("mvn") is None:
        pytest.skip("the operator's definition comes from Maven, and mvn is not on PATH")
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={OPERATOR}", f"-DoutputDirectory={tmp_path}"]
    try:
        subprocess.run(command, stdout=subprocess.PIPE, timeout=200, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"Maven cannot bring {OPERATOR}")
    (jar,) = tmp_path.glob("*.jar")
    definition = yaml.safe_load(zipfile.ZipFile(jar).read(DEFINITION))
    (version,) = [one for one in definition["spec"]["versions"] if one["name"] == "v1beta1"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    jsonschema.Draft202012Validator(strict(schema)).validate(FLINK)


def strict(schema):
    """A schema that refuses what it does not name: the cluster would drop it without a word."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {}
    if schema.get("x-kubernetes-int-or-string"):
        return {}
    return {**closed, **{name: strict(one) for name, one in schema.items()}}


def test_a_strict_schema_refuses_a_slip():
    with pytest.raises(jsonschema.ValidationError, match="'replica' was unexpected"):
        jsonschema.validate({"replica": 1}, strict({"type": "object", "properties": {"replicas": {"type": "integer"}}}))


def test_flink_is_configured_as_it_was_run():
    said = FLINK["flinkConfiguration"]
    shared = {name: said[name] for name in said if name in cluster.CONFIGURATION}
    assert shared == {name: str(cluster.CONFIGURATION[name]) for name in shared}
    assert {"taskmanager.numberOfTaskSlots", "taskmanager.memory.network.max"} <= set(shared)
    assert said["env.java.opts.all"].split() == cluster.OPENED


def test_a_task_manager_has_the_heap_that_it_had_when_it_was_run():
    said = {name: mebibytes(size) for name, size in FLINK["flinkConfiguration"].items() if ".memory." in name}
    parts = said["taskmanager.memory.network.max"] + said["taskmanager.memory.managed.size"] + FLINKS_OWN_MIB
    heap = mebibytes(FLINK["taskManager"]["resource"]["memory"]) - parts
    assert heap >= mebibytes(cluster.CONFIGURATION["taskmanager.memory.task.heap.size"])


def test_each_slot_has_a_core_and_memory_for_its_track():
    slots = int(FLINK["flinkConfiguration"]["taskmanager.numberOfTaskSlots"])
    wanted = container(TASK_MANAGER, "workers")["resources"]["requests"]
    assert float(wanted["cpu"]) == slots
    assert mebibytes(wanted["memory"]) >= (1 + slots) * TRACK_MIB


def test_the_night_gives_the_options_that_the_cluster_asks_for():
    args = container(NIGHT, "lathe")["args"]
    at = args.index("--")
    names = [option.partition("=")[0] for option in args[at + 1 :]]
    assert names == [option.partition("=")[0] for option in cluster.Cluster(Path("unused")).options]
    assert cli.commands[args[0]].make_context("lathe", args[1:at]).params["output"] == "/catalogue/output"


def test_the_night_finds_the_job_server_and_the_job_server_finds_flink():
    options = dict(one.removeprefix("--").split("=") for one in container(SERVER, "job-server")["args"])
    service = ALL["Service", "lathe-job-server"]
    assert f"--job_endpoint={options['job-host']}:{options['job-port']}" in container(NIGHT, "lathe")["args"]
    assert options["job-host"] == service["metadata"]["name"] == SERVER["hostname"]
    assert {str(port["port"]) for port in service["spec"]["ports"]} == {options["job-port"], options["artifact-port"]}
    assert options["flink-master"] == "lathe-flink-rest:8081"


def test_each_task_manager_finds_the_pool_of_its_own_pod():
    *_, script, port = container(TASK_MANAGER, "workers")["command"]
    assert f"--environment_config=localhost:{port}" in container(NIGHT, "lathe")["args"]
    assert script.removeprefix("/opt/lathe/") == "deploy/flink/worker_pool.py"


def test_all_that_touch_the_catalogue_see_it_under_one_name():
    seen = [container(TASK_MANAGER, "workers")["volumeMounts"], container(NIGHT, "lathe")["volumeMounts"]]
    assert seen[0] == seen[1]
    assert TASK_MANAGER["volumes"] == NIGHT["volumes"]


def test_flink_and_the_job_server_are_one_version_and_beam_is_that_of_lathe():
    flink = re.search(r"flink:(\d+\.\d+)-", FLINK["image"])[1]
    setup = (FOLDER.parents[1] / "setup.py").read_text(encoding="utf-8")
    beam = re.search(r"apache-beam\[gcp\]==([\d.]+)", setup)[1]
    assert container(SERVER, "job-server")["image"] == f"apache/beam_flink{flink}_job_server:{beam}"
    assert FLINK["flinkVersion"] == f"v{flink.replace('.', '_')}"


@pytest.mark.parametrize("code, kept", [(0, 0), (1, 0), (2, 2), (3, 3)])
def test_a_night_with_rejected_tracks_is_a_good_night(code, kept, tmp_path):
    (tmp_path / "lathe").write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    (tmp_path / "lathe").chmod(0o755)
    night = container(NIGHT, "lathe")
    command = [*night["command"], *night["args"]]
    ran = subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.split()) == (kept, night["args"])


def test_one_place_names_the_image():
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which carries kustomize, is not on PATH")
    made = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True)
    built = list(yaml.safe_load_all(made.stdout))
    (image,) = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert made.stdout.count(f"image: {image['newName']}:{image['newTag']}") == 2
    assert {(one["kind"], one["metadata"]["name"]) for one in built} == set(ALL)
