"""Watches a folder, or a Pub/Sub subscription, as one unbounded pipeline on a runner that can: Prism, Flink, Dataflow.

The driver only starts it, tells how runs end, and stops it: a stop file ends the looks into the folder, and the pipeline
finishes what is under way. Where the pipeline dies, the next watch takes up what was not done.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from msgspec import structs

from media import store
from media.inbox import ask_again
from pipeline.refused import RefusedSources
from pipeline.run import Request
from pipeline.run_records import (
    INTERRUPTED,
    RUNNING,
    Record,
    ended,
    is_gone,
    owner,
    run_ids,
    run_record,
    seconds_of,
)
from pipeline.runner import hint_resources, prepare_process
from pipeline.stream import Watched, master_arrivals
from pipeline.subscription import SCHEME, ReadSubscription
from pipeline.tables import table_rows
from pipeline.watch import LOOK_EVERY_S
from pipeline.workplace import check_folder, checked_output, cleared
from transforms.errands import waiting_folder, waiting_runs
from transforms.inbox import LookInto

LOG = logging.getLogger(__name__)
LOOK_REMOTELY_EVERY_S = 30.0
ENDED = ("DONE", "FAILED", "CANCELLED", "DRAINED", "UPDATED")


class Live:
    """An unbounded run; `request` names no manifest. Raises CatalogueError where source, output or profile cannot be used."""

    def __init__(self, source: str, request: Request, patience_s: float) -> None:
        self._output = checked_output(request.output)
        local = not source.startswith(SCHEME) and not store.is_remote(source)
        self._source = os.path.abspath(store.local_path(source)) if local else source
        self._watched = Watched(
            source=self._source,
            request=structs.replace(request, output=self._output),
            owner=owner(),
            patience_s=patience_s,
        )
        self._began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self._stop = store.join(self._output, "ledger", "stop", self._began)
        remote = store.is_remote(source) or store.is_remote(self._output)
        self._every_s = LOOK_REMOTELY_EVERY_S if remote else LOOK_EVERY_S
        self._refused = RefusedSources()
        self._runs: dict[str, str] = {}
        self._told: set[str] = set()
        self._left: list[tuple[str, str]] = []

    @property
    def listens(self) -> bool:
        """Whether it hears of manifests from a subscription, which only the runner itself can stop."""
        return self._source.startswith(SCHEME)

    def start(self, options: Sequence[str]) -> None:
        """Starts the pipeline; what an earlier watch of this source left under way is begun anew."""
        if not self.listens:
            check_folder(self._source)
        self.clear_up()
        prepare_process(self._watched.request.speech)
        settings = PipelineOptions([*options, "--streaming"])
        hint_resources(settings)
        pipeline = beam.Pipeline(options=settings)
        arrivals = pipeline | "Arrivals" >> self._arrivals()
        master_arrivals(arrivals, self._watched)
        self._result = pipeline.run()

    def clear_up(self) -> None:
        """Tells of the runs of a watch that is no more that they were cut off, and removes what they had in the making."""
        for run_id in waiting_runs(self._output):
            record = run_record(self._output, run_id)
            under_way = record.get("state") == RUNNING and record.get("watched") == self._source
            if under_way and is_gone(record.get("owner")):
                ended(self._output, record, INTERRUPTED)
                store.remove_folder(waiting_folder(self._output, run_id))
                cleared(self._output, run_id)
                self._left.append((record["manifest"], f"{record['digest']}:after {run_id}"))

    def outcomes(self, tick: Callable[[], None]) -> Iterator[Record]:
        """The record of each run as it ends, until the pipeline has; raises RuntimeError where it fails.

        Calls `tick` now and then.
        """
        while self._result.state not in ENDED:
            time.sleep(self._every_s)
            tick()
            yield from self._new_outcomes()
            for manifest in self._refused.changed():
                ask_again(self._output, manifest, self._runs[manifest])
        yield from self._new_outcomes()
        if self._result.state == "FAILED":
            raise RuntimeError("the pipeline failed; its runner's log tells why. The next watch goes on from here")

    def known(self) -> dict[str, float | None]:
        """What is under way, as gauges of metrics."""
        records = [run_record(self._output, run_id) for run_id in self._runs_of_this_watch()]
        running = [one for one in records if self._is_ours(one) and one["state"] == RUNNING]
        return {
            "lathe_runs_under_way": len(running),
            "lathe_oldest_run_under_way_timestamp_seconds": min(
                (seconds_of(one["began"]) for one in running), default=None
            ),
            "lathe_albums_open": sum(self._open_albums(one) for one in running),
        }

    def _open_albums(self, record: Record) -> int:
        """Albums of a run that have no row: each writes a file of its own."""
        rows = store.list_files(store.join(self._output, "qc", "albums", f"run={record['run_id']}"))
        return max(0, int(record.get("albums", 0)) - len(rows))

    def close(self) -> None:
        """Leaves nothing behind but what was made."""
        store.remove_folder(self._stop)

    def stop(self) -> None:
        """Asks for the end: nothing more is looked for, and what is under way is finished."""
        store.write_bytes(store.join(self._stop, "stop"), b"")

    def cancel(self) -> None:
        """Ends at once: finished masters stand, the next watch does the rest."""
        self._result.cancel()

    def _arrivals(self) -> beam.PTransform:
        if self.listens:
            return ReadSubscription(self._source, self._left)
        return LookInto(self._source, self._output, store.join(self._stop, "stop"), self._every_s)

    def _new_outcomes(self) -> Iterator[Record]:
        for run_id in self._runs_of_this_watch():
            record = run_record(self._output, run_id)
            if record.get("state", RUNNING) == RUNNING:
                continue
            self._told.add(run_id)
            if self._is_ours(record) and record["state"] != INTERRUPTED:
                self._note(record)
                yield record

    def _runs_of_this_watch(self) -> list[str]:
        """Those that were not told yet, the oldest first; none where the output does not answer at the moment."""
        try:
            found = run_ids(self._output)
        except OSError as error:
            LOG.warning("%s cannot be looked into: %s", self._output, error)
            return []
        return sorted(run_id for run_id in found if run_id >= self._began and run_id not in self._told)

    def _note(self, record: Record) -> None:
        rejected = table_rows(self._output, "rejected", record["run_id"], ["source_uri", "code"])
        self._runs[record["manifest"]] = record["run_id"]
        self._refused.note(record["manifest"], rejected)

    def _is_ours(self, record: Record) -> bool:
        return record.get("watched") == self._source and "state" in record
