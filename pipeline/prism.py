"""Prism, Beam's portable runner for one machine, as a process of its own for as long as a watch lasts.

Beam's own PrismRunner starts it in the driver's process group, where Ctrl-C ends it before the pipeline could finish its work.
Here a shell stands between them, which ends Prism when the driver is gone, however that ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType

from schemas.errors import CatalogueError

RUNNER = "PrismRunner"
HOST = "localhost"
START_S, STOP_S = 60.0, 10.0
WHOLE_BUNDLES = "--experiments=prism_disable_sdf_split"
"""Prism 2.77 splits slow bundles of stateful steps too, between two elements of a key, and works on both parts at once: what one
of them adds to the state is lost, and an album waits for ever for a track that came."""
GUARDED = """
exec 3<&0
"$@" </dev/null 3<&- & program=$!
(cat <&3 >/dev/null; kill "$program") & guard=$!
exec 3<&-
wait "$program"; code=$?
kill "$guard" 2>/dev/null
exit "$code"
"""
"""Runs a program until it ends, or until standard input does: that is a pipe, which the system closes with its other end."""


def found_prism(beam_options: tuple[str, ...]) -> str | None:
    """The program, where Beam's options ask for it, or name no runner and it is on PATH as `prism`; else None."""
    location = value_of("--prism_location", beam_options)
    runner = value_of("--runner", beam_options)
    if runner is not None and not runner.endswith(RUNNER):
        return None
    found = shutil.which(location or "prism")
    if found is None and runner is not None:
        text = f"Prism is not at {location or 'any place on PATH'}; build it with Go, or name it with --prism_location"
        raise CatalogueError("RUNNER_MISSING", text)
    return found


class Prism:
    """A running Prism; use it as a context manager."""

    def __init__(self, program: str, *, logs_json: bool = False) -> None:
        self._program, self._logs = program, "json" if logs_json else "text"

    def __enter__(self) -> list[str]:
        """Beam's options for a pipeline on it."""
        port = _free_port()
        where = [f"--job_port={port}", "--serve_http=false"]
        command = [self._program, *where, "--log_level=warn", f"--log_kind={self._logs}"]
        guarded = ["/bin/sh", "-c", GUARDED, "prism", *command]
        self._process = subprocess.Popen(guarded, start_new_session=True, stdin=subprocess.PIPE)
        until = time.monotonic() + START_S
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self._program} did not come up; it ended with {self._process.returncode}")
            time.sleep(0.1)
        return [
            "--runner=PortableRunner",
            f"--job_endpoint={HOST}:{port}",
            "--environment_type=LOOPBACK",
            WHOLE_BUNDLES,
        ]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def value_of(name: str, options: Sequence[str]) -> str | None:
    """The value of an option for Beam, as `--name=value` or in two words; None where it is not given."""
    for at, option in reversed(list(enumerate(options))):
        if option.startswith(f"{name}="):
            return option.partition("=")[2]
        if option == name and at + 1 < len(options):
            return options[at + 1]
    return None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
