"""The Beam face of ingest: feed requests in, articles, pulls and failures out."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam import pvalue

from transforms.counters import count, measure
from transforms.ingest.articles import Seen
from transforms.ingest.feed import FeedRequest
from transforms.ingest.fetch import host_of
from transforms.ingest.pull import PullResult, WantsText, pull_feeds
from transforms.ingest.settings import FetchSettings

__all__ = ["PullFeeds", "PullResult", "pull_feeds"]


class PullFeeds(beam.PTransform):
    """Pulls feeds: PCollection[FeedRequest] to {"articles": Article, "pulls": FeedPull, "failures": Failure}.

    All feeds of a host are in one group, so that one worker alone talks to it. Pulling has no effect but on the
    network, so a bundle that is tried again does no harm.
    """

    def __init__(self, settings: FetchSettings, now: datetime, seen: Seen, wants_text: WantsText) -> None:
        """Keep what the workers need; all of it must be picklable.

        Args:
            settings: Limits and manners of fetching.
            now: The run's clock.
            seen: What earlier runs stored.
            wants_text: Whether an article's page is worth fetching.
        """
        super().__init__()
        self._settings = settings
        self._now = now
        self._seen = seen
        self._wants_text = wants_text

    def expand(self, requests: beam.PCollection) -> dict[str, beam.PCollection]:
        """Group by host, pull, and part the outputs."""
        outputs = (
            requests
            | "KeyByHost" >> beam.Map(_with_shard, self._settings.shards)
            | "GroupHosts" >> beam.GroupByKey()
            | "Pull"
            >> beam.ParDo(_Pull(self._settings, self._now, self._seen, self._wants_text)).with_outputs(
                "pulls", "failures", main="articles"
            )
        )
        return {"articles": outputs.articles, "pulls": outputs.pulls, "failures": outputs.failures}


def _with_shard(request: FeedRequest, shards: int) -> tuple[str, FeedRequest]:
    host = host_of(request.state.url or request.feed.url)
    return str(zlib.crc32(host.encode("utf-8", "replace")) % shards), request


class _Pull(beam.DoFn):
    """Pulls one group; threads and worker processes start and end within the element."""

    def __init__(self, settings: FetchSettings, now: datetime, seen: Seen, wants_text: WantsText) -> None:
        self._settings, self._now, self._seen, self._wants_text = settings, now, seen, wants_text

    def process(self, element: tuple[str, Iterable[FeedRequest]]) -> Iterator[Any]:
        requests = list(element[1])
        result = pull_feeds(requests, self._settings, self._now, self._seen, self._wants_text)
        count_pulled(result)
        yield from result.articles
        for pull in result.pulls:
            yield pvalue.TaggedOutput("pulls", pull)
        for failure in result.failures:
            yield pvalue.TaggedOutput("failures", failure)


def count_pulled(result: PullResult) -> None:
    """Count what came of a pull; measure how long feeds took (ms), and how old new items were when read (s)."""
    for name, n in result.counters.items():
        stage, _, outcome = name.partition(".")
        count(stage, outcome, n)
    for pull in result.pulls:
        if pull.elapsed_s:
            measure("feeds", "took_ms", round(pull.elapsed_s * 1000))
    for article in result.articles:
        measure("ingest", "age_s", max(0, round((article.fetched - article.published).total_seconds())))
