"""Feeds read by a stream: which group polls which feed, what a group remembers, what one poll hands on.

All feeds of a host are in one group, and a group is polled by one worker at a time, so that a host never sees two of
them at once. What a group remembers takes the place of the store between two polls.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from transforms.failures import Failure
from transforms.ingest.articles import Seen
from transforms.ingest.feed import Feed, FeedPull, FeedRequest, FeedState
from transforms.ingest.fetch import host_of
from transforms.ingest.pull import PullResult
from transforms.model import Article

KEPT = timedelta(days=30)  # longer than validators are trusted: a feed that says 304 so long is read whole between


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledArticle:
    """An article on its way to detect.

    Attributes:
        group: Whose poll found it.
        due: The tick of that poll: articles of one tick are decided on together.
        article: The article.
    """

    group: str
    due: datetime
    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """What one poll of a group found beside its articles.

    Attributes:
        group: Who polled.
        due: The tick of the poll.
        before: The tick of the group's poll before it, None for its first one.
        articles: How many articles were found.
        pulls: How each feed answered.
        failures: What could not be read.
    """

    group: str
    due: datetime
    before: datetime | None = None
    articles: int
    pulls: tuple[FeedPull, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemory:
    """What a group of feeds remembers between two polls.

    Attributes:
        due: The tick of the last poll.
        states: Each feed's state, by name.
        seen: For each feed, by the hash of an item's id: hash of its content, and when the feed last held it.
    """

    due: datetime | None = None
    states: dict[str, FeedState] = field(default_factory=dict)
    seen: dict[str, dict[str, tuple[str, datetime]]] = field(default_factory=dict)


def group_of(url: str, groups: int) -> str:
    """Return the group that polls the host of `url`; the number of groups is part of the name, as it moves hosts."""
    return f"{zlib.crc32(host_of(url).encode('utf-8', 'replace')) % groups}/{groups}"


def groups_of(feeds: Iterable[Feed], groups: int) -> dict[str, list[Feed]]:
    """Return the feeds of each group that has any."""
    found: dict[str, list[Feed]] = {}
    for feed in feeds:
        found.setdefault(group_of(feed.url, groups), []).append(feed)
    return dict(sorted(found.items()))


class SeenBefore:
    """What a group remembers of the articles of its feeds, and behind it what the store does, if there is one."""

    def __init__(self, memory: GroupMemory, stored: Seen | None, now: datetime) -> None:
        """Start from `memory`; nothing of it is changed."""
        self._seen = {feed: dict(items) for feed, items in memory.seen.items()}
        self._stored = stored
        self._now = now

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the content hash of each of `item_ids` that is remembered, and forget what the feed held long ago."""
        kept = self._seen.setdefault(feed, {})
        found: dict[str, str] = {}
        for item_id in item_ids:
            key = _key(item_id)
            if key in kept:
                found[item_id] = kept[key][0]
                kept[key] = (kept[key][0], self._now)
        fresh = [item_id for item_id in item_ids if item_id not in found]
        if self._stored is not None and fresh:
            for item_id, content in self._stored.known(feed, fresh).items():
                found[item_id] = content
                kept[_key(item_id)] = (content, self._now)
        for key in [key for key, (_, held) in kept.items() if self._now - held > KEPT]:
            del kept[key]
        return found

    def after(self, articles: Iterable[Article]) -> dict[str, dict[str, tuple[str, datetime]]]:
        """Return what is remembered once `articles` have been given on."""
        for article in articles:
            self._seen.setdefault(article.feed, {})[_key(article.item_id)] = (article.content_hash, self._now)
        return self._seen


def requests_of(feeds: Iterable[Feed], memory: GroupMemory, *, whole: bool) -> list[FeedRequest]:
    """Return what to pull; with `whole`, without validators, so that each feed is read whole."""
    requests = []
    for feed in feeds:
        state = memory.states.get(feed.name) or FeedState(feed=feed.name)
        if whole:
            state = replace(state, etag="", last_modified="", validators_saved_at=None)
        requests.append(FeedRequest(feed=feed, state=state))
    return requests


def without_future(result: PullResult) -> PullResult:
    """Return `result` without the articles dated after the run's clock: in a replay they are not out yet."""
    early = [article for article in result.articles if "date_future" in article.flags]
    if not early:
        return result
    counters = Counter(result.counters)
    counters["ingest.out"] -= len(early)
    counters["ingest.dropped.not_out_yet"] += len(early)
    articles = [article for article in result.articles if "date_future" not in article.flags]
    return replace(result, articles=articles, counters=+counters)


def _key(item_id: str) -> str:
    return hashlib.sha256(item_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]
