"""What the tests of ingest share: a store in memory, requests, a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transforms.ingest.feed import Feed, FeedRequest, FeedState
from transforms.ingest.pull import PullResult, pull_feeds
from transforms.ingest.settings import FetchSettings
from transforms.model import Article

NOW = datetime(2016, 10, 7, 12, tzinfo=UTC)


@dataclass
class Stored:
    """What was committed: content hashes of articles, and feed states."""

    hashes: dict[tuple[str, str], str] = field(default_factory=dict)
    states: dict[str, FeedState] = field(default_factory=dict)

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        return {item: self.hashes[feed, item] for item in item_ids if (feed, item) in self.hashes}

    def commit(self, result: PullResult) -> None:
        for article in result.articles:
            self.hashes[article.feed, article.item_id] = article.content_hash
        for pull in result.pulls:
            self.states[pull.feed] = pull.state

    def request(self, feed: Feed) -> FeedRequest:
        return FeedRequest(feed=feed, state=self.states.get(feed.name, FeedState(feed=feed.name)))


def feed(name: str = "outlet", url: str = "https://outlet.example/rss", **fields: Any) -> Feed:
    return Feed(**{"name": name, "url": url, "outlet": name, "language": "en", **fields})


def no_pages(article: Article) -> bool:
    return False


def all_pages(article: Article) -> bool:
    return True


def open_settings(**fields: Any) -> FetchSettings:
    """Settings that allow loopback."""
    return FetchSettings(**{"allow_private_networks": True, **fields})


def pull(
    feeds: Sequence[Feed], stored: Stored, settings: FetchSettings, now: datetime = NOW, **extra: Any
) -> PullResult:
    """Pull and commit, as a run does."""
    result = pull_feeds([stored.request(f) for f in feeds], settings, now, stored, no_pages, **extra)
    stored.commit(result)
    return result


def workers() -> set[str]:
    """Return the process ids of child processes, zombies included."""
    children = Path("/proc/self/task").glob("*/children")
    pids = [pid for line in children for pid in line.read_text().split()]
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}
