"""Pub/Sub at the ends of a pipeline: articles in from a subscription, alerts out to a topic.

For unbounded runs on an engine. Beam acknowledges a message when its bundle is committed, and publishes at least once:
a message that comes twice has one id, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub, WriteToPubSub

from transforms.failures import Failure, failure_of
from transforms.model import Alert, Article
from transforms.sinks.cloudevents import cloudevent, encode_json
from transforms.sinks.pubsub import attributes


class ArticlesFromPubSub(beam.PTransform):
    """Reads articles as JSON; gives `{"articles": Article, "failures": Failure}`."""

    def __init__(self, subscription: str, now: datetime) -> None:
        """Keep the subscription, as `projects/PROJECT/subscriptions/NAME`, and the clock for failures."""
        super().__init__()
        self._subscription = subscription
        self._now = now

    def expand(self, begin: Any) -> dict[str, Any]:
        """Read, and part what is an article from what is none."""
        messages = begin | "Messages" >> ReadFromPubSub(subscription=self._subscription, with_attributes=True)
        read = messages | "Articles" >> beam.ParDo(_Read(self._now)).with_outputs("failures", main="articles")
        return {"articles": read["articles"], "failures": read["failures"]}


class AlertsToPubSub(beam.PTransform):
    """Publishes alerts as CloudEvents in structured mode, with the attributes that filters use."""

    def __init__(self, topic: str, source: str) -> None:
        """Keep the topic, as `projects/PROJECT/topics/NAME`, and the deployment's URI."""
        super().__init__()
        self._topic = topic
        self._source = source

    def expand(self, alerts: Any) -> Any:
        """Publish."""
        messages = alerts | "Messages" >> beam.Map(message_of, self._source)
        return messages | "Publish" >> WriteToPubSub(self._topic, with_attributes=True)


def message_of(alert: Alert, source: str) -> PubsubMessage:
    """Return the message that tells `alert`."""
    # No ordering key: Dataflow ignores it, and the revision in each message is what readers go by.
    return PubsubMessage(encode_json(cloudevent(alert, source)), attributes(alert, source))


def article_message(article: Article) -> bytes:
    """Return what `ArticlesFromPubSub` reads as `article`."""
    return msgspec.json.encode(article)


class _Read(beam.DoFn):
    """Reads a message as an article, or tells why it is none."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def process(self, message: PubsubMessage) -> Iterator[Article | beam.pvalue.TaggedOutput]:
        """Give the article, or a failure that keeps the message."""
        try:
            yield msgspec.json.decode(message.data, type=Article)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield beam.pvalue.TaggedOutput("failures", _failure(message, error, self._now))


def _failure(message: PubsubMessage, error: Exception, now: datetime) -> Failure:
    payload = message.data.decode("utf-8", "replace")
    return failure_of("ingest", error, input_id=message.message_id or "message", at=now, payload=payload[:100_000])
