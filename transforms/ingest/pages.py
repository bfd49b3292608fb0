"""Full text from article pages, for feeds that give only a teaser: polite, cached, never at the cost of the item."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from transforms.failures import FetchError, ParseError
from transforms.ingest.fetch import ACCEPT_PAGE, BodyBudget, Fetched, Fetcher, HostLocks, HttpStatusError, host_of
from transforms.ingest.network import user_agent
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job
from transforms.model import Article

_KEEP = timedelta(hours=24)  # RFC 9309: a robots.txt should not be used for longer
_SILENT_IN_A_ROW = 3  # pages without an answer, after which a host's other pages are not waited for
_NO_CLOCK = datetime(1970, 1, 1, tzinfo=UTC)  # for one page nothing is remembered that needs a clock
_ALLOW_ALL, _DENY_ALL = b"", b"\nUser-agent: *\nDisallow: /"


class PageCache:
    """Texts by address, within a budget of characters and for a day of the run's clock; safe between threads."""

    def __init__(self, max_chars: int = 4_000_000) -> None:
        """Start empty."""
        self._max = max_chars
        self._held = 0
        self._entries: OrderedDict[str, tuple[datetime, bytes | str]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, now: datetime) -> bytes | str | None:
        """Return what is kept under `key`, None if nothing or nothing fresh."""
        with self._lock:
            kept = self._entries.get(key)
            if kept is None or not timedelta(0) <= now - kept[0] < _KEEP:
                return None
            self._entries.move_to_end(key)
            return kept[1]

    def put(self, key: str, value: bytes | str, now: datetime) -> None:
        """Keep `value`; the longest unused go when the budget is spent."""
        with self._lock:
            old = self._entries.pop(key, None)
            self._held -= len(old[1]) if old else 0
            self._entries[key] = (now, value)
            self._held += len(value)
            while self._held > self._max and self._entries:
                self._held -= len(self._entries.popitem(last=False)[1][1])


SHARED_CACHE = PageCache()  # of this process: one article in several feeds, and a bundle that is tried again, cost one


def with_full_text(
    articles: Sequence[Article],
    *,
    fetcher: Fetcher,
    parsers: ParserPool,
    budget: BodyBudget,
    settings: FetchSettings,
    now: datetime,
    cache: PageCache | None = None,
) -> tuple[list[Article], Counter[str]]:
    """Return `articles`, all of one host, with their pages' text, and counts of how it went.

    An article whose page cannot be had keeps its summary and is flagged "full_text_failed".
    """
    counts: Counter[str] = Counter({"in": len(articles)})
    cache = SHARED_CACHE if cache is None else cache
    reader = _PageReader(fetcher, parsers, budget, settings, now, cache)
    done = []
    for article in articles:
        cached = cache.get(f"page {article.url}", now) if "changed" not in article.flags else None
        text = cached if isinstance(cached, str) else ""
        if not text:
            try:
                text = reader.text(article)
            except (FetchError, ParseError) as error:
                counts["dropped.robots" if error.kind == "robots" else "failed"] += 1
                done.append(replace(article, flags=(*article.flags, "full_text_failed")))
                continue
            cache.put(f"page {article.url}", text, now)
        counts["out"] += 1
        done.append(replace(article, text=text))
    return done, counts


class _PageReader:
    """Reads pages of one host with pauses between them, as its robots.txt allows, and that of each host it leads to."""

    def __init__(
        self,
        fetcher: Fetcher,
        parsers: ParserPool,
        budget: BodyBudget,
        settings: FetchSettings,
        now: datetime,
        cache: PageCache,
    ) -> None:
        self._fetcher, self._parsers, self._budget = fetcher, parsers, budget
        self._settings, self._now, self._cache = settings, now, cache
        self._agent = user_agent(settings.contact)
        self._delay_s = settings.page_delay_s
        self._free_at = 0.0
        self._stopped: FetchError | None = None
        self._silent = 0
        self._unreached: set[str] = set()

    def text(self, article: Article) -> str:
        """Return the main text of the article's page.

        Raises:
            FetchError: kind "robots" where the site does not allow it, or as the fetcher says.
            ParseError: The page cannot be read, or holds no more than the summary.
        """
        if self._stopped:
            raise self._stopped
        ask = self._ask_robots if self._settings.robots else None
        if ask:
            ask(article.url)
        self._wait()
        with self._budget.lease() as lease:
            try:
                page = self._fetcher.fetch(article.url, lease, now=self._now, accept=ACCEPT_PAGE, before_redirect=ask)
            except HttpStatusError as error:
                if error.status in (429, 503):
                    self._stopped = error  # the host asks for rest: no more of its pages in this run
                raise
            except FetchError as error:
                self._silent += error.kind != "robots"  # a host that sends us elsewhere has answered
                if self._silent >= _SILENT_IN_A_ROW:
                    self._stopped = error
                raise
            self._silent = 0
            job = _page_job(page, self._settings, article.lang)
            text = self._parsers.run(job, page.body).text
        if len(text) <= len(article.summary):
            raise ParseError("no_text", "the page holds no more text than the summary")
        return text

    def _ask_robots(self, url: str) -> None:
        rules = self._rules(url)
        if not rules:
            return
        coding, _, body = rules.partition(b"\n")
        job = Job(
            kind="robots",
            agent=self._agent,
            urls=(url,),
            content_encoding=coding.decode("latin-1"),
            max_bytes=self._settings.max_body_bytes,
        )
        try:
            reply = self._parsers.run(job, body)
        except ParseError as error:
            raise FetchError("robots", f"the site's robots.txt cannot be read: {error}") from error
        self._delay_s = max(self._delay_s, reply.crawl_delay_s)
        if not all(reply.allowed):
            raise FetchError("robots", "the site's robots.txt does not allow this page")

    def _rules(self, url: str) -> bytes:
        """Return the robots.txt of the page's site, as its Content-Encoding, a line feed and the body as sent.

        RFC 9309: 4xx allows all, unreachable allows nothing.
        """
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        if address in self._unreached:
            return _DENY_ALL
        kept = self._cache.get(f"robots {address}", self._now)
        if isinstance(kept, bytes):
            return kept
        self._wait()
        with self._budget.lease() as lease:
            try:
                answer = self._fetcher.fetch(address, lease, now=self._now, accept="text/plain, */*;q=0.1")
                rules = answer.content_encoding.encode("latin-1", "replace") + b"\n" + bytes(answer.body)
            except HttpStatusError as error:
                if not 400 <= error.status < 500 or error.status == 429:
                    return self._unreachable(address)
                rules = _ALLOW_ALL
            except FetchError as error:
                if error.kind == "address_refused":
                    raise  # the page lies there too, and that is the reason to tell
                return self._unreachable(address)
        self._cache.put(f"robots {address}", rules, self._now)
        return rules

    def _unreachable(self, address: str) -> bytes:
        """Deny for this run only: the next one asks again."""
        self._unreached.add(address)
        return _DENY_ALL

    def _wait(self) -> None:
        pause = self._free_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._free_at = time.monotonic() + self._delay_s


def by_host(articles: Sequence[Article]) -> dict[str, list[Article]]:
    """Return the articles grouped by the host of their page."""
    groups: dict[str, list[Article]] = {}
    for article in articles:
        groups.setdefault(host_of(article.url), []).append(article)
    return groups


def fetch_page_text(url: str, settings: FetchSettings) -> str:
    """Return title and main text of one page that a person asked for, the title on the first line.

    robots.txt is not asked: this is one page for one reader, not a crawl.

    Raises:
        FetchError: The page cannot be fetched, or holds no text.
    """
    with ParserPool(settings) as parsers, Fetcher(settings, HostLocks()) as fetcher, BodyBudget().lease() as lease:
        page = fetcher.fetch(url, lease, now=_NO_CLOCK, accept=ACCEPT_PAGE)
        try:
            reply = parsers.run(_page_job(page, settings, language=""), page.body)
        except ParseError as error:
            raise FetchError(error.kind, str(error)) from error
    return f"{reply.title}\n{reply.text}"


def _page_job(page: Fetched, settings: FetchSettings, language: str) -> Job:
    return Job(
        kind="page",
        content_type=page.content_type,
        content_encoding=page.content_encoding,
        max_bytes=settings.max_body_bytes,
        url=page.url,
        language=language,
    )
