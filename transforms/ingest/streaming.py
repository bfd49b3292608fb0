"""The Beam face of ingest in a stream: at each tick every group of hosts polls its feeds, with what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.counters import count
from transforms.envelope import pack, unpack
from transforms.ingest.articles import Seen
from transforms.ingest.feed import Feed, FeedState
from transforms.ingest.identity import content_hash
from transforms.ingest.polling import (
    KEPT,
    GroupMemory,
    PolledArticle,
    PollRecord,
    SeenBefore,
    groups_of,
    requests_of,
    without_future,
)
from transforms.ingest.pull import WantsText, pull_feeds
from transforms.ingest.settings import FetchSettings
from transforms.ingest.transform import count_pulled

Clock = Callable[[datetime], datetime]  # a tick's time to the run's clock: the wall clock, or the tick itself
Remembered = Callable[[], Mapping[str, FeedState]]
_AFTER = Duration(micros=1000)


class PollFeeds(beam.PTransform):
    """Ticks in; a dict of `articles` (`PolledArticle`) and `polls` ((group, `PollRecord`)) out, packed.

    The element's timestamp is the tick. State is by group: validators, intervals and back-off of its feeds, and which
    articles were given on.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        settings: FetchSettings,
        clock: Clock,
        wants_text: WantsText,
        *,
        seen: Seen | None = None,
        remembered: Remembered | None = None,
        replay: bool = False,
    ) -> None:
        """Keep what the workers need; all of it must be picklable.

        Args:
            feeds: The feeds.
            settings: Limits and manners; `shards` is the number of groups.
            clock: The run's clock at a tick.
            wants_text: Whether an article's page is worth fetching.
            seen: What the store holds, None without one.
            remembered: Gives the feeds' states where a group has none yet: from the store.
            replay: Read each feed whole each time, and leave out what is dated after the clock.
        """
        super().__init__()
        self._poll = _Poll(groups_of(feeds, settings.shards), settings, clock, wants_text, seen, remembered, replay)
        self._groups = tuple(groups_of(feeds, settings.shards))

    def expand(self, ticks: beam.PCollection) -> dict[str, beam.PCollection]:
        """Send each tick to each group, and poll."""
        polled = (
            ticks
            | "EachGroup" >> beam.FlatMap(_each_group, self._groups).with_output_types(tuple[str, bytes])
            | "Poll" >> beam.ParDo(self._poll).with_outputs("polls", main="articles")
        )
        return {"articles": polled.articles, "polls": polled.polls}


def _each_group(
    _: Any, groups: tuple[str, ...], tick: Timestamp = beam.DoFn.TimestampParam
) -> Iterator[tuple[str, bytes]]:
    due = pack(datetime.fromtimestamp(tick.micros / 1e6, UTC))
    return iter([(group, due) for group in groups])


class _Poll(beam.DoFn):
    """Polls one group's feeds; a bundle tried again polls again and hands on the same.

    Ticks wait for a timer, since elements may overtake one another and timers do not.
    """

    MEMORY = ReadModifyWriteStateSpec("memory", BytesCoder())
    TICKS = BagStateSpec("ticks", BytesCoder())
    TICK = TimerSpec("tick", TimeDomain.WATERMARK)

    def __init__(
        self,
        groups: dict[str, list[Feed]],
        settings: FetchSettings,
        clock: Clock,
        wants_text: WantsText,
        seen: Seen | None,
        remembered: Remembered | None,
        replay: bool,
    ) -> None:
        self._groups = groups
        self._settings = settings
        self._clock = clock
        self._wants_text = wants_text
        self._seen = seen
        self._remembered = remembered
        self._replay = replay

    def process(
        self,
        element: tuple[str, bytes],
        ticks: Any = beam.DoFn.StateParam(TICKS),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> None:
        """Put the tick by."""
        ticks.add(element[1])
        _set(timer, min(unpack(data, datetime) for data in ticks.read()))

    @on_timer(TICK)
    def poll(
        self,
        group: str = beam.DoFn.KeyParam,
        ticks: Any = beam.DoFn.StateParam(TICKS),
        state: Any = beam.DoFn.StateParam(MEMORY),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> Iterator[Any]:
        """Poll at the earliest tick that waits."""
        waiting = sorted({unpack(data, datetime) for data in ticks.read()})
        if not waiting:
            return
        if not self._replay:
            waiting = waiting[-1:]  # of ticks that were missed the last one finds all that the others would have
        due, later = waiting[0], waiting[1:]
        ticks.clear()
        for one in later:
            ticks.add(pack(one))
        if later:
            _set(timer, later[0])
        memory = self._memory(state.read())
        if memory.due is None or due > memory.due:
            yield from self._polled(group, due, memory, state)

    def _polled(self, group: str, due: datetime, memory: GroupMemory, state: Any) -> Iterator[Any]:
        now = self._clock(due)
        seen = SeenBefore(memory, self._seen, now)
        requests = requests_of(self._groups.get(group, ()), memory, whole=self._replay)
        result = pull_feeds(requests, self._settings, now, seen, self._wants_text)
        if self._replay:
            result = without_future(result)
        count_pulled(result)
        states = memory.states | {pull.feed: pull.state for pull in result.pulls}
        state.write(pack(GroupMemory(due=due, states=states, seen=seen.after(result.articles))))
        record = PollRecord(
            group=group,
            due=due,
            before=memory.due,
            articles=len(result.articles),
            pulls=tuple(result.pulls),
            failures=tuple(result.failures),
        )
        yield beam.pvalue.TaggedOutput("polls", (group, pack(record)))
        for article in result.articles:
            yield pack(PolledArticle(group=group, due=due, article=article))

    def _memory(self, kept: bytes | None) -> GroupMemory:
        if kept:
            return unpack(kept, GroupMemory)
        return GroupMemory(states=dict(self._remembered()) if self._remembered else {})


def _set(timer: Any, due: datetime) -> None:
    timer.set(Timestamp.of(due.timestamp()) + _AFTER)


class Unseen(beam.PTransform):
    """(key of an article, `PolledArticle`) in, packed; the same out, without what came before with the same words.

    For articles that others publish: what the keys remember is forgotten a month after it was last heard of.
    """

    def expand(self, articles: beam.PCollection) -> beam.PCollection:
        """Let pass what is new."""
        return articles | "Unseen" >> beam.ParDo(_Unseen()).with_output_types(tuple[str, bytes])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """The words of an article, and until when they are remembered."""

    content: str
    until: datetime


class _Unseen(beam.DoFn):
    """The deadline in the state decides; the timer only clears it, so that one which fires early does no harm."""

    HEARD = ReadModifyWriteStateSpec("heard", BytesCoder())
    FORGET = TimerSpec("forget", TimeDomain.WATERMARK)

    def process(
        self,
        element: tuple[str, bytes],
        heard: Any = beam.DoFn.StateParam(HEARD),
        timer: Any = beam.DoFn.TimerParam(FORGET),
    ) -> Iterator[tuple[str, bytes]]:
        polled = unpack(element[1], PolledArticle)
        content, kept = polled.article.content_hash or _words(polled), heard.read()
        before = unpack(kept, _Heard) if kept else None
        until = polled.due + KEPT
        heard.write(pack(_Heard(content=content, until=until)))
        timer.set(Timestamp.of(until.timestamp()))
        count("ingest", "in")
        if before is not None and before.content == content and polled.due < before.until:
            count("ingest", "dropped.seen")
            return
        count("ingest", "out")
        yield element

    @on_timer(FORGET)
    def forget(self, at: Timestamp = beam.DoFn.TimestampParam, heard: Any = beam.DoFn.StateParam(HEARD)) -> None:
        kept = heard.read()
        if kept and unpack(kept, _Heard).until.timestamp() <= at.micros / 1e6:
            heard.clear()


def _words(polled: PolledArticle) -> str:
    return content_hash(polled.article.title, polled.article.summary, polled.article.text)
