"""Articles that others publish, as the source of a stream in the place of feeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import msgspec
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.utils.timestamp import Timestamp

from transforms.counters import count
from transforms.envelope import pack, unpack
from transforms.failures import failure_of
from transforms.ingest.polling import PolledArticle, PollRecord
from transforms.ingest.streaming import Unseen
from transforms.model import Article
from transforms.sinks.streaming import LONE, article_key

if TYPE_CHECKING:
    from pipeline.stream import Schedule


class ArticlesPublished(beam.PTransform):
    """Messages of a subscription, each an `Article` as JSON; gives what `PollFeeds` gives.

    A message's publication time says in which tick it is decided on, so that what comes out of order is put in order.
    """

    def __init__(self, subscription: str, schedule: Schedule) -> None:
        """Keep the subscription, as `projects/PROJECT/subscriptions/NAME`, and the schedule."""
        super().__init__()
        self._subscription = subscription
        self._schedule = schedule

    def expand(self, begin: Any) -> dict[str, Any]:
        """Read, and part what is an article from what is none."""
        messages = begin | "Messages" >> ReadFromPubSub(subscription=self._subscription, with_attributes=True)
        return received(messages, self._schedule)


def received(messages: beam.PCollection, schedule: Schedule) -> dict[str, beam.PCollection]:
    """Return the articles and polls of `messages`: each new one a poll of its own, each unreadable one that failed."""
    read = messages | "Articles" >> beam.ParDo(_Read(schedule)).with_outputs("failed", main="read")
    keyed = read.read | "KeyByArticle" >> beam.Map(_keyed).with_output_types(tuple[str, bytes])
    new = keyed | "Unseen" >> Unseen()
    found = new | "PollOfArticle" >> beam.MapTuple(_poll).with_output_types(tuple[str, bytes])
    return {
        "articles": new | "NewArticles" >> beam.Values().with_output_types(bytes),
        "polls": (found, read.failed) | "Polls" >> beam.Flatten(),
    }


class _Read(beam.DoFn):
    """Reads a message as an article, or tells why it is none."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def process(self, message: PubsubMessage, at: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:
        """Give the article, or the poll that stands for a message that is none."""
        due = tick_after(datetime.fromtimestamp(at.micros / 1e6, UTC), self._schedule.every)
        try:
            article = msgspec.json.decode(message.data, type=Article)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            count("ingest", "in")
            count("ingest", "failed")
            name = message.message_id or "message"
            payload = message.data.decode("utf-8", "replace")[:100_000]
            now = self._schedule.clock(due)
            failure = failure_of("ingest", error, input_id=name, at=now, payload=payload)
            record = PollRecord(group=f"{LONE}{name}", due=due, articles=0, failures=(failure,))
            yield beam.pvalue.TaggedOutput("failed", (record.group, pack(record)))
            return
        yield pack(PolledArticle(group=f"{LONE}{article_key(article)}", due=due, article=article))


def _keyed(data: bytes) -> tuple[str, bytes]:
    return unpack(data, PolledArticle).group, data


def _poll(group: str, data: bytes) -> tuple[str, bytes]:
    return group, pack(PollRecord(group=group, due=unpack(data, PolledArticle).due, articles=1))


def tick_after(moment: datetime, every: timedelta) -> datetime:
    """Return the first whole multiple of `every` after `moment`."""
    seconds = every.total_seconds()
    return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, UTC)
