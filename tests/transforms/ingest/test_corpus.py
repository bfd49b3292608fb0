"""Real and hostile feeds of other projects' test suites, where they are at hand (see the folder's README).

Real ones must give what plain feedparser gives; hostile ones must end soon, in little memory, and harm nobody else.
"""

from __future__ import annotations

import io
import re
import resource
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.sax.saxutils import escape

import feedparser
import pytest

from tests.transforms.ingest.made import NOW, Stored, feed, open_settings, pull, workers
from tests.transforms.ingest.scripted import ScriptedServer, rss
from transforms.failures import ParseError
from transforms.ingest.articles import articles_of
from transforms.ingest.parse import entries_of, parsed_xml
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.prolog import guarded
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job, ParsedFeed
from transforms.model import Article
from transforms.text import plain

pytestmark = [pytest.mark.shared, pytest.mark.slow]

# Inputs whose entries differ from plain feedparser's, and why that is right.
DIFFERENT = {
    "feedparser/data/tests/wellformed/rss/entity_in_doctype.xml": "entities declared in a DOCTYPE are not expanded",
}
MB = 1024 * 1024
CODINGS = {".gz": "gzip", ".br": "br", ".z": "deflate"}


def files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "NOTE.md"]


def test_entries_equal_plain_feedparsers(corpus: Path) -> None:
    different, uncaught = [], []
    paths = files(corpus / "real")
    for path in paths:
        body = path.read_bytes()
        name = path.relative_to(corpus / "real").as_posix()
        expected = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)["entries"]
        data = guarded(body)
        if (parsed_xml(data)["entries"] if data else []) != expected:
            different.append(name)
        try:
            count = entries_of(body, max_items=10**6).items
        except ParseError:
            count = 0
        except Exception as error:  # noqa: BLE001 - what is counted here
            uncaught.append((name, repr(error)))
            continue
        is_json = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{"  # feedparser reads no JSON Feed
        if count != len(expected) and not is_json:
            different.append(name)
    assert len(paths) > 4000
    assert not uncaught
    assert set(different) == set(DIFFERENT)


def test_real_feeds_through_the_workers(corpus: Path, parsers: ParserPool) -> None:
    before = parsers.started
    kinds = {outcome(parsers, path)[0] for path in files(corpus / "real")[::3]}
    assert kinds == {"ok", "not_a_feed", "html_page"}
    assert parsers.started - before <= 8  # replaced after their number of jobs, never because they broke


def outcome(parsers: ParserPool, path: Path) -> tuple[str, ParsedFeed | None]:
    """Return how a worker took the file, and what it read."""
    job = Job(kind="feed", content_encoding=CODINGS.get(path.suffix, ""))
    try:
        return "ok", parsers.run(job, path.read_bytes()).feed
    except ParseError as error:
        return error.kind, None


def resident_mb() -> float:
    """Return this process's memory now, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MB


def test_hostile_feeds_end_in_little_memory(corpus: Path) -> None:
    paths = files(corpus / "hostile")
    others = workers()
    with ParserPool(FetchSettings()) as parsers:
        outcome(parsers, paths[0])
        before = resident_mb()
        with ThreadPoolExecutor(2) as threads:
            results = list(threads.map(lambda path: (path.name, outcome(parsers, path)[0]), paths))
        grown, peak = resident_mb() - before, parsers.peak_mb
    assert len(paths) > 800
    assert not [row for row in results if row[1] in ("parse_crash", "parse_start")]
    assert sum(kind == "parse_timeout" for _, kind in results) <= 8  # what is killed, and not read, is rare
    assert peak <= 512
    assert grown <= 32
    assert workers() <= others


def assert_plain(articles: Sequence[Article], where: str) -> None:
    """Nothing in an article acts on a terminal, a page or a reader's eye."""
    for article in articles:
        for text in (article.item_id, article.url, article.title, article.summary, article.text):
            assert plain(text) == text, (where, text)
        for text in (article.title, article.summary, article.text):
            assert not re.search(r"<(script|img|svg|iframe|style)\b", text, re.IGNORECASE), (where, text)
        assert article.url == "" or article.url.startswith(("http://", "https://")), (where, article.url)
        assert article.published <= NOW


def articles_in(read: ParsedFeed) -> list[Article]:
    whole = feed(full_text=True)
    return articles_of(whole, read, base=whole.url, now=NOW, first_pull=False, seen=Stored()).articles


def test_articles_of_hostile_feeds_are_plain(corpus: Path, parsers: ParserPool) -> None:
    for path in files(corpus / "hostile"):
        read = outcome(parsers, path)[1] if path.stat().st_size < 20_000 else None
        if read:
            assert_plain(articles_in(read), path.name)


@pytest.mark.parametrize("strings", ["blns.txt", "xss.txt"])
def test_naughty_strings_come_out_plain(corpus: Path, parsers: ParserPool, strings: str) -> None:
    lines = (corpus / "strings" / strings).read_text("utf-8", "replace").splitlines()
    payloads = [line for line in lines if line and not line.startswith("#")]
    items = "".join(
        f"<item><guid>{n}</guid><title>{escape(text)}</title><link>{escape(text)}</link>"
        f"<description><![CDATA[{text.replace(']]>', '')}]]></description></item>"
        for n, text in enumerate(payloads)
    )
    read = parsers.run(Job(kind="feed", max_items=10_000), rss(items=items)).feed
    assert read
    assert read.items == len(payloads)
    assert_plain(articles_in(read), strings)


def test_neighbours_are_unaffected(corpus: Path) -> None:
    names = ["attrs_50000.xml", "author_email_156KB.xml", "comment_open_683KB.xml", "nest_100000.xml", "random_1MB.bin"]
    hostile = {path.name: path for path in files(corpus / "hostile") if path.parent.name in ("hangs", "hostile")}
    replies = {f"/{name}": [{"body": hostile[name].read_bytes()}] for name in names}
    bombs = {path.name: path for path in files(corpus / "hostile" / "http")}
    for name, path in bombs.items():
        replies[f"/{name}"] = [
            {"body": path.read_bytes(), "headers": {"Content-Encoding": CODINGS[path.suffix], "ETag": '"x"'}}
        ]
    for n in range(12):
        replies[f"/healthy{n}"] = [{"body": rss(f"Truce holds in district {n}")}]
    stored, others = Stored(), workers()
    settings = open_settings(parse_cpu_s=1.0, parse_wall_s=2.0)
    with ScriptedServer(replies) as server:
        result = pull([feed(path, server.base + path) for path in replies], stored, settings)
    outcomes = {pulled.feed: pulled for pulled in result.pulls}
    assert all(outcomes[f"/healthy{n}"].outcome == "new" for n in range(12))
    assert {failure.input_id for failure in result.failures} == {
        name for name, pulled in outcomes.items() if pulled.outcome == "failed"
    }
    assert workers() <= others


BOMBS = {
    "gzip_1GB.gz": "too_large",
    "brotli_1GB.br": "too_large",
    "deflate_200MB.z": "too_large",
    "gzip_truncated.gz": "cut_short",
    "gzip_double.gz": "too_large",  # a bomb inside the outer layer
    "gzip_garbage_tail.gz": "",
    "not_gzip.gz": "",
}


def test_bombs_over_http(corpus: Path, parsers: ParserPool) -> None:
    folder = corpus / "hostile" / "http"
    assert {path.name for path in folder.iterdir()} == set(BOMBS)
    replies = {
        f"/{name}": [
            {
                "body": (folder / name).read_bytes(),
                "headers": {"Content-Encoding": CODINGS[Path(name).suffix], "ETag": '"x"'},
            }
        ]
        for name in BOMBS
    }
    with ScriptedServer(replies) as server:
        feeds = [feed(name, f"{server.base}/{name}") for name in BOMBS]
        pull(feeds[3:], Stored(), open_settings(), parsers=parsers)
        before = resident_mb()
        result = pull(feeds, Stored(), open_settings(), parsers=parsers)
        assert resident_mb() - before <= 32
    assert {pulled.feed: pulled.kind for pulled in result.pulls} == BOMBS
    assert all(pulled.state.etag == "" for pulled in result.pulls)  # none of these bodies is to be trusted
