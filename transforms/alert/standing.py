"""Which ceasefires are in force where, since when, and how they are kept: what `trucewatch ceasefires` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from transforms.alert.ceasefires import Ceasefire
from transforms.alert.ledger import Ledger
from transforms.alert.raising import judge
from transforms.alert.withdrawals import standing_mentions
from transforms.model import Event, Family


@dataclass(frozen=True, slots=True, kw_only=True)
class CeasefireStanding:
    """One ceasefire in force, with the breaches that are on record.

    Attributes:
        ceasefire: The entry of the ledger.
        since: First day in force.
        days: Days in force so far, the first and today included.
        violations: Breaches on record, reported and inferred.
        by_day: (day, breaches) of each day that has any, in order; an act dated to a span counts on its first day.
        per_day: Breaches a day over the last `window` days, or over all days where it is younger.
        last_violation: Day of the latest breach, None if there is none.
    """

    ceasefire: Ceasefire
    since: date
    days: int
    violations: int
    by_day: tuple[tuple[date, int], ...]
    per_day: float
    last_violation: date | None


def ceasefires_in_force(
    ledger: Ledger, events: Iterable[Event], now: datetime, *, country: str = "", window: int = 30
) -> tuple[CeasefireStanding, ...]:
    """Return the ceasefires in force at `now`, by country and then the most often broken first.

    Args:
        ledger: Known and detected ceasefires.
        events: Stored events of any family; those that were superseded or taken back do not count.
        now: The clock.
        country: "SY" or "LY" for one country, "" for both.
        window: Days over which breaches a day are reckoned.
    """
    today = now.date()
    breaches: dict[str, Counter[date]] = {}
    for event in events:
        if event.family is Family.CEASEFIRE or event.superseded_by or not standing_mentions(event):
            continue
        day = event.date.start if event.date else event.first_seen.date()
        broken = judge(event, ledger).ceasefire_id
        if broken and day <= today:
            breaches.setdefault(broken, Counter())[day] += 1
    rows = [
        _standing(one, breaches.get(one.id, Counter()), today, window)
        for one in ledger
        if one.in_force(today) and country in ("", one.country)
    ]
    return tuple(sorted(rows, key=lambda row: (row.ceasefire.country, -row.violations, row.since, row.ceasefire.id)))


def _standing(one: Ceasefire, by_day: Counter[date], today: date, window: int) -> CeasefireStanding:
    days = (today - one.start).days + 1
    reckoned = max(1, min(days, window))
    recent = sum(n for day, n in by_day.items() if day > today - timedelta(days=reckoned))
    return CeasefireStanding(
        ceasefire=one,
        since=one.start,
        days=days,
        violations=by_day.total(),
        by_day=tuple(sorted(by_day.items())),
        per_day=round(recent / reckoned, 2),
        last_violation=max(by_day, default=None),
    )
