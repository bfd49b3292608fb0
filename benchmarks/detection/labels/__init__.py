"""Labels of our own: checked against the items that they belong to, their evidence read back from its offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from transforms.model import Family, Means, Realis, Stage

FIELDS = {
    "family", "country", "places", "date", "actors", "targets", "killed", "injured", "certainty", "evidence_span",
}  # fmt: skip


def quoted(raw: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `events` with the `evidence` that their `evidence_span` points to in the item `raw`."""
    return [{**event, "evidence": _quote(raw, event)} for event in events]


def problems(raw: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the labels of the item `raw`, empty where all is well."""
    return [f"{raw['id']}: {found}" for event in events for found in _problems(raw, event)]


def _quote(raw: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    field, start, end = event["evidence_span"]
    return str(raw[field][start:end])


def _problems(raw: Mapping[str, Any], event: Mapping[str, Any]) -> list[str]:
    found = []
    kind = "stage" if event.get("family") == Family.CEASEFIRE else "means"
    if set(event) != FIELDS | {kind}:
        return [f"fields {sorted(set(event) ^ (FIELDS | {kind}))} are missing or too many"]
    allowed = {"family": Family, "stage": Stage, "means": Means, "certainty": (Realis.ASSERTED, Realis.ALLEGED)}
    found += [f"{key} {event[key]!r}" for key in ("family", kind, "certainty") if event[key] not in list(allowed[key])]
    if event["country"] not in ("SY", "LY"):
        found.append(f"country {event['country']!r}")
    found += [f"{key} {event[key]!r}" for key in ("killed", "injured") if not _number(event[key])]
    if not _days(event["date"]):
        found.append(f"date {event['date']!r}")
    text = f"{raw['title']}\n{raw['summary']}"
    names = [name for key in ("places", "actors", "targets") for name in event[key]]
    found += [f"name {name!r} does not stand in the item" for name in names if name not in text]
    quote = _quote(raw, event)
    if not quote or quote != quote.strip() or len(quote) > 200:
        found.append(f"evidence span {event['evidence_span']}")
    return found


def _number(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _days(value: str | None) -> bool:
    if value is None:
        return True
    try:
        days = [date.fromisoformat(part) for part in value.split("/")]
    except ValueError:
        return False
    return len(days) <= 2 and days == sorted(days)
