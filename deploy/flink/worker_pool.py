#!/usr/bin/env python3
"""Starts Python workers for the TaskManagers of one machine, each a process of its own.

usage: worker_pool.py PORT [HOST]

It listens on HOST, the loopback address if none is named: it starts processes for whoever asks.

Beam's own pool knows a worker by the name that its TaskManager gave it. Every TaskManager begins with the same names, so where
two share a machine the pool takes their workers for one, and stops the wrong one. Here nobody is stopped by name: a worker ends
when the connection to its TaskManager does, or with the pool.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

WORKER = """
import sys
from apache_beam.runners.worker.sdk_worker import SdkHarness
SdkHarness(sys.argv[1], worker_id=sys.argv[2]).run()
"""


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
    """Beam's service of that name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: list[subprocess.Popen[bytes]] = []

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        """Starts a worker with this Python, where Lathe is installed."""
        command = [sys.executable, "-c", WORKER, request.control_endpoint.url, request.worker_id]
        try:
            with self._lock:
                self._workers = [worker for worker in self._workers if worker.poll() is None]
                self._workers.append(subprocess.Popen(command))
        except OSError:
            return beam_fn_api_pb2.StartWorkerResponse(error=traceback.format_exc())
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Does nothing: the worker sees its connection close."""
        return beam_fn_api_pb2.StopWorkerResponse()

    def stop(self) -> None:
        """Ends all workers."""
        with self._lock:
            for worker in self._workers:
                worker.kill()


def main() -> None:
    """Serves until it is told to stop."""
    host = sys.argv[2] if len(sys.argv) > 2 else "localhost"
    pool, server = WorkerPool(), grpc.server(ThreadPoolExecutor())
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(f"{host}:{sys.argv[1]}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.start()
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:
        pool.stop()


if __name__ == "__main__":
    main()
