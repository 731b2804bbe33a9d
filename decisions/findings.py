"""Judges masters by their proofs: here it is seen whether a loudness target was met. Figures in, findings and verdicts out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from dsp.gating import integrated_lufs, pooled
from schemas.codes import CODES
from schemas.figures import Analysis
from schemas.profile import Profile
from schemas.qc import Finding
from schemas.steps import Master, Mastered, Rejected

TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6
DURATION_WARN_S = 1.0  # DDEX practice: less is rounding


def track_findings(mastered: Mastered, profile: Profile) -> tuple[Finding, ...]:
    """Everything to be said about a track and its masters, the worst first."""
    proof = mastered.masters[0].proof
    found = source_findings(mastered.analysis, profile, mastered.track.duration_s)
    found += _target_findings(mastered, [proof])
    for master in mastered.masters:
        found += _master_findings(master)
        if mastered.plan.shared_by == 1:
            found += _loudness_findings([master.proof], master.delivery, mastered)
    return tuple(sorted(found, key=lambda finding: _RANK[finding.severity]))


def source_findings(analysis: Analysis, profile: Profile, announced_s: float | None = None) -> list[Finding]:
    """What is to be said about an audio file by itself; `announced_s` is the length that the manifest gives."""
    audio = analysis.format
    found = _clipping(analysis) + _offset(analysis, profile.cleaning.offset_limit_dbfs)
    if audio.channels == 1:
        found.append(_finding("MONO_SOURCE", "one channel, measured as one channel; its masters are mono too"))
    if audio.lossy:
        found.append(_finding("LOSSY_SOURCE", f"the source is coded with loss ({audio.container} {audio.codec})"))
    if announced_s is not None and abs(announced_s - audio.duration_s) > DURATION_WARN_S:
        text = f"{audio.duration_s:.1f} s long, the manifest says {announced_s:.1f} s"
        found.append(_finding("DURATION_DIFFERS", text, measured=audio.duration_s, limit=announced_s, unit="s"))
    return found


def album_findings(tracks: Sequence[Mastered], rejected: Sequence[Rejected]) -> tuple[Finding, ...]:
    """What is to be said about an album as a whole; `tracks` in album order."""
    found: list[Finding] = []
    if rejected:
        names = ", ".join(sorted(f"{r.track_id} ({r.code})" for r in rejected))
        text = f"{len(rejected)} of {len(rejected) + len(tracks)} tracks were rejected: {names}"
        found.append(_finding("ALBUM_INCOMPLETE", text, measured=float(len(rejected)), limit=0.0, unit="tracks"))
    for group in _gain_groups(tracks):
        found += _target_findings(group[0], [track.masters[0].proof for track in group])
        # Part of a group need not be as loud as the whole, and a track alone was judged in its own row.
        whole = len(group) == group[0].plan.shared_by > 1
        for number, master in enumerate(group[0].masters if whole else ()):
            found += _loudness_findings([t.masters[number].proof for t in group], master.delivery, group[0])
    return tuple(sorted(found, key=lambda finding: _RANK[finding.severity]))


def verdict(findings: Iterable[Finding]) -> str:
    """`rejected` with a failed check, `listen` with a warning, else `ready`."""
    severities = {finding.severity for finding in findings}
    return "rejected" if "fail" in severities else "listen" if "warn" in severities else "ready"


def _gain_groups(tracks: Sequence[Mastered]) -> list[list[Mastered]]:
    """Tracks by the gain that they share; in track mode one that has its own stands for itself."""
    groups: dict[int, list[Mastered]] = {}
    for track in tracks:
        if track.plan.shared_by > 1 or track.plan.mode == "album":
            groups.setdefault(track.plan.gain_group, []).append(track)
    return list(groups.values())


_RANK = {"fail": 0, "warn": 1, "info": 2}


def _finding(code: str, text: str, **more: object) -> Finding:
    return Finding(code=code, severity=CODES[code].severity, text=text, **more)  # type: ignore[arg-type]


def _clipping(analysis: Analysis) -> list[Finding]:
    found = []
    peak_dbfs = analysis.figures.sample_peak_dbfs
    if analysis.flat_tops:
        text = f"{analysis.flat_tops} flat tops at full scale, the first at {analysis.flat_tops_at_s[0]:.2f} s"
        found.append(
            _finding(
                "SOURCE_CLIPPED",
                text,
                measured=float(analysis.flat_tops),
                limit=0.0,
                unit="flat tops",
                at_s=analysis.flat_tops_at_s,
            )
        )
    if analysis.format.floating and peak_dbfs is not None and peak_dbfs > 0.0:
        text = f"samples reach {peak_dbfs:+.1f} dBFS; nothing is lost in a float file"
        found.append(_finding("SOURCE_OVER_FULL_SCALE", text, measured=peak_dbfs, limit=0.0, unit="dBFS"))
    return found


def _offset(analysis: Analysis, limit_dbfs: float) -> list[Finding]:
    offset = max(abs(ratio) for ratio in analysis.offset_ratio)
    offset_dbfs = 20.0 * math.log10(offset) if offset > 0.0 else -math.inf
    if offset_dbfs <= limit_dbfs:
        return []
    text = f"the source lies {offset_dbfs:.1f} dBFS off the zero line"
    return [_finding("DC_OFFSET", text, measured=offset_dbfs, limit=limit_dbfs, unit="dBFS")]


def _target_findings(mastered: Mastered, proofs: Iterable[Analysis]) -> list[Finding]:
    if not mastered.plan.target_limited:
        return []
    target_lufs, reached_lufs = mastered.plan.target_lufs, integrated_lufs(pooled(proof.gating for proof in proofs))
    text = f"the target of {target_lufs:g} LUFS was given up: {mastered.plan.target_limited}"
    return [_finding("TARGET_LIMITED", text, measured=reached_lufs, limit=target_lufs, unit="LUFS")]


def _master_findings(master: Master) -> list[Finding]:
    found = []
    figures, ceiling = master.proof.figures, master.ceiling_dbtp
    if figures.true_peak_dbtp is not None and figures.true_peak_dbtp > ceiling + TRUE_PEAK_TOLERANCE_DB:
        text = f"{master.delivery}: true peak of {figures.true_peak_dbtp:.2f} dBTP over a ceiling of {ceiling:g}"
        found.append(_finding("TRUE_PEAK_OVER", text, measured=figures.true_peak_dbtp, limit=ceiling, unit="dBTP"))
    if figures.sample_peak_dbfs is not None and figures.sample_peak_dbfs > ceiling:
        text = f"{master.delivery}: sample at {figures.sample_peak_dbfs:.2f} dBFS over a ceiling of {ceiling:g}"
        found.append(_finding("SAMPLE_PEAK_OVER", text, measured=figures.sample_peak_dbfs, limit=ceiling, unit="dBFS"))
    return found


def _loudness_findings(proofs: Iterable[Analysis], delivery: str, mastered: Mastered) -> list[Finding]:
    loudness, plan = integrated_lufs(pooled(proof.gating for proof in proofs)), mastered.plan
    if loudness is not None:
        short = loudness < plan.target_lufs
        if abs(loudness - plan.target_lufs) <= plan.tolerance_lu or (short and plan.target_limited):
            return []
    level = "no loudness" if loudness is None else f"{loudness:.2f} LUFS"
    text = f"{delivery}: {level}, target {plan.target_lufs:g} within {plan.tolerance_lu:g} LU"
    return [_finding("LOUDNESS_OFF_TARGET", text, measured=loudness, limit=plan.target_lufs, unit="LUFS")]
