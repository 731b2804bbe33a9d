"""Figures of audio files as text: a line for each file, what else is known of it, and a whole sheet for one alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from decisions.measures import MEASURES, OF_DETECTORS, OF_FIGURES, OF_FORMAT, Measure, measured, text_of
from pipeline.words import level
from schemas.figures import Analysis
from schemas.qc import Finding, TargetResult

HEAD = f"{'LUFS':>7} {'LRA':>5} {'max M':>6} {'max S':>6} {'dBTP':>7} {'dBFS':>7} {'PLR':>5} {'corr':>5}  file"
INDENT = " " * 9
GROUPS = {"Format": OF_FORMAT, "Figures": OF_FIGURES, "Detectors": OF_DETECTORS}
SHORT = {
    "psr_min_lu": "PSR",
    "dynamic_range_db": "DR",
    "mono_loss_lu": "mono loss",
    "imbalance_lu": "imbalance",
    "noise_floor_dbfs": "floor",
    "bandwidth_hz": "band",
}
"""What the second line of a file holds, and how it is called there."""


def figures_line(name: str, figures: Any) -> str:
    """The main figures of a file in the columns of HEAD."""
    return (
        f"{level(figures.integrated_lufs, 7, 2)} {level(figures.loudness_range_lu, 5)}"
        f" {level(figures.max_momentary_lufs)} {level(figures.max_short_term_lufs)}"
        f" {level(figures.true_peak_dbtp, 7, 2)} {level(figures.sample_peak_dbfs, 7, 2)}"
        f" {level(figures.plr_lu, 5)} {level(figures.correlation, 5, 2)}  {name}"
    )


def more_figures(analysis: Analysis) -> list[str]:
    """Format and further figures of a file in one line."""
    audio, used = analysis.format, measured("unused_bits", analysis)
    bits = f" {audio.bits} bit" if audio.bits else ""
    true = f" ({analysis.figures.true_bits} used)" if used else ""
    channels = {1: "mono", 2: "stereo"}.get(audio.channels, f"{audio.channels} channels")
    parts = [f"{clock(audio.duration_s)} {audio.container} {audio.rate_hz} Hz{bits}{true} {channels}"]
    for name, words in SHORT.items():
        if (value := measured(name, analysis)) is not None:
            parts.append(f"{words} {value:.{MEASURES[name].digits}f} {MEASURES[name].unit}")
    return [INDENT + ", ".join(parts)]


def sheet(analysis: Analysis) -> list[str]:
    """Every measure that has a value, with the name by which limits and rules call it."""
    audio = analysis.format
    lines = [f"{INDENT}{audio.container} {audio.codec}, {clock(audio.duration_s)}"]
    for title, group in GROUPS.items():
        values = {name: measured(name, analysis) for name in group}
        shown = [_sheet_line(name, group[name], value) for name, value in values.items() if value is not None]
        lines += [f"{INDENT}{title}", *shown] if shown else []
    return lines


def findings_lines(findings: Iterable[Finding]) -> list[str]:
    """Findings beneath a file."""
    return [f"{INDENT}{one.severity} {one.code}: {one.text}" for one in findings]


def target_lines(results: Sequence[TargetResult]) -> list[str]:
    """How a file stands against targets, and each rule that it breaks."""
    lines = []
    for one in results:
        lines.append(f"{INDENT}{one.target} ({one.date}): {'passed' if one.passed else 'FAILED'}")
        for word, texts in (("fail", one.failed), ("risk", one.risks), ("advice", one.advice)):
            lines += [f"{INDENT}  {word}: {text}" for text in texts]
    return lines


def clock(seconds: float) -> str:
    """A length as minutes and seconds.

    >>> clock(221.26)
    '3:41.3'
    """
    tenths = round(seconds * 10.0)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _sheet_line(name: str, measure: Measure, value: float) -> str:
    number = text_of(name, value).removeprefix(measure.words).strip()
    return f"{INDENT}  {measure.words:<41} {number:>18}  {name}"
