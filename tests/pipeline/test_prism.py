"""Prism lives as long as the watch that started it: not longer, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import apache_beam as beam
import psutil
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.userstate import BagStateSpec

from pipeline.prism import Prism
from tests.pipeline.runs import environment

pytestmark = [pytest.mark.timeout(60)]

LISTENS = f"""#!{sys.executable}
import socket, sys, time
port = next(int(one.partition("=")[2]) for one in sys.argv if one.startswith("--job_port="))
server = socket.create_server(("127.0.0.1", port))
time.sleep(600)
"""
HOLDS = """
import sys, time
from pipeline.prism import Prism
with Prism(sys.argv[1]):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def program(tmp_path):
    """Something that listens where Prism would."""
    path = tmp_path / "prism"
    path.write_text(LISTENS)
    path.chmod(0o755)
    return str(path)


def at_work(program):
    """The processes that run a program, without the shells that guard them."""
    found = (one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"]))
    return [command for command in found if program in command and "-c" not in command]


def gone_in_time(program, within_s=10.0):
    until = time.monotonic() + within_s
    while at_work(program) and time.monotonic() < until:
        time.sleep(0.05)
    return not at_work(program)


def test_it_is_up_for_as_long_as_the_block(program):
    with Prism(program) as options:
        assert 1 == len(at_work(program)) and "--environment_type=LOOPBACK" in options
    assert gone_in_time(program)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_it_ends_with_a_driver_that_is_killed(program, number):
    command = [sys.executable, "-c", HOLDS, program]
    driver = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert "up\n" == driver.stdout.readline() and 1 == len(at_work(program))
    os.kill(driver.pid, number)
    driver.communicate(timeout=10)
    assert gone_in_time(program)


class _Count(beam.DoFn):
    """Counts the elements of a key, slowly, and tells a file."""

    SEEN = BagStateSpec("seen", VarIntCoder())

    def __init__(self, path):
        self._path = path

    def process(self, keyed, seen=beam.DoFn.StateParam(SEEN)):  # noqa: B008  as Beam finds states
        before = len(list(seen.read()))
        time.sleep(0.4)
        seen.add(keyed[1])
        with open(self._path, "a") as told:
            told.write(f"{before + 1}\n")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_a_slow_step_keeps_of_a_key_is_not_lost(prism, tmp_path):
    counts, keyed = tmp_path / "counts", [("album", n) for n in range(12)]
    with (
        Prism(f"{prism}/prism") as options,
        beam.Pipeline(options=PipelineOptions([*options, "--streaming"])) as pipeline,
    ):
        pipeline | beam.Create(keyed) | beam.ParDo(_Count(str(counts))).with_output_types(int)
    assert list(range(1, 13)) == [int(one) for one in counts.read_text().split()]


def test_one_that_does_not_come_up_is_told_at_once():
    with pytest.raises(RuntimeError, match="/bin/false did not come up; it ended with 1"), Prism("/bin/false"):
        pass
