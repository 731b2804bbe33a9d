"""Everything that Lathe counts through Beam, in one place: any runner's own page, or Dataflow's monitoring, shows it.

Names are an interface: `docs/metrics.md` lists them. Beam counts whole numbers, so times are in thousandths of a second here.
A runner may count a bundle that it gave out twice twice: what is exact stands in the tables of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from apache_beam.metrics import Metrics

from decisions.rows import format_of
from schemas.errands import Gathered
from schemas.qc import AlbumRow, RejectedRow, TrackRow
from schemas.steps import AnyMember, Spent

NAMESPACE = "lathe"
AT_WORK_S = 0.01
"""A step below this had nothing to do, as a rehearsal with one gain: it has no pace."""


class Metric(NamedTuple):
    """A metric, or one for each value of what stands in braces in its name."""

    kind: str
    name: str
    words: str

    def add(self, number: float = 1, **of: str) -> None:
        """Counts up a counter, or tells a value to a distribution."""
        name = self.name.format(**of)
        if self.kind == "counter":
            Metrics.counter(NAMESPACE, name).inc(round(number))
        else:
            Metrics.distribution(NAMESPACE, name).update(round(number))


TRACKS = Metric("counter", "tracks_{outcome}", "tracks by outcome: `mastered`, `skipped`, `rejected`")
REJECTED = Metric("counter", "rejected_{code}", "rejected tracks by code")
ALBUMS = Metric("counter", "albums_{verdict}", "albums by verdict: `ready`, `listen`, `rejected`")
FINDINGS = Metric(
    "counter", "finding_{severity}_{code}", "findings by severity and code, each once for a track or an album"
)
AUDIO = Metric("counter", "audio_ms_mastered", "length of the tracks that were mastered")
CPU = Metric("distribution", "cpu_ms_{stage}", "processor time of a step that was worked out")
REMEMBERED = Metric("distribution", "cpu_ms_{stage}_remembered", "the same where the result was in the ledger already")
PACE = Metric(
    "distribution", "realtime_percent_{stage}", "length of a track over processor time: 100 is as fast as it plays"
)
WAITED = Metric("counter", "waited_ms_priority", "time in which steps let runs with `--priority` go first")
QUEUED = Metric(
    "counter", "waited_ms_slot", "time in which steps waited for a slot: their process had enough tracks at work"
)
RETRIES = Metric("counter", "store_retries", "requests to a store that failed and were made again")
REPEATED = Metric(
    "counter",
    "steps_repeated_{stage}",
    "steps that the same run had done before: a worker died, or a bundle came again",
)
OPENED = Metric(
    "counter", "groups_opened_{what}", "groups that began to wait in a stream; `what`: albums by step, or runs"
)
CLOSED = Metric(
    "counter", "groups_closed_{what}_{how}", "groups that waited no more: `complete`, or `impatient` at the deadline"
)
ALL = (
    TRACKS, REJECTED, ALBUMS, FINDINGS, AUDIO, CPU, REMEMBERED, PACE, WAITED, QUEUED, RETRIES, REPEATED, OPENED, CLOSED,
)  # fmt: skip


def count_step(spent: Spent, member: AnyMember) -> None:
    """Counts a step of a track as it ends."""
    (REMEMBERED if spent.remembered else CPU).add(1000 * spent.cpu_s, stage=spent.stage)
    audio = format_of(member)
    if audio is not None and not spent.remembered and spent.cpu_s >= AT_WORK_S:
        PACE.add(100 * audio.duration_s / spent.cpu_s, stage=spent.stage)
    WAITED.add(1000 * spent.waited_s)
    QUEUED.add(1000 * spent.queued_s)
    RETRIES.add(spent.retries)
    if spent.repeated:
        REPEATED.add(stage=spent.stage)


def count_rows(rows: Iterable[TrackRow | AlbumRow | RejectedRow]) -> None:
    """Counts what came of tracks and albums, by the rows that tell it."""
    for row in rows:
        if isinstance(row, RejectedRow):
            TRACKS.add(outcome="rejected")
            REJECTED.add(code=row.code)
            continue
        for severity, code in {(finding.severity, finding.code) for finding in row.findings}:
            FINDINGS.add(severity=severity, code=code)
        if isinstance(row, AlbumRow):
            ALBUMS.add(verdict=row.verdict)
        else:
            TRACKS.add(outcome=row.outcome)
            AUDIO.add(1000 * row.duration_s if row.outcome == "mastered" else 0)


def count_opened(what: str) -> None:
    """A group begins to wait."""
    OPENED.add(what=what)


def count_closed(what: str, gathered: Gathered, wanted: int) -> None:
    """A group waits no more."""
    CLOSED.add(what=what, how="complete" if len(gathered.tickets) >= wanted else "impatient")
