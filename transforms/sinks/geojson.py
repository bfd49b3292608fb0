"""GeoJSON (RFC 7946): a feature an event, at its places, for maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from transforms.model import Alert, Change
from transforms.sinks.safe import safe_link, safe_tree
from transforms.sinks.snapshot import SnapshotSink
from transforms.sinks.words import headline


class GeoJsonSink(SnapshotSink):
    """Keeps a FeatureCollection of the events that stand; one that is retracted leaves it."""

    def encode(self, alert: Alert) -> bytes:
        """Return the alert's feature."""
        return msgspec.json.encode(feature(alert))

    def render(self, alerts: Sequence[Alert]) -> bytes:
        """Return the collection."""
        return feature_collection(alerts)


def feature_collection(alerts: Sequence[Alert]) -> bytes:
    """Return the events of `alerts` (the last revision of each) that stand, as a document."""
    features = [feature(alert) for alert in alerts if alert.change is not Change.RETRACTED]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features}) + b"\n"


def feature(alert: Alert) -> dict[str, Any]:
    """Return the event as a feature; its geometry is null where no place could be resolved."""
    return {
        "type": "Feature",
        "id": alert.event_id,
        "geometry": _geometry(alert),
        "properties": safe_tree(_properties(alert)),
    }


def _geometry(alert: Alert) -> dict[str, Any] | None:
    points = [[round(p.lon, 5), round(p.lat, 5)] for p in alert.places if p.lat is not None and p.lon is not None]
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": points[0]}
    return {"type": "MultiPoint", "coordinates": points}


def _properties(alert: Alert) -> dict[str, Any]:
    placed = [place for place in alert.places if place.lat is not None]
    return {
        "headline": headline(alert),
        "revision": alert.revision,
        "change": alert.change.value,
        "family": alert.family.value,
        "stage": alert.stage.value if alert.stage else None,
        "means": alert.means.value if alert.means else None,
        "certainty": alert.certainty.value,
        "country": alert.country,
        "places": [place.label or place.name for place in alert.places],
        "adm1": [place.adm1 for place in alert.places if place.adm1],
        # ACLED's scale: 1 town, 2 area, 3 region; a map that shows a region as a dot should be able to tell
        "geo_precision": max((place.precision for place in placed), default=None),
        "date_start": alert.date.start.isoformat() if alert.date else None,
        "date_end": alert.date.end.isoformat() if alert.date else None,
        "date_precision": alert.date.precision.value if alert.date else None,
        "actors": [actor.name for actor in alert.actors],
        "targets": [target.name for target in alert.targets],
        "killed_low": alert.killed.low,
        "killed_high": alert.killed.high,
        "injured_low": alert.injured.low,
        "injured_high": alert.injured.high,
        "ceasefire_id": alert.ceasefire_id or None,
        "basis": alert.basis.value if alert.basis else None,
        "outlets": list(alert.outlets),
        "independent_outlets": alert.independent_outlets,
        "links": [link for quote in alert.evidence if (link := safe_link(quote.url))],
        "told_at": alert.told_at,
    }
