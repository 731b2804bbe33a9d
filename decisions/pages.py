"""The tables of docs/targets.md, as measures, limits and targets have it: `python -m decisions.pages` prints them."""

from __future__ import annotations

from decisions.measures import ANY, MEASURES
from decisions.profile_files import load_profile
from decisions.target_files import built_in, load_target
from schemas.limits import Limit, Rule

USUAL = "streaming"


def measures_table() -> str:
    """Every measure, its unit, its codes, and the limits of the usual profile."""
    limits = load_profile(USUAL).limits
    rows = [f"| measure | what it is | unit | code | limits of `{USUAL}` |", "|---|---|---|---|---|"]
    for name, one in MEASURES.items():
        codes = ", ".join(
            f"{code} ({side})" for side, code in (("above", one.above), ("below", one.below)) if code != ANY
        )
        usual = bounds_text(limits[name], "") if name in limits else ""
        rows.append(f"| `{name}` | {one.words} | {one.unit} | {codes} | {usual} |")
    return "\n".join(rows)


def targets_table() -> str:
    """The built-in targets and their rules."""
    rows = ["| target | date | source | rules |", "|---|---|---|---|"]
    for name in built_in():
        target = load_target(name)
        rules = "; ".join(f"`{rule.measure}` {rule_text(rule)}" for rule in target.rule)
        rows.append(f"| `{name}` {target.title} | {target.date} | {target.source} ({target.confidence}) | {rules} |")
    return "\n".join(rows)


def rule_text(rule: Rule) -> str:
    """A rule in words, without what it is about.

    >>> rule_text(Rule(measure="true_peak_dbtp", warn_above=-2.0, fail_above=-1.0))
    'fail above -1 dBTP, warn above -2 dBTP'
    """
    unit = MEASURES[rule.measure].unit if rule.measure in MEASURES else ""
    values = " or ".join(f"{one:g}" if isinstance(one, float) else one for one in rule.one_of)
    parts = [bounds_text(rule, unit)] if rule.bounds() else []
    parts += [f"{rule.otherwise} unless {values} {unit}".rstrip()] if rule.one_of else []
    louder = rule.when_louder_than_lufs
    return ", ".join(parts) + (f", where louder than {louder:g} LUFS" if louder is not None else "")


def bounds_text(limit: Limit, unit: str) -> str:
    """The bounds of a limit in words, the severest first."""
    return ", ".join(f"{level} {side} {bound:g} {unit}".rstrip() for level, side, bound in limit.bounds())


if __name__ == "__main__":
    print(f"{measures_table()}\n\n{targets_table()}")
