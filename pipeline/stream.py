"""The pipeline as a stream: the stages of `graph`, unbounded, on an engine that keeps state.

    ticks ──▶ poll ──▶ read ──▶ look ──▶ settle
              host      any      country   host

Under each step stands what its work is shared out by. Labels and state names are stable over versions, and what crosses
from step to step is bytes with a version, so that a running stream can be updated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import apache_beam as beam
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from pipeline.config import Config
from pipeline.store.seen import SeenArticles
from pipeline.store.store import StoreCommitter
from pipeline.streaming import RelayOutbox, StoredCountries, StoredFeedStates, present, tick_clock, wall_clock
from transforms.alert.country import COUNTRIES
from transforms.alert.streaming import Acknowledged, CountryNews, DecideAndTell
from transforms.detect.readings import Reading
from transforms.detect.screen import passes_screen
from transforms.detect.streaming import ReadArticles
from transforms.envelope import pack, unpack
from transforms.failures import Failure
from transforms.ingest.polling import PollRecord
from transforms.ingest.streaming import PollFeeds
from transforms.sinks.streaming import ArticleRead, DeliverAlerts, Receipt, SettlePolls, article_key

log = logging.getLogger("trucewatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a stream polls.

    Attributes:
        start: The first tick.
        every: From one tick to the next.
        until: The last tick, None to go on.
        replay: Whether the ticks are the stream's clock, and not only its alarm.
    """

    start: datetime
    every: timedelta
    until: datetime | None = None
    replay: bool = False

    @property
    def clock(self) -> Any:
        """The run's clock at a tick."""
        return tick_clock if self.replay else wall_clock


def ticks_of(pipeline: beam.Pipeline, schedule: Schedule) -> beam.PCollection:
    """Return the ticks of `schedule`: each element's timestamp is what counts."""
    # The stop is exclusive. Times are whole seconds: runners keep milliseconds, and a tick must not move.
    stop = MAX_TIMESTAMP if schedule.until is None else Timestamp.of(int(schedule.until.timestamp()) + 1)
    return pipeline | "Ticks" >> PeriodicImpulse(
        start_timestamp=Timestamp.of(int(schedule.start.timestamp())),
        stop_timestamp=stop,
        fire_interval=schedule.every.total_seconds(),
    )


def build_stream(ticks: beam.PCollection, config: Config, schedule: Schedule, store_url: str) -> dict[str, Any]:
    """Join the stages from `ticks` on.

    Args:
        ticks: When to poll and to look at what is open; timestamps count, elements do not.
        config: Settings of the stages.
        schedule: Whose clock holds.
        store_url: The store, "" to keep all state in the engine.

    Returns:
        `alerts`, `events` and `failures`, packed; with a store they have been committed.
    """
    polled = ticks | "PollFeeds" >> PollFeeds(
        config.feeds,
        config.fetch,
        schedule.clock,
        passes_screen,
        seen=SeenArticles(store_url) if store_url else None,
        remembered=StoredFeedStates(store_url) if store_url else None,
        replay=schedule.replay,
    )
    return stream_from(polled, ticks, config, schedule, store_url)


def stream_from(
    polled: Mapping[str, beam.PCollection],
    ticks: beam.PCollection | None,
    config: Config,
    schedule: Schedule,
    store_url: str,
) -> dict[str, Any]:
    """Join the stages behind ingest; `polled` holds `articles` and `polls`, as `PollFeeds` gives them."""
    readings = polled["articles"] | "ReadArticles" >> ReadArticles(config.detect)
    news = [readings | "NewsOfCountries" >> beam.FlatMap(news_of).with_output_types(tuple[str, bytes])]
    if ticks is not None:
        news.append(ticks | "TickOfCountries" >> beam.FlatMap(tick_news).with_output_types(tuple[str, bytes]))
    together = news | "News" >> beam.Flatten()
    told = together | "DecideAndTell" >> DecideAndTell(
        config.deduplicate, config.alert, schedule.clock, StoredCountries(store_url) if store_url else None
    )
    failures = [told["failures"]]
    if store_url:
        receipts = (
            polled["polls"] | "PollReceipts" >> beam.MapTuple(poll_receipt).with_output_types(tuple[str, bytes]),
            readings | "ReadReceipts" >> beam.Map(read_receipt).with_output_types(tuple[str, bytes]),
            told["acks"] | "DoneReceipts" >> beam.MapTuple(done_receipt).with_output_types(tuple[str, bytes]),
        )
        settled = receipts | "Receipts" >> beam.Flatten() | "SettlePolls" >> SettlePolls(StoreCommitter(store_url))
        woken = (settled, told["alerts"]) | "Wakings" >> beam.Flatten()
        _ = woken | "Relay" >> beam.ParDo(RelayOutbox(store_url, config.sinks, present))
    else:
        failures.append(readings | "UnreadArticles" >> beam.FlatMap(failures_of_reading).with_output_types(bytes))
        failures.append(polled["polls"] | "UnreadFeeds" >> beam.FlatMapTuple(failures_of_poll).with_output_types(bytes))
    return {"alerts": told["alerts"], "events": told["events"], "failures": failures | "Failures" >> beam.Flatten()}


def news_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a reading tells each country, by country."""
    reading = unpack(data, Reading)
    key = article_key(reading.article)
    for country in reading.countries:
        mentions = tuple(mention for mention in reading.mentions if mention.country == country)
        yield country, pack(CountryNews(due=reading.due, group=reading.group, article=key, mentions=mentions))


def tick_news(_: Any, tick: Timestamp = beam.DoFn.TimestampParam) -> Iterator[tuple[str, bytes]]:
    """Yield a tick for each country, so that what is open is looked at again."""
    due = datetime.fromtimestamp(tick.micros / 1e6, UTC)
    return iter([(country, pack(CountryNews(due=due))) for country in COUNTRIES])


def poll_receipt(group: str, data: bytes) -> tuple[str, bytes]:
    """Return the receipt of a poll."""
    poll = unpack(data, PollRecord)
    return group, pack(Receipt(due=poll.due, poll=poll))


def read_receipt(data: bytes) -> tuple[str, bytes]:
    """Return the receipt of an article that was read."""
    reading = unpack(data, Reading)
    read = ArticleRead(
        key=article_key(reading.article),
        article=reading.article,
        parts=len(reading.countries),
        failures=reading.failures,
    )
    return reading.group, pack(Receipt(due=reading.due, read=read))


def done_receipt(group: str, data: bytes) -> tuple[str, bytes]:
    """Return the receipt of an article whose mentions in one country were dealt with."""
    done = unpack(data, Acknowledged)
    return group, pack(Receipt(due=done.due, done=done))


def failures_of_reading(data: bytes) -> list[bytes]:
    """Return why an article could not be read."""
    return [pack(failure) for failure in unpack(data, Reading).failures]


def failures_of_poll(_: str, data: bytes) -> list[bytes]:
    """Return what a poll could not read."""
    return [pack(failure) for failure in unpack(data, PollRecord).failures]


def deliver_alerts(alerts: beam.PCollection, config: Config) -> None:
    """Publish alerts straight to the Pub/Sub sinks of the configuration: for streams without a store."""
    _ = alerts | "DeliverAlerts" >> beam.ParDo(DeliverAlerts(config.sinks, present))


def log_failures(failures: beam.PCollection) -> None:
    """Write dead letters to the workers' log: a stream without a store has nowhere else to keep them."""
    _ = failures | "LogFailures" >> beam.Map(_log_failure)


def _log_failure(data: bytes) -> None:
    failure = unpack(data, Failure)
    log.warning("%s could not handle %s: %s", failure.stage, failure.input_id, failure.message)
