"""Pub/Sub against the official emulator: what is published, set up, and told by the subscriber."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc
from hypothesis import given, settings
from rich.console import Console

from pipeline import pubsub
from pipeline.pubsub import EXAMPLES, FileOutput, LiveOutput, StreamOutput, setup, subscribe
from tests.transforms.sinks.emulator import running_emulator
from tests.transforms.sinks.made import HOSTILE, alert, delivery, hostile, quote
from tests.transforms.sinks.test_cloudevents import alerts
from transforms.failures import SinkError
from transforms.model import Alert
from transforms.sinks.cloudevents import cloudevent, encode_json
from transforms.sinks.proto import alert_proto
from transforms.sinks.pubsub import PubSubSink, attributes
from transforms.sinks.settings import PubSubSettings

PROTO_FILE = Path(__file__).resolve().parents[3] / "deploy" / "schema" / "alert.proto"
PROJECT = "tw-test"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with running_emulator() as address:
        yield address


@pytest.fixture
def topic(emulator: str, request: pytest.FixtureRequest) -> str:
    """A topic set up for this test alone."""
    name = "t-" + request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:60]
    setup(PROJECT, name)
    return name


def sink_to(topic: str, **changes: Any) -> PubSubSink:
    return PubSubSink(PubSubSettings(**({"project": PROJECT, "topic": topic, "source": "urn:watch"} | changes)))


def publish(topic: str, alerts: list[Alert]) -> None:
    sink = sink_to(topic)
    outcomes = sink.deliver(delivery(sink, alerts))
    assert set(outcomes.delivered) == {each.alert_id for each in alerts}


def pulled(topic: str, wanted: int, suffix: str = "all") -> list[Any]:
    from google.cloud import pubsub_v1

    messages: list[Any] = []
    with pubsub_v1.SubscriberClient() as client:
        path = client.subscription_path(PROJECT, f"{topic}-{suffix}")
        for _ in range(20):
            found = client.pull(request={"subscription": path, "max_messages": 100}, timeout=10).received_messages
            messages += [each.message for each in found]
            if found:
                client.acknowledge(request={"subscription": path, "ack_ids": [each.ack_id for each in found]})
            if len(messages) >= wanted:
                break
    return messages


def test_proto_file_is_what_the_records_give() -> None:
    assert PROTO_FILE.read_text("utf-8") == alert_proto(), "run: python deploy/schema/generate.py"


@pytest.fixture(scope="module")
def event_message(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The message class that the protocol-buffer compiler makes of the schema."""
    folder = tmp_path_factory.mktemp("proto")
    (folder / "alert.proto").write_text(alert_proto(), "utf-8")
    made = folder / "alert.pb"
    assert protoc.main(["protoc", f"-I{folder}", f"--descriptor_set_out={made}", "alert.proto"]) == 0
    files = descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(files.file[0])
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("AlertEvent"))


@given(alerts)
@settings(max_examples=30)
def test_every_event_fits_the_proto_schema(event_message: Any, some: Alert) -> None:
    """Unknown fields are errors here, as they are for Pub/Sub."""
    event = json.loads(encode_json(cloudevent(some, "urn:watch")))
    message = json_format.ParseDict(event, event_message())
    assert message.id == some.alert_id
    assert [quote.quote for quote in message.data.evidence] == [quote["quote"] for quote in event["data"]["evidence"]]


def test_attributes_serve_filters_and_keep_the_limit() -> None:
    made = attributes(hostile(), "urn:watch")
    assert made["content-type"] == "application/cloudevents+json"
    assert (made["country"], made["family"], made["means"], made["pcode"]) == ("SY", "violation", "shelling", "SY0500")
    assert made["ce-id"] == "e000009.1"
    assert "stage" not in made
    long = attributes(alert(1, places=(replace(alert().places[0], adm2="م" * 400),)), "urn:" + "x" * 900)
    assert all(len(value.encode("utf-8")) <= 256 for value in long.values())


def test_messages_are_cloudevents_with_attributes_and_order(topic: str) -> None:
    alerts = [alert(1, 1), alert(1, 2), alert(2, 1), alert(1, 3)]
    publish(topic, alerts)
    messages = pulled(topic, 4)
    assert [json.loads(m.data) for m in messages if m.ordering_key == "e000001"] == [
        json.loads(json.dumps(cloudevent(each, "urn:watch"), default=str)) for each in (alerts[0], alerts[1], alerts[3])
    ]
    assert {m.ordering_key for m in messages} == {"e000001", "e000002"}
    assert messages[0].attributes["content-type"] == "application/cloudevents+json"


def test_a_topic_that_is_not_there_is_told(emulator: str) -> None:
    sink = sink_to("no-such-topic", timeout_s=5.0)
    with pytest.raises(SinkError, match="no-such-topic"):
        sink.deliver(delivery(sink, [alert()]))


def test_no_service_is_told_and_the_next_try_succeeds(topic: str) -> None:
    address = os.environ["PUBSUB_EMULATOR_HOST"]
    os.environ["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:1"
    try:
        sink = sink_to(topic, timeout_s=2.0)
        with pytest.raises(SinkError):
            sink.deliver(delivery(sink, [alert(1), alert(2)]))
    finally:
        os.environ["PUBSUB_EMULATOR_HOST"] = address
    publish(topic, [alert(1), alert(2)])
    assert len(pulled(topic, 2)) == 2


def test_set_up_makes_everything_once(emulator: str) -> None:
    schema, *steps = setup(PROJECT, "once")
    assert schema.done == "not supported by the emulator"
    assert {step.done for step in steps} == {"made"}
    assert len(steps) == 3 + len(EXAMPLES)
    assert {step.done for step in setup(PROJECT, "once")[1:]} == {"there already"}
    bare = setup(PROJECT, "bare", examples=False, with_schema=False)
    assert [step.resource.rsplit("/", 1)[1] for step in bare] == ["bare-dead-letters", "bare", "bare-dead-letters-all"]


def test_the_subscriber_tells_each_alert_once_over_restarts(topic: str, tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    publish(topic, [alert(n) for n in range(1, 6)])
    publish(topic, [alert(n) for n in range(4, 8)])
    first = subscribe(PROJECT, f"{topic}-all", FileOutput(path), limit=3, idle_s=20)
    assert first.told == 3
    second = subscribe(PROJECT, f"{topic}-all", FileOutput(path), limit=4, idle_s=20)
    assert second.told == 4
    rest = subscribe(PROJECT, f"{topic}-all", FileOutput(path), idle_s=1.5)
    assert rest.told == 0
    ids = [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    assert sorted(ids) == [f"e00000{n}.1" for n in range(1, 8)]


def test_the_subscriber_shows_and_prints(topic: str) -> None:
    publish(topic, [hostile(), alert(1, evidence=(quote(1, quote="[bold]not markup[/bold]"),))])
    page = Console(file=io.StringIO(), width=200)
    assert subscribe(PROJECT, f"{topic}-all", LiveOutput(page), limit=2, idle_s=20).told == 2
    shown = page.file.getvalue()  # type: ignore[attr-defined]
    assert "[bold]not markup[/bold]" in shown
    assert "Ceasefire violation: shelling, Hama (Syria)" in shown
    assert not set(shown) & set("\x1b\x00\u202e")
    publish(topic, [hostile()])
    lines = io.StringIO()
    subscribe(PROJECT, f"{topic}-all", StreamOutput(lines), limit=1, idle_s=20)
    assert json.loads(lines.getvalue())["id"] == "e000009.1"


class Broken:
    """An output whose disk is full."""

    def holds(self, alert_id: str) -> bool:
        return False

    def write(self, event: dict[str, Any], alert: Alert) -> None:
        raise OSError(28, "No space left on device")


def test_what_could_not_be_put_out_is_not_acknowledged(topic: str, tmp_path: Path) -> None:
    publish(topic, [alert(1)])
    with pytest.raises(SinkError, match="No space left"):
        subscribe(PROJECT, f"{topic}-all", Broken(), idle_s=20)
    assert subscribe(PROJECT, f"{topic}-all", FileOutput(tmp_path / "a"), limit=1, idle_s=20).told == 1


def test_messages_that_are_no_alerts_are_handed_back_and_hold_up_nothing(
    topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.cloud import pubsub_v1

    monkeypatch.setattr(pubsub, "_UNREADABLE_AGAIN_S", 0)
    client = pubsub_v1.PublisherClient()
    for data in (b"hello", b"[]", b'{"data": 1}', HOSTILE.encode("utf-8", "replace")):
        client.publish(client.topic_path(PROJECT, topic), data).result(10)
    publish(topic, [alert(1)])
    report = subscribe(PROJECT, f"{topic}-all", FileOutput(tmp_path / "a"), limit=1, idle_s=20)
    assert report.told == 1
    again = pulled(topic, 4)
    assert len({message.data for message in again}) == 4


def test_a_subscriber_ends_when_it_is_told_to(topic: str, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert subscribe(PROJECT, f"{topic}-all", FileOutput(tmp_path / "a"), stop=stop).told == 0


def test_a_subscription_that_is_not_there_is_told(emulator: str, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no-such-subscription"):
        subscribe(PROJECT, "no-such-subscription", FileOutput(tmp_path / "a"), idle_s=20)
