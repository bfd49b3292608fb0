"""Which class stands for which settings: the one place to add when a new sink is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from transforms.failures import ConfigError
from transforms.sinks.acled_csv import AcledCsvSink
from transforms.sinks.atom import AtomSink
from transforms.sinks.base import Sink
from transforms.sinks.cap import CapSink
from transforms.sinks.email import EmailSink
from transforms.sinks.geojson import GeoJsonSink
from transforms.sinks.jsonl import JsonlSink
from transforms.sinks.pubsub import PubSubSink
from transforms.sinks.settings import (
    AtomSettings,
    CapSettings,
    CsvSettings,
    EmailSettings,
    GeoJsonSettings,
    JsonlSettings,
    PubSubSettings,
    SinkSettings,
    TableSettings,
    WebhookSettings,
)
from transforms.sinks.table import TableSink
from transforms.sinks.webhook import WebhookSink

_MAKERS: dict[type[Any], Callable[[Any], Sink]] = {
    JsonlSettings: JsonlSink,
    AtomSettings: AtomSink,
    GeoJsonSettings: GeoJsonSink,
    CsvSettings: AcledCsvSink,
    CapSettings: CapSink,
    WebhookSettings: WebhookSink,
    PubSubSettings: PubSubSink,
    EmailSettings: EmailSink,
    TableSettings: TableSink,
}


def sinks_of(settings: Iterable[SinkSettings]) -> list[Sink]:
    """Return a sink for each of `settings`, in their order.

    Raises:
        ConfigError: Two sinks have one name, or a sink needs a library that is not installed.
    """
    sinks: list[Sink] = []
    names: set[str] = set()
    for each in settings:
        if each.name in names:
            raise ConfigError(f'two sinks are named "{each.name}"; give one of them another "name"')
        names.add(each.name)
        sinks.append(_MAKERS[type(each)](each))
    return sinks
