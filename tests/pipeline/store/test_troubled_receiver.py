"""A receiver in every kind of trouble: all is delivered within the schedule, each alert under one id."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from pipeline.relay import RelayReport, RetrySettings, relay
from pipeline.store.store import Store
from tests.transforms.sinks.made import NOW, batch
from tests.transforms.sinks.receiver import Answer, Received, Receiver, receiving
from transforms.sinks.base import Sink
from transforms.sinks.settings import WebhookSettings
from transforms.sinks.webhook import WebhookSink

SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()
SCHEDULE = RetrySettings()
ALERTS = 40


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def sink_to(receiver: Receiver) -> WebhookSink:
    return WebhookSink(
        WebhookSettings(url=receiver.url, secrets=(SECRET,), allow_private_networks=True, timeout_s=0.15)
    )


def deliver_until_done(store: Store, sinks: list[Sink], limit: timedelta) -> tuple[list[RelayReport], datetime]:
    """Relay again and again, at first a minute apart, until nothing waits."""
    now, reports = NOW, []
    while now < NOW + limit:
        reports.append(relay(store, sinks, now, SCHEDULE))
        if not any(state.waiting for state in store.outbox.states()):
            break
        now += timedelta(minutes=1 if len(reports) < 60 else 15)
    return reports, now


def test_every_alert_arrives_within_the_schedule(store: Store, receiver: Receiver) -> None:
    accepted: dict[int, Received] = {}

    def trouble(number: int) -> Answer:
        """Fail half the time, in one way or another, without a pattern."""
        chance = zlib.crc32(str(number).encode()) % 100
        if chance >= 50:
            accepted[number] = receiver.received[number]
            return Answer()
        if chance < 6:
            return Answer(hang=True)
        if chance < 12:
            return Answer(429, {"retry-after": "120"})
        return Answer((500, 502, 503, 404)[chance % 4])

    receiver.answer = trouble
    sink = sink_to(receiver)
    store.outbox.set_sinks([sink.name])
    store.commit(batch("r1", range(ALERTS)))
    _, end = deliver_until_done(store, [sink], sum(SCHEDULE.delays, timedelta()))
    state = next(state for state in store.outbox.states() if state.name == "webhook")
    assert (state.waiting, state.undeliverable) == (0, 0)
    assert end - NOW < sum(SCHEDULE.delays, timedelta())
    had = [message.headers["webhook-id"] for message in accepted.values()]
    assert sorted(had) == [f"e{n:06d}.1" for n in range(ALERTS)]
    bodies: dict[str, set[bytes]] = {}
    for message in receiver.received:
        bodies.setdefault(message.headers["webhook-id"], set()).add(message.body)
    assert all(len(same) == 1 for same in bodies.values())


def test_a_receiver_that_is_gone_is_left_alone_until_somebody_asks(store: Store, receiver: Receiver) -> None:
    receiver.answer = lambda number: Answer(410 if number == 3 else 204)
    sink = sink_to(receiver)
    store.outbox.set_sinks([sink.name])
    store.commit(batch("r1", range(6)))
    (report,) = relay(store, [sink], NOW).sinks
    assert report.delivered == 3
    assert "410" in report.error
    for hour in range(1, 5):
        assert relay(store, [sink], NOW + timedelta(hours=hour)).sinks[0].skipped.startswith("disabled")
    assert len(receiver.received) == 4
    assert store.outbox.resend(NOW, sink=sink.name) == 0  # nothing was given up, but the sink is used again
    assert relay(store, [sink], NOW + timedelta(days=1)).delivered == 3


def test_a_signature_made_late_in_a_long_relay_is_fresh(store: Store, receiver: Receiver) -> None:
    """Each message is signed with the time at which it goes out, counted from the relay's clock."""
    sink = sink_to(receiver)
    store.outbox.set_sinks([sink.name])
    store.commit(batch("r1", range(3)))
    now = datetime.now(NOW.tzinfo)
    relay(store, [sink], now)
    for message in receiver.received:
        assert Webhook(SECRET).verify(message.body, message.headers)
