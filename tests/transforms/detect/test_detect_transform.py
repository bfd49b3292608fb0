"""The Beam face: counters balance, failures cost one article, what passes is detected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import apache_beam as beam
import msgspec
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from transforms.counters import imbalances
from transforms.detect.detector import load_detector
from transforms.detect.settings import DetectSettings
from transforms.detect.transform import DetectEvents, detect_each
from transforms.failures import Failure
from transforms.model import Article, Mention

NOW = datetime(2016, 10, 20, tzinfo=UTC)


def article(identity: str, title: str) -> Article:
    return Article(item_id=identity, feed="f", outlet="o", title=title, published=NOW, fetched=NOW)


ARTICLES = [
    article("1", "Air strikes kill 12 in Idlib, Syria"),
    article("2", "A bakery opens in Paris"),
    article("3", "UN envoy calls for an immediate ceasefire in Libya"),
    article("4", "Syrian museum shows mosaics from before the war, with no attack in sight"),
]


def test_stage_balances() -> None:
    def check(mentions: list[Mention]) -> None:
        told = sorted((m.item_id, str(m.stage or m.means)) for m in mentions)
        assert told == [("1", "airstrike"), ("3", "called_for")]

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        out = pipeline | beam.Create(ARTICLES) | DetectEvents(DetectSettings(), NOW)
        assert_that(out["mentions"], check)
    result = pipeline.result
    counters = Counter({c.key.metric.name: c.committed for c in result.metrics().query()["counters"]})
    assert counters["detect.in"] == len(ARTICLES)
    assert counters["detect.out"] == 2
    assert counters["detect.made"] == 2
    assert imbalances(counters, ["detect"]) == {}


class _Choking:
    """A detector that cannot read one of the articles."""

    def __init__(self) -> None:
        self.real = load_detector()

    def detect(self, articles: Sequence[Article]) -> list[tuple[Mention, ...]]:
        if any(a.item_id == "bad" for a in articles):
            raise ValueError("cannot read this one")
        return self.real.detect(articles)


def test_one_bad_article_costs_itself_alone() -> None:
    batch = [ARTICLES[0], article("bad", "Syria truce"), ARTICLES[2]]
    outcomes = detect_each(_Choking(), batch, NOW)  # type: ignore[arg-type]
    assert [isinstance(outcome, Failure) for _, outcome in outcomes] == [False, True, False]
    failure = outcomes[1][1]
    assert isinstance(failure, Failure)
    assert (failure.stage, failure.input_id, failure.at) == ("detect", "bad", NOW)
    assert msgspec.json.decode(failure.payload, type=Article) == batch[1]
