"""Watches over a running pipeline: shows progress, ends when a worker dies, and leaves nothing running behind.

Beam's local runner waits for ever when one of its worker processes dies; here that is an error after a second.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

TICK_S = 0.5


class WorkerDiedError(RuntimeError):
    """A worker process ended before its work was done."""


def supervised(work: Callable[[], Any], tick: Callable[[], None]) -> None:
    """Runs `work` in a thread of its own, calls `tick` now and then, and raises what went wrong.

    Raises WorkerDiedError if a worker process died; KeyboardInterrupt and every other error stop the workers first.
    """
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # handed to the caller's thread below
            failures.append(error)

    worker = threading.Thread(target=guarded, name="pipeline", daemon=True)
    with _thread_errors(failures), interruptible():
        try:
            worker.start()
            while worker.is_alive() and not failures:
                worker.join(TICK_S)
                tick()
            if failures:
                raise failures[0]
        except BaseException:
            logging.disable(logging.CRITICAL)  # what Beam says of the workers that are stopped here is no news
            stop_children()
            raise


@contextmanager
def _thread_errors(failures: list[BaseException]) -> Iterator[None]:
    """Collects errors of threads: Beam starts each worker process from one, which raises when the process ends badly."""

    def collect(args: threading.ExceptHookArgs) -> None:
        failures.append(WorkerDiedError(f"a worker process ended before its work was done: {args.exc_value}"))

    before, threading.excepthook = threading.excepthook, collect
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and a polite kill raise KeyboardInterrupt, also where the shell that started us ignores Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_children() -> None:
    """Kills every process that this one started, and theirs."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children, timeout=5)
