"""Everything about an audio file by itself: figures, what detectors saw, findings, checks, and how it stands with targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from decisions.checks import breaches, check_rows, checks_of, target_result
from decisions.findings import source_findings
from decisions.profile_files import load_profile
from decisions.target_files import load_target
from media import analysis
from pipeline import sheets
from pipeline.measure import Asked
from schemas.figures import Analysis
from schemas.qc import CheckRow, Finding, TargetResult


class Judgement(NamedTuple):
    """A measured file and what is to be said of it."""

    analysis: Analysis
    findings: tuple[Finding, ...]
    checks: list[CheckRow]
    targets: list[TargetResult]


class Judged:
    """Measures everything and judges it by the limits of a profile and the rules of targets."""

    head = sheets.HEAD

    def __init__(self, asked: Asked) -> None:
        self._profile = load_profile(asked.profile)
        self._targets = [load_target(name) for name in asked.targets]
        self._dual_mono = asked.dual_mono or self._profile.loudness.dual_mono
        self._alone = len(asked.files) == 1

    def measure(self, path: Path) -> Judgement:
        """Measures and judges a file; raises TrackError where it is not sound."""
        found = analysis.analyse(path, dual_mono=self._dual_mono)
        return Judgement(
            analysis=found,
            findings=source_findings(found, self._profile),
            checks=check_rows(checks_of(found, self._profile.limits), "source"),
            targets=[target_result(target, breaches(target, found)) for target in self._targets],
        )

    def as_json(self, found: Judgement) -> dict[str, Any]:
        """Everything that is known of a file."""
        whole = found.analysis
        return {
            "sha256": whole.sha256,
            **msgspec.to_builtins(whole.format),
            "duration_s": whole.format.duration_s,
            **msgspec.to_builtins(whole.figures),
            "dual_mono": whole.dual_mono,
            "detected": whole.detected,
            "findings": found.findings,
            "checks": found.checks,
            "targets": found.targets,
        }

    def as_text(self, name: str, found: Judgement) -> list[str]:
        """A line of figures, a whole sheet if the file is alone, findings and targets."""
        more = sheets.sheet(found.analysis) if self._alone else sheets.more_figures(found.analysis)
        said = [*sheets.findings_lines(found.findings), *sheets.target_lines(found.targets)]
        return [sheets.figures_line(name, found.analysis.figures), *more, *said]

    def fails(self, found: Judgement) -> bool:
        """Whether it fails a target."""
        return not all(target.passed for target in found.targets)
