"""Holds a file's numbers against a profile's limits and a target's rules. Numbers in, findings and results in words out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from decisions.measures import ANY, MEASURES, NAMES, measured, text_of
from schemas.figures import Analysis
from schemas.limits import LEVELS, Crossing, Level, Limit, Rule, Target
from schemas.plan import Plan
from schemas.qc import CheckRow, Finding, TargetResult

PASSED = "passed"
RANK = {level: rank for rank, level in enumerate(LEVELS)}
_AT_START = frozenset(name for name, one in MEASURES.items() if one.above == "ABRUPT_START")
_AT_END = frozenset(name for name, one in MEASURES.items() if one.above == "ABRUPT_END")
SOUNDING = Rule(measure="silent", fail_above=0.0, why="there is nothing to hear")
SOURCE_ONLY = frozenset(name for name, one in MEASURES.items() if not one.of_masters)
"""Measures whose limits tell how a source was made, and say nothing of a master."""


class Check(NamedTuple):
    """A number that was held against a limit; None: it does not cross it."""

    measure: str
    value: float
    limit: Limit
    crossed: Crossing | None

    @property
    def code(self) -> str | None:
        """The code of what was crossed."""
        return code_of(self.measure, self.crossed) if self.crossed else None

    @property
    def kind(self) -> str | None:
        """What a finding is known by: its code, or the measure where the code is that of all others."""
        return self.measure if self.code == ANY else self.code


class Breach(NamedTuple):
    """A rule that a file breaks."""

    target: Target
    rule: Rule
    level: Level
    value: float | None
    limit: float | None
    text: str
    """Such as `true peak -0.6 dBTP, rule: at most -1 dBTP`."""
    code: str
    """Of what breaking it means, whoever asks."""


def joined_ends(plan: Plan) -> frozenset[str]:
    """Measures that say nothing of a track whose music runs on into its neighbours."""
    return (_AT_START if plan.before else frozenset()) | (_AT_END if plan.after else frozenset())


def checks_of(analysis: Analysis, limits: Mapping[str, Limit], without: Collection[str] = ()) -> list[Check]:
    """Every limit that there is a number for, in the order of the measures."""
    found = []
    for name in MEASURES:
        if name in limits and name not in without and (value := measured(name, analysis)) is not None:
            found.append(Check(name, value, limits[name], limits[name].crossed_by(value)))
    return found


def findings_of(checks: Iterable[Check], analysis: Analysis, subject: str = "") -> list[Finding]:
    """One finding for each kind of crossing, the severest; its text begins with the subject, if there is one."""
    severest: dict[str | None, Check] = {}
    for one in checks:
        if one.crossed and (one.kind not in severest or _level(one) < _level(severest[one.kind])):
            severest[one.kind] = one
    return [_finding_of(one, analysis, f"{subject}: " if subject else "") for one in severest.values()]


def new_since(before: Iterable[Check], after: Iterable[Check]) -> list[Check]:
    """Those of a master that its source did not have already as severe or worse."""
    known: dict[str | None, int] = {}
    for one in before:
        if one.crossed:
            known[one.kind] = min(_level(one), known.get(one.kind, len(LEVELS)))
    return [one for one in after if one.crossed and _level(one) < known.get(one.kind, len(LEVELS))]


def check_rows(checks: Iterable[Check], subject: str) -> list[CheckRow]:
    """Checks as they are written down, passed or not."""
    return [
        CheckRow(
            subject=subject,
            measure=one.measure,
            value=one.value,
            unit=MEASURES[one.measure].unit,
            severity=one.crossed.level if one.crossed else PASSED,
            limits=_limits_text(one.limit),
        )
        for one in checks
    ]


def breaches(target: Target, analysis: Analysis, without: Collection[str] = ()) -> list[Breach]:
    """The rules of a target that a file breaks; a rule about what was not measured is not broken, but no target takes silence."""
    lufs = measured("integrated_lufs", analysis)
    found = []
    for rule in (*target.rule, SOUNDING):
        quiet = rule.when_louder_than_lufs is not None and (lufs is None or lufs <= rule.when_louder_than_lufs)
        if rule.measure not in without and not quiet:
            found += _named(target, rule, analysis) if rule.measure in NAMES else _numbered(target, rule, analysis)
    return found


def target_result(target: Target, broken: Iterable[Breach]) -> TargetResult:
    """How a file stands against a target, given the rules that it breaks."""
    texts: dict[Level, list[str]] = {"fail": [], "warn": [], "info": []}
    for one in broken:
        texts[one.level].append(one.text)
    return TargetResult(
        target=target.name,
        date=target.date,
        passed=not texts["fail"],
        failed=tuple(texts["fail"]),
        risks=tuple(texts["warn"]),
        advice=tuple(texts["info"]),
    )


def target_findings(broken: Iterable[Breach], told: Collection[str], subject: str) -> list[Finding]:
    """Rules that fail and risks, one finding for all targets with the same rule; advice stays with the target's result.

    A risk is left out where a finding of its own tells it already: `told` are the codes of those.
    """
    same: dict[tuple[Level, str], list[Breach]] = {}
    for one in broken:
        if one.level == "fail" or (one.level == "warn" and (one.code == ANY or one.code not in told)):
            same.setdefault((one.level, one.text), []).append(one)
    return [_breach_finding(ones, subject) for ones in same.values()]


def code_of(measure: str, crossed: Crossing) -> str:
    """The code of a bound of a measure."""
    one = MEASURES[measure]
    return one.above if crossed.side == "above" else one.below


@lru_cache(maxsize=4096)  # the same few limits judge every track of a catalogue
def _limits_text(limit: Limit) -> str:
    return ", ".join(f"{level} {side} {bound:g}" for level, side, bound in limit.bounds())


def _level(one: Check) -> int:
    return RANK[one.crossed.level] if one.crossed else len(LEVELS)


def _finding_of(one: Check, analysis: Analysis, prefix: str) -> Finding:
    measure = MEASURES[one.measure]
    assert one.crossed is not None and one.code is not None
    own = measure.says if one.code != ANY else None
    text = own(analysis) if own else text_of(one.measure, one.value)
    limit = f"; limit {one.crossed.bound:g} {measure.unit}".rstrip() if one.crossed.bound or not own else ""
    return Finding(
        code=one.code,
        severity=one.crossed.level,
        measured=one.value,
        limit=one.crossed.bound,
        unit=measure.unit,
        at_s=measure.places_s(analysis),
        text=f"{prefix}{text}{limit}",
    )


def _named(target: Target, rule: Rule, analysis: Analysis) -> list[Breach]:
    name = NAMES[rule.measure](analysis)
    if name.casefold() in {str(one).casefold() for one in rule.one_of}:
        return []
    text = f"{rule.measure} {name}, rule: {_either(rule, '')}"
    return [Breach(target, rule, rule.otherwise, None, None, text, ANY)]


def _numbered(target: Target, rule: Rule, analysis: Analysis) -> list[Breach]:
    value = measured(rule.measure, analysis)
    if value is None:
        return []
    crossed, unit = rule.crossed_by(value), MEASURES[rule.measure].unit
    if rule.one_of and value not in rule.one_of:
        level, asked, limit, code = rule.otherwise, _either(rule, unit), _nearest(rule, value), ANY
    elif crossed:
        side = "at most" if crossed.side == "above" else "at least"
        level, asked, limit = crossed.level, f"{side} {crossed.bound:g} {unit}".rstrip(), crossed.bound
        code = code_of(rule.measure, crossed)
    else:
        return []
    if rule.when_louder_than_lufs is not None:
        asked += f" where louder than {rule.when_louder_than_lufs:g} LUFS"
    text = f"{text_of(rule.measure, value)}, rule: {asked}"
    return [Breach(target, rule, level, value, limit, text, code)]


def _either(rule: Rule, unit: str) -> str:
    return f"{' or '.join(f'{one:g}' if isinstance(one, float) else one for one in rule.one_of)} {unit}".rstrip()


def _nearest(rule: Rule, value: float) -> float | None:
    return min((one for one in rule.one_of if isinstance(one, float)), key=lambda one: abs(one - value), default=None)


def _breach_finding(ones: list[Breach], subject: str) -> Finding:
    first, names = ones[0], ", ".join(f"{one.target.name} ({one.target.date})" for one in ones)
    why = next((f"; {one.rule.why}" for one in ones if one.rule.why), "")
    return Finding(
        code="SPEC_FAILED" if first.level == "fail" else "SPEC_RISK",
        severity=first.level,
        measured=first.value,
        limit=first.limit,
        unit=MEASURES[first.rule.measure].unit if first.rule.measure in MEASURES else "",
        text=f"{subject} for {names}: {first.text}{why}",
    )
