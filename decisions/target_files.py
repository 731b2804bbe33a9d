"""Reads targets: built in or a file of the label's, TOML. Everything wrong with one is said at once, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from decisions.measures import MEASURES, NAMES
from decisions.toml_files import Place, Shelf, located
from schemas.errors import CatalogueError
from schemas.limits import Rule, Target

FOLDER = Path(__file__).parent / "targets"
_SHELF = Shelf("target", FOLDER, "TARGET_UNKNOWN", "TARGET_UNREADABLE", "TARGET_INVALID")


def built_in() -> list[str]:
    """Names of the targets that come with Lathe."""
    return _SHELF.names()


def load_target(name_or_file: str) -> Target:
    """The target of a name or a TOML file; raises CatalogueError with every problem and its line."""
    path, text = _SHELF.read(name_or_file)
    own = _SHELF.parsed(path, text)
    problems = _unknown_keys(own, path, text)
    if problems:
        raise CatalogueError(_SHELF.invalid, problems)
    try:
        target = msgspec.convert(own, Target)
    except msgspec.ValidationError as error:
        raise CatalogueError(_SHELF.invalid, located(str(error), [(path, text)])) from error
    _check_rules(target, path, text)
    return target


def target_text(name_or_file: str) -> str:
    """A target as it is written: comments tell what its rules cannot."""
    return _SHELF.read(name_or_file)[1]


def _unknown_keys(own: dict[str, Any], path: Path, text: str) -> list[str]:
    problems = Place(path, text).unknown(own, _fields(Target))
    rules = own.get("rule")
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            place = Place(path, text, "rule", number)
            problems += place.unknown(rule, _fields(Rule))
            if isinstance(measure := rule.get("measure"), str) and measure not in NAMES:
                # The line is that of `measure = ...`, not that of its value.
                wrong = place.unknown([measure], MEASURES, "measure")
                problems += [one.replace(place.told(measure, ""), place.told("measure", "")) for one in wrong]
    return problems


def _fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind)]


def _check_rules(target: Target, path: Path, text: str) -> None:
    """What no single value of a rule can tell."""
    problems = []
    for number, rule in enumerate(target.rule):
        if wrong := _wrong(rule):
            problems.append(Place(path, text, "rule", number).told("measure", f"{rule.measure}: {wrong}"))
    if problems:
        raise CatalogueError(_SHELF.invalid, problems)


def _wrong(rule: Rule) -> str | None:
    words = [one for one in rule.one_of if isinstance(one, str)]
    if not rule.bounds() and not rule.one_of:
        return "the rule has neither a bound nor one_of"
    if rule.measure in NAMES and (rule.bounds() or len(words) < len(rule.one_of)):
        return "is a name: give one_of with words"
    if rule.measure in MEASURES and words:
        return f"is a number, got {', '.join(map(repr, words))}"
    if rule.bounds() and rule.one_of:
        return "give bounds or one_of, in rules of their own"
    if rule.otherwise != "fail" and not rule.one_of:
        return "otherwise belongs to one_of; bounds have their level in their names"
    return rule.contradiction()
