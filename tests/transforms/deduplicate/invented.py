"""Invented mentions for the tests of the deduplicate stage, from short rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from transforms.deduplicate.clusters import ClusterSpace
from transforms.deduplicate.decide import decision
from transforms.deduplicate.settings import ClusterSettings
from transforms.detect.signature import signature_of
from transforms.model import (
    DatePrecision,
    DateSpan,
    Event,
    EventChange,
    Evidence,
    Family,
    Means,
    Mention,
    Party,
    Place,
    Realis,
    Stage,
)

START = datetime(2016, 10, 1, tzinfo=UTC)
SETTINGS = ClusterSettings()


def _town(name: str, code: str, adm1: str, adm2: str, lat: float, lon: float) -> Place:
    return Place(
        name=name, label=name, gazetteer_id=code, country=adm1[:2], kind="town", adm1=adm1, adm2=adm2,
        lat=lat, lon=lon, precision=1,
    )  # fmt: skip


PLACES = {
    "Sarmin": _town("Sarmin", "T1", "SY07", "SY0700", 35.904, 36.726),
    "Saraqib": _town("Saraqib", "T2", "SY07", "SY0700", 35.866, 36.806),
    "سراقب": _town("Saraqib", "T2", "SY07", "SY0700", 35.866, 36.806),
    "Khan Sheikhoun": _town("Khan Sheikhoun", "T3", "SY07", "SY0702", 35.443, 36.651),
    "Idlib": _town("Idlib", "T4", "SY07", "SY0700", 35.931, 36.634),
    "Aleppo": _town("Aleppo", "T5", "SY02", "SY0200", 36.203, 37.154),
    "Jobar": _town("Jobar", "T11", "SY01", "SY0100", 33.528, 36.334),
    "Zamalka": _town("Zamalka", "T12", "SY03", "SY0302", 33.527, 36.353),
    "Douma": _town("Douma", "T6", "SY03", "SY0302", 33.570, 36.402),
    "Homs": _town("Homs", "T7", "SY04", "SY0401", 34.732, 36.714),
    "Tripoli": _town("Tripoli", "T8", "LY02", "LY0211", 32.887, 13.191),
    "Tarhuna": _town("Tarhuna", "T9", "LY02", "LY0210", 32.435, 13.634),
    "Sirte": _town("Sirte", "T10", "LY02", "LY0208", 31.209, 16.589),
    "Idlib province": Place(
        name="Idlib province", label="Idleb", gazetteer_id="SY07", country="SY", kind="adm1", adm1="SY07", precision=3
    ),
    "Eastern Ghouta": Place(
        name="Eastern Ghouta", label="Eastern Ghouta", gazetteer_id="A1", country="SY", kind="area", adm1="SY03",
        covers=("SY0302",), precision=2,
    ),
}  # fmt: skip


def place(name: str, country: str = "SY") -> Place:
    """Return a known place, with `name` as told, or one that no gazetteer knows."""
    return PLACES.get(name, Place(name=name, country=country))


def span(told: str) -> DateSpan | None:
    """Return the days of "", "2016-10-02", "2016-10-02/2016-10-04" or, precise to the month, "2016-10"."""
    if not told:
        return None
    if len(told) == 7:
        first = date.fromisoformat(f"{told}-01")
        return DateSpan(start=first, end=first + timedelta(days=27), precision=DatePrecision.MONTH)
    days = [date.fromisoformat(one) for one in told.split("/")]
    return DateSpan(start=days[0], end=days[-1])


def mention(row: Mapping[str, Any]) -> Mention:
    """Return the mention that a row describes; what it leaves out is as common as can be."""
    published = datetime.fromisoformat(row["published"])
    published = published if published.tzinfo else published.replace(tzinfo=UTC)
    kind = row.get("kind", "airstrike")
    ceasefire = kind in {one.value for one in Stage}
    outlet = row.get("outlet", f"outlet of {row['id']}")
    words = row.get("words", "")
    country = row.get("country", "SY")
    return Mention(
        mention_id=row["id"],
        item_id=row.get("item", row["id"]),
        feed=row.get("feed", outlet),
        outlet=outlet,
        owner=row.get("owner", ""),
        state_affiliated=row.get("state", False),
        lang=row.get("lang", "en"),
        published=published,
        fetched=datetime.fromisoformat(row["fetched"]).replace(tzinfo=UTC) if "fetched" in row else published,
        family=Family.CEASEFIRE if ceasefire else Family(row.get("family", "hostility")),
        stage=Stage(kind) if ceasefire else None,
        means=None if ceasefire else Means(kind),
        country=country,
        places=tuple(place(one, country) for one in row.get("places", [])),
        date=span(row.get("date", published.date().isoformat())),
        actors=tuple(Party(name=one) for one in row.get("actors", [])),
        targets=tuple(Party(name=one) for one in row.get("targets", [])),
        killed=row.get("killed"),
        injured=row.get("injured"),
        realis=Realis(row.get("realis", "asserted")),
        evidence=Evidence(quote=words or row["id"], field="title", start=0, end=len(words or row["id"])),
        signature=signature_of(row["text"]) if "text" in row else (),
        wording=tuple(sorted(set(re.findall(r"[^\W\d_]{3,}", words.lower())))),
    )


def run(
    batches: Iterable[Sequence[Mention]],
    now: datetime | None = None,
    settings: ClusterSettings = SETTINGS,
    space: ClusterSpace | None = None,
) -> tuple[dict[str, Event], list[EventChange]]:
    """Return all events after `batches`, decided on one after another as a store would, and all changes."""
    events: dict[str, Event] = {}
    told: list[EventChange] = []
    for batch in batches:
        at = now or max(one.published for one in batch)
        for change in decision(still_open(events.values()), batch, at, settings, space).changes:
            events[change.event.event_id] = change.event
            told.append(change)
    return events, told


def still_open(events: Iterable[Event]) -> list[Event]:
    """Return the events that the store would hand to the next run."""
    return [one for one in events if not one.closed and not one.superseded_by]


def partition_of(events: Iterable[Event]) -> set[frozenset[str]]:
    """Return which mentions stand together."""
    return {frozenset(m.mention_id for m in one.mentions) for one in events if not one.superseded_by and one.mentions}
