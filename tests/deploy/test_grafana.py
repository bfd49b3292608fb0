"""Dashboard and alert rules: PromQL that parses, over metrics that are told, with labels that they have."""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest
import yaml

from pipeline.observe.metrics import FEED_STATUSES, METRICS, Kind
from tests.conftest import ROOT
from tests.deploy.loading import load

FOLDER = ROOT / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alert-rules.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {f"{p['title']} {t['refId']}": t["expr"].replace("$instance", ".*") for p in PANELS for t in p["targets"]}
EXPRESSIONS |= {rule["alert"]: rule["expr"] for rule in RULES}
# Scraping adds `instance`; a bucket's bound is `le`.
LABELS = {m.prometheus_name: {*m.labels, "instance"} for m in METRICS}
for _metric in METRICS:
    if _metric.kind is Kind.HISTOGRAM:
        LABELS[f"{_metric.prometheus_name}_bucket"] = {*_metric.labels, "instance", "le"}


def selectors(expression: str) -> list[tuple[str, set[str]]]:
    """Metric names and the labels that they are chosen by."""
    found = re.findall(r"\b(trucewatch_\w+)(\{[^}]*\})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*=~?", labels))) for name, labels in found]


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expressions_parse_and_use_metrics_that_are_told(expression: str) -> None:
    promql_parser.parse(expression)
    used = selectors(expression)
    assert used
    for name, labels in used:
        assert name in LABELS, name
        assert labels <= LABELS[name], name
    known = set().union(*(LABELS[name] for name, _ in used))
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")}
    assert grouped <= known


def test_every_metric_is_shown_or_guarded() -> None:
    used = {name.removesuffix("_bucket") for expression in EXPRESSIONS.values() for name, _ in selectors(expression)}
    told = {metric.prometheus_name for metric in METRICS}
    # When the last success was is for those who write rules of their own.
    assert told - used == {"trucewatch_last_success_timestamp_seconds"}


def test_legends_name_labels_that_are_left() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            by = {label.strip() for part in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in part.split(",")}
            assert wanted <= by, panel["title"]


def test_conditions_of_feeds_in_rules_exist() -> None:
    for rule in RULES:
        for words in re.findall(r'status=~"([^"]+)"', rule["expr"]):
            assert set(words.split("|")) <= set(FEED_STATUSES)


def test_the_dashboard_is_what_its_script_writes() -> None:
    assert load(FOLDER / "generate.py").dashboard() == DASHBOARD, "run: python deploy/grafana/generate.py"


def test_panels_are_distinct_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert all(panel["description"] for panel in PANELS)


def test_rules_say_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", page, re.M)}
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/operations.md"
        assert anchor in anchors, rule["alert"]
