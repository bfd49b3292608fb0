"""The stage as Beam runs it: joined by country, counted, failures aside."""

from __future__ import annotations

from dataclasses import replace

import apache_beam as beam
import msgspec
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from tests.transforms.deduplicate.invented import START, mention, run
from transforms.counters import NAMESPACE, imbalances
from transforms.deduplicate.settings import ClusterSettings
from transforms.deduplicate.transform import DeduplicateEvents
from transforms.model import EventChange, Mention

ROW = {"published": "2016-10-03T10:00", "places": ["Sarmin"], "killed": 11, "words": "jets hit a vegetable market"}


def test_new_mentions_meet_stored_events() -> None:
    stored, _ = run([[mention({"id": "a", **ROW})]])
    broken = replace(mention({"id": "x", **ROW}), published="yesterday")  # type: ignore[arg-type]
    mentions = [
        mention({"id": "a", **ROW}),
        mention({"id": "b", **ROW}),
        mention({"id": "c", **ROW, "country": "LY", "places": ["Sirte"]}),
        mention({"id": "d", **ROW, "realis": "negated"}),
        broken,
    ]

    def changes_are_right(found: list[EventChange]) -> None:
        told = {tuple(m.mention_id for m in one.event.mentions): one.what for one in found}
        assert told == {("a", "b"): ("mention", "outlet"), ("c",): ("new",)}, told

    def failures_are_right(found: list[object]) -> None:
        (failure,) = found
        assert (failure.stage, failure.input_id, failure.at) == ("deduplicate", "x", START)  # type: ignore[attr-defined]
        assert msgspec.json.decode(failure.payload)["mention_id"] == "x"  # type: ignore[attr-defined]

    pipeline = beam.Pipeline(runner=FnApiRunner())
    made = {
        "mentions": pipeline | "Mentions" >> beam.Create(mentions),
        "open_events": pipeline | "Events" >> beam.Create(list(stored.values())),
    } | "DeduplicateEvents" >> DeduplicateEvents(ClusterSettings(), START)
    assert_that(made["changes"], changes_are_right, label="Changes")
    assert_that(made["failures"], failures_are_right, label="Failures")
    result = pipeline.run()
    result.wait_until_finish()
    counted = {
        one.key.metric.name: one.committed
        for one in result.metrics().query()["counters"]
        if one.key.metric.namespace == NAMESPACE
    }
    assert counted["deduplicate.in"] == 5
    assert counted["deduplicate.out"] == 2
    assert counted["deduplicate.dropped.copy"] == 1
    assert counted["deduplicate.dropped.unreal"] == 1
    assert counted["deduplicate.failed"] == 1
    assert imbalances(counted, ["deduplicate"]) == {}


def test_mentions_travel_as_they_are() -> None:
    one = mention({"id": "a", **ROW, "text": "word " * 20})
    assert msgspec.json.decode(msgspec.json.encode(one), type=Mention) == one
