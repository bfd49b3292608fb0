"""The news of one country, looked at as a stream: what it remembers, and one look at what has come since.

`look` does for one country what a bounded run does for all of them, by the same functions and in the same order:
decide, build the ledger from what was known and what has just been read, tell. So that the two tell the same, the
events of both kinds of a country are in one memory: acts meet the ceasefire steps read in the same look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from transforms.alert.ledger import Ledger, ledger_of
from transforms.alert.settings import AlertPolicy
from transforms.alert.telling import REVISIT, is_step, superseded_pair, tell
from transforms.deduplicate.block import decide_block
from transforms.deduplicate.settings import ClusterSettings
from transforms.failures import Failure
from transforms.model import Alert, Event, EventChange, Mention

COUNTRIES = ("LY", "SY")


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
    memory: Mapping[str, Event]


def look(
    memory: Mapping[str, Event],
    mentions: Sequence[Mention],
    now: datetime,
    clusters: ClusterSettings,
    policy: AlertPolicy,
) -> Look:
    """Decide on `mentions` of one country and tell of what changed; open events are looked at again.

    Args:
        memory: By id, the country's open events and the ceasefire events that the ledger still needs.
        mentions: New ones, in any order.
        now: The clock of this look.
        clusters: Settings of deduplicate.
        policy: What is told.
    """
    open_events = [event for event in memory.values() if not event.closed and not event.superseded_by]
    counts: Counter[str] = Counter()
    decision, failures = decide_block(open_events, list(mentions), now, clusters)
    counts["deduplicate.in"] += len(mentions)
    counts["deduplicate.out"] += decision.taken
    counts["deduplicate.failed"] += len(failures)
    counts["deduplicate.made"] += len(decision.changes)
    counts.update({f"deduplicate.dropped.{reason}": n for reason, n in decision.dropped.items()})

    changed = {change.event.event_id for change in decision.changes}
    again = [EventChange(event=one, what=(REVISIT,)) for one in open_events if one.event_id not in changed]
    superseded = [pair for pair in map(superseded_pair, decision.changes) if pair]
    ledger = _ledger(memory, decision.changes, policy)

    events: list[Event] = []
    alerts: list[Alert] = []
    waited: list[int] = []
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
    after = {**memory, **{event.event_id: event for event in events}}
    return Look(
        events=tuple(events),
        alerts=tuple(sorted(alerts, key=lambda alert: (alert.first_seen, alert.event_id, alert.revision))),
        failures=tuple(failures),
        counts=+counts,
        waited_s=tuple(waited),
        memory=remembered(after.values(), now, policy),
    )


def remembered(events: Iterable[Event], now: datetime, policy: AlertPolicy) -> dict[str, Event]:
    """Return, by id, the events that a later look needs: open ones, and closed steps of ceasefires not long over.

    A closed step is kept without its mentions: the ledger does not read them.
    """
    found: dict[str, Event] = {}
    closed: list[Event] = []
    for event in events:
        if event.superseded_by:
            continue
        if not event.closed:
            found[event.event_id] = event
        elif is_step(event):
            closed.append(event)
    if closed:
        needed = _needed(_ledger_of([*found.values(), *closed], policy), now, policy)
        youngest = now - timedelta(days=policy.detected_days)
        for event in closed:
            if event.event_id in needed or event.last_seen >= youngest:
                found[event.event_id] = replace(event, mentions=()) if event.mentions else event
    return found


def _needed(ledger: Ledger, now: datetime, policy: AlertPolicy) -> set[str]:
    """Return the ids of the events behind the ceasefires that what comes now may still be about."""
    day = now.date() - timedelta(days=policy.max_age_days)  # an act told today may be so old
    recent = timedelta(days=policy.recent_days)
    return {step for one in ledger.detected if one.last_day + recent >= day for step in one.steps}


def _ledger(memory: Mapping[str, Event], changes: Iterable[EventChange], policy: AlertPolicy) -> Ledger:
    """Return the ledger; an event as it now is takes the place of its earlier self."""
    steps = {event.event_id: event for event in memory.values() if is_step(event) and not event.superseded_by}
    steps |= {change.event.event_id: change.event for change in changes if is_step(change.event)}
    return _ledger_of(steps.values(), policy)


def _ledger_of(events: Iterable[Event], policy: AlertPolicy) -> Ledger:
    steps = [event for event in events if is_step(event)]
    return ledger_of(steps, detected_days=policy.detected_days, recent_days=policy.recent_days)
