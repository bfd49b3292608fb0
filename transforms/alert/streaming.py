"""The Beam face of deduplicate and alert in a stream: the news of a country, decided on and told, tick by tick.

What an event is called depends on which of its mentions is seen first, so mentions wait for the end of their tick: an
event-time timer fires when the watermark says that all of it has come, in whatever order it came. Each tick is then one
look, as one bounded run is.

The events themselves are kept in one of two places. With a store, there: it is written before the state is, so that it
is never behind it, and a worker that takes a country over reads them from it. Without a store, in the engine's state.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.alert.country import Look, Memory, look, remembered
from transforms.alert.settings import AlertPolicy
from transforms.alert.telling import STAGE
from transforms.counters import count, measure
from transforms.deduplicate.clusters import ClusterSpace
from transforms.deduplicate.decide import space_for
from transforms.deduplicate.settings import ClusterSettings
from transforms.envelope import pack, unpack
from transforms.failures import StateError
from transforms.model import Event, Mention

Clock = Callable[[datetime], datetime]
_AFTER = Duration(micros=5000)  # polls hand on what they find a millisecond after their tick
_ATTEMPTS = 3
_SPARE = 2.0  # the log of events is written anew when it holds so many times what it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryNews:
    """What reaches a country at a tick: what one article tells, or nothing but the tick itself.

    Attributes:
        due: The tick.
        group: Whose poll found the article, "" for a tick.
        article: Key of the article within its group, to acknowledge it by.
        mentions: What it tells of this country.
    """

    due: datetime
    group: str = ""
    article: str = ""
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An article's mentions in one country have been dealt with, and what came of them is kept."""

    due: datetime
    article: str


class CountryStore(Protocol):
    """Keeps the events of countries outside the engine; a look is kept whole or not at all."""

    def load(self, country: str, now: datetime) -> tuple[Sequence[Event], int]:
        """Return the events that looks need, and the number of the next look."""
        ...

    def keep(self, country: str, number: int, now: datetime, found: Look) -> bool:
        """Keep what look number `number` found; False, and nothing is kept, if there was a look of that number."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agenda:
    """The small state of a country, read at every element.

    Attributes:
        next: The earliest tick whose news waits.
        looked: The clock of the last look.
        number: Number of the next look, where a store counts them.
        token: Changes with each look; a worker whose own memory bears it need not read the events again.
        logged: Entries in the log of events.
    """

    next: datetime | None = None
    looked: datetime | None = None
    number: int = 0
    token: str = ""
    logged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logged:
    """An entry of the log of events in the engine's state; the last one of an id counts, None forgets it."""

    event_id: str
    event: Event | None = None


class DecideAndTell(beam.PTransform):
    """(country, `CountryNews`) in, packed; a dict of what came of it out.

    Gives `alerts` (`Alert`), `events` (`Event`), `failures` (`Failure`), and `acks` ((group, `Acknowledged`)), all
    packed. With a store they are given on after they have been kept.
    """

    def __init__(
        self,
        clusters: ClusterSettings,
        policy: AlertPolicy,
        clock: Clock,
        store: Callable[[], CountryStore] | None = None,
    ) -> None:
        """Keep what the workers need; all of it must be picklable.

        Args:
            clusters: Settings of deduplicate.
            policy: What is told.
            clock: The clock of the look that ends a tick.
            store: Opens the store in a worker, None to keep events in the engine's state.
        """
        super().__init__()
        self._arguments = (clusters, policy, clock, store)

    def expand(self, news: beam.PCollection) -> dict[str, beam.PCollection]:
        """Decide and tell."""
        told = news | "Look" >> beam.ParDo(_Country(*self._arguments)).with_outputs(
            "events", "failures", "acks", main="alerts"
        )
        return {name: told[name] for name in ("alerts", "events", "failures", "acks")}


class _Country(beam.DoFn):
    """Collects the news of a country until its tick is over, then looks at it."""

    NEWS = BagStateSpec("news", BytesCoder())
    AGENDA = ReadModifyWriteStateSpec("agenda", BytesCoder())
    EVENTS = BagStateSpec("events", BytesCoder())
    TICK = TimerSpec("tick", TimeDomain.WATERMARK)

    def __init__(
        self,
        clusters: ClusterSettings,
        policy: AlertPolicy,
        clock: Clock,
        store: Callable[[], CountryStore] | None,
    ) -> None:
        self._clusters = clusters
        self._policy = policy
        self._clock = clock
        self._opener = store
        self._store: CountryStore | None = None
        self._memory: dict[str, tuple[str, Memory]] = {}  # country -> token, what the last look left
        # Open events ready for comparison. They need no token: each look holds them against the events it is given,
        # which are those of the state or the store, and makes ready anew what is not the same.
        self._spaces: dict[str, ClusterSpace] = {}

    def process(
        self,
        element: tuple[str, bytes],
        news: Any = beam.DoFn.StateParam(NEWS),
        agenda_state: Any = beam.DoFn.StateParam(AGENDA),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> None:
        """Put the news by, and see to it that its tick is looked at."""
        due = unpack(element[1], CountryNews).due
        news.add(element[1])
        agenda = _agenda(agenda_state.read())
        if agenda.next is None or due < agenda.next:
            agenda_state.write(pack(replace(agenda, next=due)))
            _set(timer, due)

    @on_timer(TICK)
    def end_of_tick(
        self,
        country: str = beam.DoFn.KeyParam,
        news: Any = beam.DoFn.StateParam(NEWS),
        agenda_state: Any = beam.DoFn.StateParam(AGENDA),
        events: Any = beam.DoFn.StateParam(EVENTS),
        timer: Any = beam.DoFn.TimerParam(TICK),
    ) -> Iterator[Any]:
        """Look at the news of the earliest tick; later ones have a timer each, set one after another."""
        agenda = _agenda(agenda_state.read())
        if agenda.next is None:
            return
        waiting = [unpack(data, CountryNews) for data in news.read()]
        here = [one for one in waiting if one.due <= agenda.next]
        later = [one for one in waiting if one.due > agenda.next]
        now = self._clock(agenda.next)
        if agenda.looked is not None and now < agenda.looked:
            now = agenda.looked  # news that came late is news of now
        found, agenda = self._look(country, [m for one in here for m in one.mentions], now, agenda, events)
        news.clear()
        for one in later:
            news.add(pack(one))
        after = min((one.due for one in later), default=None)
        agenda_state.write(pack(replace(agenda, next=after, looked=now)))
        if after is not None:
            _set(timer, after)
        yield from self._outputs(found, here)

    def _outputs(self, found: Look, here: Sequence[CountryNews]) -> Iterator[Any]:
        for name, n in found.counts.items():
            stage, _, outcome = name.partition(".")
            count(stage, outcome, n)
        for seconds in found.waited_s:
            measure(STAGE, "latency_s", seconds)
        for alert in found.alerts:
            yield pack(alert)
        for event in found.events:
            yield beam.pvalue.TaggedOutput("events", pack(event))
        for failure in found.failures:
            yield beam.pvalue.TaggedOutput("failures", pack(failure))
        for one in here:
            if one.article:
                yield beam.pvalue.TaggedOutput(
                    "acks", (one.group, pack(Acknowledged(due=one.due, article=one.article)))
                )

    def _look(
        self, country: str, mentions: Sequence[Mention], now: datetime, agenda: _Agenda, log: Any
    ) -> tuple[Look, _Agenda]:
        space = self._spaces.get(country)
        if space is None:
            space = self._spaces[country] = space_for(self._clusters)
        if self._opener is None:
            memory = self._logged(country, agenda, log)
            found = look(memory, mentions, now, self._clusters, self._policy, space)
            return found, self._log(country, memory.events, found, agenda, log)
        if self._store is None:
            self._store = self._opener()
        for _ in range(_ATTEMPTS):
            memory, number = self._stored(country, agenda, now, self._store)
            found = look(memory, mentions, now, self._clusters, self._policy, space)
            if not (found.events or found.alerts or found.failures):
                return found, self._remember(country, found, replace(agenda, number=number))
            if self._store.keep(country, number, now, found):
                return found, self._remember(country, found, replace(agenda, number=number + 1))
            # This look, or another worker's, was kept before: what it found is known from the store now.
            self._memory.pop(country, None)
        raise StateError(f"another stream writes the news of {country} to the same store: stop one of the two")

    def _stored(self, country: str, agenda: _Agenda, now: datetime, store: CountryStore) -> tuple[Memory, int]:
        token, memory = self._memory.get(country, ("", Memory()))
        if token and token == agenda.token:
            return memory, agenda.number
        events, number = store.load(country, now)
        return remembered(events, now, self._policy), number

    def _remember(self, country: str, found: Look, agenda: _Agenda) -> _Agenda:
        token = uuid.uuid4().hex
        self._memory[country] = (token, found.memory)
        return replace(agenda, token=token)

    def _logged(self, country: str, agenda: _Agenda, log: Any) -> Memory:
        token, memory = self._memory.get(country, ("", Memory()))
        if token and token == agenda.token:
            return memory
        events: dict[str, Event] = {}
        for entry in (unpack(data, _Logged) for data in log.read()):
            events.pop(entry.event_id, None)
            if entry.event is not None:
                events[entry.event_id] = entry.event
        return Memory(events=events)

    def _log(self, country: str, before: Mapping[str, Event], found: Look, agenda: _Agenda, log: Any) -> _Agenda:
        """Write what changed behind the log of events, or the log anew where most of it is stale."""
        after = found.memory.events
        changed = [event for event_id, event in after.items() if before.get(event_id) is not event]
        gone = [event_id for event_id in before if event_id not in after]
        logged = agenda.logged + len(changed) + len(gone)
        if logged > _SPARE * len(after) + 100:
            log.clear()
            changed, gone, logged = list(after.values()), [], len(after)
        for event in changed:
            log.add(pack(_Logged(event_id=event.event_id, event=event)))
        for event_id in gone:
            log.add(pack(_Logged(event_id=event_id)))
        return self._remember(country, found, replace(agenda, logged=logged))


def _agenda(kept: bytes | None) -> _Agenda:
    return unpack(kept, _Agenda) if kept else _Agenda()


def _set(timer: Any, due: datetime) -> None:
    timer.set(Timestamp.of(due.timestamp()) + _AFTER)
