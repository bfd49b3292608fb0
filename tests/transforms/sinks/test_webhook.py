"""Webhooks against a real receiver that checks signatures with the standard's own library."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.tables import cases
from tests.transforms.sinks.made import NOW, alert, delivery, hostile, quote
from tests.transforms.sinks.receiver import Answer, Received, Receiver, receiving
from transforms.failures import ConfigError
from transforms.sinks.base import Outcomes
from transforms.sinks.settings import WebhookSettings
from transforms.sinks.webhook import WebhookSink, retry_after, slack_message

OLD, NEW = ("whsec_" + base64.b64encode(word * 8).decode() for word in (b"old!", b"new!"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def sink_to(receiver: Receiver, **changes: Any) -> WebhookSink:
    values = {"url": receiver.url, "secrets": (NEW,), "allow_private_networks": True, "timeout_s": 0.5}
    return WebhookSink(WebhookSettings(**(values | changes)))


def post(sink: WebhookSink, count: int = 1, now: datetime | None = None) -> Outcomes:
    return sink.deliver(delivery(sink, [alert(n + 1) for n in range(count)], now=now or datetime.now(UTC)))


def verified(secret: str, message: Received) -> Any:
    return Webhook(secret).verify(message.body, message.headers)


def test_a_receiver_with_either_secret_accepts(receiver: Receiver) -> None:
    outcomes = post(sink_to(receiver, secrets=(OLD, NEW)))
    assert outcomes.delivered == ("e000001.1",)
    (message,) = receiver.received
    assert verified(OLD, message)["id"] == verified(NEW, message)["id"] == message.headers["webhook-id"] == "e000001.1"
    assert message.headers["content-type"] == "application/cloudevents+json"


def test_tampered_stale_and_foreign_messages_are_rejected(receiver: Receiver) -> None:
    post(sink_to(receiver))
    post(sink_to(receiver), now=datetime.now(UTC) - timedelta(minutes=10))
    post(sink_to(receiver), now=datetime.now(UTC) + timedelta(minutes=10))
    fresh, stale, early = receiver.received
    assert verified(NEW, fresh)
    for message, secret in (
        (replace(fresh, body=fresh.body.replace(b"shelling", b"airstrik")), NEW),
        (replace(fresh, headers=fresh.headers | {"webhook-id": "e000002.1"}), NEW),
        (fresh, OLD),
        (stale, NEW),
        (early, NEW),
    ):
        with pytest.raises(WebhookVerificationError):
            verified(secret, message)


def test_a_retry_has_the_same_id_and_a_fresh_signature(receiver: Receiver) -> None:
    receiver.answer = lambda number: Answer(500 if number == 0 else 204)
    sink = sink_to(receiver)
    assert "500" in post(sink, now=datetime.now(UTC) - timedelta(minutes=1)).retry["e000001.1"].message
    assert post(sink).delivered
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert verified(NEW, second)


@pytest.mark.parametrize("case", cases("sinks_webhook_answers"), ids=lambda case: case["name"])
def test_answers(case: dict[str, Any], receiver: Receiver) -> None:
    first = Answer(case.get("status", 204), case.get("headers", {}), case.get("hang", False), case.get("drip", False))
    receiver.answer = lambda number: first if number == 0 else Answer()
    outcomes = post(sink_to(receiver), 3, now=NOW)
    assert [each[6] for each in outcomes.delivered] == case.get("delivered", [])
    assert [each[6] for each in outcomes.retry] == case.get("retry", [])
    assert [each[6] for each in outcomes.refused] == case.get("refused", [])
    assert bool(outcomes.disable) == case.get("disable", False)
    pause = outcomes.pause.total_seconds() if outcomes.pause else 0
    assert pause == pytest.approx(case.get("pause", 0), abs=60)  # a date is measured from the moment of the answer
    told = [retry.message for retry in outcomes.retry.values()] + [*outcomes.refused.values(), outcomes.disable]
    assert case.get("says", "") in " ".join(told)
    assert len(receiver.received) == case["requests"]


def test_a_receiver_that_does_not_answer_twice_is_left_until_later(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(hang=True)
    outcomes = post(sink_to(receiver, timeout_s=0.2), 10)
    assert len(outcomes.retry) == 2
    assert not outcomes.delivered


def test_nobody_listening(receiver: Receiver) -> None:
    sink = sink_to(replace(receiver, url="http://127.0.0.1:1/hook"))
    assert "no answer" in post(sink).retry["e000001.1"].message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://2130706433:1/", "http://0x7f.1:1/",
            "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/", "http://192.168.0.1/"],
)  # fmt: skip
def test_private_addresses_are_not_dialled_unless_allowed(url: str, receiver: Receiver) -> None:
    outcomes = post(sink_to(replace(receiver, url=url), allow_private_networks=False))
    assert "refused" in outcomes.retry["e000001.1"].message
    assert receiver.received == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 1), ("Mon, 03 Oct 2016 09:31:00 GMT", 60), ("Mon, 03 Oct 2016 09:00:00 GMT", 1),
        ("999999999", 86400), ("soon", None), ("", None), ("-5", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: int | None) -> None:
    wait = retry_after(value, NOW)
    assert (wait.total_seconds() if wait else None) == seconds


def test_slack_bodies_show_and_escape(receiver: Receiver) -> None:
    sink = sink_to(receiver, format="slack", secrets=())
    assert post(sink).delivered
    (message,) = receiver.received
    text = json.loads(message.body)["text"]
    assert text.startswith("*Ceasefire violation: shelling, Hama (Syria); 2016-10-03; 3 to 5 killed*")
    assert "<https://courier.example/1|The Orontes Courier>" in text
    assert "webhook-signature" not in message.headers
    hostile_text = slack_message(hostile())["text"]
    assert "<script" not in hostile_text
    assert "<!channel>" not in slack_message(alert(1, evidence=(quote(1, quote="<!channel> hello"),)))["text"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secrets": ()}, "set a secret in the variable TRUCEWATCH_WEBHOOK_SECRETS"),
        ({"secrets": ("whsec_a",)}, "not base64"),
        ({"url": "ftp://a.example"}, "no http"),
        ({"timeout_s": 0.0}, "timeout_s"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, Any], words: str, receiver: Receiver) -> None:
    with pytest.raises(ConfigError, match=words):
        sink_to(receiver, **changes)
