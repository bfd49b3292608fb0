"""Google Cloud Pub/Sub for operators and readers: what a topic needs, and a subscriber that tells each alert once."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from transforms.failures import SinkError
from transforms.model import Alert
from transforms.sinks.cloudevents import alert_of, encode_json
from transforms.sinks.files import file_error
from transforms.sinks.jsonl import ids_in
from transforms.sinks.proto import alert_proto
from transforms.sinks.pubsub import library
from transforms.sinks.safe import safe_text, safe_tree
from transforms.sinks.words import ceasefire_words, first_quote, headline, outlet_words

# Example subscriptions: what comes after the topic's name, and the filter. Filters see attributes only.
EXAMPLES = {
    "all": "",
    "ceasefires": 'attributes.family = "ceasefire"',
    "violations-syria": 'attributes.family = "violation" AND attributes.country = "SY"',
    "aleppo": 'hasPrefix(attributes.pcode, "SY02")',
}
_ATTEMPTS_BEFORE_DEAD_LETTER = 10
_AT_ONCE = 50
_WAIT_S = 20.0  # for one pull; then the next begins
_UNREADABLE_AGAIN_S = 10  # a subscription without dead letters would else give the same message at once, for ever
_NOT_SUPPORTED = "not supported by the emulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """One resource, and whether it was made, brought up to date, or there already."""

    resource: str
    done: str


def setup(project: str, topic: str, *, examples: bool = True, with_schema: bool = True) -> list[SetupStep]:
    """Create what alerts need on Pub/Sub; run again, it adds only what is missing.

    That is: the schema, the topic, a topic for dead letters with a subscription that keeps them, and example
    subscriptions.

    Args:
        project: Google Cloud project.
        topic: The topic's name; those of all else begin with it.
        examples: Whether to create example subscriptions.
        with_schema: Whether Pub/Sub is to check each message against the schema.

    Raises:
        SinkError: The service refuses or does not answer.
    """
    try:
        return _Setup(project, topic).run(examples=examples, with_schema=with_schema)
    except _google().GoogleAPICallError as error:
        raise SinkError(f"Pub/Sub: {safe_text(str(error))}") from error


class _Setup:
    """The clients and names of one set-up."""

    def __init__(self, project: str, topic: str) -> None:
        pubsub = library()
        from google.pubsub_v1.types import Encoding, Schema, SchemaSettings

        self._pubsub = pubsub
        self._schema_types = (Encoding, Schema, SchemaSettings)
        self._publisher = pubsub.PublisherClient()
        self._subscriber = pubsub.SubscriberClient()
        self._schemas = pubsub.SchemaServiceClient()
        self._project = project
        self._topic = self._publisher.topic_path(project, topic)
        self._dead = self._publisher.topic_path(project, f"{topic}-dead-letters")
        self._schema = self._schemas.schema_path(project, f"{topic}-v1")
        self._name = topic

    def run(self, *, examples: bool, with_schema: bool) -> list[SetupStep]:
        steps = [self._make_schema()] if with_schema else []
        checked = with_schema and steps[0].done != _NOT_SUPPORTED
        steps.append(self._make_topic(self._dead, {}))
        steps.append(self._make_topic(self._topic, {"schema_settings": self._settings()} if checked else {}))
        steps.append(self._make_subscription(f"{self._name}-dead-letters-all", self._dead, "", dead_letters=False))
        for suffix, rule in EXAMPLES.items() if examples else ():
            steps.append(self._make_subscription(f"{self._name}-{suffix}", self._topic, rule, dead_letters=True))
        return steps

    def _settings(self) -> Any:
        encoding, _, settings = self._schema_types
        return settings(schema=self._schema, encoding=encoding.JSON)

    def _make_schema(self) -> SetupStep:
        _, schema, _ = self._schema_types
        parent = f"projects/{self._project}"
        wanted = schema(name=self._schema, type_=schema.Type.PROTOCOL_BUFFER, definition=alert_proto())
        try:
            self._schemas.create_schema(request={"parent": parent, "schema": wanted, "schema_id": f"{self._name}-v1"})
            return SetupStep(resource=self._schema, done="made")
        except _google().AlreadyExists:
            pass
        except _google().MethodNotImplemented:
            return SetupStep(resource=self._schema, done=_NOT_SUPPORTED)
        if self._schemas.get_schema(request={"name": self._schema, "view": "FULL"}).definition == alert_proto():
            return SetupStep(resource=self._schema, done="there already")
        self._schemas.commit_schema(request={"name": self._schema, "schema": wanted})
        return SetupStep(resource=self._schema, done="brought up to date")

    def _make_topic(self, path: str, settings: dict[str, Any]) -> SetupStep:
        try:
            self._publisher.create_topic(request={"name": path, **settings})
        except _google().AlreadyExists:
            return SetupStep(resource=path, done="there already")
        return SetupStep(resource=path, done="made")

    def _make_subscription(self, name: str, topic: str, rule: str, *, dead_letters: bool) -> SetupStep:
        path = self._subscriber.subscription_path(self._project, name)
        types = self._pubsub.types
        request: dict[str, Any] = {
            "name": path,
            "topic": topic,
            "filter": rule,
            "ack_deadline_seconds": 60,
            "enable_message_ordering": True,
            "expiration_policy": types.ExpirationPolicy(),  # never: a monitor may be quiet for months
        }
        if dead_letters:
            request["dead_letter_policy"] = types.DeadLetterPolicy(
                dead_letter_topic=self._dead, max_delivery_attempts=_ATTEMPTS_BEFORE_DEAD_LETTER
            )
        try:
            self._subscriber.create_subscription(request=request)
        except _google().AlreadyExists:
            return SetupStep(resource=path, done="there already")
        return SetupStep(resource=path, done="made")


class Output(Protocol):
    """Where a subscriber's alerts go."""

    def holds(self, alert_id: str) -> bool:
        """Whether it has this alert already."""
        ...

    def write(self, event: dict[str, Any], alert: Alert) -> None:
        """Put one alert out; when it returns, the alert is flushed and may be acknowledged."""
        ...


@dataclass(slots=True)
class _Memory:
    """The last ids that were put out; as many as messages that may come twice within Pub/Sub's retention."""

    most: int = 200_000
    ids: dict[str, None] = field(default_factory=dict)

    def add(self, alert_id: str) -> None:
        self.ids[alert_id] = None
        if len(self.ids) > self.most:
            del self.ids[next(iter(self.ids))]


class StreamOutput:
    """JSON lines on a stream, each flushed."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._memory = _Memory()

    def holds(self, alert_id: str) -> bool:
        """Whether this process wrote it."""
        return alert_id in self._memory.ids

    def write(self, event: dict[str, Any], alert: Alert) -> None:
        """Write one line."""
        self._stream.write(encode_json(safe_tree(event)).decode("utf-8") + "\n")
        self._stream.flush()
        self._memory.add(alert.alert_id)


class FileOutput:
    """JSON lines in a file, each alert once even over restarts."""

    def __init__(self, path: Path, source: str = "") -> None:
        """Read what the file holds already."""
        from transforms.sinks.jsonl import JsonlSink
        from transforms.sinks.settings import JsonlSettings

        self._path = path
        self._sink = JsonlSink(JsonlSettings(path=str(path), source=source or "urn:trucewatch:subscriber"))
        try:
            self._ids = ids_in(path.read_bytes()) if path.exists() else set()
        except OSError as error:
            raise file_error(path, error) from error

    def holds(self, alert_id: str) -> bool:
        """Whether the file holds it."""
        return alert_id in self._ids

    def write(self, event: dict[str, Any], alert: Alert) -> None:
        """Append one line and have the disk keep it."""
        self._sink.append({alert.alert_id: encode_json(safe_tree(event)) + b"\n"})
        self._ids.add(alert.alert_id)


class LiveOutput:
    """Alerts as they come, for a person at a terminal."""

    def __init__(self, console: Console) -> None:
        """Show on `console`."""
        self._console = console
        self._memory = _Memory()

    def holds(self, alert_id: str) -> bool:
        """Whether it was shown by this process."""
        return alert_id in self._memory.ids

    def write(self, event: dict[str, Any], alert: Alert) -> None:
        """Show one alert."""
        lines = Text(headline(alert), style="bold")
        for words, style in (
            (ceasefire_words(alert), ""),
            (first_quote(alert), "italic"),
            (f"{outlet_words(alert)} · {alert.alert_id}", "dim"),
        ):
            if words:
                lines.append(f"\n  {words}", style=style or None)
        self._console.print(lines)
        self._console.file.flush()
        self._memory.add(alert.alert_id)


@dataclass(slots=True)
class SubscribeReport:
    """What a subscriber did: alerts put out, repeats dropped, messages that were no alerts."""

    told: int = 0
    repeated: int = 0
    unreadable: int = 0


def subscribe(
    project: str,
    subscription: str,
    output: Output,
    *,
    limit: int | None = None,
    idle_s: float | None = None,
    stop: threading.Event | None = None,
) -> SubscribeReport:
    """Put out each alert of a subscription once, and acknowledge it after it is out.

    A message that comes again is acknowledged and dropped. One that is no alert is handed back, so that Pub/Sub moves
    it to the dead letters.

    Args:
        project: Google Cloud project.
        subscription: The subscription's name.
        output: Where alerts go.
        limit: End after so many alerts.
        idle_s: End when nothing has come for so many seconds.
        stop: End when it is set.

    Raises:
        SinkError: The subscription is not there, or the service or the output fails.
    """
    report = SubscribeReport()
    stop = stop or threading.Event()
    last = time.monotonic()
    with library().SubscriberClient() as client:
        path = client.subscription_path(project, subscription)
        while not stop.is_set() and (limit is None or report.told < limit):
            left = None if idle_s is None else idle_s - (time.monotonic() - last)
            if left is not None and left <= 0:
                break
            try:
                messages = _pull(client, path, min(_WAIT_S, left or _WAIT_S))
                if messages:
                    last = time.monotonic()
                    _handle(client, path, messages, output, report, limit)
            except _google().GoogleAPICallError as error:
                raise SinkError(f"subscription {path}: {safe_text(str(error))}") from error
            except OSError as error:
                raise SinkError(f"alerts cannot be put out: {error}") from error
    return report


def _pull(client: Any, path: str, wait_s: float) -> list[Any]:
    """Return the messages that are there, or come within `wait_s`."""
    try:
        # Plain pulls, not a stream: what was not handled is handed back here and now, not when a lease runs out.
        answer = client.pull(request={"subscription": path, "max_messages": _AT_ONCE}, timeout=wait_s, retry=None)
    except _google().DeadlineExceeded:
        return []
    return list(answer.received_messages)


def _handle(
    client: Any, path: str, messages: list[Any], output: Output, report: SubscribeReport, limit: int | None
) -> None:
    """Put out what is new, acknowledge what is out, hand back the rest, whatever happens."""
    out: list[str] = []
    unreadable: list[str] = []
    try:
        for each in messages:
            try:
                event = json.loads(each.message.data)
                alert = alert_of(event)
            except (ValueError, KeyError, TypeError, msgspec.ValidationError):
                report.unreadable += 1
                unreadable.append(each.ack_id)
                continue
            if limit is not None and report.told >= limit:
                continue
            if output.holds(alert.alert_id):
                report.repeated += 1
            else:
                output.write(event, alert)
                report.told += 1
            out.append(each.ack_id)
    finally:
        back = [each.ack_id for each in messages if each.ack_id not in {*out, *unreadable}]
        if out:
            client.acknowledge(request={"subscription": path, "ack_ids": out})
        for ids, seconds in ((back, 0), (unreadable, _UNREADABLE_AGAIN_S)):
            if ids:
                request = {"subscription": path, "ack_ids": ids, "ack_deadline_seconds": seconds}
                client.modify_ack_deadline(request=request)


def _google() -> Any:
    from google.api_core import exceptions

    return exceptions
