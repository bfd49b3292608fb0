"""Delivery: a sink in trouble delays itself alone, retries end, breakers hold, what is given up can be sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.relay import RetrySettings, breaker_until, relay, wait_before
from pipeline.store.store import Store
from tests.transforms.sinks.made import NOW, alert, batch, delivery
from transforms.failures import SinkError, StoreBusyError
from transforms.model import Alert
from transforms.sinks.base import Batch, Outcomes, Retry
from transforms.sinks.jsonl import JsonlSink, ids_in
from transforms.sinks.settings import JsonlSettings

MINUTE = timedelta(minutes=1)


@dataclass
class Scripted:
    """A real sink whose answers are written down: what each batch meets, in turn; then it takes everything."""

    name: str = "scripted"
    batch_size: int = 10
    answers: list[Callable[[Batch], Outcomes]] = field(default_factory=list)
    took: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def encode(self, alert: Alert) -> bytes:
        if alert.country == "LY":
            raise ValueError("no form for it")
        return alert.alert_id.encode()

    def deliver(self, batch: Batch) -> Outcomes:
        self.batches.append(len(batch.deliveries))
        outcomes = self.answers.pop(0)(batch) if self.answers else Outcomes(delivered=batch.alert_ids)
        self.took += outcomes.delivered
        return outcomes


def down(_: Batch) -> Outcomes:
    raise SinkError("no answer")


def broken(_: Batch) -> Outcomes:
    raise KeyError("a defect")


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Store:
    """A store with five alerts that wait for a scripted sink and a file."""
    store.outbox.set_sinks(["scripted", "jsonl"])
    store.commit(batch("r1", range(1, 6)))
    return store


def states(store: Store) -> dict[str, tuple[int, int]]:
    return {state.name: (state.waiting, state.undeliverable) for state in store.outbox.states()}


@pytest.mark.parametrize("answer", [down, broken])
def test_a_sink_that_is_down_delays_itself_alone(
    answer: Callable[[Batch], Outcomes], told: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    sink = Scripted(answers=[answer])
    report = relay(told, [sink, JsonlSink(JsonlSettings(path=str(path)))], NOW)
    assert [(row.name, row.delivered, row.retried) for row in report.sinks] == [("scripted", 0, 5), ("jsonl", 5, 0)]
    assert report.troubled == (report.sinks[0],)
    assert len(ids_in(path.read_bytes())) == 5
    assert relay(told, [sink], NOW).delivered == 0
    assert relay(told, [sink], NOW + 10 * MINUTE).delivered == 5
    assert sink.took == [f"e00000{n}.1" for n in range(1, 6)]


def test_after_a_failure_one_alert_tells_whether_the_sink_is_back(told: Store) -> None:
    sink = Scripted(answers=[down])
    relay(told, [sink], NOW)
    relay(told, [sink], NOW + 10 * MINUTE)
    assert sink.batches == [5, 1, 4]


def test_the_breaker_opens_and_closes(told: Store) -> None:
    settings = RetrySettings(delays=(MINUTE / 60,) * 20, breaker_after=3, breaker_delay=30 * MINUTE)
    sink = Scripted(answers=[down, down, down])
    for minute in (0, 1, 2):
        relay(told, [sink], NOW + minute * MINUTE, settings)
    (report,) = relay(told, [sink], NOW + 20 * MINUTE, settings).sinks
    assert report.skipped.startswith("left alone until 2016-10-03 10:02:00")
    assert relay(told, [sink], NOW + 40 * MINUTE, settings).delivered == 5
    state = next(state for state in told.outbox.states() if state.name == "scripted")
    assert (state.failures, state.open_until, state.last_error) == (0, None, "")
    assert state.last_success == NOW + 40 * MINUTE
    assert state.last_delivered == "e000005.1"


def test_what_the_schedule_cannot_deliver_is_listed_and_sent_again_on_request(told: Store) -> None:
    settings = RetrySettings(delays=(MINUTE, MINUTE), breaker_after=100)
    sink = Scripted(answers=[down] * 20)
    now = NOW
    for _ in range(20):
        relay(told, [sink], now, settings)
        now += 5 * MINUTE
    assert states(told)["scripted"] == (0, 5)
    rows = told.outbox.rows(sink="scripted")
    assert {(row.attempts, row.error) for row in rows} == {(3, "given up after 3 attempts: no answer")}
    sink.answers.clear()
    assert told.outbox.resend(now, sink="scripted") == 5
    assert relay(told, [sink], now, settings).delivered == 5
    assert states(told)["scripted"] == (0, 0)


def test_one_alert_can_be_sent_again(told: Store) -> None:
    sink = Scripted()
    relay(told, [sink], NOW)
    assert told.outbox.resend(NOW, sink="scripted", alert_ids=["e000003.1"]) == 1
    relay(told, [sink], NOW)
    assert sink.took.count("e000003.1") == 2
    assert len(sink.took) == 6


def test_each_alert_has_its_own_outcome(told: Store) -> None:
    def mixed(batch: Batch) -> Outcomes:
        one, two, three, *_ = batch.alert_ids
        retry = {two: Retry(message="not now", after=timedelta(hours=2))}
        return Outcomes(delivered=(one,), retry=retry, refused={three: "too large"})

    sink = Scripted(answers=[mixed])
    (report,) = relay(told, [sink], NOW).sinks
    assert (report.delivered, report.retried, report.undeliverable) == (1, 1, 1)
    assert [row.error for row in told.outbox.rows(sink="scripted")] == ["too large"]
    waiting = told.outbox.rows(sink="scripted", status="waiting")
    assert [row.attempts for row in waiting] == [1, 0, 0]  # those not tried have lost no attempt
    assert waiting[0].due == NOW + timedelta(hours=2)
    assert relay(told, [sink], NOW + MINUTE).delivered == 2
    assert relay(told, [sink], NOW + timedelta(hours=3)).delivered == 1


def test_a_sink_that_asks_for_a_pause_gets_it(told: Store) -> None:
    def full(batch: Batch) -> Outcomes:
        first = batch.alert_ids[0]
        return Outcomes(retry={first: Retry(message="429")}, pause=timedelta(minutes=30))

    sink = Scripted(answers=[full])
    relay(told, [sink], NOW)
    told.commit(batch("r2", (6,)))
    assert relay(told, [sink], NOW + 20 * MINUTE).sinks[0].skipped
    assert relay(told, [sink], NOW + 31 * MINUTE).delivered == 6


def test_a_sink_that_is_gone_is_used_no_more_until_asked_for(told: Store) -> None:
    def gone(batch: Batch) -> Outcomes:
        return Outcomes(delivered=batch.alert_ids[:2], disable="410 Gone")

    sink = Scripted(answers=[gone])
    (report,) = relay(told, [sink], NOW).sinks
    assert (report.delivered, report.error) == (2, "410 Gone")
    (report,) = relay(told, [sink], NOW + timedelta(days=1)).sinks
    assert report.skipped == "disabled: 410 Gone"
    told.outbox.enable("scripted")
    assert relay(told, [sink], NOW + timedelta(days=1)).delivered == 3


def test_an_alert_without_a_form_is_undeliverable_and_holds_up_nobody(store: Store) -> None:
    store.outbox.set_sinks(["scripted"])
    store.commit(batch("r1", (), alerts=(alert(1, country="LY"), alert(2))))
    sink = Scripted()
    assert relay(store, [sink], NOW).delivered == 1
    assert [row.error for row in store.outbox.rows()] == ["cannot be written in this sink's form: no form for it"]


def test_a_sink_that_says_nothing_is_not_asked_for_ever(told: Store) -> None:
    sink = Scripted(answers=[lambda _: Outcomes()])
    (report,) = relay(told, [sink], NOW).sinks
    assert report.error == "the sink did not say what became of any alert"
    assert sink.batches == [5]


def test_sinks_of_the_configuration_get_what_is_told_from_then_on(store: Store) -> None:
    store.commit(batch("r1", (1,)))
    sink = Scripted()
    assert relay(store, [sink], NOW).delivered == 0
    store.commit(batch("r2", (2,)))
    assert relay(store, [sink], NOW).delivered == 1
    assert store.outbox.fill("scripted", NOW - MINUTE, NOW) == 1
    assert relay(store, [sink], NOW).delivered == 1
    store.outbox.set_sinks(["jsonl"])
    store.commit(batch("r3", (3,)))
    assert states(store) == {"scripted": (0, 0), "jsonl": (1, 0)}


def test_two_relays_exclude_each_other(told: Store) -> None:
    with told.lock("relay"), pytest.raises(StoreBusyError, match="another relay"):
        relay(told, [Scripted()], NOW)


def test_a_large_backlog_goes_in_batches(store: Store) -> None:
    store.outbox.set_sinks(["scripted"])
    store.commit(batch("r1", range(95)))
    sink = Scripted()
    assert relay(store, [sink], NOW).delivered == 95
    assert sink.batches == [10] * 9 + [5]
    assert len(set(sink.took)) == 95


def test_batch_and_history_reach_the_sink(told: Store) -> None:
    seen: list[tuple[int, int, datetime]] = []

    def look(batch: Batch) -> Outcomes:
        seen.append((len(batch.history.latest(3)), len(batch.history.of_event("e000001")), batch.now))
        return Outcomes(delivered=batch.alert_ids)

    told.commit(batch("r2", (), alerts=(alert(1, 2),)))
    relay(told, [Scripted(answers=[look])], NOW)
    assert seen[0][:2] == (3, 2)
    assert NOW <= seen[0][2] < NOW + MINUTE
    assert [each.alert_id for each in told.outbox.latest(9)][:2] == ["e000001.2", "e000005.1"]


@given(st.integers(1, 40), st.text(max_size=8), st.floats(0, 0.9))
def test_waits_stay_near_the_schedule(attempt: int, alert_id: str, jitter: float) -> None:
    settings = RetrySettings(jitter=jitter)
    wait = wait_before(attempt, alert_id, settings)
    planned = settings.delays[min(attempt, len(settings.delays)) - 1]
    assert planned * (1 - jitter) - timedelta(seconds=1) <= wait <= planned * (1 + jitter) + timedelta(seconds=1)
    assert wait == wait_before(attempt, alert_id, settings)


@given(st.integers(0, 500))
def test_the_breaker_doubles_up_to_its_longest(failures: int) -> None:
    settings = RetrySettings()
    until = breaker_until(failures, NOW, settings)
    assert (until is None) == (failures < settings.breaker_after)
    if until:
        assert settings.breaker_delay <= until - NOW <= settings.breaker_longest


def test_made_batches_are_what_the_relay_makes() -> None:
    """So that tests of single sinks stand for the relay."""
    sink = Scripted()
    made = delivery(sink, [alert(1)])
    assert made.alert_ids == ("e000001.1",)
    assert made.deliveries[0].body == b"e000001.1"
