"""An Atom feed (RFC 4287) with GeoRSS points: one entry an event, `updated` with each revision."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from transforms.model import Alert
from transforms.sinks.safe import safe_link, safe_text
from transforms.sinks.settings import DEFAULT_AUTHORITY, DEFAULT_TITLE, AtomSettings
from transforms.sinks.snapshot import SnapshotSink
from transforms.sinks.words import ceasefire_words, headline, outlet_words

ATOM = "http://www.w3.org/2005/Atom"
GEORSS = "http://www.georss.org/georss"
ET.register_namespace("", ATOM)
ET.register_namespace("georss", GEORSS)


class AtomSink(SnapshotSink):
    """Keeps a feed file at the last events told, retracted ones included and marked."""

    def __init__(self, settings: AtomSettings) -> None:
        """Keep what the feed says of itself."""
        super().__init__(settings)
        self._about = {"title": settings.title, "authority": settings.authority, "link": settings.link}

    def encode(self, alert: Alert) -> bytes:
        """Return the alert's entry."""
        return xml_bytes(entry(alert, self._about["authority"]))

    def render(self, alerts: Sequence[Alert]) -> bytes:
        """Return the feed."""
        return atom_feed(alerts, **self._about)


def atom_feed(
    alerts: Sequence[Alert], *, title: str = DEFAULT_TITLE, authority: str = DEFAULT_AUTHORITY, link: str = ""
) -> bytes:
    """Return the feed of `alerts` (the last revision of each event, newest first).

    Args:
        alerts: What is told.
        title: The feed's title.
        authority: Host name or mail address and year that make its `tag:` ids.
        link: Where the feed is served, or "".
    """
    root = ET.Element(f"{{{ATOM}}}feed")
    _child(root, "id", f"tag:{authority}:alerts")
    _child(root, "title", title)
    latest = max((alert.told_at for alert in alerts), default=datetime(1970, 1, 1, tzinfo=UTC))
    _child(root, "updated", _stamp(latest))
    _child(_child(root, "author"), "name", "trucewatch")
    if safe_link(link):
        _child(root, "link", rel="self", type="application/atom+xml", href=link)
    root.extend(entry(alert, authority) for alert in alerts)
    return xml_bytes(root)


def entry(alert: Alert, authority: str) -> ET.Element:
    """Return one event's entry; its id stays the same over revisions."""
    root = ET.Element(f"{{{ATOM}}}entry")
    _child(root, "id", f"tag:{authority}:{alert.event_id}")
    _child(root, "title", headline(alert))
    _child(root, "updated", _stamp(alert.told_at))
    _child(root, "published", _stamp(alert.first_seen))
    links = list(dict.fromkeys(link for quote in alert.evidence if (link := safe_link(quote.url))))
    for number, link in enumerate(links):
        _child(root, "link", rel="related" if number else "alternate", href=link)
    for scheme, term in (("family", alert.family), ("change", alert.change), ("country", alert.country)):
        _child(root, "category", scheme=f"urn:trucewatch:{scheme}", term=term)
    _child(root, "summary", headline(alert))
    _child(root, "content", content_html(alert), type="html")
    for place in alert.places:
        if place.lat is not None and place.lon is not None:
            ET.SubElement(root, f"{{{GEORSS}}}point").text = f"{place.lat:.5f} {place.lon:.5f}"
            break  # RSS readers take one point an entry
    return root


def content_html(alert: Alert) -> str:
    """Return the body: ceasefire, outlets, and each quote with its link; every told word is escaped."""
    facts = [("Ceasefire", ceasefire_words(alert)), ("Outlets", outlet_words(alert))]
    parts = [f"<p>{label}: {html.escape(words)}</p>" for label, words in facts if words]
    for quote in alert.evidence:
        link = safe_link(quote.url)
        source = html.escape(safe_text(quote.outlet))
        source = f'<a href="{html.escape(link)}">{source}</a>' if link else source
        direction = ' dir="rtl"' if quote.lang == "ar" else ""
        parts.append(f"<blockquote{direction}>{html.escape(safe_text(quote.quote))}</blockquote><p>{source}</p>")
    return "".join(parts)


def xml_bytes(root: ET.Element) -> bytes:
    """Return `root` as a document."""
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _child(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{ATOM}}}{tag}", {key: safe_text(value) for key, value in attributes.items()})
    if text:
        made.text = safe_text(text)
    return made


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
