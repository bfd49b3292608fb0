"""The demonstration tells what a monitor should be told of its news, and nothing of its traps."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_folder, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import RunResult
from transforms.model import Alert, Event

EXPECTED: dict[str, Any] = tomllib.loads((demo_folder() / "expected.toml").read_text("utf-8"))


@dataclass(frozen=True)
class Demo:
    results: list[RunResult]
    alerts: list[Alert]
    events: list[Event]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    clock = DemoClock()
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('demo')}/store.sqlite")
    with serve_demo(clock) as url:
        config = config_of(tomllib.loads(demo_config(url)), base=Path(), environment={})
        results = []
        for moment in demo_steps():
            clock.until = moment
            results.append(run_once(config, store, moment))
    yield Demo(results, store.alerts(last_revision_only=True), store.events())


def told_by(alert: Alert) -> set[str]:
    return {quote.item_id for quote in alert.evidence}


def matching(demo: Demo, row: dict[str, Any]) -> list[Alert]:
    """Alerts of the row's kind that rest on its items."""
    found = []
    for alert in demo.alerts:
        families = {row["family"], "violation"} if row["family"] == "hostility" else {row["family"]}
        kind = str(alert.stage or alert.means)
        same = alert.family in families and alert.country == row["country"]
        if same and kind == (row.get("stage") or row.get("means")) and told_by(alert) & set(row["items"]):
            found.append(alert)
    return found


def test_both_runs_end_well(demo: Demo) -> None:
    assert [r.summary.exit_code for r in demo.results] == [0, 0]
    assert [r.summary.imbalances for r in demo.results] == [{}, {}]


def test_nothing_else_is_told(demo: Demo) -> None:
    expected = {a.event_id for row in EXPECTED["event"] if row.get("alert") is not False for a in matching(demo, row)}
    assert [a.evidence[0].quote for a in demo.alerts if a.event_id not in expected] == []


@pytest.mark.parametrize("row", EXPECTED["trap"], ids=lambda r: r["why"])
def test_a_trap_raises_nothing(demo: Demo, row: dict[str, Any]) -> None:
    raised = [a for a in demo.alerts if row["item"] in told_by(a)]
    assert raised == [], [(a.family.value, a.stage or a.means, a.evidence[0].quote) for a in raised]


def test_noise_raises_nothing(demo: Demo) -> None:
    noise = set(EXPECTED["noise"]["items"])
    assert [a.evidence[0].quote for a in demo.alerts if told_by(a) & noise] == []


@pytest.mark.parametrize("row", [r for r in EXPECTED["event"] if r.get("alert")], ids=lambda r: r["name"])
def test_an_event_is_told_once(demo: Demo, row: dict[str, Any]) -> None:
    found = matching(demo, row)
    assert 1 <= len(found) <= (2 if row.get("may_be_split") else 1), [a.evidence[0].quote for a in found]
    assert len({o for a in found for o in a.outlets} & set(row["outlets"])) >= min(2, len(row["outlets"]))


@pytest.mark.parametrize("row", [r for r in EXPECTED["event"] if r.get("alert") is False], ids=lambda r: r["name"])
def test_an_act_outside_any_ceasefire_is_stored_not_told(demo: Demo, row: dict[str, Any]) -> None:
    assert matching(demo, row) == []
    assert any({m.item_id for m in event.mentions} & set(row["items"]) for event in demo.events)


def test_tolls_are_ranges_over_the_outlets(demo: Demo) -> None:
    for row in EXPECTED["event"]:
        if "killed" in row and row.get("alert"):
            (alert, *_) = matching(demo, row)
            assert [alert.killed.low, alert.killed.high] == row["killed"], row["name"]


def test_the_breaches_name_the_ceasefire_they_break(demo: Demo) -> None:
    for row in EXPECTED["event"]:
        if row.get("alert") and row.get("basis") in ("reported", "inferred"):
            for alert in matching(demo, row):
                assert alert.ceasefire_id, row["name"]
                assert alert.basis == row["basis"], row["name"]


def test_what_was_denied_or_withdrawn_says_so(demo: Demo) -> None:
    for row in EXPECTED["event"]:
        if "denied" in row.get("step_two", []):
            assert any(a.denied_by for a in matching(demo, row)), row["name"]
        if "withdrawn" in row.get("step_two", []):
            assert [a.change.value for a in matching(demo, row)] == ["retracted"], row["name"]


def test_copies_of_one_wire_text_count_once(demo: Demo) -> None:
    for row in EXPECTED["event"]:
        if "independent_outlets" in row:
            (alert,) = matching(demo, row)
            assert len(alert.outlets) == len(row["outlets"])
            assert alert.independent_outlets == row["independent_outlets"], row["name"]


def test_quotes_are_in_their_place(demo: Demo) -> None:
    quotes = [q for a in demo.alerts for q in a.evidence]
    assert quotes
    assert all(q.quote and q.end - q.start == len(q.quote) for q in quotes)
