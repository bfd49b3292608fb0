"""The Beam face of detect in a stream: as in a bounded run, with each article kept beside what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from transforms.counters import count
from transforms.detect.detector import load_detector
from transforms.detect.readings import Reading
from transforms.detect.settings import DetectSettings
from transforms.detect.transform import STAGE, detect_each, screen_one
from transforms.envelope import pack, unpack
from transforms.failures import Failure
from transforms.ingest.polling import PolledArticle

_AT_ONCE = 32


class ReadArticles(beam.PTransform):
    """`PolledArticle` in, `Reading` out, packed; every article that goes in comes out, at its own timestamp."""

    def __init__(self, settings: DetectSettings) -> None:
        """Keep the settings."""
        super().__init__()
        self._settings = settings

    def expand(self, articles: beam.PCollection) -> beam.PCollection:
        """Spread the articles over the workers and read them in batches."""
        # Without the reshuffle, detect, the dear stage, would stay on the worker that polled.
        spread = articles | "Spread" >> beam.Reshuffle()
        return spread | "Read" >> beam.ParDo(_Read(self._settings)).with_output_types(bytes)


class _Read(beam.DoFn):
    """Screens and reads; batches end with the bundle. Beam's BatchElements would lose the timestamps there."""

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._waiting: list[tuple[PolledArticle, Timestamp]] = []

    def start_bundle(self) -> None:
        self._waiting = []

    def process(self, element: bytes, tick: Timestamp = beam.DoFn.TimestampParam) -> Iterator[Any]:
        polled = unpack(element, PolledArticle)
        count(STAGE, "in")
        outcome = screen_one(polled.article, polled.article.fetched)
        if outcome is True:
            self._waiting.append((polled, tick))
            if len(self._waiting) >= _AT_ONCE:
                for data, at in self._read():
                    yield TimestampedValue(data, at)
            return
        if isinstance(outcome, Failure):
            count(STAGE, "failed")
            yield pack(_reading(polled, failures=(outcome,)))
        else:
            count(STAGE, "dropped.screen")
            yield pack(_reading(polled))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for data, at in self._read():
            yield WindowedValue(data, at, [GlobalWindow()])

    def _read(self) -> Iterator[tuple[bytes, Timestamp]]:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        detector = load_detector(self._settings)
        articles = [polled.article for polled, _ in waiting]
        outcomes = detect_each(detector, articles, max(article.fetched for article in articles))
        for (polled, at), (_, outcome) in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, Failure):
                count(STAGE, "failed")
                yield pack(_reading(polled, failures=(outcome,))), at
            else:
                count(STAGE, "out" if outcome else "dropped.no_event")
                count(STAGE, "made", len(outcome))
                yield pack(_reading(polled, mentions=outcome)), at


def _reading(polled: PolledArticle, **found: Any) -> Reading:
    return Reading(group=polled.group, due=polled.due, article=polled.article, **found)
