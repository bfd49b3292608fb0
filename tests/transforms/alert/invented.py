"""Invented mentions, events and places for the tests of the alert stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from transforms.model import (
    DateSpan,
    Event,
    Evidence,
    Family,
    Means,
    Mention,
    Party,
    Place,
    Realis,
    Stage,
    Toll,
    TollFigure,
)

NOW = datetime(2026, 2, 12, 12, 0, tzinfo=UTC)
TOWN = Place(
    name="Maskana", gazetteer_id="C1", label="Maskana", country="SY", kind="town",
    adm1="SY02", adm2="SY0205", adm3="SY020503", precision=1,
)  # fmt: skip


def place(fields: Mapping[str, Any]) -> Place:
    """Return a place from a case's table."""
    values = dict(fields)
    return Place(**{**values, "covers": tuple(values.get("covers", ()))})


def span(text: str) -> DateSpan | None:
    """Return the days that a case names: "", a day, or first and last day."""
    if not text:
        return None
    first, _, last = text.partition("/")
    return DateSpan(start=date.fromisoformat(first), end=date.fromisoformat(last or first))


def parties(ids: Sequence[str]) -> tuple[Party, ...]:
    """Return parties by their ids."""
    return tuple(Party(name=one, party_id=one) for one in ids)


def mention(number: int = 1, **fields: Any) -> Mention:
    """Return a mention; the number makes item and outlet its own."""
    values: dict[str, Any] = {
        "mention_id": f"m{number}",
        "item_id": f"i{number}",
        "feed": f"feed{number}",
        "outlet": f"Outlet {number}",
        "published": NOW - timedelta(hours=2),
        "fetched": NOW - timedelta(hours=1),
        "family": Family.VIOLATION,
        "means": Means.SHELLING,
        "country": "SY",
        "places": (TOWN,),
        "date": span("2026-02-12"),
        "evidence": Evidence(quote="shells fell on the market", field="title", start=0, end=25),
        "rules_version": "r1",
        **fields,
    }
    return Mention(**values)


def event(*mentions: Mention, **fields: Any) -> Event:
    """Return an event of `mentions` (one by default), its slots taken from the first."""
    told_by = mentions or (mention(),)
    first = told_by[0]
    outlets = tuple(sorted({m.outlet for m in told_by if m.realis in (Realis.ASSERTED, Realis.ALLEGED)}))
    asserted = any(m.realis is Realis.ASSERTED for m in told_by)
    values: dict[str, Any] = {
        "event_id": "e1",
        "key": "SY|violation|shelling|Maskana|2026-02-12|m1",
        "family": first.family,
        "stage": first.stage,
        "means": first.means,
        "country": first.country,
        "places": first.places,
        "date": first.date,
        "actors": first.actors,
        "targets": first.targets,
        "certainty": Realis.ASSERTED if asserted else Realis.ALLEGED,
        "mentions": told_by,
        "outlets": outlets,
        "independent_outlets": len(outlets),
        "first_seen": min(m.published for m in told_by),
        "last_seen": max(m.published for m in told_by),
        **fields,
    }
    return Event(**values)


def act(case: Mapping[str, Any]) -> Event:
    """Return the armed act that a case of `ledger_acts` describes."""
    means = Means(case.get("means", "unspecified"))
    return replace(
        event(mention(family=Family(case.get("family", "hostility")), means=means, country=case["country"])),
        places=tuple(place(one) for one in case.get("places", ())),
        date=span(case.get("date", "")),
        actors=parties(case.get("actors", ())),
        targets=parties(case.get("targets", ())),
    )


def step(number: int, day: str, stage: Stage, **fields: Any) -> Event:
    """Return an event of the ceasefire family."""
    own = {key: fields.pop(key) for key in ("places", "actors", "targets") if key in fields}
    told_at = datetime.combine(date.fromisoformat(day[:10]), time(10), UTC)
    own |= {"published": told_at, "fetched": told_at, "country": fields.get("country", "SY")}
    told = mention(number, family=Family.CEASEFIRE, stage=stage, means=None, date=span(day), **own)
    return event(told, **{"event_id": f"step{number}", **fields})


def toll(*figures: int) -> Toll:
    """Return the toll of these figures, each from an outlet of its own."""
    told = tuple(TollFigure(value=v, outlet=f"Outlet {n}", item_id=f"i{n}") for n, v in enumerate(figures, start=1))
    return Toll(low=min(figures), high=max(figures), figures=told) if figures else Toll()
