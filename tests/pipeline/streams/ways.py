"""The same news by every way that trucewatch runs, and what each way made of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from benchmarks.flink.jobs import wait_for_end, why_failed
from pipeline.config import Config
from pipeline.engines import BUNDLES, engine_flags, prism_binary
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.stream import Schedule, build_stream, stream_from
from pipeline.stream_run import StreamJob, run_stream
from tests.pipeline.streams.conftest import FlinkBench
from transforms.detect.screen import passes_screen
from transforms.envelope import pack, unpack
from transforms.failures import ConfigError
from transforms.ingest.polling import GroupMemory, PolledArticle, PollRecord, SeenBefore, requests_of, without_future
from transforms.ingest.pull import pull_feeds
from transforms.model import Alert, Change, Event


@dataclass(frozen=True, kw_only=True)
class News:
    """News as outlets showed it day by day.

    Attributes:
        config: Feeds, on a server of this machine.
        moments: When each bounded run, or tick, is; evenly spaced.
        show: Makes the server show what was published up to a time.
    """

    config: Config
    moments: Sequence[datetime]
    show: Callable[[datetime], None]

    @property
    def schedule(self) -> Schedule:
        """The moments as ticks."""
        every = self.moments[1] - self.moments[0] if len(self.moments) > 1 else timedelta(days=1)
        return Schedule(start=self.moments[0], every=every, until=self.moments[-1], replay=True)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a way made of the news.

    Attributes:
        members: For each event that stands, its mentions.
        alerts: What was told: ids, changes, times, what was said, quotes.
        standing: For each event that was told and not taken back, what was last said of it.
    """

    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    alerts: tuple[tuple[str, ...], ...] = ()
    standing: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> Outcome:
        """Read it from the store."""
        return cls.made_of(store.events(), store.alerts())

    @classmethod
    def made_of(cls, events: Iterable[Event], alerts: Sequence[Alert]) -> Outcome:
        """Make it of the events as they are at the end, and of all alerts in the order in which they were told."""
        last = {alert.event_id: alert for alert in alerts}
        return cls(
            members={
                event.event_id: tuple(sorted(mention.mention_id for mention in event.mentions))
                for event in events
                if event.mentions and not event.superseded_by
            },
            alerts=tuple(sorted(_told(alert) for alert in alerts)),
            standing={
                event_id: _said(alert) for event_id, alert in last.items() if alert.change is not Change.RETRACTED
            },
        )


def _told(alert: Alert) -> tuple[str, ...]:
    quotes = [f"{quote.item_id}: {quote.quote}" for quote in alert.evidence]
    return (alert.alert_id, alert.change.value, *alert.changed, alert.told_at.isoformat(), *_said(alert), *quotes)


def _said(alert: Alert) -> tuple[str, ...]:
    toll = [str(each) for each in (alert.killed.low, alert.killed.high, alert.injured.low, alert.injured.high)]
    kind = str(alert.stage or alert.means)
    return (alert.family.value, kind, alert.ceasefire_id, str(alert.basis), alert.certainty.value, *toll)


def day_by_day(news: News, store: Store) -> None:
    """One bounded run at each moment."""
    for moment in news.moments:
        news.show(moment)
        assert run_once(news.config, store, moment).summary.exit_code == 0


def at_once(news: News, store: Store) -> None:
    """One bounded run at the last moment."""
    news.show(news.moments[-1])
    assert run_once(news.config, store, news.moments[-1]).summary.exit_code == 0


def polled_in_order(news: News, store: Store) -> None:
    """Ticks from TestStream; the feeds are polled at each."""
    news.show(news.moments[-1])
    ticks = TestStream()
    for moment in news.moments:
        at = _stamp(moment)
        ticks = ticks.advance_watermark_to(at).add_elements([TimestampedValue(b"", at)])
    ticks = ticks.advance_watermark_to(_stamp(news.moments[-1]) + 1)  # at the end of time, timers do not fire any more
    pipeline = _local_pipeline()
    build_stream(pipeline | "Ticks" >> ticks.advance_watermark_to_infinity(), news.config, news.schedule, store.url)
    pipeline.run().wait_until_finish()


def shuffled(news: News, store: Store) -> None:
    """Articles from TestStream in no order at all: of all days, before the watermark passes the first of them."""
    _shuffled(news, store.url)


def shuffled_without_a_store(news: News, folder: Path) -> Outcome:
    """The same with all state in the engine; what comes out is written down."""
    _shuffled(news, "", folder)
    alerts = [unpack(data, Alert) for data in _written(folder, "alerts")]
    events = {event.event_id: event for event in (unpack(data, Event) for data in _written(folder, "events"))}
    return Outcome.made_of(events.values(), alerts)


def _shuffled(news: News, store_url: str, folder: Path = Path()) -> None:
    news.show(news.moments[-1])
    rng = random.Random(7)
    elements = [TimestampedValue(("tick", b""), _stamp(moment)) for moment in news.moments]
    elements += list(_published(news))
    rng.shuffle(elements)
    stream = TestStream(coder=beam.coders.TupleCoder((beam.coders.StrUtf8Coder(), beam.coders.BytesCoder())))
    stream = stream.advance_watermark_to(_stamp(news.moments[0]) - 1)
    while elements:  # in bundles of any size
        count = rng.randint(1, 9)
        stream, elements = stream.add_elements(elements[:count]), elements[count:]
    for moment in news.moments:
        stream = stream.advance_watermark_to(_stamp(moment) + 1)
    pipeline = _local_pipeline()
    given = pipeline | "Given" >> stream.advance_watermark_to_infinity()
    kinds = {kind: given | f"Only {kind}" >> beam.Filter(_is, kind) for kind in ("tick", "poll", "article")}
    polled = {
        "articles": kinds["article"] | "Articles" >> beam.Values().with_output_types(bytes),
        "polls": kinds["poll"] | "Polls" >> beam.Map(_group).with_output_types(tuple[str, bytes]),
    }
    told = stream_from(polled, kinds["tick"], news.config, news.schedule, store_url)
    if not store_url:
        for name in ("alerts", "events"):
            _ = told[name] | f"Write {name}" >> beam.Map(_write, str(folder / name))
    pipeline.run().wait_until_finish()


def _write(data: bytes, path: str) -> None:
    with Path(path).open("ab") as file:
        file.write(data + b"\n")


def _written(folder: Path, name: str) -> list[bytes]:
    return (folder / name).read_bytes().splitlines()


def on_prism(news: News, store: Store) -> None:
    """The command's own way on Prism."""
    try:
        prism_binary(None)
    except ConfigError as error:
        pytest.skip(str(error))
    _on_engine("prism", engine_flags("prism", (), store.url, environment=os.environ), news, store)


def on_flink(news: News, store: Store, bench: FlinkBench, folder: Path) -> None:
    """A bounded job on a Flink cluster, into the store."""
    news.show(news.moments[-1])
    job = bench.start(news.config, news.schedule, folder, "--store", store.url)
    assert wait_for_end(bench.cluster, job) == "FINISHED", why_failed(bench.cluster, job)


def _on_engine(runner: str, flags: Sequence[str], news: News, store: Store) -> None:
    news.show(news.moments[-1])
    job = StreamJob(config=news.config, schedule=news.schedule, runner=runner, flags=flags)
    run_stream(job, store, threading.Event())


def _published(news: News) -> Iterator[TimestampedValue]:
    """Yield, for each moment, the articles that are new then, and the poll that found them."""
    memory = GroupMemory()
    for moment in news.moments:
        settings = dataclasses.replace(news.config.fetch, respect_interval=False)
        seen = SeenBefore(memory, None, moment)
        requests = requests_of(news.config.feeds, memory, whole=True)
        found = without_future(pull_feeds(requests, settings, moment, seen, passes_screen))
        record = PollRecord(
            group="all", due=moment, before=memory.due, articles=len(found.articles), pulls=tuple(found.pulls)
        )
        states = memory.states | {pull.feed: pull.state for pull in found.pulls}
        memory = GroupMemory(due=moment, states=states, seen=seen.after(found.articles))
        yield TimestampedValue(("poll", pack(record)), _stamp(moment))
        for article in found.articles:
            polled = PolledArticle(group="all", due=moment, article=article)
            yield TimestampedValue(("article", pack(polled)), _stamp(moment))


def _is(element: tuple[str, bytes], kind: str) -> bool:
    return element[0] == kind


def _group(element: tuple[str, bytes]) -> tuple[str, bytes]:
    return "all", element[1]


def _stamp(moment: datetime) -> Timestamp:
    return Timestamp.of(moment.timestamp())


def _local_pipeline() -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming", "--no_save_main_session"]))


@contextlib.contextmanager
def store_in(folder: Path, name: str) -> Iterator[Store]:
    """A store of its own for each way."""
    with Store.open(f"sqlite:///{folder}/{name}.sqlite") as store:
        yield store


NewsSource = Callable[[], AbstractContextManager[News]]
