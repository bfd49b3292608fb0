"""An alert as a CloudEvent 1.0 in JSON, at most 64 KiB long."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import msgspec

from transforms.model import Alert
from transforms.sinks.safe import safe_link, safe_tree, shortened

MAX_BYTES = 64 * 1024
DATA_SCHEMA = "urn:trucewatch:schema:alert:v1"
CONTENT_TYPE = "application/cloudevents+json"

# What is left out of an alert that is too long, gentlest first: (quotes per item, items, characters of a quote, figures
# of a toll, entries of any other list).
_CUTS = ((1, 400, 400, 100, 100), (1, 100, 300, 40, 60), (1, 40, 240, 20, 30), (1, 10, 160, 5, 12), (1, 3, 80, 2, 5))


def event_time(alert: Alert) -> datetime:
    """Return when it happened: the first day told, else when it was first reported."""
    return datetime.combine(alert.date.start, time(), UTC) if alert.date else alert.first_seen


def subject(alert: Alert) -> str:
    """Return `<country>/<P-code>/<event id>`, with the first place's governorate or "-" where none is known."""
    code = next((place.adm1 for place in alert.places if place.adm1), "-")
    return f"{alert.country}/{code}/{alert.event_id}"


def cloudevent(alert: Alert, source: str) -> dict[str, Any]:
    """Return the CloudEvent that tells `alert`, from the deployment whose URI is `source`.

    Evidence, and at need other lists, are trimmed until it fits into 64 KiB; `data.omitted` then says how many entries
    are missing. Its `data` has the shape of `deploy/schema/alert.schema.json`.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": source,
        "type": f"org.trucewatch.{alert.family}.{alert.change}.v1",
        "subject": subject(alert),
        "time": event_time(alert).astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": _data(alert),
    }
    whole = event["data"]
    for cut in _CUTS:
        if len(encode_json(event)) <= MAX_BYTES:
            break
        event["data"] = _trimmed(whole, *cut)
    return event


def encode_json(event: dict[str, Any]) -> bytes:
    """Return compact UTF-8 JSON without a line break in it."""
    return msgspec.json.encode(event)


def alert_of(event: dict[str, Any]) -> Alert:
    """Return the alert in a CloudEvent's `data`; raises `msgspec.ValidationError` if it has not the alert's shape."""
    return msgspec.convert(event["data"], Alert)


def _data(alert: Alert) -> dict[str, Any]:
    data: dict[str, Any] = safe_tree(msgspec.to_builtins(alert))
    for quote in data["evidence"]:
        quote["url"] = safe_link(quote["url"])
    return data


def _trimmed(
    data: dict[str, Any], per_item: int, items: int, characters: int, figures: int, entries: int
) -> dict[str, Any]:
    kept: list[dict[str, Any]] = []
    quotes_of: dict[str, int] = {}
    for quote in data["evidence"]:
        told = quotes_of.get(quote["item_id"], 0)
        if told < per_item and len(kept) < items:
            quotes_of[quote["item_id"]] = told + 1
            kept.append(_short_strings(quote, characters))
    trimmed: dict[str, Any] = {
        key: [_short_strings(item, characters) for item in value[:entries]] if isinstance(value, list) else value
        for key, value in data.items()
    }
    trimmed["evidence"] = kept
    for toll in ("killed", "injured"):
        trimmed[toll] = data[toll] | {
            "figures": [_short_strings(f, characters) for f in data[toll]["figures"][:figures]]
        }
    trimmed["places"] = [place | {"covers": place["covers"][:entries]} for place in trimmed["places"]]
    trimmed = _short_strings(trimmed, max(characters, 256))
    return trimmed | {"omitted": _entries(data) - _entries(trimmed)}


def _short_strings(value: Any, characters: int) -> Any:
    if isinstance(value, str):
        return shortened(value, characters)
    if isinstance(value, dict):
        return {key: _short_strings(item, characters) for key, item in value.items()}
    if isinstance(value, list):
        return [_short_strings(item, characters) for item in value]
    return value


def _entries(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_entries(item) for item in value.values())
    if isinstance(value, list):
        return len(value) + sum(_entries(item) for item in value)
    return 0
