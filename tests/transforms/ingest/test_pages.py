"""Full text: only where it is asked for and worth it, politely, once, and never at the cost of the item."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.transforms.ingest.made import NOW, Stored, all_pages, feed, open_settings
from tests.transforms.ingest.scripted import ScriptedServer, rss
from transforms.counters import imbalances
from transforms.failures import FetchError
from transforms.ingest import pages
from transforms.ingest.pages import PageCache, fetch_page_text
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.pull import PullResult, pull_feeds
from transforms.model import Article

STORY = (
    "The two sides in the northern district agreed on Thursday to hold their fire for seventy-two hours, the office of"
    " the governor said. Residents reported that shelling stopped shortly after noon and that the first lorries reached"
    " the western crossing before dusk. A spokesman for the fighters said that the agreement would be kept as long as"
    " the other side kept it. "
)
PAGE = (
    "<html><head><title>Truce in the north</title></head><body><nav>Home | World | Sport</nav><article>"
    f"<h1>Truce in the north</h1><p>{STORY}</p><p>{STORY}</p></article>"
    "<footer>All rights reserved</footer></body></html>"
).encode()
ITEM = (
    "<item><guid isPermaLink='false'>{n}</guid><title>Truce {n}</title><link>{{base}}/{n}</link>"
    "<description>Short.</description></item>"
)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache for each test: the process's own would answer for another test's page."""
    monkeypatch.setattr(pages, "SHARED_CACHE", PageCache())


def pulled(
    replies: dict[str, Any],
    parsers: ParserPool,
    *,
    count: int = 1,
    wants: Any = all_pages,
    full_text: bool = True,
    **extra: Any,
) -> tuple[PullResult, ScriptedServer]:
    items = "".join(ITEM.format(n=n) for n in range(count))
    stored = extra.pop("stored", None) or Stored()
    with ScriptedServer(replies) as server:
        replies["/feed"] = [{"body": rss(items=items.replace("{base}", server.base))}]
        outlet = feed(url=f"{server.base}/feed", full_text=full_text)
        settings = open_settings(page_delay_s=0, **extra)
        result = pull_feeds([stored.request(outlet)], settings, NOW, stored, wants, parsers=parsers)
        assert not imbalances(result.counters, ["feeds", "ingest", "pages"])
        return result, server


def test_text_of_the_page(parsers: ParserPool) -> None:
    result, server = pulled({"/0": [{"body": PAGE}]}, parsers)
    (article,) = result.articles
    assert STORY.strip() in article.text
    assert "Sport" not in article.text
    assert "rights reserved" not in article.text
    assert article.summary == "Short."
    assert "full_text_failed" not in article.flags
    assert server.paths() == ["/feed", "/robots.txt", "/0"]


def test_not_unless_the_feed_asks(parsers: ParserPool) -> None:
    result, server = pulled({"/0": [{"body": PAGE}]}, parsers, full_text=False)
    assert result.articles[0].text == ""
    assert server.paths() == ["/feed"]


def test_only_what_passes_the_screen(parsers: ParserPool) -> None:
    def wants(article: Article) -> bool:
        return article.item_id == "1"

    replies = {f"/{n}": [{"body": PAGE}] for n in range(3)}
    result, server = pulled(replies, parsers, count=3, wants=wants)
    assert [bool(article.text) for article in result.articles] == [False, True, False]
    assert server.paths() == ["/feed", "/robots.txt", "/1"]


def test_not_for_items_known_already(parsers: ParserPool) -> None:
    stored = Stored()
    first, _ = pulled({"/0": [{"body": PAGE}]}, parsers)
    stored.hashes = {(a.feed, a.item_id): a.content_hash for a in first.articles}
    result, server = pulled({"/0": [{"body": PAGE}]}, parsers, stored=stored)
    assert not result.articles  # the hash is of the feed's words, so a fetched text changes nothing
    assert server.paths() == ["/feed"]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ({"status": 404}, "gone"),
        ({"status": 500}, "broken"),
        ({"body": b"<html><body><p>Short.</p></body></html>"}, "no more than the summary"),
        ({"body": b"\x00\xff" * 400}, "not a page"),
        (
            {"status": 302, "headers": {"Location": "http://169.254.169.254/latest"}},
            "led to a place that is not public",
        ),
        ({"body": "feed", "headers": {"Content-Encoding": "br"}}, "not decodable"),
        ({"body": PAGE, "cut": 100}, "cut short"),
    ],
)
def test_a_failure_falls_back_to_the_summary(page: dict[str, Any], why: str, parsers: ParserPool) -> None:
    result, _ = pulled({"/0": [page]}, parsers)
    (article,) = result.articles
    assert (article.text, article.summary) == ("", "Short."), why
    assert "full_text_failed" in article.flags
    assert not result.failures
    assert result.pulls[0].outcome == "new"
    assert (result.counters["pages.failed"], result.counters["pages.dropped.robots"]) == (1, 0)


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ({"status": 404}, True),
        ({"status": 403}, True),
        ({"status": 500}, False),
        ({"hang_up": True}, False),
        ({"body": "robots_none"}, False),
        ({"body": "robots_all"}, True),
        ({"body": b"User-agent: trucewatch\nDisallow: /0\n\nUser-agent: *\nAllow: /\n"}, False),
        ({"body": b"User-agent: other\nDisallow: /\n"}, True),
        ({"body": "robots_none", "encode": "gzip", "headers": {"Content-Encoding": "gzip"}}, False),
        ({"body": "robots_all", "encode": "br", "headers": {"Content-Encoding": "br"}}, True),
        ({"body": "robots_all", "encode": "br cut", "headers": {"Content-Encoding": "br"}}, False),
        ({"body": "nothing"}, True),
        ({"body": b"\xff\x00nonsense" * 100}, True),
        ({"body": b"User-agent: *\nDisallow: /" + b"*a" * 3000 + b"$\n"}, True),
    ],
)
def test_robots_txt_is_obeyed(robots: dict[str, Any], allowed: bool, parsers: ParserPool) -> None:
    result, server = pulled({"/robots.txt": [robots], "/0": [{"body": PAGE}]}, parsers)
    assert bool(result.articles[0].text) is allowed
    assert ("/0" in server.paths()) is allowed
    assert result.counters["pages.dropped.robots"] == (0 if allowed else 1)


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ({"body": "robots_none"}, False),
        ({"body": b"User-agent: *\nDisallow: /kept/\n"}, False),
        ({"body": b"User-agent: *\nDisallow: /other/\n"}, True),
        ({"status": 404}, True),
        ({"status": 500}, False),
        ({"hang_up": True}, False),
    ],
)
def test_robots_txt_of_each_host_that_a_redirect_leads_to_is_obeyed(
    robots: dict[str, Any], allowed: bool, parsers: ParserPool
) -> None:
    with ScriptedServer({"/robots.txt": [robots], "/kept/0": [{"body": PAGE}]}) as target:
        with ScriptedServer({"/on": [redirect(f"{target.base}/kept/0")], "/robots.txt": [{"status": 404}]}) as between:
            result, server = pulled({"/0": [redirect(f"{between.base}/on")]}, parsers)
        assert server.paths() == ["/feed", "/robots.txt", "/0"]
        assert between.paths() == ["/robots.txt", "/on"]
        assert target.paths()[0] == "/robots.txt"
        assert ("/kept/0" in target.paths()) is allowed
    assert bool(result.articles[0].text) is allowed
    assert result.counters["pages.dropped.robots"] == (0 if allowed else 1)


def test_a_redirect_to_a_page_that_the_same_host_keeps_to_itself_is_not_followed(parsers: ParserPool) -> None:
    robots = {"body": b"User-agent: *\nDisallow: /kept/\n"}
    pages_ = {f"/{n}": [redirect(f"/kept/{n}")] for n in range(5)} | {f"/kept/{n}": [{"body": PAGE}] for n in range(5)}
    result, server = pulled({"/robots.txt": [robots], **pages_}, parsers, count=5)
    # Five in a row are no silence of the host: it is asked for all of them.
    assert sorted(server.paths()[2:]) == [f"/{n}" for n in range(5)]
    assert result.counters["pages.dropped.robots"] == 5


def test_a_redirect_is_followed_unasked_where_robots_txt_is_left_out(parsers: ParserPool) -> None:
    with ScriptedServer({"/robots.txt": [{"body": "robots_none"}], "/0": [{"body": PAGE}]}) as target:
        result, _ = pulled({"/0": [redirect(f"{target.base}/0")]}, parsers, robots=False)
        assert target.paths() == ["/0"]
    assert result.articles[0].text


def redirect(to: str) -> dict[str, Any]:
    return {"status": 302, "headers": {"Location": to}}


def test_robots_txt_is_asked_once_for_a_host(parsers: ParserPool) -> None:
    replies = {f"/{n}": [{"body": PAGE}] for n in range(4)}
    _, server = pulled(replies, parsers, count=4)
    assert Counter(server.paths())["/robots.txt"] == 1
    assert server.most_at_once == 1


def test_robots_txt_can_be_left_out(parsers: ParserPool) -> None:
    replies = {"/robots.txt": [{"body": "robots_none"}], "/0": [{"body": PAGE}]}
    result, server = pulled(replies, parsers, robots=False)
    assert result.articles[0].text
    assert "/robots.txt" not in server.paths()


def test_pages_of_a_host_are_asked_for_with_pauses(parsers: ParserPool) -> None:
    waits: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages.time, "sleep", waits.append)
        replies: dict[str, Any] = {f"/{n}": [{"body": PAGE}] for n in range(3)}
        replies["/robots.txt"] = [{"body": b"User-agent: *\nCrawl-delay: 7\n"}]
        pulled(replies, parsers, count=3)
    assert len(waits) >= 2
    assert all(6 < wait <= 7 for wait in waits[-2:])


def test_429_ends_the_round_of_pages(parsers: ParserPool) -> None:
    replies: dict[str, Any] = {f"/{n}": [{"status": 429}] for n in range(4)}
    result, server = pulled(replies, parsers, count=4)
    assert server.paths() == ["/feed", "/robots.txt", "/0"]
    assert all("full_text_failed" in article.flags for article in result.articles)


def test_a_host_that_does_not_answer_is_not_waited_for_page_by_page(parsers: ParserPool) -> None:
    replies: dict[str, Any] = {f"/{n}": [{"hang_up": True}] for n in range(8)}
    result, server = pulled(replies, parsers, count=8, robots=False)
    assert len(set(server.paths()) - {"/feed"}) == 3
    assert all("full_text_failed" in article.flags for article in result.articles)


def test_robots_txt_that_could_not_be_read_is_asked_for_again_by_the_next_run(parsers: ParserPool) -> None:
    replies: dict[str, Any] = {"/robots.txt": [{"status": 500}, {"body": "robots_all"}], "/0": [{"body": PAGE}]}
    stored = Stored()
    with ScriptedServer(replies) as server:
        replies["/feed"] = [{"body": rss(items=ITEM.format(n=0).replace("{base}", server.base))}]
        requests = [stored.request(feed(url=f"{server.base}/feed", full_text=True))]
        settings = open_settings(page_delay_s=0)
        first = pull_feeds(requests, settings, NOW, stored, all_pages, parsers=parsers)
        second = pull_feeds(requests, settings, NOW, stored, all_pages, parsers=parsers)
    assert [bool(run.articles[0].text) for run in (first, second)] == [False, True]


def test_number_of_pages_is_bounded(parsers: ParserPool) -> None:
    replies = {f"/{n}": [{"body": PAGE}] for n in range(5)}
    result, _ = pulled(replies, parsers, count=5, pages_per_feed=2)
    assert sum(bool(article.text) for article in result.articles) == 2
    assert len(result.articles) == 5


def test_one_page_in_two_feeds_is_fetched_once(parsers: ParserPool) -> None:
    stored = Stored()
    replies: dict[str, Any] = {"/0": [{"body": PAGE}]}
    with ScriptedServer(replies) as server:
        replies["/feed"] = [{"body": rss(items=ITEM.format(n=0).replace("{base}", server.base))}]
        outlet = feed(url=f"{server.base}/feed", full_text=True)
        other = replace(outlet, name="other", url=f"{server.base}/feed?x")
        replies["/feed?x"] = replies["/feed"]
        requests = [stored.request(outlet), stored.request(other)]
        result = pull_feeds(requests, open_settings(page_delay_s=0), NOW, stored, all_pages, parsers=parsers)
    assert [bool(article.text) for article in result.articles] == [True, True]
    assert Counter(server.paths())["/0"] == 1


def test_full_text_in_the_feed_needs_no_page(parsers: ParserPool) -> None:
    content = f"<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>{STORY * 3}</content:encoded>"
    replies: dict[str, Any] = {}
    stored = Stored()
    with ScriptedServer(replies) as server:
        item = ITEM.format(n=0).replace("{base}", server.base).replace("</item>", content + "</item>")
        replies["/feed"] = [{"body": rss(items=item)}]
        outlet = feed(url=f"{server.base}/feed", full_text=True)
        result = pull_feeds([stored.request(outlet)], open_settings(), NOW, stored, all_pages, parsers=parsers)
    assert result.articles[0].text.startswith(STORY.strip())
    assert server.paths() == ["/feed"]


def test_cache_keeps_within_its_budget_and_its_day() -> None:
    cache = PageCache(max_chars=10)
    cache.put("a", "12345", NOW)
    cache.put("b", "12345", NOW)
    assert cache.get("a", NOW) == "12345"
    cache.put("c", "12345", NOW)
    assert cache.get("b", NOW) is None  # the longest unused
    assert cache.get("a", NOW) == "12345"
    assert cache.get("a", NOW.replace(day=9)) is None
    assert cache.get("a", NOW.replace(day=6)) is None


def test_one_page_for_one_person() -> None:
    with ScriptedServer({"/story": [{"body": PAGE}], "/none": [{"body": "nothing"}]}) as server:
        text = fetch_page_text(f"{server.base}/story", open_settings())
        assert text.startswith("Truce in the north\n")
        assert STORY.strip() in text
        with pytest.raises(FetchError):
            fetch_page_text(f"{server.base}/missing", open_settings())
