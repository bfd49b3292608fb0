"""Many feeds pulled at once: some hosts side by side, each over one connection; parsing in worker processes."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from transforms.failures import Failure, FetchError, ParseError, failure_of
from transforms.ingest import state as states
from transforms.ingest.articles import Seen, articles_of
from transforms.ingest.feed import FeedPull, FeedRequest, FeedState, Outcome
from transforms.ingest.fetch import BodyBudget, Fetched, Fetcher, HostLocks, HttpStatusError, host_of
from transforms.ingest.network import Resolver, resolve
from transforms.ingest.pages import by_host, with_full_text
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job, ParsedFeed
from transforms.model import Article
from transforms.text import plain

WantsText = Callable[[Article], bool]
_READ_AHEAD = 8  # parsed feeds that may wait to be taken
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class _Done:
    """A group is through, with the error that ended it, if any."""

    error: BaseException | None


@dataclass(frozen=True, slots=True)
class PullResult:
    """What pulling some feeds gave; counters are named `<stage>.<outcome>`, as in `transforms.counters`."""

    articles: list[Article] = field(default_factory=list)
    pulls: list[FeedPull] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)

    def add(self, other: PullResult) -> None:
        """Take in what another part of the work gave."""
        self.articles.extend(other.articles)
        self.pulls.extend(other.pulls)
        self.failures.extend(other.failures)
        self.counters.update(other.counters)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One feed as far as a host's thread takes it: over the network and through a parser."""

    request: FeedRequest
    state: FeedState
    outcome: Outcome = "unchanged"
    kind: str = ""
    message: str = ""
    fetched: Fetched | None = None
    parsed: ParsedFeed | None = None
    elapsed_s: float = 0.0


def pull_feeds(
    requests: Iterable[FeedRequest],
    settings: FetchSettings,
    now: datetime,
    seen: Seen,
    wants_text: WantsText,
    *,
    parsers: ParserPool | None = None,
    resolver: Resolver = resolve,
) -> PullResult:
    """Pull `requests` and return all that came of it, in the order of the requests, the newest articles first.

    Args:
        requests: Feeds with what is remembered of them.
        settings: Limits and manners.
        now: The run's clock.
        seen: What earlier runs stored; asked from this thread only.
        wants_text: Whether an article's page is worth fetching; called in this thread only.
        parsers: Worker processes to use and leave running; without it some are started and ended here.
        resolver: Replaced in tests of what a hostile DNS answers.
    """
    requests = list(requests)
    total = PullResult()
    with closing(iter_pulls(requests, settings, now, seen, wants_text, parsers=parsers, resolver=resolver)) as parts:
        for part in parts:
            total.add(part)
    place = {request.feed.name: i for i, request in enumerate(requests)}
    total.pulls.sort(key=lambda pull: place[pull.feed])
    total.articles.sort(key=lambda article: (place[article.feed], -article.published.timestamp(), article.item_id))
    total.failures.sort(key=lambda failure: place.get(failure.input_id, len(place)))
    return total


def iter_pulls(
    requests: Sequence[FeedRequest],
    settings: FetchSettings,
    now: datetime,
    seen: Seen,
    wants_text: WantsText,
    *,
    parsers: ParserPool | None = None,
    resolver: Resolver = resolve,
) -> Generator[PullResult, None, None]:
    """Yield what each feed gave as soon as it is there; articles whose pages are fetched come last."""
    locks, budget = HostLocks(), BodyBudget()
    waiting: list[Article] = []
    with nullcontext(parsers) if parsers else ParserPool(settings) as pool:

        def read_host(group: list[FeedRequest]) -> Iterator[_Read]:
            with Fetcher(settings, locks, resolver) as fetcher:
                yield from _read_host(group, fetcher, pool, budget, settings, now)

        # Closed at once when the taker fails, so that all threads are done before the workers are ended.
        with closing(_side_by_side(read_host, _hosts(requests, now), settings.hosts_at_once)) as reads:
            for read in reads:
                result = _finished(read, settings, now, seen)
                wanted = _wanted(read.request, result.articles, settings, wants_text)
                waiting.extend(wanted)
                taken = {article.item_id for article in wanted}
                yield replace(result, articles=[a for a in result.articles if a.item_id not in taken])

        def read_pages(group: list[Article]) -> Iterator[PullResult]:
            with Fetcher(settings, locks, resolver) as fetcher:
                articles, counts = with_full_text(
                    group, fetcher=fetcher, parsers=pool, budget=budget, settings=settings, now=now
                )
            yield PullResult(articles=articles, counters=Counter({f"pages.{k}": n for k, n in counts.items()}))

        if waiting:
            with closing(_side_by_side(read_pages, list(by_host(waiting).values()), settings.hosts_at_once)) as parts:
                yield from parts


def _hosts(requests: Sequence[FeedRequest], now: datetime) -> list[list[FeedRequest]]:
    """Return the requests grouped by host, in an order that differs from run to run."""
    groups: dict[str, list[FeedRequest]] = {}
    for request in requests:
        moved = request.state.url if request.state.configured_url in ("", request.feed.url) else ""
        groups.setdefault(host_of(moved or request.feed.url), []).append(request)
    return [groups[host] for host in sorted(groups, key=lambda host: states.fraction(host, now))]


def _read_host(
    group: list[FeedRequest],
    fetcher: Fetcher,
    parsers: ParserPool,
    budget: BodyBudget,
    settings: FetchSettings,
    now: datetime,
) -> Iterator[_Read]:
    """Read the feeds of one host one after the other; a 429 ends the round for all of them."""
    pauses = [r.state.host_paused_until for r in group if r.state.host_paused_until and r.state.host_paused_until > now]
    until = max(pauses, default=None)
    for request in group:
        state = states.current(request.feed, request.state, settings, now)
        rest = states.resting(request.feed, state, settings, now)
        if not rest and until:
            rest = "paused", f"its host asked to be left alone until {until:%Y-%m-%d %H:%M} UTC"
        if rest:
            yield _Read(request=request, state=state, outcome=rest[0], message=rest[1])
            continue
        started = time.monotonic()
        read = _read_feed(request, state, fetcher, parsers, budget, settings, now)
        if read.state.host_paused_until and read.state.host_paused_until > now:
            until = max(until or now, read.state.host_paused_until)
        yield replace(read, elapsed_s=round(time.monotonic() - started, 4))


def _read_feed(
    request: FeedRequest,
    state: FeedState,
    fetcher: Fetcher,
    parsers: ParserPool,
    budget: BodyBudget,
    settings: FetchSettings,
    now: datetime,
) -> _Read:
    feed = request.feed
    try:
        with budget.lease() as lease:
            fetched = fetcher.fetch(
                state.url or feed.url, lease, now=now, etag=state.etag, last_modified=state.last_modified
            )
            if fetched.not_modified:
                after = states.unchanged(state, now, moved_to=fetched.moved_to)
                return _Read(request=request, state=after, outcome="unchanged", kind="http_304")
            job = Job(
                kind="feed", content_type=fetched.content_type, content_encoding=fetched.content_encoding,
                max_bytes=settings.max_body_bytes, max_items=settings.max_items, language=feed.language,
            )  # fmt: skip
            parsed = parsers.run(job, fetched.body).feed or ParsedFeed()
        return _Read(request=request, state=state, fetched=replace(fetched, body=b""), parsed=parsed)
    except HttpStatusError as error:
        return _refused(request, state, error, settings, now)
    except (FetchError, ParseError) as error:
        kind, message = error.kind, plain(str(error))
    except Exception as error:  # noqa: BLE001 - one feed must not cost the others; it is reported under its own name
        kind, message = type(error).__name__, plain(f"unexpected: {error!r}")[:300]
    after = states.failed(feed, state, settings, now, message=message)
    return _Read(request=request, state=after, outcome="failed", kind=kind, message=message)


def _refused(
    request: FeedRequest, state: FeedState, error: HttpStatusError, settings: FetchSettings, now: datetime
) -> _Read:
    """Sort a status that is no answer: 429 rests the host, 410 mutes the feed, the rest are failures."""
    message = plain(str(error))
    if error.status == 429:
        after = states.paused(state, settings, now, message=message, wait=error.retry_after)
        return _Read(request=request, state=after, outcome="paused", kind=error.kind, message=message)
    if error.status == 410:
        message += "; the feed is gone for good and will not be asked again until its url in the configuration changes"
        after = states.muted(request.feed, state, settings, now, reason=message)
    else:
        wait = error.retry_after if error.status == 503 else None
        after = states.failed(request.feed, state, settings, now, message=message, retry_after=wait)
    return _Read(request=request, state=after, outcome="failed", kind=error.kind, message=message)


def _finished(read: _Read, settings: FetchSettings, now: datetime, seen: Seen) -> PullResult:
    """Turn a feed that was read into articles and its new state; other outcomes into their records."""
    feed = read.request.feed
    pull = FeedPull(
        feed=feed.name, state=read.state, outcome="unchanged", kind=read.kind, message=read.message,
        elapsed_s=read.elapsed_s,
    )  # fmt: skip
    counters = Counter({"feeds.in": 1})
    if read.parsed is None or read.fetched is None:
        failures = []
        if read.outcome == "failed":
            counters["feeds.failed"] += 1
            error = FetchError(read.kind, read.message)
            failures.append(failure_of("ingest", error, input_id=feed.name, at=now))
        else:
            counters[f"feeds.dropped.{read.outcome}"] += 1
        return PullResult(pulls=[replace(pull, outcome=read.outcome)], failures=failures, counters=counters)
    parsed, fetched = read.parsed, read.fetched
    result = articles_of(feed, parsed, base=fetched.url, now=now, first_pull=read.state.pulls == 0, seen=seen)
    after = states.read(
        read.state,
        now,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        moved_to=fetched.moved_to,
        complete=parsed.complete and not result.failures,
        new_times=[article.published for article in result.articles if "changed" not in article.flags],
    )
    counters.update(
        {
            "ingest.in": parsed.items,
            "ingest.out": len(result.articles),
            "ingest.failed": len(result.failures),
            "ingest.dropped.over_cap": parsed.items - len(parsed.entries),
            **{f"ingest.dropped.{reason}": n for reason, n in result.dropped.items()},
            "feeds.out" if result.articles else "feeds.dropped.unchanged": 1,
        }
    )
    done = replace(
        pull, state=after, outcome="new" if result.articles else "unchanged", items_in=parsed.items,
        items_new=len(result.articles), warnings=parsed.warnings,
    )  # fmt: skip
    return PullResult(articles=result.articles, pulls=[done], failures=result.failures, counters=+counters)


def _wanted(
    request: FeedRequest, articles: Sequence[Article], settings: FetchSettings, wants_text: WantsText
) -> list[Article]:
    """Return the articles whose pages are to be fetched."""
    if not request.feed.full_text:
        return []
    teasers = [article for article in articles if article.url and not article.text]
    return [article for article in teasers if wants_text(article)][: settings.pages_per_feed]


def _side_by_side(work: Callable[[_T], Iterator[_R]], groups: Sequence[_T], at_once: int) -> Generator[_R, None, None]:
    """Yield what `work` gives for each group, some groups at a time, each in a thread of its own.

    Results are held back while the taker is busy; when it stops taking, the threads end after the item at hand.
    """
    results: queue.Queue[_R | _Done] = queue.Queue(maxsize=_READ_AHEAD)
    stop = threading.Event()

    def put(item: _R | _Done) -> None:
        while not stop.is_set():
            try:
                results.put(item, timeout=0.5)
            except queue.Full:
                continue
            return

    def run(group: _T) -> None:
        error: BaseException | None = None
        try:
            for item in work(group):
                put(item)
                if stop.is_set():
                    break
        except BaseException as raised:  # noqa: BLE001 - raised again in the taker's thread
            error = raised
        put(_Done(error))

    with ThreadPoolExecutor(max_workers=max(1, min(at_once, len(groups))), thread_name_prefix="ingest") as pool:
        try:
            for group in groups:
                pool.submit(run, group)
            left = len(groups)
            while left:
                item = results.get()
                if isinstance(item, _Done):
                    left -= 1
                    if item.error:
                        raise item.error
                else:
                    yield item
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
