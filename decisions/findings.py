"""Judges masters by their proofs: here it is seen whether a loudness target was met. Figures in, findings and verdicts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from decisions.checks import (
    RANK,
    SOURCE_ONLY,
    Breach,
    Check,
    breaches,
    checks_of,
    findings_of,
    joined_ends,
    new_since,
    target_findings,
)
from decisions.levels import level_lufs
from decisions.measures import MEASURES, measured
from schemas.codes import CODES
from schemas.figures import Analysis
from schemas.limits import Limit
from schemas.profile import Profile
from schemas.qc import Finding
from schemas.steps import Master, Mastered, Rejected

TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6
_OVER = {
    "true_peak_dbtp": ("TRUE_PEAK_OVER", "true peak of"),
    "sample_peak_dbfs": ("SAMPLE_PEAK_OVER", "sample at"),
}
VERDICTS = ("rejected", "listen", "ready")
"""The worst first."""
DURATION_WARN_S = 1.0  # DDEX practice: less is rounding


class Judged(NamedTuple):
    """All that a track and its masters were held against, looked at once."""

    source: list[Check]
    masters: list[list[Check]]
    """Those of each master, in their order."""
    breaches: list[dict[str, list[Breach]]]
    """The rules that each master breaks, by the targets of its delivery."""


def judged(mastered: Mastered, profile: Profile) -> Judged:
    """Holds a track and its masters against a profile's limits and the targets of its deliveries."""
    return Judged(
        source=_source_checks(mastered, profile),
        masters=[_master_checks(master, mastered, profile) for master in mastered.masters],
        breaches=[_master_breaches(master, mastered, profile) for master in mastered.masters],
    )


def track_findings(mastered: Mastered, profile: Profile) -> tuple[Finding, ...]:
    """Everything to be said about a track and its masters, the worst first."""
    return judged_findings(mastered, judged(mastered, profile))


def judged_findings(mastered: Mastered, known: Judged) -> tuple[Finding, ...]:
    """The same of a track that was judged before."""
    source = known.source
    found = findings_of(source, mastered.analysis) + _duration(mastered.analysis, mastered.track.duration_s)
    found += _target_findings(mastered, [mastered.masters[0].proof])
    found += [_finding("REFERENCE_UNUSABLE", one) for one in mastered.plan.references_refused]
    for master, checks, rules in zip(mastered.masters, known.masters, known.breaches, strict=True):
        found += _master_findings(master, master.delivery)
        if mastered.plan.shared_by == 1:
            found += _loudness_findings([master.proof], master.delivery, mastered)
        found += findings_of(new_since(source, checks), master.proof, master.delivery)
        broken = [one for ones in rules.values() for one in ones]
        found += target_findings(broken, _told([*source, *checks]), master.delivery)
    for version in mastered.versions:
        found += _master_findings(version.master, version.subject)
    return _worst_first(found)


def source_findings(analysis: Analysis, profile: Profile) -> tuple[Finding, ...]:
    """What is to be said about an audio file by itself, the worst first; both its ends are judged."""
    return _worst_first(findings_of(checks_of(analysis, profile.limits), analysis))


def _source_checks(mastered: Mastered, profile: Profile) -> list[Check]:
    """The limits of a profile on a track's source; where it joins a neighbour, that end is not judged."""
    return checks_of(mastered.analysis, profile.limits, joined_ends(mastered.plan))


def _master_checks(master: Master, mastered: Mastered, profile: Profile) -> list[Check]:
    """The limits of a profile on a master, but for those that only concern how a source was made."""
    return checks_of(master.proof, profile.limits, _not_judged(mastered) | SOURCE_ONLY)


def ceiling_checks(master: Master) -> list[Check]:
    """What Lathe itself promises of a master's peaks (law 6)."""
    figures, ceiling_db = master.proof.figures, master.ceiling_dbtp
    found = []
    for name, value, tolerance_db in (
        ("true_peak_dbtp", figures.true_peak_dbtp, TRUE_PEAK_TOLERANCE_DB),
        ("sample_peak_dbfs", figures.sample_peak_dbfs, 0.0),
    ):
        if value is not None:
            limit = Limit(fail_above=ceiling_db + tolerance_db)
            found.append(Check(name, value, limit, limit.crossed_by(value)))
    return found


def _master_breaches(master: Master, mastered: Mastered, profile: Profile) -> dict[str, list[Breach]]:
    """The rules that a master breaks, by the targets of its delivery."""
    names = next((delivery.targets for delivery in profile.delivery if delivery.name == master.delivery), ())
    without = _not_judged(mastered)
    return {name: breaches(profile.targets[name], master.proof, without) for name in names}


def _not_judged(mastered: Mastered) -> frozenset[str]:
    """Measures that say nothing of a track's masters: a peak that was clipped and then filtered is taken for a click."""
    clipped = measured("flat_tops", mastered.analysis)
    return joined_ends(mastered.plan) | (frozenset({"clicks"}) if clipped else frozenset())


def album_findings(tracks: Sequence[Mastered], rejected: Sequence[Rejected]) -> tuple[Finding, ...]:
    """What is to be said about an album as a whole; `tracks` in album order."""
    found: list[Finding] = []
    if rejected:
        names = ", ".join(sorted(f"{r.track_id} ({r.code})" for r in rejected))
        text = f"{len(rejected)} of {len(rejected) + len(tracks)} tracks were rejected: {names}"
        found.append(_finding("ALBUM_INCOMPLETE", text, measured=float(len(rejected)), limit=0.0, unit="tracks"))
    for group in _gain_groups(tracks):
        # What a reviewer set apart from its album tells nothing of why its album stops short.
        first = next((track for track in group if not track.plan.own_gain), group[0])
        found += _target_findings(first, [track.masters[0].proof for track in group])
        # Part of a group need not be as loud as the whole, and a track alone was judged in its own row.
        whole = len(group) == first.plan.shared_by > 1
        for number, master in enumerate(first.masters if whole else ()):
            found += _loudness_findings([t.masters[number].proof for t in group], master.delivery, first)
    return _worst_first(found)


def verdict(findings: Iterable[Finding]) -> str:
    """`rejected` with a failed check, `listen` with a warning, else `ready`."""
    severities = {finding.severity for finding in findings}
    return "rejected" if "fail" in severities else "listen" if "warn" in severities else "ready"


def _gain_groups(tracks: Sequence[Mastered]) -> list[list[Mastered]]:
    """Tracks by the gain that they share; in track mode one that has its own stands for itself."""
    groups: dict[int, list[Mastered]] = {}
    for track in tracks:
        if track.plan.shared_by > 1 or track.plan.mode != "track":
            groups.setdefault(track.plan.gain_group, []).append(track)
    return list(groups.values())


def _worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda finding: RANK[finding.severity]))  # type: ignore[index]


def _told(checks: Iterable[Check]) -> set[str]:
    """Codes of which a finding of its own warns already."""
    return {one.code for one in checks if one.crossed and one.code and one.crossed.level != "info"}


def _finding(code: str, text: str, **more: object) -> Finding:
    return Finding(code=code, severity=CODES[code].severity, text=text, **more)  # type: ignore[arg-type]


def _duration(analysis: Analysis, announced_s: float | None) -> list[Finding]:
    """`announced_s` is the length that the manifest gives."""
    found_s = analysis.format.duration_s
    if announced_s is None or abs(announced_s - found_s) <= DURATION_WARN_S:
        return []
    text = f"{found_s:.1f} s long, the manifest says {announced_s:.1f} s"
    return [_finding("DURATION_DIFFERS", text, measured=found_s, limit=announced_s, unit="s")]


def _target_findings(mastered: Mastered, proofs: Iterable[Analysis]) -> list[Finding]:
    if not mastered.plan.target_limited:
        return []
    target_lufs = mastered.plan.target_lufs
    reached_lufs = level_lufs((proof.gating for proof in proofs), mastered.plan.mode)
    text = f"the target of {target_lufs:g} LUFS was given up: {mastered.plan.target_limited}"
    return [_finding("TARGET_LIMITED", text, measured=reached_lufs, limit=target_lufs, unit="LUFS")]


def _master_findings(master: Master, subject: str) -> list[Finding]:
    found = []
    for check in ceiling_checks(master):
        if check.crossed:
            (code, noun), unit = _OVER[check.measure], MEASURES[check.measure].unit
            ceiling = master.ceiling_dbtp
            text = f"{subject}: {noun} {check.value:.2f} {unit} over a ceiling of {ceiling:g}"
            found.append(_finding(code, text, measured=check.value, limit=ceiling, unit=unit))
    return found


def _loudness_findings(proofs: Iterable[Analysis], delivery: str, mastered: Mastered) -> list[Finding]:
    loudness, plan = level_lufs((proof.gating for proof in proofs), mastered.plan.mode), mastered.plan
    target = plan.target_lufs + plan.moved_lu
    if loudness is not None:
        short = loudness < target
        if abs(loudness - target) <= plan.tolerance_lu or (short and plan.target_limited):
            return []
    level = "no loudness" if loudness is None else f"{loudness:.2f} LUFS"
    text = f"{delivery}: {level}, target {target:g} within {plan.tolerance_lu:g} LU"
    return [_finding("LOUDNESS_OFF_TARGET", text, measured=loudness, limit=target, unit="LUFS")]
