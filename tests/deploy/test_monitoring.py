"""Alerts ask for metrics that there are, by labels that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from pipeline.metrics import FAMILIES

ALERTS = Path(__file__).parents[2] / "deploy" / "monitoring" / "alerts.yml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
LABELS = {family.name: set(family.labels) for family in FAMILIES}


def selectors(expression: Any) -> list[Any]:
    """Every selection of series in an expression of PromQL."""
    if isinstance(expression, promql_parser.VectorSelector):
        return [expression]
    parts = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    return [
        found for part in [*parts, *getattr(expression, "args", [])] if part is not None for found in selectors(part)
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_there_are(rule):
    found = selectors(promql_parser.parse(rule["expr"]))
    assert found
    for one in found:
        assert {matcher.name for matcher in one.matchers.matchers} <= LABELS[one.name]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert {"summary", "what_to_do"} == set(rule["annotations"])
    assert rule["labels"]["severity"] in ("warning", "critical")


def test_an_alert_for_each_thing_that_nobody_would_see_otherwise():
    assert {
        "LatheManyRejected", "LatheMastersFailedChecks", "LatheNoFinishedRun", "LatheRunFailed", "LatheSlow",
        "LatheRunTakesLong", "LatheDied", "LatheStoreFails",
    } == {rule["alert"] for rule in RULES}  # fmt: skip
