"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read by a strict schema; feedparser does not know the format."""

from __future__ import annotations

from typing import Any

import msgspec

from transforms.failures import ParseError
from transforms.ingest import dates
from transforms.ingest.html_text import html_text
from transforms.ingest.limits import ID_CHARS, SUMMARY_CHARS, TEXT_CHARS, TITLE_CHARS, bounded
from transforms.ingest.wire import Entry, ParsedFeed
from transforms.text import plain


def feed_of(body: bytes, *, max_items: int) -> ParsedFeed:
    """Return the JSON feed in `body`.

    Raises:
        ParseError: kind "not_a_feed": it is no JSON, or JSON of another kind.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        feed: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ParseError(
            "not_a_feed", f"the body looks like JSON but cannot be read: {plain(str(error))[:160]}"
        ) from error
    version = feed.get("version") if isinstance(feed, dict) else None
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or not (_str(version).startswith("http") and "jsonfeed" in _str(version)):
        raise ParseError("not_a_feed", "the body is JSON but not a JSON Feed (no jsonfeed.org version or no items)")
    usable = [item for item in items if isinstance(item, dict)]
    warnings: list[str] = []
    if len(usable) < len(items):
        warnings.append(f"malformed: {len(items) - len(usable)} items are not objects")
    if len(usable) > max_items:
        warnings.append(f"too_many_items: only the first {max_items} of {len(usable)} entries were read")
    entries = bounded(map(_entry, usable[:max_items]), warnings)
    return ParsedFeed(
        version="json" + "".join(c for c in _str(version).rpartition("/")[2] if c.isdigit())[:4],
        title=html_text(_str(feed.get("title")), TITLE_CHARS),
        language=plain(_str(feed.get("language")))[:40],
        entries=entries,
        items=len(usable),
        warnings=tuple(warnings),
    )


def _entry(item: dict[str, Any]) -> Entry:
    written = _str(item.get("date_published")) or _str(item.get("date_modified"))
    when = dates.read_date(written[:200])
    content = html_text(_str(item.get("content_html")) or _str(item.get("content_text")), TEXT_CHARS)
    return Entry(
        guid=plain(_id(item.get("id")))[:ID_CHARS],
        link=plain(_str(item.get("url")) or _str(item.get("external_url")))[:ID_CHARS],
        title=html_text(_str(item.get("title")), TITLE_CHARS),
        summary=html_text(_str(item.get("summary")), SUMMARY_CHARS) or content[:SUMMARY_CHARS],
        content=content,
        published=plain(written)[:100],
        published_utc=when[0] if when else None,
        naive=when[1] if when else False,
        language=plain(_str(item.get("language")))[:40],
    )


def _id(value: object) -> str:
    """The format wants text; numbers are common."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else _str(value)


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
