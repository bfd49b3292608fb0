"""The store's present state in the formats that people load elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from pipeline.store.store import Store
from transforms.failures import ConfigError
from transforms.model import Alert, Event
from transforms.sinks.acled_csv import acled_table
from transforms.sinks.atom import atom_feed
from transforms.sinks.cloudevents import cloudevent
from transforms.sinks.geojson import feature_collection
from transforms.sinks.safe import safe_tree
from transforms.sinks.settings import DEFAULT_SOURCE

# Formats that are one document, written as the sink of that kind writes its file.
_DOCUMENTS: dict[str, Callable[[Sequence[Alert]], bytes]] = {
    "csv": acled_table,
    "geojson": feature_collection,
    "atom": atom_feed,
}
FORMATS = ("jsonl", *_DOCUMENTS)


def export_lines(
    store: Store, what: str, format_: str, *, country: str = "", family: str = "", since: datetime | None = None
) -> Iterator[str]:
    """Yield the lines of an export: each event, or the last revision of each alert.

    Args:
        store: Where from.
        what: "events" (hostilities and what raised no alert too) or "alerts".
        format_: One of `FORMATS`; events are given as jsonl only.
        country: Only this country.
        family: Only this family.
        since: Only what was reported or told at or after this time.

    Raises:
        ConfigError: There is no such export.
    """
    if what not in ("events", "alerts"):
        raise ConfigError(f"--what {what!r}: choose events or alerts")
    if format_ not in FORMATS:
        raise ConfigError(f"--format {format_!r}: choose one of {', '.join(FORMATS)}")
    if what == "events":
        if format_ != "jsonl":
            raise ConfigError(f"events are exported as jsonl; --what alerts --format {format_} gives what was told")
        events = store.events(country=country, family=family, since=since)
        return (msgspec.json.encode(event_row(event)).decode() for event in events)
    alerts = store.alerts(country=country, family=family, since=since, last_revision_only=True)
    if format_ == "jsonl":
        return (msgspec.json.encode(cloudevent(alert, DEFAULT_SOURCE)).decode() for alert in alerts)
    newest_first = alerts[::-1]
    return iter([_DOCUMENTS[format_](newest_first).decode().rstrip("\n")])


def event_row(event: Event) -> dict[str, object]:
    """Return an event as JSON-able fields, with `revision`, and `items` that name its articles."""
    row: dict[str, object] = safe_tree(msgspec.to_builtins(event))
    items = sorted({mention.item_id for mention in event.mentions})
    return {"event_id": event.event_id, "revision": event.revision, "items": items, **row}
