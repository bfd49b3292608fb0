"""A feed's body to plain records, by feedparser; JSON Feed by msgspec. Runs in a worker process that can be killed."""

from __future__ import annotations

import io
import re
from typing import Any

import feedparser

from transforms.failures import ParseError
from transforms.ingest import dates, jsonfeed
from transforms.ingest.html_text import html_text
from transforms.ingest.limits import ID_CHARS, SUMMARY_CHARS, TEXT_CHARS, TITLE_CHARS, bounded
from transforms.ingest.prolog import charset_of, guarded, root_name
from transforms.ingest.wire import Entry, ParsedFeed
from transforms.text import plain

_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})


def entries_of(body: bytes, *, content_type: str = "", language: str = "", max_items: int = 2000) -> ParsedFeed:
    """Return the feed in `body`.

    Args:
        body: Decompressed bytes of an RSS, RDF, Atom or JSON feed.
        content_type: The Content-Type header, for its charset.
        language: Of the feed as configured; decides the encoding where nothing else does.
        max_items: Entries beyond this number are counted but not given.

    Raises:
        ParseError: kind "empty", "html_page" or "not_a_feed", with a hint on what it is instead.
    """
    stripped = body.lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    if not stripped:
        raise ParseError("empty", "the body is empty")
    if stripped[:1] in b"{[":
        return jsonfeed.feed_of(body, max_items=max_items)
    data = guarded(body, charset_of(content_type), language)
    if not data:
        raise ParseError("not_a_feed", "the body holds no XML element; is the address that of a feed?")
    result = parsed_xml(data)
    root = root_name(data)
    entries = result["entries"]
    if not entries and not result.get("version") and root.rpartition(":")[2].lower() not in _FEED_ROOTS:
        if root.lower() == "html" or b"<html" in stripped[:2000].lower():
            raise ParseError("html_page", _html_message(stripped))
        raise ParseError("not_a_feed", f"the root element <{plain(root)[:40]}> is not that of a feed")
    feed = result["feed"]
    warnings = []
    complete = _is_closed(data, root)
    if not complete:
        warnings.append("cut_short: the feed ends before its root element does")
    elif result.get("bozo"):
        warnings.append(f"malformed: {plain(str(result.get('bozo_exception', '')))[:160]}")
    kept = bounded(map(_entry, entries[:max_items]), warnings)
    if len(kept) < len(entries):
        warnings.append(f"too_many_items: only the first {len(kept)} of {len(entries)} entries were read")
    return ParsedFeed(
        version=str(result.get("version") or ""),
        title=html_text(_text(feed, "title"), TITLE_CHARS),
        language=plain(_text(feed, "language"))[:40],
        utc_offset_s=dates.offset_of(*(_text(feed, key) for key in ("updated", "published"))),
        entries=kept,
        items=len(entries),
        complete=complete,
        warnings=tuple(warnings),
    )


_ALTERNATE = re.compile(
    rb"<link\b(?=[^<>]{0,500}application/(?:rss|atom|feed)\+(?:xml|json))[^<>]{0,500}href=[\"']?([^\"'\s<>]{1,500})",
    re.IGNORECASE,
)


def _html_message(page: bytes) -> str:
    """Say that it is a page, and which feeds it names."""
    found = [plain(url.decode("utf-8", "replace")) for url in _ALTERNATE.findall(page[:100_000])[:3]]
    hint = f"; it names these feeds: {', '.join(found)}" if found else ""
    return f"the address answers with an HTML page, not with a feed{hint}"


def parsed_xml(data: bytes) -> Any:
    """Return feedparser's result for guarded bytes, or an empty one where it raises on them.

    It raises instead of setting `bozo` on some references to characters that do not exist; those are taken out and
    the body is read again.
    """
    try:
        return _feedparser(data)
    except (ValueError, OverflowError, AssertionError, LookupError, TypeError, AttributeError, RecursionError) as error:
        mended = _BAD_REFERENCE.sub(_replacement, data)
        if mended == data:
            raise ParseError("not_a_feed", f"the parser cannot read it: {plain(repr(error))[:200]}") from error
    try:
        return _feedparser(mended)
    except (ValueError, OverflowError, AssertionError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError("not_a_feed", f"the parser cannot read it: {plain(repr(error))[:200]}") from error


def _feedparser(data: bytes) -> Any:
    return feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)


_BAD_REFERENCE = re.compile(rb"&#(?:[xX]([0-9A-Fa-f]{1,40})|([0-9]{1,40}));?")


def _replacement(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    fine = code < 0x110000 and not 0xD800 <= code < 0xE000
    return match[0] if fine else b"&#xFFFD;"


def _is_closed(data: bytes, root: str) -> bool:
    """Whether the last tag closes the root element; white space and comments may follow it."""
    tail = data[-4096:].rstrip(b"\x00\t\r\n ")
    while tail.endswith(b"-->") and b"<!--" in tail:
        tail = tail[: tail.rfind(b"<!--")].rstrip()
    return tail.endswith(b">") and root.encode("ascii").lower() in tail[tail.rfind(b"<") :].lower()


def _entry(entry: Any) -> Entry:
    written = _text(entry, "published") or _text(entry, "updated") or _text(entry, "created")
    parsed = entry.get("published_parsed") or dict.get(entry, "updated_parsed") or entry.get("created_parsed")
    when = dates.read_date(written[:200], parsed)
    content = _content(entry)
    # feedparser puts the content into the summary where there is none; then it is told once.
    summary = html_text(_text(entry, "summary"), SUMMARY_CHARS)
    content = html_text(content, TEXT_CHARS)
    return Entry(
        guid=plain(_text(entry, "id"))[:ID_CHARS],
        link=plain(_text(entry, "link"))[:ID_CHARS],
        title=html_text(_text(entry, "title"), TITLE_CHARS),
        summary=summary or content[:SUMMARY_CHARS],
        content=content,
        published=plain(written)[:100],
        published_utc=when[0] if when else None,
        naive=when[1] if when else False,
        language=plain(str((entry.get("title_detail") or {}).get("language") or ""))[:40],
    )


def _content(entry: Any) -> str:
    """Return the longest content that is text."""
    texts = [
        str(part.get("value") or "")
        for part in entry.get("content") or ()
        if str(part.get("type") or "text/html").startswith(("text/", "application/xhtml"))
    ]
    return max(texts, key=len, default="")


def _text(record: Any, key: str) -> str:
    value = dict.get(record, key)
    return value if isinstance(value, str) else ""
