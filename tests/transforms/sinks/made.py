"""Invented records for tests of what is kept and delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from transforms.failures import Failure
from transforms.ingest.feed import FeedPull, FeedState
from transforms.model import (
    Alert,
    AlertEvidence,
    Article,
    Basis,
    Change,
    Codes,
    DateSpan,
    Event,
    Evidence,
    Family,
    Means,
    Mention,
    Party,
    Place,
    Realis,
    Told,
    Toll,
    TollFigure,
)
from transforms.sinks.base import Batch, Delivery, Sink
from transforms.sinks.commit import RunBatch

NOW = datetime(2016, 10, 3, 9, 30, tzinfo=UTC)
QUOTE = "shells hit the grain market hours after the truce began"


def quote(number: int = 1, **changes: Any) -> AlertEvidence:
    values: dict[str, Any] = {
        "item_id": f"item-{number}",
        "outlet": "The Orontes Courier",
        "url": f"https://courier.example/{number}",
        "published": NOW - timedelta(hours=1),
        "quote": QUOTE,
        "field": "title",
        "start": 0,
        "end": len(QUOTE),
        "lang": "en",
        "rule": "shell.hit",
    }
    return AlertEvidence(**(values | changes))


def alert(number: int = 1, revision: int = 1, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "event_id": f"e{number:06d}",
        "revision": revision,
        "change": Change.NEW if revision == 1 else Change.UPDATED,
        "family": Family.VIOLATION,
        "means": Means.SHELLING,
        "country": "SY",
        "places": (
            Place(
                name="Hama", gazetteer_id="g1", label="Hama", country="SY", kind="town", adm1="SY05", adm2="SY0500",
                lat=35.13179, lon=36.75783, precision=1,
            ),
        ),
        "date": DateSpan(start=date(2016, 10, 3), end=date(2016, 10, 3)),
        "actors": (Party(name="government forces"),),
        "targets": (Party(name="a grain market"),),
        "killed": Toll(low=3, high=5, figures=(TollFigure(value=3, outlet="The Orontes Courier", item_id="item-1"),)),
        "ceasefire_id": "sy-2016-09",
        "ceasefire_name": "September truce",
        "basis": Basis.REPORTED,
        "evidence": (quote(number),),
        "outlets": ("Levant Radio", "The Orontes Courier"),
        "independent_outlets": 2,
        "first_seen": NOW - timedelta(hours=1),
        "told_at": NOW + timedelta(minutes=revision - 1),
        "codes": Codes(
            cameo="196", plover="ASSAULT-heavy-weapons",
            acled="Explosions/Remote violence: Shelling/artillery/missile attack",
        ),
        "rules_version": "r1",
    }  # fmt: skip
    return Alert(**(values | changes))


def mention(number: int = 1) -> Mention:
    return Mention(
        mention_id=f"m{number:06d}",
        item_id=f"item-{number}",
        feed="courier",
        outlet="The Orontes Courier",
        published=NOW - timedelta(hours=1),
        fetched=NOW,
        family=Family.VIOLATION,
        means=Means.SHELLING,
        country="SY",
        evidence=Evidence(quote=QUOTE, field="title", start=0, end=len(QUOTE)),
        signature=tuple(range(16)),
        wording=("grain", "market", "shells"),
    )


def event(number: int = 1, revision: int = 1, **changes: Any) -> Event:
    told = Told(revision=revision, at=NOW, family=Family.VIOLATION, means=Means.SHELLING) if revision else None
    values: dict[str, Any] = {
        "event_id": f"e{number:06d}",
        "key": f"SY violation shelling Hama 2016-10-03 {number}",
        "family": Family.VIOLATION,
        "means": Means.SHELLING,
        "country": "SY",
        "certainty": Realis.ASSERTED,
        "mentions": (mention(number),),
        "outlets": ("The Orontes Courier",),
        "first_seen": NOW - timedelta(hours=1),
        "last_seen": NOW - timedelta(hours=1),
        "told": told,
    }
    return Event(**(values | changes))


def article(number: int = 1, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "item_id": f"item-{number}",
        "feed": "courier",
        "outlet": "The Orontes Courier",
        "url": f"https://courier.example/{number}",
        "title": "Shells hit grain market in Hama",
        "published": NOW - timedelta(hours=1),
        "fetched": NOW,
        "content_hash": f"h{number}",
    }
    return Article(**(values | changes))


def pull(feed: str = "courier", **changes: Any) -> FeedPull:
    return FeedPull(feed=feed, state=FeedState(feed=feed, etag='"v1"', pulls=1, **changes), outcome="new", items_in=1)


def failure(number: int = 1) -> Failure:
    return Failure(
        stage="detect", kind="ValueError", message="no sense in it", input_id=f"item-{number}", payload="{}", at=NOW
    )


def batch(run_id: str, numbers: Iterable[int] = (1,), **changes: Any) -> RunBatch:
    """A run that read, found and told one thing for each of `numbers`."""
    wanted = list(numbers)
    values: dict[str, Any] = {
        "run_id": run_id,
        "now": NOW,
        "articles": tuple(article(n) for n in wanted),
        "pulls": (pull(),),
        "events": tuple(event(n) for n in wanted),
        "alerts": tuple(alert(n) for n in wanted),
    }
    return RunBatch(**(values | changes))


@dataclass
class Memory:
    """A history of alerts without a store."""

    alerts: Sequence[Alert] = ()

    def latest(self, limit: int) -> list[Alert]:
        last = {each.event_id: each for each in self.alerts}
        return list(reversed(last.values()))[:limit]

    def of_event(self, event_id: str) -> list[Alert]:
        return [each for each in self.alerts if each.event_id == event_id]


def delivery(sink: Sink, alerts: Sequence[Alert], history: Sequence[Alert] = (), now: datetime = NOW) -> Batch:
    """Return `alerts` as a batch for `sink`."""
    deliveries = tuple(Delivery(alert=each, body=sink.encode(each)) for each in alerts)
    return Batch(deliveries=deliveries, now=now, history=Memory(history or alerts))


HOSTILE = "=cmd|' /C calc'!A0 \u202egnp.exe\x1b[31m \x00<script>alert(1)</script> & \"x\" \ud800 ]]> [link=file:///etc]"


def hostile(number: int = 9) -> Alert:
    """An alert whose every told word tries to break out of where it is put."""
    bad = alert(number)
    return replace(
        bad,
        places=(replace(bad.places[0], name=HOSTILE, label=HOSTILE),),
        actors=(Party(name=HOSTILE),),
        targets=(Party(name=HOSTILE),),
        outlets=(HOSTILE,),
        ceasefire_name=HOSTILE,
        evidence=(
            quote(number, quote=HOSTILE, outlet=HOSTILE, url="javascript:alert(1)"),
            quote(number, quote=HOSTILE, outlet=HOSTILE, url='https://a.example/"><script>'),
        ),
    )
