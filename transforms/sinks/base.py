"""What every sink is: a name, a way to write one alert down, and a way to hand a batch over.

A sink is told of an alert at least once. One that must hold it exactly once looks for the alert's id before it writes,
as `jsonl` does. A sink that rewrites a whole file asks the batch's history for what belongs in it, so that the file
depends on the store alone and not on how often delivery was tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from transforms.model import Alert


class AlertHistory(Protocol):
    """Alerts that are in the store, for sinks that need more than the batch."""

    def latest(self, limit: int) -> Sequence[Alert]:
        """Return the last revision of the events told most recently, newest first."""
        ...

    def of_event(self, event_id: str) -> Sequence[Alert]:
        """Return every revision of one event, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one sink.

    Attributes:
        alert: What is told.
        body: The sink's own encoding of it.
        attempt: 1 for the first try.
    """

    alert: Alert
    body: bytes
    attempt: int = 1

    @property
    def alert_id(self) -> str:
        """The id that stays the same over retries."""
        return self.alert.alert_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Alerts for one sink, in the order in which they were committed.

    Attributes:
        deliveries: At most the sink's `batch_size`.
        now: The time of delivery; a signature is made with it.
        history: What the store holds.
    """

    deliveries: tuple[Delivery, ...]
    now: datetime
    history: AlertHistory

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """Ids of the alerts in it."""
        return tuple(delivery.alert_id for delivery in self.deliveries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Why an alert must be tried again, and how long the receiver asked to be left alone (None: our own schedule)."""

    message: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What became of a batch; an alert in none of the three groups was not tried and stays due.

    Attributes:
        delivered: Ids that the sink holds now.
        retry: Ids that may succeed later.
        refused: Ids that will never be taken, and why.
        disable: Why the sink must not be used any more ("" if it may): a receiver that answers 410 Gone.
        pause: How long the sink as a whole asks to be left alone: a receiver that answers 429.
    """

    delivered: tuple[str, ...] = ()
    retry: Mapping[str, Retry] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    disable: str = ""
    pause: timedelta | None = None


class Sink(Protocol):
    """Where alerts go.

    Attributes:
        name: Unique in a deployment; the store keeps the sink's place under it.
        batch_size: Most alerts it takes at once.
    """

    @property
    def name(self) -> str:
        """Unique in a deployment."""
        ...

    @property
    def batch_size(self) -> int:
        """Most alerts it takes at once."""
        ...

    def encode(self, alert: Alert) -> bytes:
        """Return the sink's own form of `alert`; raises `ValueError` or `SinkError` where it has none."""
        ...

    def deliver(self, batch: Batch) -> Outcomes:
        """Hand `batch` over; raises `SinkError` where the sink as a whole does not answer."""
        ...


@runtime_checkable
class PacedSink(Protocol):
    """A sink that does not take alerts at any time, such as a daily digest."""

    def ready(self, now: datetime, last_success: datetime | None) -> bool:
        """Say whether it takes alerts now, having last taken some at `last_success`."""
        ...
