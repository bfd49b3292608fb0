"""Mutated feeds: whatever is done to a feed, a worker answers, soon, and with clean records or a named reason.

10,000 mutations by default; `TRUCEWATCH_FUZZ=200000 pytest tests/transforms/ingest/test_fuzz.py` searches longer, from
another seed each time with `TRUCEWATCH_FUZZ_SEED`. A find becomes a case of tests/cases/ingest_feeds.toml.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.transforms.ingest.made import NOW, Stored, feed, open_settings
from tests.transforms.ingest.scripted import ScriptedServer
from transforms.failures import FetchError, ParseError
from transforms.ingest.articles import articles_of
from transforms.ingest.fetch import BodyBudget, Fetcher, HostLocks
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.wire import Job
from transforms.text import plain

EXAMPLES = int(os.environ.get("TRUCEWATCH_FUZZ", "10000"))
SHARDS = 4
EXPECTED = {"empty", "not_a_feed", "html_page", "too_large", "cut_short", "bad_encoding", "unknown_encoding"}

RSS = b"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE rss [<!ENTITY nbsp "&#160;">]>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Outlet &amp; Co</title><link>https://outlet.example/</link><language>en-gb</language>
<item><guid isPermaLink="false">a1</guid><title><![CDATA[Truce <b>holds</b> in Daraa]]></title>
<link>https://outlet.example/a1?utm_source=rss&amp;id=1</link><dc:creator>A. Writer (desk@outlet.example)</dc:creator>
<description>&lt;p&gt;Monitors say the truce holds.&lt;/p&gt;</description>
<content:encoded><![CDATA[<p style="color:red">Monitors say <a href="/x">the truce</a> holds&#8217;s day.</p>]]>
</content:encoded>
<pubDate>Thu, 06 Oct 2016 09:00:00 +0300</pubDate></item></channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ar" xml:base="https://outlet.example/">
<title>المنفذ</title><updated>2016-10-06T09:00:00Z</updated><entry><id>tag:outlet.example,2016:1</id>
<title type="html">هدنة &lt;i&gt;في&lt;/i&gt; حلب</title><link href="a/1"/><updated>2016-10-06T09:00:00+03:00</updated>
<summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>قال سكان</p></div></summary></entry>
</feed>""".encode()
RDF = b"""<?xml version="1.0" encoding="iso-8859-1"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"><channel rdf:about="https://outlet.example/"><title>D\xe9p\xeaches</title></channel>
<item rdf:about="https://outlet.example/1"><title>Tr\xeave \xe0 Alep</title><link>https://outlet.example/1</link></item></rdf:RDF>"""
JSON = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Outlet", "items": [{"id": "1", "title": "Truce",
"url": "https://outlet.example/1", "content_html": "<p>Truce holds</p>", "date_published": "2016-10-06T09:00:00Z"}]}"""
SEEDS = [RSS, ATOM, RDF, JSON]
PIECES = [
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?xml ", b"?>", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>",
    b"]>", b"\x00", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"&#0;", b"&#x110000;", b"&#xD800;", b"&#999999999999;",
    b"&a;", b"encoding='utf-7'", b"encoding='punycode'", b"<item>", b"</item>", b"</channel>", b"<entry>", b"xmlns='",
    b"xml:base='http://[::1'", b" " * 3000, b"<b>" * 500, b"(" * 500, b"a@b" * 200, b"url(" + b" " * 500, b"'", b'"',
    b"\xe2\x80\xae", b"\x1b[31m", b"9999-12-31T23:59:59Z", b"-0001-01-01T00:00:00Z", b"99 Foo 99999 99:99:99 +9999",
    b"NaN", b"1e999", b"null", b"[" * 400, b"\\ud800",
]  # fmt: skip

spot = st.integers(0, 4000)
mutation = st.one_of(
    st.tuples(st.just("insert"), spot, st.sampled_from(PIECES)),
    st.tuples(st.just("insert"), spot, st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("cut"), spot, st.integers(1, 400)),
    st.tuples(st.just("repeat"), spot, st.integers(1, 60)),
    st.tuples(st.just("flip"), spot, st.integers(1, 255)),
    st.tuples(st.just("end"), spot, st.none()),
)


def mutated(body: bytes, changes: list[tuple[str, int, object]]) -> bytes:
    data = bytearray(body)
    for kind, where, what in changes:
        at = where % (len(data) + 1)
        if kind == "insert" and isinstance(what, bytes):
            data[at:at] = what
        elif kind == "cut" and isinstance(what, int):
            del data[at : at + what]
        elif kind == "repeat" and isinstance(what, int):
            data[at:at] = data[at : at + 40] * what
        elif kind == "flip" and isinstance(what, int) and at < len(data):
            data[at] ^= what
        elif kind == "end":
            del data[at:]
    return bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_mutated_feed_is_read_or_refused_by_name(shard: int, parsers: ParserPool) -> None:
    @seed(shard + SHARDS * int(os.environ.get("TRUCEWATCH_FUZZ_SEED", "0")))
    @settings(
        max_examples=EXAMPLES // SHARDS,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(changes=st.lists(mutation, min_size=1, max_size=5))
    def hold(changes: list[tuple[str, int, object]]) -> None:
        check(mutated(SEEDS[shard], changes), parsers)

    hold()


def check(body: bytes, parsers: ParserPool) -> None:
    try:
        read = parsers.run(Job(kind="feed"), body).feed
    except ParseError as error:
        assert error.kind in EXPECTED, f"{error.kind}: {error}"
        return
    assert read is not None
    outlet = feed(full_text=True)
    result = articles_of(outlet, read, base=outlet.url, now=NOW, first_pull=True, seen=Stored())
    assert not result.failures
    assert len(result.articles) + sum(result.dropped.values()) == len(read.entries)
    for article in result.articles:
        assert article.item_id
        assert article.published <= NOW
        assert article.url == "" or article.url.startswith(("http://", "https://"))
        for text in (article.item_id, article.url, article.title, article.summary, article.text):
            assert plain(text) == text


HEADS = [
    'HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: "a"\r\nContent-Length: 64\r\n\r\n',
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n40\r\n",
    "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nDate: Thu, 06 Oct 2016 09:00:00 GMT\r\n\r\n",
    "HTTP/1.1 304 Same\r\n\r\n",
]
HTTP_PIECES = [
    "\r\n", "\n", ":", " ", "\0", "-1", "99999999999999999999", "Location: //", "Location: http://[", "é", "\x80", "br",
    "gzip,", "HTTP/2", "100 Continue\r\n\r\n", "Set-Cookie: a=b\r\n", "Retry-After: -5\r\n", "x" * 3000,
]  # fmt: skip


@settings(max_examples=300, database=None)
@given(
    head=st.sampled_from(HEADS),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6), st.sampled_from(HTTP_PIECES)), max_size=4),
    body=st.sampled_from([RSS[:64].decode("latin-1"), "", "\x1f\x8b\x08\x00" + "\xff" * 60]),
)
def test_a_mutated_answer_is_read_or_fails_by_name(head: str, changes: list[tuple[int, int, str]], body: str) -> None:
    raw = head
    for where, cut, piece in changes:
        at = where % (len(raw) + 1)
        raw = raw[:at] + piece + raw[at + cut :]
    raw = (raw + body).encode("latin-1", "replace").decode("latin-1")
    patient = open_settings(timeout_s=5, total_timeout_s=10)
    with (
        ScriptedServer({"/feed": [{"raw": raw}], "/elsewhere": [{"body": "feed"}]}) as server,
        Fetcher(patient, HostLocks()) as fetcher,
        BodyBudget().lease() as lease,
    ):
        try:
            fetched = fetcher.fetch(f"{server.base}/feed", lease, now=NOW)
        except FetchError as error:
            assert error.kind
            assert str(error) == plain(str(error))
        else:
            assert plain(fetched.etag) == fetched.etag
            assert fetched.url.startswith("http://")
