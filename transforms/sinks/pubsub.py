"""Google Cloud Pub/Sub: CloudEvents in structured mode, with attributes that subscriptions can filter on.

The ordering key is the event, so that its revisions arrive in order where a subscription asks for that; no subscriber
should depend on it, since each message carries its revision. Delivery is at least once: a message that comes twice has
one id.
"""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

from transforms.failures import ConfigError, SinkError
from transforms.model import Alert
from transforms.sinks.base import Batch, Outcomes, Retry
from transforms.sinks.cloudevents import CONTENT_TYPE, cloudevent, encode_json
from transforms.sinks.safe import safe_text
from transforms.sinks.settings import PubSubSettings

if TYPE_CHECKING:
    from google.cloud import pubsub_v1

_ATTRIBUTE_BYTES = 256


class PubSubSink:
    """Publishes each alert to one topic."""

    batch_size = 1000

    def __init__(self, settings: PubSubSettings) -> None:
        """Check that the library is there; connect at the first delivery.

        Raises:
            ConfigError: The library is missing.
        """
        self.name = settings.name
        self._settings = settings
        self._pubsub = library()
        self._client: pubsub_v1.PublisherClient | None = None

    def encode(self, alert: Alert) -> bytes:
        """Return the CloudEvent."""
        return encode_json(cloudevent(alert, self._settings.source))

    def deliver(self, batch: Batch) -> Outcomes:
        """Publish the batch and wait until the service has confirmed each message."""
        publisher = self._publisher()
        topic = publisher.topic_path(self._settings.project, self._settings.topic)
        pending: list[tuple[str, str, Any]] = []
        retry: dict[str, Retry] = {}
        for delivery in batch.deliveries:
            key = delivery.alert.event_id
            try:
                future = publisher.publish(
                    topic, delivery.body, ordering_key=key, **attributes(delivery.alert, self._settings.source)
                )
                pending.append((delivery.alert_id, key, future))
            except Exception as error:  # noqa: BLE001 - the client raises what its transport raises
                retry[delivery.alert_id] = Retry(message=_words(error))
        delivered = self._confirmed(publisher, topic, pending, retry)
        if not delivered and retry:
            raise SinkError(f"topic {topic}: {next(iter(retry.values())).message}")
        return Outcomes(delivered=tuple(delivered), retry=retry)

    def _confirmed(
        self, publisher: Any, topic: str, pending: list[tuple[str, str, Any]], retry: dict[str, Retry]
    ) -> list[str]:
        delivered: list[str] = []
        end = time.monotonic() + self._settings.timeout_s
        for alert_id, key, future in pending:
            try:
                future.result(timeout=max(0.1, end - time.monotonic()))
                delivered.append(alert_id)
            except FutureTimeoutError:
                future.cancel()
                retry[alert_id] = Retry(message="no confirmation in time")
            except Exception as error:  # noqa: BLE001 - any failure of a message is told as such, and tried again
                retry[alert_id] = Retry(message=_words(error))
                publisher.resume_publish(topic, key)  # the client holds back a key after an error
        return delivered

    def _publisher(self) -> Any:
        if self._client is None:
            types = self._pubsub.types
            from google.api_core.retry import Retry as ApiRetry

            self._client = self._pubsub.PublisherClient(
                batch_settings=types.BatchSettings(max_messages=100, max_bytes=1_000_000, max_latency=0.02),
                publisher_options=types.PublisherOptions(
                    enable_message_ordering=True,
                    # Ordered messages are retried for ever by default; a topic that is away must not hold up the relay.
                    timeout=self._settings.timeout_s,
                    retry=ApiRetry(timeout=self._settings.timeout_s),
                ),
            )
        return self._client


def attributes(alert: Alert, source: str) -> dict[str, str]:
    """Return the message's attributes: those of CloudEvents, and plain ones for filters; each at most 256 bytes."""
    event = cloudevent(alert, source)
    named = {f"ce-{name}": str(event[name]) for name in ("specversion", "id", "source", "type", "subject", "time")}
    place = next(iter(alert.places), None)
    plain = {
        "country": alert.country,
        "family": alert.family.value,
        "stage": alert.stage.value if alert.stage else "",
        "means": alert.means.value if alert.means else "",
        "certainty": alert.certainty.value,
        # The most specific code; hasPrefix(attributes.pcode, "SY07") takes in what lies inside a governorate.
        "pcode": (place.adm3 or place.adm2 or place.adm1) if place else "",
        "event_id": alert.event_id,
        "revision": str(alert.revision),
        "change": alert.change.value,
    }
    everything = {"content-type": CONTENT_TYPE, **named, **plain}
    return {name: _cut(safe_text(value)) for name, value in everything.items() if value}


def library() -> Any:
    """Return Google's client library.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        from google.cloud import pubsub_v1
    except ImportError as error:
        raise ConfigError("Pub/Sub needs Google's client library; install trucewatch[gcp]") from error
    return pubsub_v1


def _cut(value: str) -> str:
    return value.encode("utf-8")[:_ATTRIBUTE_BYTES].decode("utf-8", "ignore")


def _words(error: Exception) -> str:
    return safe_text(f"{type(error).__name__}: {error}")[:300]
