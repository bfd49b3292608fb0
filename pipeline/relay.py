"""Delivery from the outbox: each sink on its own, with retries, and a circuit breaker that outlives the process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.store.outbox import Outbox, Queued, Settlement, SinkState
from pipeline.store.store import Store
from transforms.failures import SinkError
from transforms.sinks.base import Batch, Delivery, Outcomes, PacedSink, Retry, Sink


def _minutes(*numbers: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=number) for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """When an alert is tried again, and when a sink is left alone.

    Attributes:
        delays: Waits between attempts; after the last one an alert is undeliverable. In all about two days, and so
            many that a receiver that fails half the time misses one alert in 250,000.
        jitter: Each wait is changed by up to this fraction of it, so that retries do not come in waves.
        breaker_after: Failed batches in a row after which the sink is not tried for a while.
        breaker_delay: The first such while; it doubles with each further failure.
        breaker_longest: The longest.
    """

    delays: tuple[timedelta, ...] = _minutes(
        0.5, 1, 2, 5, 10, 20, 30, 60, 60, 120, 120, 240, 240, 360, 360, 480, 720
    )  # fmt: skip
    jitter: float = 0.2
    breaker_after: int = 3
    breaker_delay: timedelta = timedelta(minutes=1)
    breaker_longest: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkReport:
    """What a relay did at one sink; `skipped` says why it was not tried, `error` how it failed as a whole."""

    name: str
    delivered: int = 0
    retried: int = 0
    undeliverable: int = 0
    skipped: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayReport:
    """What a relay did."""

    sinks: tuple[SinkReport, ...] = ()

    @property
    def delivered(self) -> int:
        """Deliveries at all sinks."""
        return sum(sink.delivered for sink in self.sinks)

    @property
    def troubled(self) -> tuple[SinkReport, ...]:
        """Sinks that failed, were skipped, or have something to try again or given up."""
        return tuple(s for s in self.sinks if s.skipped or s.error or s.retried or s.undeliverable)


_DEFAULT = RetrySettings()
_SHORTEST = timedelta(seconds=1)  # so that nothing is tried twice by one relay


def relay(store: Store, sinks: Sequence[Sink], now: datetime, settings: RetrySettings = _DEFAULT) -> RelayReport:
    """Hand every sink what is due to it, and note in the store what became of it.

    Args:
        store: Holds the outbox.
        sinks: Where to deliver; one that fails delays itself alone.
        now: The present time, by which retries are due and webhooks are signed (not the clock of a replayed run).
        settings: When to try again.

    Raises:
        StoreBusyError: Another process is delivering from this store.
    """
    with store.lock("relay"):
        store.outbox.add_sinks(sink.name for sink in sinks)
        states = {state.name: state for state in store.outbox.states()}
        return RelayReport(sinks=tuple(_Relay(store.outbox, s, states[s.name], now, settings).run() for s in sinks))


@dataclass(slots=True)
class _Relay:
    """One sink's share of a relay."""

    outbox: Outbox
    sink: Sink
    state: SinkState
    now: datetime
    settings: RetrySettings
    started: float = field(default_factory=time.monotonic)
    report: SinkReport = field(init=False)

    def run(self) -> SinkReport:
        """Deliver batch by batch until nothing is due or the sink fails as a whole."""
        self.report = SinkReport(name=self.sink.name)
        if self.state.disabled:
            return replace(self.report, skipped=f"disabled: {self.state.disabled}")
        if self.state.open_until is not None and self.state.open_until > self.now:
            return replace(self.report, skipped=f"left alone until {self.state.open_until:%Y-%m-%d %H:%M:%S} UTC")
        if isinstance(self.sink, PacedSink) and not self.sink.ready(self.now, self.state.last_success):
            return self.report
        # After a failure one alert is enough to learn whether the sink is back.
        size = 1 if self.state.failures else self.sink.batch_size
        while queued := self.outbox.due(self.sink.name, self.now, size):
            if not self._deliver(queued):
                break
            size = self.sink.batch_size
        return self.report

    def _deliver(self, queued: list[Queued]) -> bool:
        """Deliver one batch; False if the sink is to be left alone."""
        deliveries, refused = self._encoded(queued)
        error = ""
        outcomes = Outcomes()
        if deliveries:
            moment = self.now + timedelta(seconds=time.monotonic() - self.started)
            try:
                outcomes = self.sink.deliver(Batch(deliveries=deliveries, now=moment, history=self.outbox))
            except SinkError as failure:
                error = str(failure)
                if not failure.retryable:
                    refused |= {delivery.alert_id: error for delivery in deliveries}
            except Exception as failure:  # noqa: BLE001 - one sink's defect must not hold up the others; it is reported
                error = f"{type(failure).__name__}: {failure}"
        if not error and not (refused or outcomes.delivered or outcomes.retry or outcomes.refused or outcomes.disable):
            error = "the sink did not say what became of any alert"
        settlement = self._settlement(queued, outcomes, refused, error)
        untried = len(queued) - len(settlement.delivered) - len(settlement.again) - len(settlement.given_up)
        self._note(settlement, queued, outcomes, error)
        return not (error or untried or outcomes.disable or outcomes.pause)

    def _encoded(self, queued: list[Queued]) -> tuple[tuple[Delivery, ...], dict[str, str]]:
        deliveries: list[Delivery] = []
        refused: dict[str, str] = {}
        for row in queued:
            try:
                body = self.sink.encode(row.alert)
            except (SinkError, ValueError) as error:
                refused[row.alert.alert_id] = f"cannot be written in this sink's form: {error}"
            else:
                deliveries.append(Delivery(alert=row.alert, body=body, attempt=row.attempts + 1))
        return tuple(deliveries), refused

    def _settlement(self, queued: list[Queued], outcomes: Outcomes, refused: dict[str, str], error: str) -> Settlement:
        delivered = set(outcomes.delivered)
        refused = {**outcomes.refused, **refused}
        again: list[tuple[int, datetime, str]] = []
        given_up: list[tuple[int, str]] = []
        for row in queued:
            alert_id = row.alert.alert_id
            if alert_id in delivered:
                continue
            if alert_id in refused:
                given_up.append((row.number, refused[alert_id]))
                continue
            retry = Retry(message=error) if error else outcomes.retry.get(alert_id)
            if retry is None:
                continue  # not tried: it stays due
            if row.attempts >= len(self.settings.delays):
                given_up.append((row.number, f"given up after {row.attempts + 1} attempts: {retry.message}"))
            else:
                wait = max(wait_before(row.attempts + 1, alert_id, self.settings), retry.after or _SHORTEST)
                again.append((row.number, self.now + wait, retry.message))
        return Settlement(
            delivered=tuple(row.number for row in queued if row.alert.alert_id in delivered),
            again=tuple(again),
            given_up=tuple(given_up),
        )

    def _note(self, settlement: Settlement, queued: list[Queued], outcomes: Outcomes, error: str) -> None:
        state = self.state
        failed = bool(error) or (not settlement.delivered and bool(settlement.again))
        if failed:
            message = error or settlement.again[0][2]
            state = replace(state, failures=state.failures + 1, last_error=message)
            state = replace(state, open_until=breaker_until(state.failures, self.now, self.settings))
        elif settlement.delivered:
            last = outcomes.delivered[-1]
            state = replace(
                state, failures=0, open_until=None, last_success=self.now, last_delivered=last, last_error=""
            )
        if outcomes.pause:
            state = replace(state, open_until=max(self.now + outcomes.pause, state.open_until or self.now))
        if outcomes.disable:
            state = replace(state, disabled=outcomes.disable, last_error=outcomes.disable)
        self.outbox.settle(state, settlement, self.now)
        self.state = state
        self.report = replace(
            self.report,
            delivered=self.report.delivered + len(settlement.delivered),
            retried=self.report.retried + len(settlement.again),
            undeliverable=self.report.undeliverable + len(settlement.given_up),
            error=error or outcomes.disable or self.report.error,
        )


def wait_before(attempt: int, alert_id: str, settings: RetrySettings) -> timedelta:
    """Return how long to wait after failed attempt number `attempt`; the jitter is the same for the same alert."""
    delay = settings.delays[min(attempt, len(settings.delays)) - 1]
    digest = hashlib.sha256(f"{alert_id}:{attempt}".encode()).digest()
    part = int.from_bytes(digest[:4], "big") / 2**32  # 0 to 1
    return delay * (1 + settings.jitter * (2 * part - 1))


def breaker_until(failures: int, now: datetime, settings: RetrySettings) -> datetime | None:
    """Return until when a sink that failed so many batches in a row is left alone, None if it may be tried."""
    beyond = failures - settings.breaker_after
    if beyond < 0:
        return None
    return now + min(settings.breaker_delay * (1 << min(beyond, 20)), settings.breaker_longest)
