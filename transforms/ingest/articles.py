"""A parsed feed to articles: identity, times against the run's clock, language, what is new and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from transforms.failures import Failure, failure_of
from transforms.ingest.feed import Feed
from transforms.ingest.identity import canonical_url, content_hash, item_id
from transforms.ingest.language import language_of
from transforms.ingest.wire import Entry, ParsedFeed
from transforms.model import Article

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before it there was no web to publish on
_FULL_TEXT_CHARS = 600  # content at least so long, and longer than the summary, is the full text


class Seen(Protocol):
    """What the store knows of earlier runs; picklable."""

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the content hash of each of `item_ids` that is stored for `feed`."""
        ...


@dataclass(frozen=True, slots=True)
class Sorted:
    """The entries of one feed, sorted: what is given on, what is left out and why, what failed."""

    articles: list[Article] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def articles_of(feed: Feed, parsed: ParsedFeed, *, base: str, now: datetime, first_pull: bool, seen: Seen) -> Sorted:
    """Return the articles of `parsed` that are new or changed, in the feed's order.

    Args:
        feed: As configured.
        parsed: As a worker read it.
        base: Where the feed was found, for relative links.
        now: The run's clock.
        first_pull: Whether the feed was never read before.
        seen: What earlier runs stored.
    """
    result = Sorted()
    found: list[Article] = []
    ids = item_ids(parsed.entries, base)
    for entry, identity in zip(parsed.entries, ids, strict=True):
        try:
            article = article_of(feed, parsed, entry, identity=identity, base=base, now=now)
        except (ValueError, OverflowError) as error:
            # Without a payload: the feed is read again by the next run, and the item with it.
            result.failures.append(
                failure_of("ingest", error, input_id=f"{feed.name}: {entry.guid or entry.link}", at=now)
            )
            continue
        if article is None:
            result.dropped["empty"] += 1
        else:
            found.append(article)
    unique = _unique(found)
    result.dropped["duplicate"] += len(found) - len(unique)
    known = seen.known(feed.name, [article.item_id for article in unique])
    for article in unique:
        stored = known.get(article.item_id)
        if stored == article.content_hash:
            result.dropped["seen"] += 1
            continue
        extra = ("changed",) if stored is not None else ("first_pull",) if first_pull else ()
        result.articles.append(replace(article, flags=(*article.flags, *extra)))
    return result


def article_of(
    feed: Feed, parsed: ParsedFeed, entry: Entry, *, identity: str, base: str, now: datetime
) -> Article | None:
    """Return the article that `entry` is, None where it holds neither words nor a name."""
    url = canonical_url(entry.link, base)
    if not (entry.title or entry.summary or entry.content or entry.guid or url):
        return None
    published, flags = published_at(feed, parsed, entry, now)
    title = entry.title
    if not title:
        flags = (*flags, "title_missing")
    text = entry.content if feed.full_text and is_full_text(entry.content, entry.summary) else ""
    return Article(
        item_id=identity,
        feed=feed.name,
        outlet=feed.outlet,
        url=url,
        lang=language_of(
            f"{title} {entry.summary}", configured=feed.language, declared=entry.language or parsed.language
        ),
        title=title,
        summary=entry.summary,
        text=text,
        published=published,
        fetched=now,
        content_hash=content_hash(title, entry.summary, entry.content),
        owner=feed.owner,
        country=feed.country,
        state_affiliated=feed.state_affiliated,
        flags=flags,
    )


def published_at(feed: Feed, parsed: ParsedFeed, entry: Entry, now: datetime) -> tuple[datetime, tuple[str, ...]]:
    """Return the publication time in UTC, never after `now`, and flags on what was mended.

    A naive time is read in the feed's zone: the configured one, else the offset of the feed's own dates, else UTC.
    A date that cannot be right (before the web, year 9999) says nothing; `now` stands in for it.
    """
    if entry.published_utc is None:
        return now, ("date_missing",)
    try:
        moment = datetime.fromtimestamp(entry.published_utc, UTC)
        if entry.naive:
            moment = _zoned(moment, feed, parsed)
    except (ValueError, OverflowError, OSError):
        return now, ("date_future" if entry.published_utc > 0 else "date_ancient",)
    if moment > now:
        return now, ("date_future",)
    if moment < OLDEST:
        return now, ("date_ancient",)
    return moment, ()


def is_full_text(content: str, summary: str) -> bool:
    """Whether the feed carries the article itself, not only its teaser."""
    return len(content) >= _FULL_TEXT_CHARS and len(content) >= len(summary)


def _zoned(moment: datetime, feed: Feed, parsed: ParsedFeed) -> datetime:
    if feed.timezone:
        try:
            return moment.replace(tzinfo=ZoneInfo(feed.timezone)).astimezone(UTC)
        except (ZoneInfoNotFoundError, ValueError):
            return moment  # the configuration refuses such a name; here it only must not cost an item
    return moment - timedelta(seconds=parsed.utc_offset_s or 0)


def item_ids(entries: Sequence[Entry], base: str) -> list[str]:
    """Return the identity of each entry: its guid, else its URL, else a hash of what it says and when.

    A guid or URL that stands on entries with different headlines identifies nothing (live blogs, feeds that link
    every item to the front page): those entries go by the next best, so that none is taken for another one.
    """
    urls = [canonical_url(entry.link, base) for entry in entries]
    shared_guids = _ambiguous((entry.guid, f"{url}\n{entry.title}") for entry, url in zip(entries, urls, strict=True))
    guids = ["" if entry.guid in shared_guids else entry.guid for entry in entries]
    rest = list(zip(entries, urls, guids, strict=True))
    shared_urls = _ambiguous((url, entry.title) for entry, url, guid in rest if not guid)
    return [
        item_id(
            guid, "" if url in shared_urls else url, f"{entry.guid}\n{entry.title or entry.summary}", entry.published
        )
        for entry, url, guid in rest
    ]


def _ambiguous(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the names that stand on more than one thing."""
    things: dict[str, set[str]] = {}
    for name, thing in pairs:
        if name:
            things.setdefault(name, set()).add(thing)
    return frozenset(name for name, named in things.items() if len(named) > 1)


def _unique(articles: Sequence[Article]) -> list[Article]:
    """Return one article per id, the latest published (the first of equals: feeds put the newest first)."""
    best: dict[str, Article] = {}
    for article in articles:
        other = best.get(article.item_id)
        if other is None or (article.published > other.published and "date_missing" not in article.flags):
            best[article.item_id] = article
    return list(best.values())
