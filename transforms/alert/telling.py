"""One change to what is told of it, with its failures and counts: what the bounded run and the stream do alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from transforms.alert.ledger import Ledger
from transforms.alert.raising import raise_alert
from transforms.alert.settings import AlertPolicy
from transforms.failures import Failure, failure_of
from transforms.model import Alert, Change, Event, EventChange, Family

STAGE = "alert"
REVISIT = "revisit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What became of one change.

    Attributes:
        event: The event to store, None where nothing of it changed.
        alert: What is told, None if nothing is.
        failure: Why it could not be handled, None if it could.
        outcome: For the counters: "out", "failed" or "dropped.<reason>".
        waited_s: For a first alert, the seconds from the first report to it.
    """

    event: Event | None = None
    alert: Alert | None = None
    failure: Failure | None = None
    outcome: str = "out"
    waited_s: int | None = None


def tell(
    change: EventChange, ledger: Ledger, superseded: Iterable[tuple[str, str]], policy: AlertPolicy, now: datetime
) -> Telling:
    """Return what is told of `change`; an error becomes a failure, so that one event does not stop the others.

    Args:
        change: The event as it now is.
        ledger: Ceasefires by which acts are judged.
        superseded: (surviving event, told event that turned out to be it) pairs.
        policy: What is told.
        now: The run's clock.
    """
    event = change.event
    taken_in = min((gone for survivor, gone in superseded if survivor == event.event_id), default="")
    try:
        decision = raise_alert(change, ledger, policy, now, supersedes=taken_in)
    except Exception as error:  # noqa: BLE001 - one event must not stop the others; it goes to the dead letters
        payload = msgspec.json.encode(change).decode()
        return Telling(
            failure=failure_of(STAGE, error, input_id=event.event_id, at=now, payload=payload), outcome="failed"
        )
    alert = decision.alert
    if alert is None:
        kept = decision.event if change.what != (REVISIT,) else None
        return Telling(event=kept, outcome=f"dropped.{decision.reason}")
    waited = None
    if alert.change is Change.NEW:
        waited = max(0, int((alert.told_at - alert.first_seen).total_seconds()))
    return Telling(event=decision.event, alert=alert, waited_s=waited)


def superseded_pair(change: EventChange) -> tuple[str, str] | None:
    """Return (surviving event, this event) where `change` says that a told event turned out to be another."""
    event = change.event
    if event.superseded_by and event.told and not event.told.retracted:
        return event.superseded_by, event.event_id
    return None


def is_step(event: Event) -> bool:
    """Return whether `event` belongs in the ledger."""
    return event.family is Family.CEASEFIRE
