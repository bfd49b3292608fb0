"""What a stream needs of the store in its workers: the events of a country, feeds' states, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam

from pipeline.relay import relay
from pipeline.store.store import Store
from transforms.alert.country import Look
from transforms.counters import count
from transforms.failures import StoreBusyError
from transforms.ingest.feed import FeedState
from transforms.model import Event
from transforms.sinks.commit import RunBatch
from transforms.sinks.registry import sinks_of
from transforms.sinks.settings import SinkSettings
from transforms.sinks.streaming import STREAM


def wall_clock(_tick: datetime) -> datetime:
    """Return the present: the clock of a stream of live news."""
    return datetime.now(UTC)


def tick_clock(tick: datetime) -> datetime:
    """Return the tick itself: the clock of a replay."""
    return tick


@dataclass(frozen=True, slots=True)
class StoredFeedStates:
    """Reads the feeds' states from the store, in a worker."""

    url: str

    def __call__(self) -> Mapping[str, FeedState]:
        """Open the store and read them."""
        with Store.open(self.url) as store:
            return store.feed_states()


@dataclass(frozen=True, slots=True)
class StoredCountries:
    """Opens the store in a worker, as the place where events are kept."""

    url: str

    def __call__(self) -> StoredCountry:
        """Open the store."""
        return StoredCountry(Store.open(self.url))


class StoredCountry:
    """The events of countries in the store; each look is one transaction, and is written once."""

    def __init__(self, store: Store) -> None:
        """Use `store`."""
        self._store = store

    def load(self, country: str, now: datetime) -> tuple[Sequence[Event], int]:
        """Return a country's open events and ceasefire steps, and the number of its next look."""
        steps = {event.event_id: event for event in self._store.ceasefire_events()}
        events = steps | {event.event_id: event for event in self._store.open_events(now)}
        number = self._store.parts_of(_run_id(country))
        return [event for event in events.values() if event.country == country], number

    def keep(self, country: str, number: int, now: datetime, found: Look) -> bool:
        """Write events, alerts, outbox and failures in one transaction, unless a look of that number was written."""
        batch = RunBatch(
            run_id=_run_id(country),
            part=f"{number:09d}",
            now=now,
            events=found.events,
            alerts=found.alerts,
            failures=found.failures,
        )
        result = self._store.commit(batch)
        if not result.repeated:
            count("sinks", "in", len(found.alerts))
            count("sinks", "out", len(found.alerts) - len(result.already_told))
            count("sinks", "dropped.already_told", len(result.already_told))
            count("sinks", "made", result.queued)
        return not result.repeated


def _run_id(country: str) -> str:
    return f"{STREAM}/look/{country}"


class RelayOutbox(beam.DoFn):
    """Delivers what is due from the outbox each time it is woken; a second one at work is left to it."""

    def __init__(self, url: str, sinks: Sequence[SinkSettings], clock: Callable[[], datetime]) -> None:
        """Keep the store's address; sinks are made in the worker."""
        self._url = url
        self._settings = tuple(sinks)
        self._clock = clock
        self._made: tuple[Store, Any] | None = None

    def process(self, _: Any) -> Iterator[str]:
        """Deliver; what a sink does not take stays due."""
        if self._made is None:
            self._made = Store.open(self._url), sinks_of(self._settings)
        store, sinks = self._made
        try:
            report = relay(store, sinks, self._clock())
        except StoreBusyError:
            return
        for row in report.sinks:
            count("relay", "delivered", row.delivered)
            count("relay", "retried", row.retried)
            if row.error:
                yield f"{row.name}: {row.error}"


def present() -> datetime:
    """Return the present, by which deliveries are due even of a replay."""
    return datetime.now(UTC)
