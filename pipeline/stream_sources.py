"""Articles that others publish, as the source of a stream in the place of feeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import msgspec
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub
from apache_beam.utils.timestamp import Timestamp

from transforms.envelope import pack
from transforms.failures import failure_of
from transforms.ingest.polling import PolledArticle, PollRecord
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
    """Return the articles and polls of `messages`; a message that is no article is a poll that failed."""
    read = messages | "Articles" >> beam.ParDo(_Read(schedule)).with_outputs("polls", main="articles")
    return {"articles": read.articles, "polls": read.polls}


class _Read(beam.DoFn):
    """Reads a message as an article, or tells why it is none."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def process(self, message: PubsubMessage, at: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:
        """Give the article and the poll that stands for its message."""
        due = tick_after(datetime.fromtimestamp(at.micros / 1e6, UTC), self._schedule.every)
        now = self._schedule.clock(due)
        try:
            article = msgspec.json.decode(message.data, type=Article)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            name = message.message_id or "message"
            payload = message.data.decode("utf-8", "replace")[:100_000]
            failure = failure_of("ingest", error, input_id=name, at=now, payload=payload)
            record = PollRecord(group=f"{LONE}{name}", due=due, articles=0, failures=(failure,))
            yield beam.pvalue.TaggedOutput("polls", (record.group, pack(record)))
            return
        group = f"{LONE}{article_key(article)}"
        record = PollRecord(group=group, due=due, articles=1)
        yield beam.pvalue.TaggedOutput("polls", (group, pack(record)))
        yield pack(PolledArticle(group=group, due=due, article=article))


def tick_after(moment: datetime, every: timedelta) -> datetime:
    """Return the first whole multiple of `every` after `moment`."""
    seconds = every.total_seconds()
    return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, UTC)
