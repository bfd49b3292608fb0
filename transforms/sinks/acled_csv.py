"""CSV in ACLED's column names, with a row of HXL hashtags under the header.

It is not ACLED's data: only the column names and the words of its code book are used, and the tags of every row say so.
What is not known is blank.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from transforms.model import Alert, Change, DatePrecision, Party, Place
from transforms.sinks.safe import csv_cell, safe_link
from transforms.sinks.snapshot import SnapshotSink
from transforms.sinks.words import country_name, first_quote, headline, place_name

# Column and hashtag, in ACLED's order.
COLUMNS = {
    "event_id_cnty": "#event+id",
    "event_date": "#date+occurred",
    "year": "#date+year",
    "time_precision": "#date+precision",
    "disorder_type": "#event+class",
    "event_type": "#event+type",
    "sub_event_type": "#event+type+sub",
    "actor1": "#group+name+first",
    "assoc_actor_1": "#group+name+first+assoc",
    "inter1": "#group+code+first",
    "actor2": "#group+name+second",
    "assoc_actor_2": "#group+name+second+assoc",
    "inter2": "#group+code+second",
    "interaction": "#group+code+interaction",
    "civilian_targeting": "#event+civilian",
    "iso": "#country+code",
    "region": "#region+name",
    "country": "#country+name",
    "admin1": "#adm1+code",
    "admin2": "#adm2+code",
    "admin3": "#adm3+code",
    "location": "#loc+name",
    "latitude": "#geo+lat",
    "longitude": "#geo+lon",
    "geo_precision": "#geo+precision",
    "source": "#meta+source",
    "source_scale": "#meta+source+scale",
    "notes": "#description",
    "fatalities": "#affected+killed",
    "tags": "#meta+tags",
    "timestamp": "#date+updated+timestamp",
}
_TIME_PRECISION = {DatePrecision.DAY: "1", DatePrecision.WEEK: "2", DatePrecision.MONTH: "3"}
_COUNTRY = {"SY": ("760", "Middle East"), "LY": ("434", "Northern Africa")}


class AcledCsvSink(SnapshotSink):
    """Keeps a table of the events that stand; one that is retracted leaves it."""

    def encode(self, alert: Alert) -> bytes:
        """Return the alert's row."""
        return _lines([row(alert)])

    def render(self, alerts: Sequence[Alert]) -> bytes:
        """Return the table."""
        return acled_table(alerts)


def acled_table(alerts: Sequence[Alert]) -> bytes:
    """Return the events of `alerts` (the last revision of each) that stand, oldest first, under both headers."""
    stand = [alert for alert in alerts if alert.change is not Change.RETRACTED]
    stand.sort(key=lambda alert: (alert.first_seen, alert.event_id))
    return _lines([list(COLUMNS), list(COLUMNS.values()), *map(row, stand)])


def row(alert: Alert) -> list[str]:
    """Return the cells of one event, in the order of `COLUMNS`."""
    event_type, _, sub_type = alert.codes.acled.partition(": ")
    place = next(iter(alert.places), None)
    iso, region = _COUNTRY.get(alert.country, ("", ""))
    quote = first_quote(alert)
    links = "; ".join(dict.fromkeys(link for q in alert.evidence if (link := safe_link(q.url))))
    cells = {
        "event_id_cnty": alert.event_id,
        "event_date": alert.date.start.isoformat() if alert.date else "",
        "year": str(alert.date.start.year) if alert.date else "",
        "time_precision": _TIME_PRECISION[alert.date.precision] if alert.date else "",
        "disorder_type": _disorder(event_type),
        "event_type": event_type,
        "sub_event_type": sub_type,
        "actor1": _names(alert.actors),
        "actor2": _names(alert.targets),
        "iso": iso,
        "region": region,
        "country": country_name(alert.country),
        **_place_cells(place),
        "source": "; ".join(alert.outlets),
        "notes": f'{headline(alert)}. "{quote}" {links}'.strip() if quote else headline(alert),
        # Of conflicting tolls the lowest counts, as in ACLED's code book.
        "fatalities": "" if alert.killed.low is None else str(alert.killed.low),
        "tags": _tags(alert),
        "timestamp": str(int(alert.told_at.timestamp())),
    }
    numbers = {"latitude", "longitude"}  # a minus sign is part of these
    return [cells.get(name, "") if name in numbers else csv_cell(cells.get(name, "")) for name in COLUMNS]


def _place_cells(place: Place | None) -> dict[str, str]:
    if place is None:
        return {}
    placed = place.lat is not None and place.lon is not None
    return {
        "admin1": place.adm1,
        "admin2": place.adm2,
        "admin3": place.adm3,
        "location": place_name(place),
        "latitude": f"{place.lat:.5f}" if placed else "",
        "longitude": f"{place.lon:.5f}" if placed else "",
        "geo_precision": str(place.precision) if placed else "",
    }


def _disorder(event_type: str) -> str:
    if event_type in ("", "Strategic developments"):
        return event_type
    return "Political violence"


def _names(parties: Sequence[Party]) -> str:
    return "; ".join(party.name for party in parties)


def _tags(alert: Alert) -> str:
    kind = alert.stage or alert.means
    tags = [
        "not ACLED data",
        f"family:{alert.family}",
        f"certainty:{alert.certainty}",
        f"revision:{alert.revision}",
    ]
    tags += [f"kind:{kind}"] if kind else []
    tags += [f"ceasefire:{alert.ceasefire_id}"] if alert.ceasefire_id else []
    tags += [f"fatalities_high:{alert.killed.high}"] if alert.killed.high not in (None, alert.killed.low) else []
    return "; ".join(tags)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")
