"""Feeds as `[[feed]]` tables of trucewatch.toml."""

from __future__ import annotations

import json
from collections.abc import Iterable

from transforms.ingest.feed import Feed


def feed_tables(feeds: Iterable[Feed]) -> str:
    """Return TOML that `trucewatch.toml` takes, with only what differs from the defaults."""
    return "\n\n".join(_table(feed) for feed in feeds)


def _table(feed: Feed) -> str:
    texts = [key for key in ("language", "country", "owner", "timezone") if getattr(feed, key)]
    lines = [f"{key} = {_quoted(getattr(feed, key))}" for key in ("name", "url", "outlet", *texts)]
    lines += [f"{key} = true" for key in ("state_affiliated", "full_text") if getattr(feed, key)]
    if feed.interval != Feed(name="", url="", outlet="").interval:
        lines.append(f"interval = {int(feed.interval.total_seconds())}")
    return "\n".join(["[[feed]]", *lines])


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's, once surrogate pairs are avoided."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
