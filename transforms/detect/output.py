"""The forms that the command `trucewatch detect` reads and writes: JSON objects with the fields of the guide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from transforms.failures import ParseError
from transforms.model import Article, DateSpan, Mention, Party, Place
from transforms.text import plain

_ITEM_FIELDS = ("title", "summary", "text", "outlet", "lang", "url")


def article_of_item(item: Mapping[str, Any], *, now: datetime | None = None) -> Article:
    """Return the article that a JSON object describes.

    Args:
        item: `id`, `published` (a date or a time), `title`, `summary`, and optionally `lang`, `outlet`, `url`, `text`.
        now: The run's clock; the publication time where not given.

    Raises:
        ParseError: A field is missing or of the wrong type; the message names it.
    """
    identity = item.get("id")
    if isinstance(identity, int):
        identity = str(identity)
    if not isinstance(identity, str) or not identity:
        raise ParseError("bad_item", "`id` is missing or not a text")
    for name in _ITEM_FIELDS:
        if not isinstance(item.get(name) or "", str):
            raise ParseError("bad_item", f"item {identity!r}: `{name}` is not a text")
    published = _moment(item.get("published"), identity)
    return Article(
        item_id=identity,
        feed="",
        outlet=item.get("outlet") or "",
        url=item.get("url") or "",
        lang=(item.get("lang") or "en").lower()[:2],
        title=_clean(item.get("title") or ""),
        summary=_clean(item.get("summary") or ""),
        text=_clean(item.get("text") or ""),
        published=published,
        fetched=now or published,
    )


def _clean(value: str) -> str:
    """Return the text with what cannot be shown gone; line breaks stay, they part paragraphs."""
    if value.isascii() and value.isprintable():
        return value
    return "\n".join(plain(line) for line in value.splitlines())


def _moment(value: Any, identity: str) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if not isinstance(value, str):
        raise ParseError("bad_item", f"item {identity!r}: `published` is missing; give a date such as 2016-10-19")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ParseError("bad_item", f"item {identity!r}: `published` is no ISO date: {value!r}") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def event_json(mention: Mention) -> dict[str, Any]:
    """Return a mention with the fields of the labelling guide; `places` and parties are objects with a `name`."""
    kind = "stage" if mention.stage else "means"
    return {
        "family": mention.family.value,
        kind: (mention.stage or mention.means or "") and str(mention.stage or mention.means),
        "country": mention.country,
        "places": [_place(place) for place in mention.places],
        "date": date_text(mention.date),
        "date_precision": mention.date.precision.value if mention.date else None,
        "actors": [_party(party) for party in mention.actors],
        "targets": [_party(party) for party in mention.targets],
        "killed": mention.killed,
        "injured": mention.injured,
        "certainty": mention.realis.value,
        "alleged_by": mention.alleged_by or None,
        "evidence": mention.evidence.quote,
        "evidence_field": mention.evidence.field,
        "evidence_start": mention.evidence.start,
        "evidence_end": mention.evidence.end,
        "rule": mention.rule,
        "rules_version": mention.rules_version,
        "mention_id": mention.mention_id,
    }


def date_text(span: DateSpan | None) -> str | None:
    """Return a day as "YYYY-MM-DD", a span of days as two of them with a slash, None for none."""
    if span is None:
        return None
    return span.start.isoformat() if span.start == span.end else f"{span.start.isoformat()}/{span.end.isoformat()}"


def _place(place: Place) -> dict[str, Any]:
    fields = {
        "name": place.name,
        "label": place.label,
        "gazetteer_id": place.gazetteer_id,
        "kind": place.kind,
        "adm1": place.adm1,
        "adm2": place.adm2,
        "adm3": place.adm3,
        "lat": place.lat,
        "lon": place.lon,
        "precision": place.precision,
    }
    return {name: value for name, value in fields.items() if value not in ("", None) or name == "name"}


def _party(party: Party) -> dict[str, Any]:
    return {"name": party.name, "id": party.party_id} if party.party_id else {"name": party.name}
