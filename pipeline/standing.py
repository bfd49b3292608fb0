"""What `trucewatch ceasefires` prints: the ledger's entries in force, with the breaches that the store has."""

from __future__ import annotations

from datetime import datetime

from pipeline.store.store import Store
from transforms.alert.coverage import Coverage
from transforms.alert.ledger import ledger_of
from transforms.alert.standing import CeasefireStanding, ceasefires_in_force


def standing_rows(store: Store | None, now: datetime, country: str = "") -> tuple[CeasefireStanding, ...]:
    """Return the ceasefires in force at `now`; without a store those that are known, without breaches."""
    learned = store.ceasefire_events() if store else []
    events = store.events(until=now, superseded=False) if store else []
    return ceasefires_in_force(ledger_of(learned), events, now, country=country)


def where_words(coverage: Coverage) -> str:
    """Return where a ceasefire holds, in a few words: the first name of its area, else the P-codes of its units."""
    if coverage.nationwide:
        return "whole country"
    return ", ".join(coverage.areas[:1] or coverage.codes or coverage.places)
