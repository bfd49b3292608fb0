"""CAP 1.2 (Common Alerting Protocol), a file a revision: Alert, then Update or Cancel that refer to those before.

CAP has words for how sure, how urgent and how grave. Only the first follows from news reports; gravity is left Unknown,
since a monitor of reports cannot weigh it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from transforms.model import Alert, Change, Family, Place, Realis
from transforms.sinks.base import Batch, Outcomes
from transforms.sinks.cloudevents import event_time
from transforms.sinks.files import sync_directory, write_atomically
from transforms.sinks.safe import safe_link, safe_text, shortened
from transforms.sinks.settings import CapSettings
from transforms.sinks.words import ceasefire_words, headline, kind_words, outlet_words, place_name, place_words

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ET.register_namespace("cap", CAP)
_MESSAGE = {Change.NEW: "Alert", Change.UPDATED: "Update", Change.RETRACTED: "Cancel"}
_RADIUS_KM = {1: 2, 2: 15, 3: 60}  # of the circle drawn for ACLED's geo precision
_NOT_IN_IDENTIFIER = re.compile(r"[\s,<&]")


class CapSink:
    """Writes `<alert id>.xml` into a directory."""

    batch_size = 200

    def __init__(self, settings: CapSettings) -> None:
        """Only keep the settings."""
        self.name = settings.name
        self._settings = settings

    def encode(self, alert: Alert) -> bytes:
        """Return the message without references, which need the event's history."""
        return message(alert, (), self._settings)

    def deliver(self, batch: Batch) -> Outcomes:
        """Write a file for each alert; a repeated delivery writes the same file again."""
        for delivery in batch.deliveries:
            alert = delivery.alert
            earlier: Sequence[Alert] = ()
            if alert.revision > 1:
                earlier = [a for a in batch.history.of_event(alert.event_id) if a.revision < alert.revision]
            path = Path(self._settings.directory) / f"{identifier(alert)}.xml"
            write_atomically(path, message(alert, earlier, self._settings), sync_name=False)
        sync_directory(Path(self._settings.directory))
        return Outcomes(delivered=batch.alert_ids)


def identifier(alert: Alert) -> str:
    """Return the alert's id without the signs that CAP forbids in one, and that paths cannot hold."""
    return _NOT_IN_IDENTIFIER.sub("_", alert.alert_id).replace("/", "_")


def message(alert: Alert, earlier: Sequence[Alert], settings: CapSettings) -> bytes:
    """Return the CAP message; `earlier` are the event's earlier revisions."""
    root = ET.Element(f"{{{CAP}}}alert")
    _add(root, "identifier", identifier(alert))
    _add(root, "sender", settings.sender)
    _add(root, "sent", _stamp(alert.told_at))
    _add(root, "status", settings.status)
    _add(root, "msgType", _MESSAGE[alert.change])
    _add(root, "scope", "Public")
    _add(root, "note", "Made by a program from news reports; not an official warning.")
    if earlier:
        _add(root, "references", " ".join(f"{settings.sender},{identifier(a)},{_stamp(a.told_at)}" for a in earlier))
    _info(root, alert)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _info(root: ET.Element, alert: Alert) -> None:
    info = ET.SubElement(root, f"{{{CAP}}}info")
    _add(info, "language", "en")
    _add(info, "category", "Security")
    _add(info, "event", kind_words(alert))
    _add(info, "urgency", "Unknown" if alert.family is Family.CEASEFIRE else "Past")
    _add(info, "severity", "Unknown")
    _add(info, "certainty", certainty(alert))
    _add(info, "onset", _stamp(event_time(alert)))
    _add(info, "senderName", "trucewatch")
    _add(info, "headline", shortened(headline(alert), 160))
    _add(info, "description", _description(alert))
    web = next((link for quote in alert.evidence if (link := safe_link(quote.url))), "")
    if web:
        _add(info, "web", web)
    parameters = {"event_id": alert.event_id, "revision": str(alert.revision), "family": alert.family.value}
    parameters |= {"ceasefire_id": alert.ceasefire_id} if alert.ceasefire_id else {}
    for name, value in parameters.items():
        _pair(info, "parameter", name, value)
    for place in alert.places or ():
        _area(info, place)
    if not alert.places:
        _add(ET.SubElement(info, f"{{{CAP}}}area"), "areaDesc", place_words(alert))


def certainty(alert: Alert) -> str:
    """Return CAP's word: Observed (two independent outlets), Likely, Possible (alleged only) or Unlikely (denied)."""
    if alert.change is Change.RETRACTED or alert.certainty in (Realis.DENIED, Realis.NEGATED):
        return "Unlikely"
    if alert.certainty is not Realis.ASSERTED:
        return "Possible"
    return "Observed" if alert.independent_outlets > 1 else "Likely"


def _area(info: ET.Element, place: Place) -> None:
    area = ET.SubElement(info, f"{{{CAP}}}area")
    _add(area, "areaDesc", place_name(place))
    if place.lat is not None and place.lon is not None:
        _add(area, "circle", f"{place.lat:.5f},{place.lon:.5f} {_RADIUS_KM.get(place.precision, 60)}")
    code = place.adm3 or place.adm2 or place.adm1
    if code:
        _pair(area, "geocode", "P-code", code)


def _description(alert: Alert) -> str:
    parts = [headline(alert)]
    if words := ceasefire_words(alert):
        parts.append(f"Ceasefire: {words}.")
    parts.append(f"Told by {outlet_words(alert)}.")
    parts += [f'{safe_text(quote.outlet)}: "{safe_text(quote.quote)}"' for quote in alert.evidence[:10]]
    return "\n".join(parts)


def _pair(parent: ET.Element, tag: str, name: str, value: str) -> None:
    pair = ET.SubElement(parent, f"{{{CAP}}}{tag}")
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: ET.Element, tag: str, text: str) -> None:
    lines = [safe_text(line) for line in text.split("\n")]
    ET.SubElement(parent, f"{{{CAP}}}{tag}").text = "\n".join(lines)


def _stamp(moment: datetime) -> str:
    # CAP wants an offset in digits, and for UTC a negative zero.
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
