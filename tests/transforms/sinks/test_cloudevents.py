"""The CloudEvent: valid by independent schemas, never above 64 KiB, and nothing unsafe in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.sinks.made import NOW, alert, hostile, quote
from transforms.model import Alert, Change, Family, Place, Stage, Toll, TollFigure
from transforms.sinks.cloudevents import MAX_BYTES, alert_of, cloudevent, encode_json
from transforms.sinks.safe import safe_tree
from transforms.sinks.schema import alert_schema

SCHEMA_FILE = Path(__file__).resolve().parents[3] / "deploy" / "schema" / "alert.schema.json"

# The attributes of CloudEvents 1.0 and their types, as its JSON format states them.
ENVELOPE = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "type": {"type": "string", "pattern": r"^org\.trucewatch\.[a-z]+\.(new|updated|retracted)\.v1$"},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "data": {"type": "object"},
    },
    "propertyNames": {"pattern": "^[a-z0-9]+$"},
    "additionalProperties": False,
}


def check(event: dict[str, Any]) -> None:
    checker = jsonschema.FormatChecker()
    jsonschema.validate(event, ENVELOPE, format_checker=checker)
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    jsonschema.validate(event["data"], schema, cls=jsonschema.Draft202012Validator, format_checker=checker)


def test_schema_file_is_what_the_records_give() -> None:
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == alert_schema(), "run: python deploy/schema/generate.py"


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(alert_schema())


def test_an_ordinary_alert() -> None:
    event = cloudevent(alert(), "https://watch.example/")
    check(json.loads(encode_json(event)))
    assert event["id"] == "e000001.1"
    assert event["type"] == "org.trucewatch.violation.new.v1"
    assert event["subject"] == "SY/SY05/e000001"
    assert event["time"] == "2016-10-03T00:00:00Z"
    assert alert_of(json.loads(encode_json(event))) == alert()


def test_without_day_or_place() -> None:
    bare = alert(date=None, places=(), family=Family.CEASEFIRE, stage=Stage.AGREED, means=None, basis=None)
    event = cloudevent(bare, "urn:x")
    check(event)
    assert event["time"] == "2016-10-03T08:30:00Z"
    assert event["subject"] == "SY/-/e000001"


def test_the_schema_refuses_what_is_no_alert() -> None:
    event = cloudevent(alert(), "urn:x")
    event["data"]["family"] = "gossip"
    with pytest.raises(jsonschema.ValidationError):
        check(event)


def test_too_long_an_alert_is_trimmed_and_says_so() -> None:
    long = alert(
        evidence=tuple(quote(n, quote="q" * 400) for n in range(500)), outlets=tuple(f"o{n}" for n in range(500))
    )
    body = encode_json(cloudevent(long, "urn:x"))
    assert len(body) <= MAX_BYTES
    data = json.loads(body)["data"]
    assert data["omitted"] > 0
    assert data["evidence"]
    check(json.loads(body))


def test_second_quotes_of_an_item_go_first() -> None:
    """Which items stand behind an alert matters more than a second quote from one of them."""
    quotes = tuple(quote(n % 60, quote="word " * 80, start=n) for n in range(180))
    data = cloudevent(alert(evidence=quotes), "urn:x")["data"]
    assert {each["item_id"] for each in data["evidence"]} == {f"item-{n}" for n in range(60)}


def test_what_fits_is_not_touched() -> None:
    assert "omitted" not in cloudevent(alert(), "urn:x")["data"]


def test_hostile_words_are_disarmed() -> None:
    body = encode_json(cloudevent(hostile(), "urn:x")).decode("utf-8")
    assert body.isprintable()
    data = json.loads(body)["data"]
    assert [each["url"] for each in data["evidence"]] == ["", ""]


words = st.text(st.characters(), max_size=200).map(lambda word: word * 12)
figures = st.lists(st.builds(TollFigure, value=st.integers(0, 9999), outlet=words, item_id=words), max_size=12)
places = st.builds(
    Place,
    name=words,
    country=st.sampled_from(["SY", "LY", ""]),
    adm1=st.sampled_from(["", "SY01"]),
    covers=st.lists(words, max_size=12).map(tuple),
    lat=st.none() | st.floats(-90, 90),
)
alerts = st.builds(
    Alert,
    event_id=st.just("e1"),
    revision=st.integers(1, 99),
    change=st.sampled_from(Change),
    family=st.sampled_from(Family),
    country=st.sampled_from(["SY", "LY"]),
    places=st.lists(places, max_size=4).map(tuple),
    outlets=st.lists(words, max_size=12).map(tuple),
    killed=st.builds(Toll, low=st.none(), high=st.none(), figures=figures.map(tuple)),
    evidence=st.lists(st.builds(quote, st.integers(0, 50), quote=words, outlet=words, url=words), max_size=12).map(
        tuple
    ),
    ceasefire_name=words,
    first_seen=st.integers(0, 5000).map(lambda days: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(days=days)),
    told_at=st.just(NOW),
)


@settings(max_examples=40)
@given(alerts)
def test_every_alert_gives_a_valid_event_within_the_limit(some: Alert) -> None:
    event = cloudevent(some, "urn:x")
    body = encode_json(event)
    assert len(body) <= MAX_BYTES
    assert safe_tree(json.loads(body)) == json.loads(body)
    check(json.loads(body))
    assert alert_of(json.loads(body)).alert_id == some.alert_id


def test_alert_of_refuses_another_shape() -> None:
    event = cloudevent(alert(), "urn:x")
    with pytest.raises(msgspec.ValidationError):
        alert_of({"data": event["data"] | {"revision": "many"}})
    assert alert_of({"data": event["data"] | {"omitted": 3}}) == replace(alert())
