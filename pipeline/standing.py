"""What `trucewatch ceasefires` prints: the ledger's entries in force, with the breaches that the store has."""

from __future__ import annotations

from datetime import datetime

from pipeline.store.store import Store
from transforms.alert.ledger import ledger_of
from transforms.alert.standing import CeasefireStanding, ceasefires_in_force


def standing_rows(store: Store | None, now: datetime, country: str = "") -> tuple[CeasefireStanding, ...]:
    """Return the ceasefires in force at `now`; without a store those that are known, without breaches."""
    learned = store.ceasefire_events() if store else []
    events = store.events(until=now, superseded=False) if store else []
    return ceasefires_in_force(ledger_of(learned), events, now, country=country)
