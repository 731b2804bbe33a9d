"""What starts a night: never two at once, 0 and 1 are good ends, and every way of starting says the same."""

from __future__ import annotations

import ast
import fcntl
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.cli import cli
from tests.pipeline.runs import environment

FOLDER = Path(__file__).parents[2] / "deploy" / "schedule"
SERVICE = (FOLDER / "lathe-nightly.service").read_text(encoding="utf-8").replace("\\\n", " ")
TIMER = (FOLDER / "lathe-nightly.timer").read_text(encoding="utf-8")
(CRON,) = [line for line in (FOLDER / "crontab").read_text(encoding="utf-8").splitlines() if line[:1].isdigit()]
UNIT_COMMAND = shlex.split(re.search(r"^ExecStart=(.*)$", SERVICE, re.M)[1])
CRON_COMMAND = CRON.split(maxsplit=6)[6]
BUSY = 75


def here(command, tmp_path, code):
    """A command of the schedule with its folder below `tmp_path`, and with a `lathe` that ends with a code."""
    lathe = tmp_path / "lathe"
    lathe.write_text(f"#!/bin/sh\necho said by lathe\nexit {code}\n")
    lathe.chmod(0o755)
    return command.replace("/srv/lathe/", f"{tmp_path}/").replace("/opt/lathe/.venv/bin/lathe", str(lathe))


def ended(command):
    return subprocess.run(["sh", "-c", command], env=environment(), capture_output=True, text=True)


def test_the_units_are_what_systemd_takes():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on PATH")
    units = [str(FOLDER / f"lathe-nightly.{kind}") for kind in ("service", "timer")]
    checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_cron_and_systemd_start_the_same_with_the_same_lock():
    assert CRON_COMMAND.startswith(shlex.join(UNIT_COMMAND).removeprefix("/usr/bin/"))
    minute, hour = CRON.split()[:2]
    assert f"OnCalendar=*-*-* 0{hour}:{minute}:00 UTC" in TIMER


def test_they_start_a_command_that_lathe_has():
    _, run, *rest = UNIT_COMMAND[UNIT_COMMAND.index("/opt/lathe/.venv/bin/lathe") :]
    assert cli.commands[run].make_context("lathe", rest).params["profile"] == "streaming"


@pytest.mark.parametrize("code, mail", [(0, ""), (1, ""), (3, "said by lathe\n")])
def test_cron_writes_only_of_a_night_that_went_wrong(code, mail, tmp_path):
    assert mail == ended(here(CRON_COMMAND, tmp_path, code)).stdout


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_systemd_is_told_how_a_night_ended(code, tmp_path):
    assert ended(here(shlex.join(UNIT_COMMAND), tmp_path, code)).returncode == code
    assert "SuccessExitStatus=1\n" in SERVICE


def test_a_second_night_does_not_start_while_the_first_runs(tmp_path):
    with (tmp_path / "nightly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = ended(here(shlex.join(UNIT_COMMAND), tmp_path, 0))
    assert (second.returncode, second.stdout) == (BUSY, "")


def test_the_airflow_dag_is_the_launch_of_the_template_every_night():
    tree = ast.parse((FOLDER / "airflow_dag.py").read_text(encoding="utf-8"))
    calls = {ast.unparse(call.func): call for call in ast.walk(tree) if isinstance(call, ast.Call)}
    dag = {word.arg: ast.unparse(word.value) for word in calls["DAG"].keywords}
    task = {word.arg: ast.unparse(word.value) for word in calls["DataflowStartFlexTemplateOperator"].keywords}
    assert ast.literal_eval(dag["schedule"]) == " ".join(CRON.split()[:5])
    assert (dag["max_active_runs"], dag["catchup"]) == ("1", "False")
    assert "launch.json" in task["body"] and json.loads((FOLDER / "launch.json").read_text(encoding="utf-8"))
    assert task["append_job_name"] == "False"
