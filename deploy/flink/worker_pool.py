#!/usr/bin/env python3
"""Starts Python workers for the TaskManagers of one machine, each a process of its own.

usage: worker_pool.py PORT

Beam's own pool knows a worker by the name that its TaskManager gave it. Every TaskManager begins with the same names, so where
two share a machine the pool takes their workers for one, and stops the wrong one. Here nobody is stopped by name: a worker ends
when the connection to its TaskManager does.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer


class WorkerPool(BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
    """Beam's pool, but for the stopping."""

    def StartWorker(self, start_worker_request: Any, unused_context: Any) -> Any:  # noqa: N802 (gRPC's name)
        """Starts a worker; it is remembered by its TaskManager too, so that all of them end with the pool."""
        answer = super().StartWorker(start_worker_request, unused_context)
        name = start_worker_request.worker_id
        if name in self._worker_processes:
            self._worker_processes[f"{start_worker_request.control_endpoint.url} {name}"] = self._worker_processes.pop(
                name
            )
        return answer

    def StopWorker(self, stop_worker_request: Any, unused_context: Any) -> Any:  # noqa: N802 (gRPC's name)
        """Does nothing: the worker sees its connection close."""
        return beam_fn_api_pb2.StopWorkerResponse()


def main() -> None:
    """Serves until it is stopped."""
    # Beam starts `python`: it must be this one, where Lathe is installed.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    _, server = WorkerPool.start(use_process=True, port=int(sys.argv[1]))
    server.wait_for_termination()


if __name__ == "__main__":
    main()
