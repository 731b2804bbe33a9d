"""What Lathe tells Prometheus: the names, and how the tables of a run become numbers. `docs/metrics.md` lists them.

No label holds a track, an album or a run: the number of series is bounded whatever the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from pipeline.tables import table_rows

STAGES, OUTCOMES = ("hear", "mix", "analyse", "rehearse", "master"), ("mastered", "skipped", "rejected")
AT_WORK_S = 0.01
"""A step below this had nothing to do, as a rehearsal with one gain: it has no pace."""


class Family(NamedTuple):
    """A metric with its labels."""

    kind: str
    name: str
    labels: tuple[str, ...]
    words: str


FAMILIES = (
    Family("counter", "lathe_runs_total", ("state",), "Runs that ended: `finished`, `failed`, `stopped`, `refused`."),
    Family("counter", "lathe_tracks_total", ("outcome",), "Tracks that ended: `mastered`, `skipped`, `rejected`."),
    Family("counter", "lathe_tracks_failed_total", (), "Tracks with masters that failed a check."),
    Family("counter", "lathe_rejections_total", ("code",), "Rejected tracks by code."),
    Family("counter", "lathe_findings_total", ("severity", "code"), "Findings, each once for a track or an album."),
    Family("counter", "lathe_albums_total", ("verdict",), "Albums that ended: `ready`, `listen`, `rejected`."),
    Family("counter", "lathe_audio_seconds_total", (), "Length of the tracks that were mastered."),
    Family("counter", "lathe_stage_cpu_seconds_total", ("stage", "work"), "Processor time: `done` or `remembered`."),
    Family("counter", "lathe_stage_wall_seconds_total", ("stage", "work"), "The same by the clock."),
    Family("counter", "lathe_stage_audio_seconds_total", ("stage",), "Length of the tracks whose step was worked out."),
    Family("counter", "lathe_waited_seconds_total", ("reason",), "Time that steps waited, for `priority` or a `slot`."),
    Family("counter", "lathe_store_retries_total", (), "Requests to a store that failed and were made again."),
    Family("counter", "lathe_steps_repeated_total", (), "Steps that the same run had done before."),
    Family("counter", "lathe_read_bytes_total", (), "Size of the sources."),
    Family("counter", "lathe_written_bytes_total", (), "Size of the masters that were made."),
    Family("gauge", "lathe_runs_under_way", (), "Runs that began and have not ended."),
    Family("gauge", "lathe_oldest_run_under_way_timestamp_seconds", (), "When the oldest of them began, if any."),
    Family("gauge", "lathe_albums_open", (), "Albums of a stream without a row; one in several manifests counts for each."),
    Family("gauge", "lathe_run_tracks", (), "Tracks that the run is to end with; of `lathe run`, or a watch in batches."),
    Family("gauge", "lathe_run_tracks_done", (), "Those of them that ended."),
    Family("gauge", "lathe_last_finished_timestamp_seconds", (), "When the newest run ended well; kept over runs."),
    Family("gauge", "lathe_last_run_wall_seconds", (), "How long the newest finished run took."),
    Family("gauge", "lathe_last_run_realtime_ratio", (), "Length of what it mastered over the processor time of all its steps."),
    Family("gauge", "lathe_last_run_rejected_ratio", (), "Share of its tracks that were rejected."),
    Family("gauge", "lathe_written_timestamp_seconds", (), "When this file was written."),
    Family("gauge", "lathe_build_info", ("version",), "Always 1."),
)  # fmt: skip


class Tally(dict[tuple[str, tuple[str, ...]], float]):
    """Numbers by name and labels, to be added up."""

    def add(self, name: str, number: float, *labels: str) -> None:
        """Adds to a counter."""
        self[name, labels] = self.get((name, labels), 0.0) + number

    def add_all(self, other: Tally) -> None:
        """Adds what another has counted."""
        for (name, labels), number in other.items():
            self.add(name, number, *labels)

    def gauges(self) -> dict[str, float | None]:
        """What is told of a run as a whole."""
        cpu_s = sum(number for (name, _), number in self.items() if name == "lathe_stage_cpu_seconds_total")
        tracks = sum(self.get(("lathe_tracks_total", (outcome,)), 0.0) for outcome in OUTCOMES)
        audio_s = self.get(("lathe_audio_seconds_total", ()), 0.0)
        rejected = self.get(("lathe_tracks_total", ("rejected",)), 0.0)
        return {
            "lathe_last_run_realtime_ratio": audio_s / cpu_s if audio_s and cpu_s else None,
            "lathe_last_run_rejected_ratio": rejected / tracks if tracks else None,
        }


def tally_of_run(output: str, run_id: str) -> Tally:
    """The counters of a run, from its tables."""
    tally = Tally()
    for row in table_rows(output, "tracks", run_id, ["outcome", "verdict", "duration_s", "findings"]):
        mastered = row["outcome"] == "mastered"
        tally.add("lathe_tracks_total", 1, row["outcome"])
        tally.add("lathe_tracks_failed_total", row["verdict"] == "rejected")
        tally.add("lathe_audio_seconds_total", row["duration_s"] if mastered else 0.0)
        _add_findings(tally, row)
    for row in table_rows(output, "rejected", run_id, ["code"]):
        tally.add("lathe_tracks_total", 1, "rejected")
        tally.add("lathe_rejections_total", 1, row["code"])
    for row in table_rows(output, "albums", run_id, ["verdict", "findings"]):
        tally.add("lathe_albums_total", 1, row["verdict"])
        _add_findings(tally, row)
    for row in table_rows(output, "work", run_id, ["audio_s", "bytes_read", "bytes_written", "steps"]):
        _add_work(tally, row)
    return tally


def exposition(counted: Tally, gauges: Mapping[str, float | None], version: str) -> bytes:
    """All that is known, as Prometheus reads it; gauges that are None are left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Known(counted, gauges, version))
    return generate_latest(registry)


class _Known(Collector):
    def __init__(self, counted: Tally, gauges: Mapping[str, float | None], version: str) -> None:
        self._counted, self._gauges, self._version = counted, gauges, version

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            if family.kind == "counter":
                yield self._counter(family)
            elif family.name == "lathe_build_info":
                yield _gauge(family, {(self._version,): 1.0})
            elif self._gauges.get(family.name) is not None:
                yield _gauge(family, {(): float(self._gauges[family.name] or 0.0)})

    def _counter(self, family: Family) -> Metric:
        found = CounterMetricFamily(family.name, family.words, labels=family.labels)
        numbers = dict.fromkeys(_from_the_start(family), 0.0)
        numbers |= {labels: number for (name, labels), number in self._counted.items() if name == family.name}
        for labels, number in sorted(numbers.items()):
            found.add_metric(labels, number)
        return found


def _gauge(family: Family, numbers: Mapping[tuple[str, ...], float]) -> Metric:
    found = GaugeMetricFamily(family.name, family.words, labels=family.labels)
    for labels, number in numbers.items():
        found.add_metric(labels, number)
    return found


def _from_the_start(family: Family) -> Iterable[tuple[str, ...]]:
    """Series that are there before anything was counted: a rate needs two points."""
    known: dict[tuple[str, ...], list[tuple[str, ...]]] = {
        (): [()],
        ("outcome",): [(o,) for o in OUTCOMES],
        ("stage",): [(s,) for s in STAGES],
    }
    return known.get(family.labels, [])


def _add_findings(tally: Tally, row: dict[str, Any]) -> None:
    for severity, code in {(finding["severity"], finding["code"]) for finding in row["findings"]}:
        tally.add("lathe_findings_total", 1, severity, code)


def _add_work(tally: Tally, row: dict[str, Any]) -> None:
    tally.add("lathe_read_bytes_total", row["bytes_read"])
    tally.add("lathe_written_bytes_total", row["bytes_written"])
    for step in row["steps"]:
        stage, work = step["stage"], "remembered" if step["remembered"] else "done"
        tally.add("lathe_stage_cpu_seconds_total", step["cpu_s"], stage, work)
        tally.add("lathe_stage_wall_seconds_total", step["wall_s"], stage, work)
        tally.add("lathe_waited_seconds_total", step["waited_s"], "priority")
        tally.add("lathe_waited_seconds_total", step["queued_s"], "slot")
        tally.add("lathe_store_retries_total", step["retries"])
        tally.add("lathe_steps_repeated_total", step["repeated"])
        if work == "done" and step["cpu_s"] >= AT_WORK_S and row["audio_s"] is not None:
            tally.add("lathe_stage_audio_seconds_total", row["audio_s"], stage)
