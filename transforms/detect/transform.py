"""The Beam face of the detect stage: screen, batch, detect, and route failures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import apache_beam as beam
import msgspec

from transforms.counters import count, measure
from transforms.detect.detector import Detector, load_detector
from transforms.detect.screen import passes_screen
from transforms.detect.settings import DetectSettings
from transforms.failures import Failure, failure_of
from transforms.model import Article, Mention

STAGE = "detect"
_SMALLEST, _LARGEST = 8, 32  # articles parsed together: larger batches are slower and take memory


class DetectEvents(beam.PTransform):
    """Articles in; a dict of `mentions` (`Mention`) and `failures` (`Failure`) out."""

    def __init__(self, settings: DetectSettings, now: datetime) -> None:
        """Keep the settings and the run's clock."""
        super().__init__()
        self._settings = settings
        self._now = now

    def expand(self, articles: beam.PCollection) -> dict[str, beam.PCollection]:
        """Add the stage's steps."""
        screened = articles | "Screen" >> beam.ParDo(_Screen(self._now)).with_outputs("failures", main="articles")
        detected = (
            screened.articles
            | "Batch" >> beam.BatchElements(min_batch_size=_SMALLEST, max_batch_size=_LARGEST)
            | "Detect" >> beam.ParDo(_Detect(self._settings, self._now)).with_outputs("failures", main="mentions")
        )
        failures = (screened.failures, detected.failures) | "Failures" >> beam.Flatten()
        return {"mentions": detected.mentions, "failures": failures}


class _Screen(beam.DoFn):
    """Lets pass what has words of an event and of one of the countries; an article that fails costs itself alone."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now

    def process(self, article: Article) -> Iterator[Article | beam.pvalue.TaggedOutput]:
        count(STAGE, "in")
        outcome = screen_one(article, self._now)
        if isinstance(outcome, Failure):
            count(STAGE, "failed")
            yield beam.pvalue.TaggedOutput("failures", outcome)
        elif outcome:
            yield article
        else:
            count(STAGE, "dropped.screen")


def screen_one(article: Article, now: datetime) -> bool | Failure:
    """Return whether an article passes the screen, or the failure that it met there."""
    try:
        return passes_screen(article)
    except Exception as error:  # noqa: BLE001  becomes a dead letter, with the article to feed in again
        return _failure(article, error, now)


class _Detect(beam.DoFn):
    """Detects events in batches; an article that fails costs itself alone.

    The detector is loaded with the first batch, so that a run without news does not wait for it, and is kept by
    `load_detector`'s cache: once per process, shared by its threads.
    """

    def __init__(self, settings: DetectSettings, now: datetime) -> None:
        super().__init__()
        self._settings = settings
        self._now = now

    def process(self, batch: Sequence[Article]) -> Iterator[Mention | beam.pvalue.TaggedOutput]:
        detector = load_detector(self._settings)
        for _, outcome in detect_each(detector, batch, self._now):
            if isinstance(outcome, Failure):
                count(STAGE, "failed")
                yield beam.pvalue.TaggedOutput("failures", outcome)
            elif outcome:
                count(STAGE, "out")
                count(STAGE, "made", len(outcome))
                yield from outcome
            else:
                count(STAGE, "dropped.no_event")


def detect_each(
    detector: Detector, batch: Sequence[Article], now: datetime
) -> list[tuple[Article, tuple[Mention, ...] | Failure]]:
    """Return each article of a batch with its mentions, or with the failure it met when read alone.

    Measures how long an article of the batch took, in milliseconds.
    """
    started = time.monotonic()
    try:
        return list(zip(batch, detector.detect(batch), strict=True))
    except Exception:  # noqa: BLE001  one bad article must not take its batch with it: each is tried alone
        return [(article, _alone(detector, article, now)) for article in batch]
    finally:
        if batch:
            measure(STAGE, "took_ms", round((time.monotonic() - started) * 1000 / len(batch)))


def _alone(detector: Detector, article: Article, now: datetime) -> tuple[Mention, ...] | Failure:
    try:
        return detector.detect([article])[0]
    except Exception as error:  # noqa: BLE001  becomes a dead letter, with the article to feed in again
        return _failure(article, error, now)


def _failure(article: Article, error: Exception, now: datetime) -> Failure:
    payload = msgspec.json.encode(article).decode()
    return failure_of(STAGE, error, input_id=article.item_id, at=now, payload=payload)
