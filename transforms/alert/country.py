"""The news of one country, looked at as a stream: what it remembers, and one look at what has come since.

`look` does for one country what a bounded run does for all of them, by the same functions and in the same order:
decide, build the ledger from what was known and what has just been read, tell. So that the two tell the same, the
events of both kinds of a country are in one memory: acts meet the ceasefire steps read in the same look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from transforms.alert.ledger import Ledger, ledger_of
from transforms.alert.settings import AlertPolicy
from transforms.alert.telling import REVISIT, is_step, superseded_pair, tell
from transforms.deduplicate.block import decide_block
from transforms.deduplicate.clusters import ClusterSpace
from transforms.deduplicate.settings import ClusterSettings
from transforms.failures import Failure
from transforms.model import Alert, Event, EventChange, Mention

COUNTRIES = ("LY", "SY")
_MAY_CHANGE = ("dropped.quiet", "failed")  # outcomes of the same event that may be others at a later time


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is known of a country between two looks.

    Attributes:
        events: By id, open events, and closed steps of ceasefires that the ledger may still need.
        ledger: As of the last look, None where there was none: then every open event is looked at again.
        waiting: Ids of events whose change waits for its quiet period to pass.
    """

    events: Mapping[str, Event] = field(default_factory=dict)
    ledger: Ledger | None = None
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a country's news gave.

    Attributes:
        events: That changed, to be stored; `told` is up to date.
        alerts: To be told, in the order of the events' first reports.
        failures: What could not be handled.
        counts: Counters by `<stage>.<outcome>`.
        waited_s: Seconds from first report to first alert, for each event told for the first time.
        memory: What is to be remembered for the next look.
    """

    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]
    failures: tuple[Failure, ...]
    counts: Mapping[str, int]
    waited_s: tuple[int, ...]
    memory: Memory


def look(
    memory: Memory,
    mentions: Sequence[Mention],
    now: datetime,
    clusters: ClusterSettings,
    policy: AlertPolicy,
    space: ClusterSpace | None = None,
) -> Look:
    """Decide on `mentions` of one country and tell of what changed.

    An open event that did not change is looked at again where that can give something: when the ledger is not what it
    was at the last look, or when its change waited. (That it gets older never makes an event worth telling.)

    Args:
        memory: What the last look left.
        mentions: New ones, in any order.
        now: The clock of this look.
        clusters: Settings of deduplicate.
        policy: What is told.
        space: What an earlier look at this country left ready for comparison; it changes nothing but the time it takes.
    """
    open_events = [event for event in memory.events.values() if not event.closed]
    counts: Counter[str] = Counter()
    decision, failures = decide_block(open_events, list(mentions), now, clusters, space)
    counts["deduplicate.in"] += len(mentions)
    counts["deduplicate.out"] += decision.taken
    counts["deduplicate.failed"] += len(failures)
    counts["deduplicate.made"] += len(decision.changes)
    counts.update({f"deduplicate.dropped.{reason}": n for reason, n in decision.dropped.items()})

    ledger = _ledger(memory, decision.changes, policy)
    same = memory.ledger is not None and ledger.detected == memory.ledger.detected
    changed = {change.event.event_id for change in decision.changes}
    again = [
        EventChange(event=event, what=(REVISIT,))
        for event in open_events
        if event.event_id not in changed and (not same or event.event_id in memory.waiting)
    ]
    superseded = [pair for pair in map(superseded_pair, decision.changes) if pair]

    events: list[Event] = []
    alerts: list[Alert] = []
    waited: list[int] = []
    waiting: set[str] = set()
    for change in (*decision.changes, *again):
        telling = tell(change, ledger, superseded, policy, now)
        counts["alert.in"] += 1
        counts[f"alert.{telling.outcome}"] += 1
        if telling.failure:
            failures.append(telling.failure)
        if telling.event:
            events.append(telling.event)
        if telling.alert:
            counts["alert.made"] += 1
            alerts.append(telling.alert)
        if telling.waited_s is not None:
            waited.append(telling.waited_s)
        if telling.outcome in _MAY_CHANGE:
            waiting.add(change.event.event_id)
    after = {**memory.events, **{event.event_id: event for event in events}}
    return Look(
        events=tuple(events),
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.first_seen, alert.event_id, alert.revision))),
        failures=tuple(failures),
        counts=+counts,
        waited_s=tuple(waited),
        memory=Memory(events=_kept(after.values(), ledger, now, policy), ledger=ledger, waiting=frozenset(waiting)),
    )


def remembered(events: Iterable[Event], now: datetime, policy: AlertPolicy) -> Memory:
    """Return the memory that `events` make, read from where they are kept."""
    every = [event for event in events if not event.superseded_by]
    return Memory(events=_kept(every, _ledger_of(every, policy), now, policy))


def _kept(events: Iterable[Event], ledger: Ledger, now: datetime, policy: AlertPolicy) -> dict[str, Event]:
    """Return, by id, the events that a later look needs.

    A closed step is kept while a ceasefire that it belongs to may be what comes now is about, and without its mentions,
    which the ledger does not read.
    """
    day = now.date() - timedelta(days=policy.max_age_days)  # an act told today may be so old
    recent = timedelta(days=policy.recent_days)
    needed = {step for one in ledger.detected if one.last_day >= day - recent for step in one.steps}
    youngest = now - timedelta(days=policy.detected_days)
    found: dict[str, Event] = {}
    for event in events:
        if event.superseded_by:
            continue
        if not event.closed:
            found[event.event_id] = event
        elif is_step(event) and (event.event_id in needed or event.last_seen >= youngest):
            found[event.event_id] = replace(event, mentions=()) if event.mentions else event
    return found


def _ledger(memory: Memory, changes: Iterable[EventChange], policy: AlertPolicy) -> Ledger:
    """Return the ledger; an event as it now is takes the place of its earlier self."""
    steps = {event.event_id: event for event in memory.events.values() if is_step(event)}
    steps |= {change.event.event_id: change.event for change in changes if is_step(change.event)}
    return _ledger_of(steps.values(), policy)


def _ledger_of(events: Iterable[Event], policy: AlertPolicy) -> Ledger:
    steps = [event for event in events if is_step(event)]
    return ledger_of(steps, detected_days=policy.detected_days, recent_days=policy.recent_days)
