"""The labelled windows as mentions, and the score of events made from them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from transforms.detect.gazetteer import country_of
from transforms.detect.parties import party_id_of
from transforms.detect.places import find_places, resolve_places
from transforms.detect.signature import signature_of
from transforms.model import DatePrecision, DateSpan, Evidence, Family, Means, Mention, Party, Place, Realis, Stage

NOW = datetime(2030, 1, 1, tzinfo=UTC)
Resolve = Callable[[str, str, str], Place]


def shared_dir() -> Path | None:
    """Return the folder of measuring material beside the checkout, None where it is absent."""
    told = os.environ.get("TRUCEWATCH_SHARED")
    found = Path(told) if told else Path(__file__).resolve().parents[2].parent / "shared"
    return found if (found / "gold").is_dir() else None


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A mention, the event that it is labelled with (None where the labels name none) and its window."""

    mention: Mention
    event: str | None
    window: str


def _span(told: str | None) -> DateSpan | None:
    if told is None:
        return None
    days = [date.fromisoformat(one) for one in told.split("/")]
    return DateSpan(start=days[0], end=days[-1], precision=DatePrecision.DAY)


def sentence_around(text: str, quote: str) -> str:
    """Return the sentence of `text` in which `quote` stands."""
    at = text.find(quote)
    if at < 0:
        return quote
    start = max(text.rfind(end, 0, at) for end in (". ", "? ", "! ")) + 1
    ends = [one for end in (". ", "? ", "! ") if (one := text.find(end, at + len(quote) - 1)) >= 0]
    return text[start : min(ends, default=len(text))]


def bare_place(name: str, country: str, text: str) -> Place:
    """Return a place that no gazetteer was asked about."""
    del text
    return Place(name=name, country=country)


def resolved_place(name: str, country: str, text: str) -> Place:
    """Return the place that the detect stage's gazetteer makes of `name` in `text`."""
    whole = text if name in text else name
    at = whole.find(name)
    found = [
        one
        for one in resolve_places(whole, "en", find_places(whole, "en"), country_of(whole, "en"), country=country)
        if one.start < at + len(name) and at < one.end
    ]
    if not found and whole is not name:
        return resolved_place(name, country, name)
    if not found:
        return bare_place(name, country, text)
    return replace(max(found, key=lambda one: (one.end - one.start, -one.start)).place, name=name)


def mention_of(item: dict[str, Any], told: dict[str, Any], resolve: Resolve) -> Mention:
    """Return a labelled record as the detect stage would give it."""
    key = json.dumps([item["id"], told], sort_keys=True)
    published = datetime.fromisoformat(item["published"][:10]).replace(tzinfo=UTC)
    ceasefire = told["family"] == "ceasefire"
    text = f"{item['title']}. {item['summary']}"
    words = sorted(set(re.findall(r"[^\W\d_]{3,}", sentence_around(text, told["evidence"]).lower())))

    def parties(names: list[str]) -> tuple[Party, ...]:
        return tuple(Party(name=name, party_id=party_id_of(name, told["country"])) for name in names)

    field = "title" if told["evidence"] in item["title"] else "summary"
    start = max(item[field].find(told["evidence"]), 0)
    return Mention(
        mention_id=hashlib.sha256(key.encode()).hexdigest()[:16],
        item_id=item["id"],
        feed=item["outlet"],
        outlet=item["outlet"],
        published=published,
        fetched=published,
        family=Family(told["family"]),
        stage=Stage(told["stage"]) if ceasefire else None,
        means=None if ceasefire else Means(told["means"]),
        country=told["country"],
        places=tuple(resolve(name, told["country"], text) for name in told["places"]),
        date=_span(told["date"]),
        actors=parties(told["actors"]),
        targets=parties(told["targets"]),
        killed=told["killed"],
        injured=told["injured"],
        realis=Realis(told["certainty"]),
        evidence=Evidence(quote=told["evidence"], field=field, start=start, end=start + len(told["evidence"])),
        signature=signature_of(text),
        wording=tuple(words),
    )


def dev_mentions(shared: Path, resolve: Resolve = resolved_place) -> list[Labelled]:
    """Return the labelled mentions of the dev windows."""
    items = {one["id"]: one for one in rows(shared / "gold" / "dedup_dev_items.jsonl")}
    found = []
    for line in rows(shared / "gold" / "dedup_dev_mentions.jsonl"):
        item = items[line["id"]]
        window = item.get("window", "")
        found += [
            Labelled(mention=mention_of(item, told, resolve), event=told["event"], window=window)
            for told in line["events"]
        ]
    return found


def scorer(shared: Path) -> Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, Any]]:
    """Return the `score` function of the measuring material."""
    spec = importlib.util.spec_from_file_location("score_dedup", shared / "gold" / "score_dedup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, Any]] = module.score
    return score


def as_alerts(groups: Iterable[Iterable[Mention]]) -> list[dict[str, Any]]:
    """Return groups of mentions as the lines that the scorer reads."""
    lines = []
    for at, group in enumerate(groups):
        lines.append({"event_id": f"e{at}", "revision": 1, "items": sorted({one.item_id for one in group})})
    return lines


def by_window(labelled: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    found: dict[str, list[Labelled]] = defaultdict(list)
    for one in labelled:
        found[one.window].append(one)
    return dict(found)
