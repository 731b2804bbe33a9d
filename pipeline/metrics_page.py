"""The page docs/metrics.md: every metric by name, written from what counts them. `python -m pipeline.metrics_page` prints it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.metrics import FAMILIES
from transforms.metrics import ALL, NAMESPACE

_PAGE = """# Metrics

Written by `python -m pipeline.metrics_page`. Names and labels are an interface: dashboards and alerts live by them.

## Prometheus

`lathe run` and `lathe watch` keep a file in the format of node_exporter's textfile collector, `OUTPUT/runs/metrics.prom`, or
where `--metrics FILE.prom` says. It is replaced in one step, when a run begins and ends and every 10 s between. Two runs into
one output share the file: give each its own.

- The figures come from the tables of the runs (`qc/`), so they are exact on every runner. While a batch is under way only the
  tracks that ended are known, and only where workers share the driver's disk; the rest comes when it ends.
- A **counter** only rises: within one `lathe run`, or over all runs of one `lathe watch`. The next begins at nothing, as
  Prometheus expects of a process that was restarted. A **gauge** is how something stands now.
- No label holds a track, an album or a run. Codes are those of [all codes](codes.md).
- A run that is killed leaves its last file: `lathe_runs_under_way` stays 1, and `lathe_written_timestamp_seconds` stands still.

How many times faster than it plays a stage works is `rate(lathe_stage_audio_seconds_total[1d])` over
`rate(lathe_stage_cpu_seconds_total{{work="done"}}[1d])`, by `stage`. Examples of alerts:
[`alerts.yml`](../deploy/monitoring/alerts.yml).

{families}

## Beam

The same through Beam, in the namespace `{namespace}`, for whoever looks at Flink's or Dataflow's own pages, in batches and
streams. Beam counts whole numbers, so times are in thousandths of a second. A runner may count what it gave out twice twice,
and some keep no metrics at all. In a stream, the albums that wait are `groups_opened_draft` less both of
`groups_closed_draft_...`.

{beam}
"""


def metrics_page() -> str:
    """The page."""
    families = [(f.name, f.kind, ", ".join(f.labels), f.words) for f in FAMILIES]
    beam = [(metric.name, metric.kind, metric.words) for metric in ALL]
    return _PAGE.format(
        families=_table(("name", "kind", "labels", "what it tells"), families),
        beam=_table(("name", "kind", "what it tells"), beam),
        namespace=NAMESPACE,
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([f"`{row[0]}`", *row[1:]] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(metrics_page(), end="")
