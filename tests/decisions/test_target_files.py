"""Targets: the built-in ones are whole and dated; every rule of theirs can be broken; a wrong one is told by its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from decisions.checks import breaches
from decisions.measures import MEASURES, NAMES
from decisions.pages import measures_table, rule_text, targets_table
from decisions.target_files import built_in, load_target, target_text
from schemas.errors import CatalogueError
from schemas.limits import Crossing, Rule, Target
from tests.decisions.records import analysis, showing

DOCS = Path(__file__).parents[2] / "docs" / "targets.md"
WHOLE = 'name = "mine"\ntitle = "Mine"\ndate = "2026-11"\nsource = "me"\nconfidence = "primary"\n'
RULE = '[[rule]]\nmeasure = "true_peak_dbtp"\nfail_above = -1.0\n'
RULES = [(name, rule) for name in built_in() for rule in load_target(name).rule]


def problems(folder: Path, text: str, code: str = "TARGET_INVALID") -> list[str]:
    path = folder / "mine.toml"
    path.write_bytes(text.encode())
    with pytest.raises(CatalogueError, match=r"\S") as caught:
        load_target(str(path))
    assert code == caught.value.code
    return caught.value.problems


# Built-in targets


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_target_loads_under_its_own_name_with_date_and_source(name):
    target = load_target(name)
    assert (target.name, bool(target.source), target.confidence in ("primary", "second-hand")) == (name, True, True)


def test_the_built_in_targets_are_known_by_name():
    broadcast = {"broadcast-r128", "atsc-a85"}
    streaming = {"spotify", "apple_music", "tidal", "youtube", "amazon_music", "deezer", "aes77", "podcast"}
    assert {"cd", "vinyl", "distributor", "acx"} | broadcast | streaming == set(built_in())


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_target_begins_with_what_no_figure_can_tell(name):
    assert target_text(name).startswith("# ")


def broken_at(rule: Rule, name: str, value: float) -> list[str]:
    """At which levels a rule alone is broken by a value of its measure."""
    found = showing(rule.measure, value)
    if rule.when_louder_than_lufs is not None:
        louder = rule.when_louder_than_lufs + 1.0
        found = replace(found, figures=replace(found.figures, integrated_lufs=louder))
    return [one.level for one in breaches(replace(load_target(name), rule=(rule,)), found)]


BOUNDS = [(name, rule, bound) for name, rule in RULES for bound in rule.bounds()]


@pytest.mark.parametrize(("name", "rule", "bound"), BOUNDS, ids=[f"{n}-{r.measure}-{b.side}" for n, r, b in BOUNDS])
def test_every_bound_of_every_rule_can_be_broken_and_kept(name: str, rule: Rule, bound: Crossing):
    step = 10.0 ** -MEASURES[rule.measure].digits * (1 if bound.side == "above" else -1)
    assert broken_at(rule, name, bound.bound + step) == [bound.level]
    assert bound.level not in broken_at(rule, name, bound.bound)
    assert bound.level not in broken_at(rule, name, bound.bound - step) or step > abs(bound.bound)


CHOICES = [(name, rule) for name, rule in RULES if rule.one_of]


@pytest.mark.parametrize(("name", "rule"), CHOICES, ids=[f"{name}-{rule.measure}" for name, rule in CHOICES])
def test_every_choice_of_every_rule_can_be_missed_and_met(name: str, rule: Rule):
    if rule.measure in NAMES:
        files = [analysis(file={rule.measure: str(one).upper()}) for one in (*rule.one_of, "other")]
    else:
        files = [showing(rule.measure, float(one)) for one in (*rule.one_of, 3)]
    found = [[one.level for one in breaches(replace(load_target(name), rule=(rule,)), file)] for file in files]
    assert found == [[]] * len(rule.one_of) + [[rule.otherwise]]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[f"{name}-{rule.measure}" for name, rule in RULES])
def test_a_rule_is_told_in_words(name: str, rule: Rule):
    numbers = [f"{bound.bound:g}" for bound in rule.bounds()]
    assert [one for one in numbers if one not in rule_text(rule)] == []
    assert rule.otherwise in rule_text(rule) or not rule.one_of


# The page


@pytest.mark.parametrize("table", [measures_table, targets_table])
def test_the_page_has_the_tables_of_the_files(table):
    assert table() in DOCS.read_text(encoding="utf-8"), "write it again: python -m decisions.pages"


def test_the_tables_of_the_page_have_every_measure_and_every_target():
    rows = [*measures_table().splitlines(), *targets_table().splitlines()]
    names = [found[1] for row in rows if (found := re.match(r"\| `([^`]+)`", row))]
    assert names == [*MEASURES, *built_in()]


def test_the_example_of_the_page_can_be_read(tmp_path):
    page = DOCS.read_text(encoding="utf-8")
    (example,) = re.findall(r"(?m)^    # house\.toml: .*\n((?:    .*\n|\n)+)", page)
    (tmp_path / "house.toml").write_text(example.replace("\n    ", "\n").removeprefix("    "))
    assert load_target(str(tmp_path / "house.toml")).rule


# A target of one's own


def test_a_label_may_write_its_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE + RULE)
    target = load_target(str(path))
    assert isinstance(target, Target)
    assert [(rule.measure, rule.fail_above) for rule in target.rule] == [("true_peak_dbtp", -1.0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE + RULE.replace("dbtp", "dbt"), 'line 7: unknown measure "true_peak_dbt" in [rule]; did you mean'),
        (WHOLE + RULE.replace("above", "over"), 'line 8: unknown key "fail_over" in [rule]; did you mean "fail_above"?'),
        (WHOLE.replace("title", "titel") + RULE, 'line 2: unknown key "titel"; did you mean "title"?'),
        (WHOLE.replace("2026-11", "2026") + RULE, "line 3: date: "),
        (WHOLE + RULE + RULE.replace("-1.0", '"-1"'), "line 11: rule.fail_above: "),
        (WHOLE + RULE + "warn_above = 0.0\n", "line 7: true_peak_dbtp: warn_above = 0 must not exceed fail_above = -1"),
        (WHOLE + '[[rule]]\nmeasure = "bits"\n', "line 7: bits: the rule has neither a bound nor one_of"),
        (WHOLE + '[[rule]]\nmeasure = "container"\nfail_above = 3\n', "line 7: container: is a name"),
        (WHOLE + '[[rule]]\nmeasure = "bits"\none_of = ["16"]\n', "line 7: bits: is a number, got '16'"),
        (WHOLE + '[[rule]]\nmeasure = "bits"\none_of = [16]\notherwise = "refuse"\n', "line 9: rule.otherwise: "),
        (WHOLE, "missing required field `rule`"),
        (WHOLE + "rule = []\n", "line 6: rule: "),
        (WHOLE + "rule = 3\n", "line 6: rule: "),
        (WHOLE + RULE + "when_louder_than_lufs = nan\n", "line 9: rule.when_louder_than_lufs: "),
        ("name = ", "mine.toml: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, expected):
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("mine.toml") and expected in problem


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    text = WHOLE + RULE.replace("true", "treu") + RULE.replace("fail_above", "fail") + "x = 1\n"
    assert [7, 11, 12] == [int(re.findall(r"line (\d+)", problem)[0]) for problem in problems(tmp_path, text)]


@pytest.mark.parametrize(("name", "meant"), [("spotfy", "spotify"), ("qq", None), ("CD", None)])
def test_an_unknown_name_is_told_with_what_was_meant(name, meant):
    with pytest.raises(CatalogueError, match=f'no target "{name}" among acx, aes77') as caught:
        load_target(name)
    assert caught.value.code == "TARGET_UNKNOWN"
    assert meant is None or f'did you mean "{meant}"?' in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read") as caught:
        load_target(str(tmp_path / "none.toml"))
    assert caught.value.code == "TARGET_UNREADABLE"
