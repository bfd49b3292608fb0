"""The alert stage as a Beam transform: changed events in, events to store and alerts out.

A ceasefire that this very run reads of counts for the acts of the same run: the ceasefire events among the changes
join those of earlier runs, and the ledger is built from both, once, as a side input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import apache_beam as beam

from transforms.alert.ledger import Ledger, ledger_of
from transforms.alert.settings import AlertPolicy
from transforms.alert.telling import REVISIT, STAGE, is_step, superseded_pair, tell
from transforms.counters import count, measure
from transforms.model import Event, EventChange


class RaiseAlerts(beam.PTransform):
    """Tells of changed events: new, updated or retracted alerts, by policy and ledger.

    Takes a PCollection of `EventChange`, or a dict of two: `changes`, and `open_events` (`Event`) of earlier runs. The
    open events are looked at again for what could not be told before: a revision that waited for its quiet period to
    pass, an act whose ceasefire became known later. One that is also among the changes is taken from there.

    Gives a dict: `events` (to be stored, `told` brought up to date; an open event only where that changed), `alerts`
    and `failures`. Counters count changes and open events: `alert.in` = `alert.out` (those that raised an alert) +
    `alert.dropped.<reason>` (those that did not) + `alert.failed`; `alert.made` counts alerts. The distribution
    `alert.latency_s` tells the seconds from the first report to the event's first alert.
    """

    def __init__(
        self, policy: AlertPolicy, now: datetime, ledger_events: Sequence[Event] | beam.PCollection = ()
    ) -> None:
        """Keep what the stage works by.

        Args:
            policy: What is told.
            now: The run's clock.
            ledger_events: Ceasefire events of earlier runs, told or not: a sequence, or a bounded PCollection.
        """
        super().__init__()
        self._policy = policy
        self._now = now
        self._ledger_events = ledger_events

    def expand(self, pcoll: beam.PCollection | dict[str, beam.PCollection]) -> dict[str, beam.PCollection]:
        """Add the steps."""
        changes = pcoll["changes"] if isinstance(pcoll, dict) else pcoll
        steps = changes
        if isinstance(pcoll, dict) and "open_events" in pcoll:
            keyed = changes | "KeyChanges" >> beam.Map(lambda change: (change.event.event_id, change))
            again = pcoll["open_events"] | "KeyOpenEvents" >> beam.Map(lambda event: (event.event_id, event))
            joined = {"changes": keyed, "open_events": again} | "JoinOpenEvents" >> beam.CoGroupByKey()
            steps = joined | "ChangedOrOpen" >> beam.FlatMap(_changed_or_open)
        arguments = [self._ledger(changes), self._superseded(changes)]
        raised = steps | "RaiseAlert" >> beam.ParDo(_Raise(self._policy, self._now), *arguments).with_outputs(
            "alerts", "failures", main="events"
        )
        return {"events": raised.events, "alerts": raised.alerts, "failures": raised.failures}

    def _ledger(self, changes: beam.PCollection) -> Any:
        """Return the ledger as a side input; from earlier runs alone where the changes never end."""
        settings = (self._policy.detected_days, self._policy.recent_days)
        pipeline, earlier = changes.pipeline, self._ledger_events
        if not isinstance(earlier, beam.PCollection):
            earlier = pipeline | "EarlierCeasefires" >> beam.Create(list(earlier))
        here = [] if not changes.is_bounded else [changes | "CeasefireEvents" >> beam.FlatMap(_ceasefire_event)]
        held = here[0] if here else earlier | "NoCeasefireEvents" >> beam.Filter(lambda _event: False)
        built = (
            pipeline
            | "LedgerSettings" >> beam.Create([settings])
            | "BuildLedger" >> beam.Map(_build_ledger, beam.pvalue.AsList(earlier), beam.pvalue.AsList(held))
        )
        return beam.pvalue.AsSingleton(built)

    def _superseded(self, changes: beam.PCollection) -> Any:
        """Return (surviving event, superseded event that was told) pairs as a side input."""
        source = changes if changes.is_bounded else changes.pipeline | "NoSuperseded" >> beam.Create([])
        pairs = source | "SupersededEvents" >> beam.FlatMap(_superseded_pair)
        return beam.pvalue.AsList(pairs)


class _Raise(beam.DoFn):
    """`raise_alert` for one change, with its failures and counters."""

    def __init__(self, policy: AlertPolicy, now: datetime) -> None:
        self._policy = policy
        self._now = now

    def process(self, change: EventChange, ledger: Ledger, superseded: Sequence[tuple[str, str]]) -> Iterator[Any]:
        count(STAGE, "in")
        telling = tell(change, ledger, superseded, self._policy, self._now)
        count(STAGE, telling.outcome)
        if telling.failure:
            yield beam.pvalue.TaggedOutput("failures", telling.failure)
        if telling.alert:
            count(STAGE, "made")
            yield beam.pvalue.TaggedOutput("alerts", telling.alert)
        if telling.waited_s is not None:
            measure(STAGE, "latency_s", telling.waited_s)
        if telling.event:
            yield telling.event


def _ceasefire_event(change: EventChange) -> Iterator[Event]:
    if is_step(change.event):
        yield change.event


def _superseded_pair(change: EventChange) -> Iterator[tuple[str, str]]:
    pair = superseded_pair(change)
    if pair:
        yield pair


def _changed_or_open(joined: tuple[str, dict[str, Iterable[Any]]]) -> Iterator[EventChange]:
    """Yield the changes of an event; where there is none, the stored event to look at again."""
    _, found = joined
    changes = list(found["changes"])
    if changes:
        yield from changes
        return
    for event in list(found["open_events"])[:1]:
        yield EventChange(event=event, what=(REVISIT,))


def _build_ledger(settings: tuple[int, int], earlier: Iterable[Event], here: Iterable[Event]) -> Ledger:
    """Return the ledger; an event of this run takes the place of its stored self."""
    events = {event.event_id: event for event in (*earlier, *here)}
    detected_days, recent_days = settings
    return ledger_of(events.values(), detected_days=detected_days, recent_days=recent_days)
