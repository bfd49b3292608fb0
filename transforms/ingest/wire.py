"""What passes between the ingest stage and its worker processes, as JSON frames over pipes.

Light on purpose: a worker imports this at every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["feed", "page", "robots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One body to be read in a worker.

    Attributes:
        kind: What to read it as: a feed, an article page or a robots.txt.
        content_type: The Content-Type header, "" if none.
        content_encoding: The Content-Encoding header, "" if none.
        max_bytes: Cap on the body after decompression.
        max_items: Cap on a feed's entries.
        url: The address it came from.
        language: Of the feed as configured; helps to guess an encoding.
        agent: For robots.txt: the user agent to judge for.
        urls: For robots.txt: the addresses to judge.
    """

    kind: Kind
    content_type: str = ""
    content_encoding: str = ""
    max_bytes: int = 10 * 1024 * 1024
    max_items: int = 2000
    url: str = ""
    language: str = ""
    agent: str = ""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a feed, its texts reduced to plain text.

    Attributes:
        guid: The entry's id as given, "" if none.
        link: Its link, absolute or relative to the feed, "" if none.
        title: Headline.
        summary: Teaser or description.
        content: Full text as the feed carries it, "" if none.
        published: The publication date as written, "" if none.
        published_utc: The same in seconds since 1970, naive times read as UTC; None if unreadable.
        naive: Whether the date names no time zone.
        language: As declared by entry or feed, "" if not.
    """

    guid: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published: str = ""
    published_utc: float | None = None
    naive: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed as a worker read it.

    Attributes:
        version: The format, such as "rss20", "atom10", "json11".
        title: The feed's own title.
        language: As the feed declares it.
        utc_offset_s: Offset of the feed's own dates that name one, None if none does; naive item dates are read by it.
        entries: In the feed's order.
        items: How many entries the feed holds, those beyond the cap included.
        complete: False when the body is cut short or was decoded with doubts: its validators must not be saved.
        warnings: What was odd but could be read.
    """

    version: str = ""
    title: str = ""
    language: str = ""
    utc_offset_s: int | None = None
    entries: tuple[Entry, ...] = ()
    items: int = 0
    complete: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a worker answers: one of feed, text or verdicts, or an error.

    Attributes:
        error_kind: Short stable word, "" if all went well.
        error: What happened, for a person.
        feed: For a feed.
        title: For a page: its headline.
        text: For a page: its main text.
        allowed: For robots.txt: a verdict for each address asked about.
        crawl_delay_s: For robots.txt: the pause it asks for, 0 if none.
        peak_mb: Largest memory of the worker so far.
    """

    error_kind: str = ""
    error: str = ""
    feed: ParsedFeed | None = None
    title: str = ""
    text: str = ""
    allowed: tuple[bool, ...] = ()
    crawl_delay_s: float = 0.0
    peak_mb: float = 0.0
