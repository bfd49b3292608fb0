"""Feeds asked once, without memory: which answer, which are stale, which fail and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from transforms.ingest.feed import Feed, FeedRequest, FeedState
from transforms.ingest.health import STALE_AFTER
from transforms.ingest.network import Resolver, resolve
from transforms.ingest.pull import pull_feeds
from transforms.ingest.settings import FetchSettings
from transforms.model import Article

_UNDATED = ("date_missing", "date_future", "date_ancient")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCheck:
    """What one feed answered.

    Attributes:
        feed: Its name.
        url: As configured.
        status: answers, stale (no item of the last month) or fails.
        kind: Short stable word for a failure, "" otherwise.
        message: Why it fails, or what is odd about it.
        items: How many entries it holds.
        newest: Publication time of the newest dated one.
        moved_to: Where permanent redirects lead, "" if there are none: put it into the configuration.
        elapsed_s: Seconds it took.
    """

    feed: str
    url: str
    status: Literal["answers", "stale", "fails"]
    kind: str = ""
    message: str = ""
    items: int = 0
    newest: datetime | None = None
    moved_to: str = ""
    elapsed_s: float = 0.0


class _Nothing:
    """A store that knows nothing yet."""

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        return {}


def check_feeds(
    feeds: Sequence[Feed], settings: FetchSettings, now: datetime, *, resolver: Resolver = resolve
) -> list[FeedCheck]:
    """Ask each of `feeds` once and return what it answered, in the same order; nothing is stored."""
    requests = [FeedRequest(feed=replace(feed, full_text=False), state=FeedState(feed=feed.name)) for feed in feeds]
    result = pull_feeds(requests, settings, now, _Nothing(), _never, resolver=resolver)
    newest: dict[str, datetime] = {}
    for article in result.articles:
        if not set(article.flags) & set(_UNDATED):
            newest[article.feed] = max(article.published, newest.get(article.feed, article.published))
    checks = []
    for feed, pull in zip(feeds, result.pulls, strict=True):
        latest = newest.get(feed.name)
        notes = list(pull.warnings)
        status: Literal["answers", "stale", "fails"] = "answers"
        if pull.outcome in ("failed", "paused"):
            status, notes = "fails", [pull.message]
        elif latest and now - latest > STALE_AFTER:
            status = "stale"
            notes.append(f"its newest item is {(now - latest).days} days old")
        elif not pull.items_in:
            notes.append("it holds no items")
        checks.append(
            FeedCheck(
                feed=feed.name,
                url=feed.url,
                status=status,
                kind=pull.kind,
                message="; ".join(notes),
                items=pull.items_in,
                newest=latest,
                moved_to=pull.state.url,
                elapsed_s=pull.elapsed_s,
            )
        )
    return checks


def _never(article: Article) -> bool:
    return False
