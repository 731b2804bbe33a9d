"""What Lathe says on stderr: progress and the summary of a run. Data goes to stdout, elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from schemas.codes import CODES
from schemas.qc import TrackRow

LINE_EVERY_S = 30.0


class ProgressLine:
    """A bar on a terminal, a line every 30 s elsewhere; use as a context manager."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> ProgressLine:
        if sys.stderr.isatty():
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
    """One or more lines on stderr."""
    print(text, file=sys.stderr, flush=True)


def summary_text(summary: Any) -> str:
    """The end of a run in words."""
    lines = [
        f"run {summary.run_id}: {summary.mastered} mastered, {summary.skipped} skipped, {summary.rejected} rejected",
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
        f"  masters  {summary.output}/masters",
        f"  figures  {summary.output}/qc (Parquet), {summary.output}/runs/{summary.run_id}.json",
    ]
    if summary.waited_s:
        lines.append(f"  waited   {summary.waited_s:.1f} s of workers' time, for runs with --priority to go first")
    if summary.rejected or summary.findings:
        lines.append(f"  why      lathe explain CODE_OR_TRACK --output {summary.output}")
    return "\n".join(lines)


def _counted(word: str, codes: dict[str, int]) -> list[str]:
    return [f"  {word:<8} {count:>4}  {code}: {CODES[code].title}" for code, count in codes.items()]


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
