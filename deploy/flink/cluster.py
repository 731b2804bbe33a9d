"""Brings up a Flink cluster on this machine: a JobManager, TaskManagers, Beam's job server and a pool of Python workers.

usage: python cluster.py FOLDER [--task-managers N] [-- COMMAND ...]    (with the Python where Lathe is installed)

FOLDER keeps the jars (from Maven, once), configuration and logs. A COMMAND is run with the cluster up, with the options Lathe
needs at its end; without one they are printed, and the cluster stays until Ctrl-C:

    .venv/bin/python deploy/flink/cluster.py FOLDER -- .venv/bin/lathe run MANIFEST OUTPUT

Needs Java 11 or 17 and Maven. Everything listens on the loopback address and is stopped by its process id.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
HOST = "localhost"
START_S = 180.0
FETCH_S = 900.0
STOP_S = 15.0
ANSWER_S = 5.0
ENDED = ("FINISHED", "CANCELED", "FAILED")
SLOTS = 1
"""Tracks that a TaskManager works on at a time: a worker process is busy with one."""
CONFIGURATION = {
    "jobmanager.rpc.address": HOST,
    "jobmanager.bind-host": HOST,
    "jobmanager.memory.process.size": "700mb",
    "rest.address": HOST,
    "rest.bind-address": HOST,
    "taskmanager.host": HOST,
    "taskmanager.bind-host": HOST,
    "taskmanager.numberOfTaskSlots": SLOTS,
    "taskmanager.cpu.cores": 1.0,
    # Without Flink's shell scripts a TaskManager needs every size said. Records are small; it is the graph's 30 steps that
    # take network buffers, 512 of 32 KiB each between two of them.
    "taskmanager.memory.task.heap.size": "512mb",
    "taskmanager.memory.task.off-heap.size": "0mb",
    "taskmanager.memory.framework.heap.size": "128mb",
    "taskmanager.memory.framework.off-heap.size": "64mb",
    "taskmanager.memory.managed.size": "128mb",
    "taskmanager.memory.network.min": "256mb",
    "taskmanager.memory.network.max": "256mb",
    "taskmanager.memory.jvm-metaspace.size": "160mb",
    "taskmanager.memory.jvm-overhead.min": "64mb",
    "taskmanager.memory.jvm-overhead.max": "64mb",
    # A job goes on when a TaskManager that died is there again; without this a batch ends with its first loss. Until Flink takes
    # it for dead, each attempt fails on what lay there.
    "restart-strategy.type": "failure-rate",
    "restart-strategy.failure-rate.max-failures-per-interval": 12,
    "restart-strategy.failure-rate.failure-rate-interval": "5 min",
    "restart-strategy.failure-rate.delay": "4 s",
    "heartbeat.timeout": 20000,
    "heartbeat.interval": 5000,
}
MODULES = ("lang", "net", "io", "nio", "text", "util", "util.concurrent")
OPENED = [f"--add-opens=java.base/java.{module}=ALL-UNNAMED" for module in MODULES]
OPENED += ["--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"]
"""What Flink reaches into, and Java 17 closes."""
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


class Cluster:
    """A running cluster; use it as a context manager, so that nothing of it stays behind."""

    def __init__(self, folder: Path, task_managers: int = 2) -> None:
        self._folder = folder
        self._slots = SLOTS * task_managers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._rest, self._rpc, self._job, self._pool = _free_ports(4)
        conf, jars = ["--configDir", str(folder / "conf")], folder / "jars"
        where = [f"--flink-master={HOST}:{self._rest}", f"--job-host={HOST}", f"--job-port={self._job}"]
        where += ["--artifact-port=0", "--expansion-port=0", f"--artifacts-dir={folder / 'artifacts'}"]
        task_manager = _java(jars, 640, "-XX:MaxDirectMemorySize=448m", TASK_MANAGER, *conf)
        self._commands = {
            "job-manager": _java(jars, 400, JOB_MANAGER, *conf),
            **{f"task-manager-{number}": task_manager for number in range(1, task_managers + 1)},
            "workers": [sys.executable, str(HERE / "worker_pool.py"), str(self._pool)],
            "job-server": _java(jars, 600, JOB_SERVER, *where),
        }

    @property
    def options(self) -> list[str]:
        """What to give Lathe after `--`."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint={HOST}:{self._job}",
            "--environment_type=EXTERNAL",
            f"--environment_config={HOST}:{self._pool}",
            f"--parallelism={self._slots}",
        ]

    def __enter__(self) -> Cluster:
        fetched_jars(self._folder)
        conf = self._folder / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        settings = {**CONFIGURATION, "rest.port": self._rest, "jobmanager.rpc.port": self._rpc}
        (conf / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        try:
            for name in self._commands:
                self.start(name)
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str) -> None:
        """Starts a process, or one again that was killed: `job-manager`, `task-manager-1`, `workers`, `job-server`."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._commands[name], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait(self) -> None:
        """Returns when all answer and no job runs; raises RuntimeError if one has ended, TimeoutError if it takes long."""
        self._wait("free slots", lambda: self._asked("/overview").get("slots-available") == self._slots)
        self._wait("the job server", lambda: _answers(self._job))
        self._wait("the workers' pool", lambda: _answers(self._pool))

    def _asked(self, path: str) -> dict[str, Any]:
        """What the JobManager answers; nothing while it does not."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._rest}{path}", timeout=ANSWER_S) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:
            return {}

    def kill(self, name: str) -> None:
        """Ends a process as a crash would."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def cancel_jobs(self) -> None:
        """Ends what still runs on the cluster: a job outlives its job server and its driver."""
        for job in self._asked("/jobs").get("jobs", []):
            if job["status"] not in ENDED:
                where = f"http://{HOST}:{self._rest}/jobs/{job['id']}"
                urllib.request.urlopen(urllib.request.Request(where, method="PATCH"), timeout=ANSWER_S).close()

    def stop(self) -> None:
        """Ends every process."""
        for process in self._processes.values():
            process.terminate()
        for name, process in list(self._processes.items()):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            del self._processes[name]

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + START_S
        while not ready():
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}; see {self._folder / name}.log")
            if time.monotonic() > until:
                raise TimeoutError(f"{what} did not come up within {START_S:g} s; see the logs in {self._folder}")
            time.sleep(0.2)


def fetched_jars(folder: Path) -> Path:
    """The folder of the jars, brought by Maven if they are not there; raises RuntimeError where they cannot be had."""
    jars = folder / "jars"
    if not (jars / "complete").exists():
        shutil.rmtree(jars, ignore_errors=True)
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={jars}"]
        try:
            subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=FETCH_S)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"Maven cannot bring Flink's jars:\n{error.stdout[-1000:]}") from error
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"Maven did not bring Flink's jars within {FETCH_S:g} s") from error
        (jars / "complete").touch()
    return jars


def missing_tools() -> list[str]:
    """Programs that are needed and not on PATH."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def _java(jars: Path, heap_mb: int, *arguments: str) -> list[str]:
    return ["java", f"-Xmx{heap_mb}m", *OPENED, "-cp", f"{jars}/*", *arguments]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def main() -> int:
    """Runs a command with the cluster up, or waits."""
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    command = sys.argv[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task-managers", type=int, default=2)
    args = parser.parse_args(sys.argv[1:at])
    if missing := missing_tools():
        parser.error(f"not on PATH: {', '.join(missing)}")
    if find_spec("apache_beam") is None:
        parser.error(f"{sys.executable} has no Beam: start this with the Python where Lathe is installed")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Cluster(args.folder.resolve(), args.task_managers) as cluster:
        if not command:
            print(" ".join(cluster.options), flush=True)
            threading.Event().wait()
        between = [] if "--" in command else ["--"]
        return subprocess.run([*command, *between, *cluster.options], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
