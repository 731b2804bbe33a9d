"""How long the steps of a track take here, learned from what earlier runs into the same output took (`qc/work`).

Work grows with the samples of a source (frames times channels), so rates and channels of all kinds calibrate each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from statistics import median

from msgspec import Struct

from pipeline.run_records import Record, is_finished, run_records
from pipeline.tables import table_rows

Step = tuple[str, bool]
"""A stage, and whether its result is only remembered."""
RUNS = 20
"""Finished runs that are looked at, newest first: older ones had other versions."""
ENOUGH_ROWS = 200_000
ENOUGH_SAMPLES = 44_100.0 * 2 * 60
"""Less than a minute of stereo says nothing of how long a step takes."""
COLUMNS = ["audio_s", "rate_hz", "channels", "bytes_written", "steps"]
OF_STEMS = ("hear", "mix")
"""Stages that work on all stems of a song, and tell how many samples those have."""


class Calibration(Struct, frozen=True, kw_only=True):
    """What work takes: by default as measured on one core of a server of 2025."""

    cpu_s_per_sample: dict[Step, float]
    wall_per_cpu: float = 1.05
    overhead_cpu_s: float = 12.0
    """Of a run as such: Python, Beam and the kernels are loaded, rows are written."""
    bytes_per_sample: float | None = None
    """Of all masters together, for each sample of a source that was mastered; None: not known yet."""
    tracks: int = 0
    """Tracks that it was learned from."""
    runs: int = 0


# Together 43 times realtime for stereo at 44.1 kHz and two deliveries, shared out as measured on one track.
DEFAULT = Calibration(
    cpu_s_per_sample={
        ("hear", False): 5.0e-8,
        ("mix", False): 1.0e-7,
        ("hear", True): 1.0e-9,
        ("mix", True): 2.0e-9,
        ("analyse", False): 5.5e-8,
        ("rehearse", False): 6.1e-8,
        ("master", False): 1.47e-7,
        ("analyse", True): 1.0e-9,
        ("rehearse", True): 1.0e-10,
        ("master", True): 2.0e-9,
    }
)


def calibrated(output: str) -> Calibration:
    """What the newest finished runs into an output teach; defaults for what they did not do."""
    told = (record for record in run_records(output) if is_finished(record) and "work_cpu_s" in record)
    records, rows = _newest(output, islice(told, RUNS))
    wall_s, cpu_s = (sum(step[name] for row in rows for step in row["steps"]) for name in ("wall_s", "cpu_s"))
    overheads_s = [record["cpu_s"] - record["work_cpu_s"] for record in records]
    mastered = [row for row in rows if row["bytes_written"]]
    return Calibration(
        cpu_s_per_sample=DEFAULT.cpu_s_per_sample | _rates(rows),
        wall_per_cpu=wall_s / cpu_s if cpu_s else DEFAULT.wall_per_cpu,
        overhead_cpu_s=median(overheads_s) if overheads_s else DEFAULT.overhead_cpu_s,
        bytes_per_sample=sum(row["bytes_written"] for row in mastered) / _samples(mastered) if mastered else None,
        tracks=len(rows),
        runs=len(records),
    )


def _newest(output: str, told: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Runs, the newest first, until their rows are enough; and the rows of all that was measured."""
    records: list[Record] = []
    rows: list[Record] = []
    for record in told:
        if len(rows) < ENOUGH_ROWS:
            records.append(record)
            rows += [row for row in table_rows(output, "work", record["run_id"], COLUMNS) if row["audio_s"]]
    return records, rows


def _rates(rows: list[Record]) -> dict[Step, float]:
    """Processor seconds for each sample, of every step that was done often enough to tell."""
    spent: dict[Step, float] = {}
    over: dict[Step, float] = {}
    for row in rows:
        for told in row["steps"]:
            step = (told["stage"], told["remembered"])
            spent[step] = spent.get(step, 0.0) + told["cpu_s"]
            over[step] = over.get(step, 0.0) + (told.get("samples") or _samples([row]))
    return {step: spent[step] / over[step] for step in spent if over[step] >= ENOUGH_SAMPLES}


def _samples(rows: Iterable[Record]) -> float:
    return float(sum(row["audio_s"] * row["rate_hz"] * row["channels"] for row in rows))
