"""Feeds as `[[feed]]` tables of trucewatch.toml."""

from __future__ import annotations

import json
from collections.abc import Iterable

from transforms.ingest.feed import Feed


def feed_tables(feeds: Iterable[Feed]) -> str:
    """Return TOML that `trucewatch.toml` takes, with only what differs from the defaults."""
    return "\n\n".join(_table(feed) for feed in feeds)


def _table(feed: Feed) -> str:
    plain = Feed(name=feed.name, url=feed.url, outlet=feed.outlet, language=feed.language)
    lines = ["[[feed]]", *(f"{key} = {_quoted(getattr(feed, key))}" for key in ("name", "url", "outlet", "language"))]
    for key in ("country", "owner", "timezone"):
        if getattr(feed, key):
            lines.append(f"{key} = {_quoted(getattr(feed, key))}")
    for key in ("state_affiliated", "full_text"):
        if getattr(feed, key):
            lines.append(f"{key} = true")
    if feed.interval != plain.interval:
        lines.append(f"interval = {int(feed.interval.total_seconds())}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's, once surrogate pairs are avoided."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
