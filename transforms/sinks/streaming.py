"""The Beam face of the sinks in a stream: a poll is committed as read when all that its articles told is kept.

Articles and the feeds' validators mark what need not be read again, so they are written last, poll after poll of a
group: whatever ends the stream between is read again by the next one, and told no second time.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.alert.streaming import Acknowledged
from transforms.counters import count
from transforms.envelope import pack, unpack
from transforms.failures import Failure, SinkError
from transforms.ingest.feed import FeedPull
from transforms.ingest.polling import PollRecord
from transforms.model import Alert, Article
from transforms.sinks.base import Batch, Delivery, Sink
from transforms.sinks.commit import Committer, RunBatch
from transforms.sinks.registry import sinks_of
from transforms.sinks.settings import PubSubSettings, SinkSettings

STREAM = "stream"  # run ids of a stream begin with it
LONE = "message "  # groups of one article, which no poll follows, begin with it
_AFTER = Duration(micros=5000)  # looks hand on what they did five milliseconds after their tick


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRead:
    """An article that was read, and how many countries it tells of.

    Attributes:
        key: Names it among the articles of its group.
        article: The article.
        parts: How many acknowledgements will come.
        failures: Why it could not be read.
    """

    key: str
    article: Article
    parts: int
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One of three things that a poll waits for: that it was made, that an article was read, that it was dealt with.

    Attributes:
        due: The tick of the poll.
        poll, read, done: The thing; the other two are None.
    """

    due: datetime
    poll: PollRecord | None = None
    read: ArticleRead | None = None
    done: Acknowledged | None = None


def article_key(article: Article) -> str:
    """Return what names an article among those of its poll."""
    return hashlib.sha256(f"{article.feed}\x00{article.item_id}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


class SettlePolls(beam.PTransform):
    """(group, `Receipt`) in, packed; `CommitResult` out, packed, for each poll that was committed."""

    def __init__(self, committer: Callable[[], Committer]) -> None:
        """Keep what opens the store in a worker."""
        super().__init__()
        self._committer = committer

    def expand(self, receipts: beam.PCollection) -> beam.PCollection:
        """Collect receipts and commit complete polls."""
        return receipts | "Settle" >> beam.ParDo(_Settle(self._committer)).with_output_types(bytes)


class _Settle(beam.DoFn):
    """Holds the receipts of a group until a poll is complete, and commits polls in their order.

    The timer says when a poll should be complete, the receipts say whether it is.
    """

    RECEIPTS = BagStateSpec("receipts", BytesCoder())
    LAST = ReadModifyWriteStateSpec("last", BytesCoder())
    DUE = TimerSpec("due", TimeDomain.WATERMARK)

    def __init__(self, opener: Callable[[], Committer]) -> None:
        self._opener = opener
        self._committer: Committer | None = None

    def process(
        self,
        element: tuple[str, bytes],
        receipts: Any = beam.DoFn.StateParam(RECEIPTS),
        timer: Any = beam.DoFn.TimerParam(DUE),
        at: Timestamp = beam.DoFn.TimestampParam,
    ) -> None:
        """Put the receipt by."""
        receipts.add(element[1])
        timer.set(at + _AFTER)

    @on_timer(DUE)
    def settle(
        self,
        group: str = beam.DoFn.KeyParam,
        receipts: Any = beam.DoFn.StateParam(RECEIPTS),
        last: Any = beam.DoFn.StateParam(LAST),
    ) -> Iterator[bytes]:
        """Commit what is complete."""
        by_tick: defaultdict[datetime, list[Receipt]] = defaultdict(list)
        for receipt in (unpack(data, Receipt) for data in receipts.read()):
            by_tick[receipt.due].append(receipt)
        kept = last.read()
        before = unpack(kept, datetime) if kept else None
        ready = ready_of(by_tick, before)
        if not ready:
            return
        for tick in ready:
            yield from self._commit(group, tick, by_tick[tick])
        receipts.clear()
        for tick in sorted(by_tick.keys() - set(ready)):
            for receipt in by_tick[tick]:
                receipts.add(pack(receipt))
        if not group.startswith(LONE):
            last.write(pack(ready[-1]))

    def _commit(self, group: str, tick: datetime, receipts: Sequence[Receipt]) -> Iterator[bytes]:
        batch = batch_of(group, tick, receipts)
        if not (batch.articles or batch.failures or any(pull.outcome != "not_due" for pull in batch.pulls)):
            return
        if self._committer is None:
            self._committer = self._opener()
        yield pack(self._committer.commit(batch))


def ready_of(by_tick: Mapping[datetime, Sequence[Receipt]], last: datetime | None) -> list[datetime]:
    """Return the ticks of the polls that may be committed: complete, and none before them missing.

    Args:
        by_tick: The receipts of a group.
        last: The tick of the group's last committed poll, None if there is none.
    """
    found: list[datetime] = []
    for tick in sorted(by_tick):
        poll = next((one.poll for one in by_tick[tick] if one.poll), None)
        read = {one.read.key: one.read.parts for one in by_tick[tick] if one.read}
        done = sum(1 for one in by_tick[tick] if one.done)
        if poll is None or len(read) != poll.articles or done < sum(read.values()):
            break
        if poll.before is not None and (last is None or poll.before > last):
            break
        found.append(tick)
        last = tick
    return found


def batch_of(group: str, tick: datetime, receipts: Sequence[Receipt]) -> RunBatch:
    """Return what is committed of one poll; its name tells its contents, so that the same one is written once."""
    polls = [one.poll for one in receipts if one.poll]
    read = sorted((one.read for one in receipts if one.read), key=lambda one: one.key)
    failures = [failure for poll in polls for failure in poll.failures]
    failures += [failure for one in read for failure in one.failures]
    pulls: list[FeedPull] = [pull for poll in polls for pull in poll.pulls]
    words = [f"{one.key} {one.article.content_hash}" for one in read]
    words += sorted(f"{pull.feed} {pull.state.last_attempt}" for pull in pulls)
    digest = hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    now = max((one.article.fetched for one in read), default=tick)
    attempts = [pull.state.last_attempt for pull in pulls if pull.state.last_attempt]
    return RunBatch(
        run_id=f"{STREAM}/poll/{group}",
        part=f"{tick.isoformat()} {digest}",
        now=max([now, *attempts]),
        articles=tuple(one.article for one in read),
        pulls=tuple(sorted(pulls, key=lambda pull: pull.feed)),
        failures=tuple(sorted(failures, key=lambda failure: (failure.stage, failure.input_id, failure.kind))),
    )


class DeliverAlerts(beam.DoFn):
    """Hands alerts straight to the Pub/Sub sinks; what is not taken fails the bundle, which the engine tries again.

    A bundle tried again publishes again, under the same ids.
    """

    def __init__(self, sinks: Sequence[SinkSettings], clock: Callable[[], datetime]) -> None:
        """Keep the settings; sinks are made in the worker."""
        self._settings = tuple(one for one in sinks if isinstance(one, PubSubSettings))
        self._clock = clock
        self._sinks: list[Sink] = []
        self._waiting: list[Alert] = []

    def setup(self) -> None:
        """Make the sinks."""
        self._sinks = sinks_of(self._settings)

    def start_bundle(self) -> None:
        """Begin with nothing."""
        self._waiting = []

    def process(self, element: bytes) -> None:
        """Put an alert by for the end of the bundle."""
        self._waiting.append(unpack(element, Alert))

    def finish_bundle(self) -> None:
        """Deliver."""
        for sink in self._sinks:
            for start in range(0, len(self._waiting), sink.batch_size):
                self._deliver(sink, self._waiting[start : start + sink.batch_size])
        self._waiting = []

    def _deliver(self, sink: Sink, alerts: Sequence[Alert]) -> None:
        deliveries = tuple(Delivery(alert=one, body=sink.encode(one), attempt=1) for one in alerts)
        outcomes = sink.deliver(Batch(deliveries=deliveries, now=self._clock(), history=_NoHistory()))
        refused = {**{key: one.message for key, one in outcomes.retry.items()}, **outcomes.refused}
        if refused:
            alert_id, message = next(iter(refused.items()))
            raise SinkError(f"sink {sink.name} did not take {alert_id}: {message}")
        count("sinks", "delivered", len(deliveries))


class _NoHistory:
    """What a stream without a store knows of earlier alerts; the sinks that it uses do not ask."""

    def latest(self, limit: int) -> Sequence[Alert]:
        return ()

    def of_event(self, event_id: str) -> Sequence[Alert]:
        return ()
