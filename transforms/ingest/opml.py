"""OPML in and out: the exchange format of feed readers, with trucewatch's own fields as attributes of a namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from lxml import etree

from transforms.failures import ParseError
from transforms.ingest.feed import Feed
from transforms.text import plain

NAMESPACE = "urn:trucewatch:opml:1"
_TEXT_FIELDS = ("outlet", "country", "owner", "timezone")
_FLAGS = ("state_affiliated", "full_text")
_DEFAULT_INTERVAL = timedelta(minutes=15)
MAX_BYTES = 20_000_000


def read_opml(text: str) -> list[Feed]:
    """Return the feeds of an OPML document, in its order; an address that stands there twice is given once.

    Outlines without an `xmlUrl` are folders. Fields that other readers do not write get a feed's defaults; the
    outlet is then the feed's title.

    Raises:
        ParseError: kind "bad_opml": no OPML, or a value that cannot be used, with its place.
    """
    if len(text) > MAX_BYTES:
        raise ParseError("bad_opml", f"larger than {MAX_BYTES} characters: this is no feed list")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # An encoding named in the declaration does not matter: the text is decoded already.
        raise ParseError("bad_opml", f"not well-formed XML: {plain(str(error))[:200]}") from error
    if not isinstance(root.tag, str) or etree.QName(root).localname.lower() != "opml":
        raise ParseError("bad_opml", "the root element is not <opml>")
    feeds: list[Feed] = []
    urls: set[str] = set()
    names: set[str] = set()
    for outline in root.iter("{*}outline"):
        url = plain(outline.get("xmlUrl") or outline.get("xmlurl") or "")
        if not url or url in urls:
            continue
        urls.add(url)
        feed = _feed(outline, url)
        if feed.name in names:
            feed = _renamed(feed, names)
        names.add(feed.name)
        feeds.append(feed)
    return feeds


def write_opml(feeds: Iterable[Feed], title: str = "trucewatch") -> str:
    """Return `feeds` as OPML 2.0 that `read_opml` reads back unchanged and other readers can import."""
    root = etree.Element("opml", nsmap={"trucewatch": NAMESPACE}, version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for feed in feeds:
        outline = etree.SubElement(body, "outline", type="rss", text=feed.name, title=feed.name, xmlUrl=feed.url)
        if feed.language:
            outline.set("language", feed.language)
        for key in _TEXT_FIELDS:
            if value := getattr(feed, key):
                outline.set(f"{{{NAMESPACE}}}{key}", value)
        for key in _FLAGS:
            if getattr(feed, key):
                outline.set(f"{{{NAMESPACE}}}{key}", "true")
        if feed.interval != _DEFAULT_INTERVAL:
            outline.set(f"{{{NAMESPACE}}}interval", f"{feed.interval.total_seconds():g}s")
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document.decode("utf-8")


def _feed(outline: etree._Element, url: str) -> Feed:
    def own(key: str) -> str:
        return plain(outline.get(f"{{{NAMESPACE}}}{key}") or "")

    name = plain(outline.get("title") or outline.get("text") or "") or url
    language = plain(outline.get("language") or "").lower().partition("-")[0]
    return Feed(
        name=name,
        url=url,
        outlet=own("outlet") or name,
        language="" if language == "unknown" else language,
        country=own("country"),
        owner=own("owner"),
        state_affiliated=own("state_affiliated") == "true",
        full_text=own("full_text") == "true",
        interval=_interval(own("interval"), outline, name),
        timezone=own("timezone"),
    )


def _interval(value: str, outline: etree._Element, name: str) -> timedelta:
    if not value:
        return _DEFAULT_INTERVAL
    try:
        seconds = float(value.removesuffix("s"))
        if not 0 < seconds < 10**8:
            raise ValueError("out of range")
        return timedelta(seconds=seconds)
    except ValueError as error:
        message = (
            f"line {outline.sourceline}, feed {name!r}: interval {value!r} is not a number of seconds such as 900s"
        )
        raise ParseError("bad_opml", message) from error


def _renamed(feed: Feed, names: set[str]) -> Feed:
    n = 2
    while f"{feed.name} ({n})" in names:
        n += 1
    return replace(feed, name=f"{feed.name} ({n})")
