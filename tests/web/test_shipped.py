"""The dashboard and the alert rules we ship speak of metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import angarium.run.declared  # noqa: F401 - all metrics
from angarium.events.metrics import METRICS
from angarium.web.overview import Sample
from angarium.web.prometheus import exposition

ETC = Path(__file__).parents[2] / "etc"
DASHBOARD = json.loads((ETC / "grafana" / "angarium.json").read_text("utf-8"))
RULES = (ETC / "prometheus" / "angarium.yml").read_text("utf-8")
NAME = re.compile(r"angarium_[a-z_]+")
SELECTOR = re.compile(r"(angarium_[a-z_]+)\{([^}]*)\}")
GROUPED = re.compile(r"by \(([^)]*)\) \(rate\((angarium_[a-z_]+)")
OF_PROMETHEUS = {"instance", "job", "le"}


def known() -> dict[str, set[str]]:
    """Return the labels of each series there is, by its name."""
    values: dict[str, Any] = {}
    for metric in METRICS.values():
        for key in metric.keys:
            values[key] = [0] * 40 if metric.kind == "histogram" else 1
    sample = Sample.of(1.0, {"worker 0": values})
    text = exposition(sample, [], openmetrics=False, version="1")
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.rpartition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    return found


def panels() -> Iterator[Any]:
    yield from DASHBOARD["panels"]


EXPRESSIONS = [target["expr"] for panel in panels() for target in panel["targets"]]


def rules() -> list[str]:
    """Return the expressions of the rules, each in one line."""
    found = re.findall(r"expr: (?:>-\n((?: {10,}.*\n)+)|(.*)\n)", RULES)
    return [" ".join((folded or plain).split()) for folded, plain in found]


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *rules()])
def test_what_is_asked_for_is_there(expression: str) -> None:
    series = known()
    for name in NAME.findall(expression):
        assert name in series
    for name, inside in SELECTOR.findall(expression):
        assert set(re.findall(r"(\w+)(?:=~|!=|=)", inside)) <= series[name] | OF_PROMETHEUS
    for labels, name in GROUPED.findall(expression):
        assert {each.strip() for each in labels.split(",")} <= series[name] | OF_PROMETHEUS


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *rules()])
def test_brackets_of_an_expression_are_closed(expression: str) -> None:
    open_: list[str] = []
    for each in re.sub(r'"[^"]*"', "", expression):
        if each in "([{":
            open_.append(each)
        elif each in ")]}":
            assert open_
            assert f"{open_.pop()}{each}" in ("()", "[]", "{}")
    assert not open_


def test_a_counter_is_only_asked_for_its_rate() -> None:
    counters = {f"{each.exposed}_total" for each in METRICS.values() if each.kind == "counter"}
    for expression in [*EXPRESSIONS, *rules()]:
        for name in counters & set(NAME.findall(expression)):
            assert re.search(rf"(rate|increase)\({name}", expression), expression


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    places: set[tuple[int, int]] = set()
    numbers = [panel["id"] for panel in panels()]
    assert len(set(numbers)) == len(numbers)
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & places
        places |= cells


def test_every_rule_says_what_to_do() -> None:
    count = len(rules())
    assert count == RULES.count("- alert: ") > 10
    for word in ("severity:", "summary:", "action:"):
        assert RULES.count(word) == count


def test_all_stages_are_on_the_dashboard() -> None:
    text = " ".join(EXPRESSIONS)
    for metric in METRICS.values():
        if metric.name.startswith("stage_"):
            assert metric.exposed in text
