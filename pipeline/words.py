"""What Lathe says on stderr: progress and the summary of a run. Data goes to stdout, elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from schemas.codes import CODES
from schemas.qc import TrackRow
from transforms.log_lines import json_line, speaks_json

if TYPE_CHECKING:
    from pipeline.forecast import Forecast

LINE_EVERY_S = 30.0
GB = 1e9
TOLD = 20
"""Lines of one kind that are told; the rest is counted."""


class ProgressLine:
    """A bar on a terminal, a line every 30 s elsewhere; use as a context manager."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> ProgressLine:
        if sys.stderr.isatty() and not speaks_json():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("mastering"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("mastering", total=None)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Shows that `done` of `total` tracks are finished."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._last_s >= LINE_EVERY_S:
            self._last_s = time.monotonic()
            say(f"{done} of {total} tracks done")


def say(text: str) -> None:
    """One or more lines on stderr; one object where the log is JSON."""
    print(json_line(text) if speaks_json() else text, file=sys.stderr, flush=True)


def summary_text(summary: Any, report: str | None = None) -> str:
    """The end of a run in words; `report` is where it can be looked at."""
    lines = [
        f"run {summary.run_id}: {_outcomes(summary)}",
        *_counted("rejected", summary.rejections),
        *_counted("found", summary.findings),
    ]
    if summary.failed:
        lines.append(f"  FAILED   {summary.failed} tracks have masters that failed a check: do not deliver them")
    if summary.skipped:
        lines.append("  skipped  source, settings and version unchanged; the masters stand and were checked")
    pace = f", {summary.audio_s / summary.cpu_s:.1f}x realtime per core" if summary.audio_s else ""
    lines += [
        f"  {summary.audio_s / 3600:.2f} h of audio in {summary.wall_s:.1f} s (processor {summary.cpu_s:.1f} s{pace})",
        *([f"  mixes    {summary.output}/mixes"] if summary.mixed else []),
        f"  masters  {summary.output}/masters",
        f"  figures  {summary.output}/qc (Parquet), {summary.output}/runs/{summary.run_id}.json",
    ]
    if report:
        lines.append(f"  report   {report}")
    if summary.waited_s:
        lines.append(f"  waited   {summary.waited_s:.1f} s of workers' time, for runs with --priority to go first")
    if summary.rejected or summary.findings:
        lines.append(f"  why      lathe explain CODE_OR_TRACK --output {summary.output}")
    return "\n".join(lines)


def _outcomes(summary: Any) -> str:
    mixed = f"{summary.mixed} mixed from stems, " if summary.mixed else ""
    return f"{mixed}{summary.mastered} mastered, {summary.skipped} skipped, {summary.rejected} rejected"


def _counted(word: str, codes: dict[str, int]) -> list[str]:
    return [f"  {word:<8} {count:>4}  {code}: {CODES[code].title}" for code, count in codes.items()]


def forecast_text(found: Forecast) -> str:
    """What a run would do and take, in words."""
    return "\n".join([*_to_do(found), *_to_take(found), *_to_pay(found)])


def _to_do(found: Forecast) -> list[str]:
    lines = [
        f"{found.tracks} tracks of {found.albums} albums would be mastered into {found.output}",
        f"  outcome     {found.mastered} mastered, {found.skipped} skipped, {found.rejected} rejected for certain",
        *(f"    {count:>6}  {reason}" for reason, count in list(found.reasons.items())[:TOLD]),
    ]
    if len(found.reasons) > TOLD:
        lines.append(f"    and {len(found.reasons) - TOLD} more reasons; --json tells all")
    of_all = found.tracks + found.measured_only
    if found.looked_at < of_all:
        lines.append(
            f"  a sample    {found.looked_at} of {of_all} tracks were looked at; reasons count these, all else is scaled up"
        )
    return [
        *lines,
        f"  profiles    {', '.join(found.profiles)}",
        f"  deliveries  {', '.join(found.deliveries)}",
        f"  {len(found.missing)} sources are missing",
        *(f"    {uri}" for uri in found.missing[:TOLD]),
        *([f"    and {len(found.missing) - TOLD} more; --json tells all"] if len(found.missing) > TOLD else []),
    ]


def _to_take(found: Forecast) -> list[str]:
    stages = ", ".join(f"{one.stage} {one.cpu_s / 3600:.2f}" for one in found.stages)
    pace = f", {found.mastered_audio_s / found.cpu_s:.1f}x realtime per core" if found.mastered_audio_s else ""
    learned = (
        f"learned from {found.learned_from_tracks} tracks of {found.learned_from_runs} runs into this output"
        if found.learned_from_tracks
        else "by Lathe's own figures for a server core of 2025; after a first run, by those of this output"
    )
    return [
        f"  audio       {found.audio_s / 3600:.2f} h, of which {found.mastered_audio_s / 3600:.2f} h to be mastered",
        f"  core hours  {found.cpu_s / 3600:.2f} ({stages}, all else {found.overhead_cpu_s / 3600:.2f}){pace}",
        f"              {learned}",
        f"  time        {_duration(found.wall_s)} with {found.workers} workers",
        f"  to read     {found.bytes_read / GB:.2f} GB, again for each step that is done",
        f"  to write    {found.bytes_written / GB:.2f} GB",
    ]


def _to_pay(found: Forecast) -> list[str]:
    return [
        f"  {'money' if not number else '':<11} {one.amount:10.2f} {one.currency}  {one.name} ({one.source}, {one.date})"
        for number, one in enumerate(found.costs)
    ]


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def mastered_text(row: TrackRow) -> str:
    """One file that was mastered, in words."""
    (master,) = row.masters
    lines = [f"{row.source_uri} -> {master.uri}", f"  gain {row.gain_db:+.2f} dB, {row.verdict}"]
    for name, figures in (("source", row.source), ("master", master)):
        lines.append(f"  {name}   {level(figures.integrated_lufs)} LUFS   {level(figures.true_peak_dbtp)} dBTP")
    return "\n".join([*lines, *(f"  {f.severity} {f.code}: {f.text}" for f in row.findings)])


def level(value: float | None, width: int = 6, digits: int = 1) -> str:
    """A number in a column; a dash where there is none."""
    return f"{value:{width}.{digits}f}" if value is not None else "-".rjust(width)
