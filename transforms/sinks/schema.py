"""The JSON Schema of an alert, made from the records themselves so that it cannot drift from them."""

from __future__ import annotations

from typing import Any

import msgspec

from transforms.model import Alert
from transforms.sinks.cloudevents import DATA_SCHEMA


def alert_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of the `data` of a CloudEvent that tells an alert."""
    _, components = msgspec.json.schema_components([Alert], ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = {name: _one_line(part) for name, part in sorted(components.items())}
    alert = definitions.pop("Alert")
    properties = {name: _documented(name, part) for name, part in alert["properties"].items()}
    properties["omitted"] = {
        "type": "integer",
        "minimum": 0,
        "description": "Entries left out to keep the event within 64 KiB; absent where nothing was.",
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": DATA_SCHEMA,
        "title": "trucewatch alert",
        "description": "One revision of one event: the data of a CloudEvent of type org.trucewatch.*.v1.",
        "type": "object",
        "properties": properties,
        "required": alert["required"],
        "$defs": definitions,
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))  # defaults are tuples before
    return plain


def _documented(name: str, part: dict[str, Any]) -> dict[str, Any]:
    timestamps = {"first_seen", "told_at"}
    return part | {"format": "date-time"} if name in timestamps else part


def _one_line(part: dict[str, Any]) -> dict[str, Any]:
    """Keep the first sentence of a record's docstring as its description; the rest is for Python's readers."""
    if "description" in part:
        part = part | {"description": part["description"].split("\n")[0]}
    return part
