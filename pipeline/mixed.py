"""`lathe measure --as mix`: a file as a mix that is still to be mastered, with what is to be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from decisions.choices import Choices, chosen
from decisions.measures import MEASURES
from decisions.mix_report import mix_report
from decisions.profile_files import load_profile
from media import analysis
from pipeline import sheets
from pipeline.measure import Asked
from schemas.errors import TrackError
from schemas.figures import Analysis
from schemas.mix_report import BandReading, MixReport, PhaseReading, Reading

WORDS = 41
"""Columns for what a line is about."""


class HeardMix(NamedTuple):
    """A measured mix and its report."""

    analysis: Analysis
    report: MixReport


class Mixed:
    """Measures a mix and reports on it; what is wrong is told, and fails nothing."""

    head = sheets.HEAD

    def __init__(self, asked: Asked) -> None:
        self._profile = chosen(load_profile(asked.profile), Choices(style=asked.style))

    def measure(self, path: Path) -> HeardMix:
        """Measures a mix; raises TrackError where it is not sound or more than stereo."""
        found = analysis.analyse(path)
        if found.format.channels > 2:
            raise TrackError("CHANNELS_UNSUPPORTED", f"{found.format.channels} channels; a mix has one or two")
        return HeardMix(found, mix_report(found, self._profile))

    def as_json(self, found: HeardMix) -> dict[str, Any]:
        """The report, and the figures that it was made from."""
        figures = msgspec.to_builtins(found.analysis.figures)
        return {"sha256": found.analysis.sha256, **msgspec.to_builtins(found.report), "figures": figures}

    def as_text(self, name: str, found: HeardMix) -> list[str]:
        """A line of figures, then a part for each side of the mix, then the advice."""
        report = found.report
        lines = [sheets.figures_line(name, found.analysis.figures), *sheets.more_figures(found.analysis)]
        lines += [f'{sheets.INDENT}Against the norm "{report.norm}", style {report.style}']
        for title in ("loudness", "dynamics", "headroom", "stereo"):
            lines += _part(title.capitalize(), [_reading_line(one) for one in getattr(report, title)])
        lines += _part("Tone", [_band_line(one) for one in report.tone])
        lines += _part("Width", [_band_line(one) for one in report.width])
        lines += _part("Left and right alike", [_phase_line(one) for one in report.phase])
        return lines + _part("Advice", [f"{one.severity}: {one.text}" for one in report.advice] or ["none"])

    def fails(self, found: HeardMix) -> bool:
        """A report is advice."""
        return False


def _part(title: str, lines: Sequence[str]) -> list[str]:
    kept = [f"{sheets.INDENT}  {line}" for line in lines if line]
    return [f"{sheets.INDENT}{title}", *kept] if kept else []


def _reading_line(one: Reading) -> str:
    if one.value is None:
        return ""
    value = f"{one.value:.{MEASURES[one.name].digits}f}"
    return f"{one.words:<{WORDS}} {value:>7} {one.unit:<5} {one.word or '':<5} {_range(one.low, one.high)}".rstrip()


def _band_line(one: BandReading) -> str:
    if one.deviation_db is None:
        return ""
    where = f"{one.name}, {one.low_hz:g} to {one.high_hz:g} Hz"
    return f"{where:<{WORDS}} {one.deviation_db:>+7.1f} dB    {one.word or '':<5} {_range(one.least_db, one.most_db)}"


def _phase_line(one: PhaseReading) -> str:
    if one.correlation is None:
        return ""
    where = f"{one.low_hz:g} to {one.high_hz:g} Hz"
    return f"{where:<{WORDS}} {one.correlation:>7.2f}       {one.word or ''}".rstrip()


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"(at least {low:g})" if low is not None else f"(at most {high:g})"
    return f"({low:g} to {high:g})"
