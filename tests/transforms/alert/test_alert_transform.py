"""The stage in Beam: what comes out, what is counted, and that a run's own ceasefires count for its acts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.transforms.alert.invented import NOW, TOWN, event, mention, parties, span, step
from transforms.alert.settings import AlertPolicy
from transforms.alert.transform import RaiseAlerts
from transforms.counters import imbalances
from transforms.failures import Failure
from transforms.model import Alert, Change, Event, EventChange, Family, Realis, Stage

_KEPT: dict[str, list[Any]] = {}  # FnApiRunner works in this process, and finds this module by its name
BELLIGERENTS = {"actors": parties(["sy-government"]), "targets": parties(["sy-druze"])}


class _Run:
    """One bounded run of the stage, with everything that it gave."""

    def __init__(
        self,
        changes: Sequence[EventChange],
        *,
        open_events: Sequence[Event] | None = None,
        earlier: Sequence[Event] = (),
        as_collection: bool = False,
        now: datetime = NOW,
        policy: AlertPolicy | None = None,
    ) -> None:
        pipeline = beam.Pipeline(runner=FnApiRunner())
        key = str(uuid.uuid4())
        taken: Any = pipeline | "Changes" >> beam.Create(list(changes))
        if open_events is not None:
            taken = {"changes": taken, "open_events": pipeline | "Open" >> beam.Create(list(open_events))}
        known: Any = pipeline | "Known" >> beam.Create(list(earlier)) if as_collection else list(earlier)
        given = taken | "RaiseAlerts" >> RaiseAlerts(policy or AlertPolicy(), now, known)
        for name in ("events", "alerts", "failures"):
            given[name] | f"Keep-{name}" >> beam.Map(_keep, key + name)
        result = pipeline.run()
        result.wait_until_finish()
        self.events: list[Event] = _KEPT.pop(key + "events", [])
        self.alerts: list[Alert] = _KEPT.pop(key + "alerts", [])
        self.failures: list[Failure] = _KEPT.pop(key + "failures", [])
        counters = result.metrics().query()["counters"]
        self.counters = {c.key.metric.name: c.committed for c in counters if c.key.metric.name.startswith("alert.")}


def _keep(record: Any, key: str) -> None:
    _KEPT.setdefault(key, []).append(record)


def _change(told: Event, *what: str) -> EventChange:
    return EventChange(event=told, what=what or ("new",))


def _act(event_id: str, day: str = "2026-02-12", **fields: Any) -> Event:
    made = mention(int(event_id[1:]), family=Family.HOSTILITY, date=span(day), **BELLIGERENTS)
    return event(made, event_id=event_id, **fields)


AGREED = step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), **{"actors": parties(["sy-government", "sy-druze"])})


def test_a_ceasefire_of_the_same_run_is_broken_by_an_act_of_the_same_run() -> None:
    run = _Run([_change(_act("e7")), _change(AGREED)])
    assert {(a.event_id, a.family, a.ceasefire_id) for a in run.alerts} == {
        ("e7", Family.VIOLATION, "detected-step1"),
        ("step1", Family.CEASEFIRE, "detected-step1"),
    }
    assert {one.event_id for one in run.events} == {"e7", "step1"}
    assert all(one.told is not None for one in run.events)
    assert run.counters["alert.in"] == run.counters["alert.out"] == run.counters["alert.made"] == 2


@pytest.mark.parametrize("as_collection", [False, True])
def test_a_ceasefire_of_an_earlier_run_counts(as_collection: bool) -> None:
    run = _Run([_change(_act("e7"))], earlier=[AGREED], as_collection=as_collection)
    assert [a.ceasefire_id for a in run.alerts] == ["detected-step1"]


def test_this_runs_word_on_a_ceasefire_beats_the_stored_one() -> None:
    taken_back = replace(AGREED, superseded_by="step0")
    run = _Run([_change(_act("e7")), _change(taken_back)], earlier=[AGREED])
    assert run.alerts == []
    assert run.counters["alert.dropped.family"] == run.counters["alert.dropped.superseded"] == 1


def test_counters_balance_whatever_becomes_of_a_change() -> None:
    broken = replace(_act("e9"), date="not a date")  # type: ignore[arg-type]
    stale = _act("e8")
    stale = replace(
        stale, family=Family.VIOLATION, mentions=(replace(stale.mentions[0], published=NOW - timedelta(9)),)
    )
    run = _Run([_change(_act("e7")), _change(AGREED), _change(broken), _change(stale)])
    assert imbalances(run.counters, ["alert"]) == {}
    assert run.counters["alert.in"] == 4
    assert run.counters["alert.failed"] == run.counters["alert.dropped.stale"] == 1
    (failure,) = run.failures
    assert (failure.stage, failure.input_id) == ("alert", "e9")
    assert failure.payload
    assert {one.event_id for one in run.events} == {"e7", "e8", "step1"}


def test_a_replayed_run_tells_nothing() -> None:
    first = _Run([_change(_act("e7")), _change(AGREED)])
    again = _Run([_change(one) for one in first.events], earlier=[one for one in first.events if one.stage])
    assert again.alerts == []
    assert sorted(again.events, key=lambda e: e.event_id) == sorted(first.events, key=lambda e: e.event_id)


def test_two_told_events_that_are_one_are_told_apart_no_more() -> None:
    told = _Run([_change(_act("e7")), _change(_act("e8"))], earlier=[AGREED]).events
    seven, eight = sorted(told, key=lambda e: e.event_id)
    merged = replace(seven, mentions=(*seven.mentions, *eight.mentions))
    run = _Run([_change(merged, "merged"), _change(replace(eight, superseded_by="e7"), "merged")], earlier=[AGREED])
    by_id = {alert.event_id: alert for alert in run.alerts}
    assert (by_id["e8"].change, by_id["e8"].superseded_by) == (Change.RETRACTED, "e7")
    assert (by_id["e7"].change, by_id["e7"].supersedes) == (Change.UPDATED, "e8")


def test_open_events_are_looked_at_again_for_what_waits() -> None:
    earlier = _Run([_change(_act("e7")), _change(AGREED)]).events
    acted = next(one for one in earlier if one.event_id == "e7")
    waiting = replace(acted, outlets=("Outlet 7", "Outlet 8", "Outlet 9"), independent_outlets=3)
    soon = _Run([_change(waiting, "outlet")], open_events=earlier, earlier=[AGREED], now=NOW + timedelta(minutes=30))
    assert soon.alerts == []
    assert soon.counters == {"alert.in": 2, "alert.dropped.quiet": 1, "alert.dropped.unchanged": 1}
    assert [one.event_id for one in soon.events] == ["e7"]
    later = _Run([], open_events=[waiting], earlier=[AGREED], now=NOW + timedelta(minutes=90))
    assert [(a.alert_id, a.changed) for a in later.alerts] == [("e7.2", ("outlet",))]
    assert [one.revision for one in later.events] == [2]
    again = _Run([], open_events=later.events, earlier=[AGREED], now=NOW + timedelta(minutes=200))
    assert (again.alerts, again.events) == ([], [])


def test_an_act_becomes_a_breach_when_its_ceasefire_is_learnt_of_later() -> None:
    stored = _Run([_change(_act("e7"))])
    assert stored.counters["alert.dropped.family"] == 1
    later = _Run([_change(AGREED)], open_events=stored.events, now=NOW + timedelta(hours=3))
    assert {alert.event_id for alert in later.alerts} == {"e7", "step1"}


def test_an_alleged_step_is_told_but_makes_no_ceasefire() -> None:
    claimed = replace(AGREED, certainty=Realis.ALLEGED, mentions=(replace(AGREED.mentions[0], realis=Realis.ALLEGED),))
    run = _Run([_change(_act("e7")), _change(claimed)])
    assert [(alert.event_id, alert.certainty) for alert in run.alerts] == [("step1", Realis.ALLEGED)]


def test_no_changes() -> None:
    run = _Run([])
    assert (run.events, run.alerts, run.failures, run.counters) == ([], [], [], {})
