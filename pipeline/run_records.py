"""The record of a run, `runs/<run_id>.json`: written when it begins, and again when it ends, however it ends.

A run whose process was killed cannot say so: the next run over the same output says it for it.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

import psutil

from media import store
from media.lanes import Beacon
from schemas.steps import Job

RUNNING, FINISHED, STOPPED, FAILED, INTERRUPTED = "running", "finished", "stopped", "failed", "interrupted"
REFUSED = "refused"
"""Of an arrival whose manifest is wrong: nothing was mastered."""
LOOKED_AT = 20
"""Records that are read, newest first, to find killed runs: one request each in a bucket."""
SAME_START_S = 2.0
"""A process that began at another time than was written down only has the number of the one that did."""

Record = dict[str, Any]


@contextmanager
def recorded(job: Job, facts: Record) -> Iterator[Record]:
    """Tells that a run began and how it ended; what the block adds to the record is kept with it."""
    record = begun(job, {"owner": owner(), **facts})
    try:
        yield record
    except BaseException as error:
        asked = isinstance(error, KeyboardInterrupt | SystemExit)
        told = "Ctrl-C, or a polite kill" if asked else f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the error that ended the run is the one to be told
            _write(job.output, record | {"state": STOPPED if asked else FAILED, "ended": _now(), "error": told})
        raise
    _write(job.output, record | {"state": FINISHED, "ended": _now()})


def begun(job: Job, facts: Record) -> Record:
    """Tells that a run began."""
    record = {"run_id": job.run_id, "state": RUNNING, "began": _now(), **facts}
    _write(job.output, record)
    return record


def ended(output: str, record: Record, state: str) -> None:
    """Tells how a run ended."""
    _write(output, record | {"state": state, "ended": _now()})


def seconds_since(record: Record) -> float:
    """How long ago a run began."""
    return datetime.now(timezone.utc).timestamp() - seconds_of(record["began"])


def seconds_of(told: str) -> float:
    """A moment that a record tells, in seconds since 1970."""
    return datetime.fromisoformat(told).timestamp()


def run_ids(output: str) -> list[str]:
    """Every run that left a record, the newest first."""
    uris = [uri for uri in store.list_files(store.join(output, "runs")) if uri.endswith(".json")]
    return sorted((uri.rsplit("/", 1)[-1].removesuffix(".json") for uri in uris), reverse=True)


def run_record(output: str, run_id: str) -> Record:
    """What is known of a run; nothing where its record cannot be read."""
    try:
        found = json.loads(store.read_bytes(_uri(output, run_id)))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def run_records(output: str) -> Iterator[Record]:
    """The records of all runs, the newest first, with their ids."""
    for run_id in run_ids(output):
        yield run_record(output, run_id) | {"run_id": run_id}


def is_finished(record: Record) -> bool:
    """Whether the tables of a run are whole; records of old versions were only written then."""
    return bool(record.get("state", FINISHED) == FINISHED)


def mark_killed(output: str) -> list[str]:
    """Tells of the newest runs that say they are running, but whose process here is gone: none waits for them.

    Returns their ids.
    """
    killed = []
    for run_id in run_ids(output)[:LOOKED_AT]:
        record = run_record(output, run_id)
        if record.get("state") == RUNNING and is_gone(record.get("owner")):
            told = {"state": INTERRUPTED, "error": "its process was killed, and could not say so itself"}
            Beacon(output, run_id).put_out()
            with suppress(OSError):  # the output may be another's
                _write(output, record | told)
            killed.append(run_id)
    return killed


def owner() -> Record:
    """This process, as another one can recognise it."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "began_s": psutil.Process().create_time()}


def is_gone(found: Any) -> bool:
    """Whether a process was one of this machine, and is there no more."""
    if not isinstance(found, dict) or found.get("host") != socket.gethostname():
        return False
    try:
        began_s = psutil.Process(found["pid"]).create_time()
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
    return bool(abs(began_s - found.get("began_s", began_s)) > SAME_START_S)


def _write(output: str, record: Record) -> None:
    with store.scratch(output, record["run_id"]) as folder:
        path = folder / "run.json"
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        store.replace(path, _uri(output, record["run_id"]))


def _uri(output: str, run_id: str) -> str:
    return store.join(output, "runs", f"{run_id}.json")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
