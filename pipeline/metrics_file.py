"""Keeps a file of metrics for Prometheus up to date, while a run or a watch lasts: for node_exporter's textfile collector.

The figures come from the tables of each run and from its progress, not from Beam: some runners keep no metrics. Counters add up
over the runs of one watch, or are those of one run, and begin at nothing with the next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

from media import store
from pipeline.metrics import Tally, exposition, tally_of_run
from pipeline.run_records import FAILED, FINISHED, LOOKED_AT, STOPPED, run_ids, run_record, seconds_of

EVERY_S = 10.0
LOG = logging.getLogger(__name__)
Known = Callable[[], dict[str, float | None]]
"""Gauges that only the caller knows, asked for when the file is written; None for what is not known."""


class MetricsFile:
    """The file at `uri`; by its own name `OUTPUT/runs/metrics.prom`."""

    def __init__(self, output: str, uri: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._uri = uri or store.join(output, "runs", "metrics.prom")
        self._output, self._clock = output, clock
        self._ended, self._current = Tally(), Tally()
        self._gauges: dict[str, float | None] = {"lathe_last_finished_timestamp_seconds": last_finished_s(output)}
        self._written_s = -EVERY_S

    @contextmanager
    def of_run(self, run_id: str, tracks: int) -> Iterator[None]:
        """Tells of a run of this process as it begins and ends, however it ends; the tables are whole when the block ends."""
        self._gauges |= {"lathe_run_tracks": tracks, "lathe_run_tracks_done": 0, "lathe_runs_under_way": 1}
        self._gauges["lathe_oldest_run_under_way_timestamp_seconds"] = time.time()
        began_s = self._clock()
        self._write()
        try:
            yield
        except BaseException as error:
            asked = isinstance(error, KeyboardInterrupt | SystemExit)
            self._end(run_id, STOPPED if asked else FAILED, Tally(self._current), began_s)
            raise
        self._end(run_id, FINISHED, self._tally(run_id), began_s)

    def progressed(self, lines: Callable[[], list[str]]) -> None:
        """Tells of the lines that workers left so far, if it is time to."""
        if not self._is_time():
            return
        first = {line.partition(" ")[2]: line.partition(" ")[0] for line in reversed(lines())}
        self._current = Tally()
        for outcome in first.values():
            self._current.add("lathe_tracks_total", 1, outcome)
        self._gauges["lathe_run_tracks_done"] = len(first)
        self._write()

    def closed(self, run_id: str, state: str, wall_s: float, known: Known) -> None:
        """Tells of a run that another process has ended."""
        tally = self._tally(run_id) if state == FINISHED else Tally()
        self._add(tally, state, wall_s)
        self._learn(known)
        self._write()

    def watched(self, known: Known) -> None:
        """Tells what is under way, if it is time to."""
        if self._is_time():
            self._learn(known)
            self._write()

    def _learn(self, known: Known) -> None:
        try:
            self._gauges |= known()
        except OSError as error:  # what was known before stays; no watch ends for it
            LOG.warning("what is under way cannot be looked up for metrics: %s", error)

    def _end(self, run_id: str, state: str, tally: Tally, began_s: float) -> None:
        self._current = Tally()
        self._gauges |= {"lathe_runs_under_way": 0, "lathe_oldest_run_under_way_timestamp_seconds": None}
        if state == FINISHED:
            self._gauges["lathe_run_tracks_done"] = self._gauges["lathe_run_tracks"]
        self._add(tally, state, self._clock() - began_s)
        self._write()

    def _tally(self, run_id: str) -> Tally:
        try:
            return tally_of_run(self._output, run_id)
        except OSError as error:
            LOG.warning("the tables of run %s cannot be read for metrics: %s", run_id, error)
            return Tally(self._current)

    def _add(self, tally: Tally, state: str, wall_s: float) -> None:
        self._ended.add_all(tally)
        self._ended.add("lathe_runs_total", 1, state)
        if state == FINISHED:
            self._gauges |= {"lathe_last_finished_timestamp_seconds": time.time(), **tally.gauges()}
            self._gauges["lathe_last_run_wall_seconds"] = wall_s

    def _is_time(self) -> bool:
        return self._clock() - self._written_s >= EVERY_S

    def _write(self) -> None:
        """Puts the file in place in one step; one that cannot be written is no reason to end a run."""
        self._written_s = self._clock()
        counted = Tally(self._ended)
        counted.add_all(self._current)
        gauges = {**self._gauges, "lathe_written_timestamp_seconds": time.time()}
        try:
            store.write_bytes(self._uri, exposition(counted, gauges, version("lathe")))
        except OSError as error:
            LOG.warning("metrics cannot be written to %s: %s", self._uri, error)


def last_finished_s(output: str) -> float | None:
    """When the newest run over an output ended well, among the newest."""
    for run_id in run_ids(output)[:LOOKED_AT]:
        record = run_record(output, run_id)
        if record.get("state") == FINISHED and "ended" in record:
            return seconds_of(record["ended"])
    return None
