"""Alerts as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from transforms.model import Alert, Change, Family
from transforms.sinks.base import Batch, Outcomes
from transforms.sinks.cloudevents import cloudevent, encode_json
from transforms.sinks.safe import safe_text, shortened
from transforms.sinks.settings import DEFAULT_SOURCE, TableSettings
from transforms.sinks.words import (
    ceasefire_words,
    certainty_words,
    day_words,
    first_quote,
    kind_words,
    outlet_words,
    place_words,
    toll_words,
)

_STYLES = {Family.CEASEFIRE: "green", Family.VIOLATION: "red", Family.HOSTILITY: "yellow"}


class TableSink:
    """Shows each batch as a table; what was shown once is not shown again."""

    batch_size = 200

    def __init__(self, settings: TableSettings, console: Console | None = None) -> None:
        """Show on `console`, else on standard output."""
        self.name = settings.name
        self._console = console or Console()

    def encode(self, alert: Alert) -> bytes:
        """Return the alert as JSON; the table itself is laid out for a whole batch."""
        return encode_json(cloudevent(alert, DEFAULT_SOURCE))

    def deliver(self, batch: Batch) -> Outcomes:
        """Print the batch."""
        self._console.print(alerts_table(delivery.alert for delivery in batch.deliveries))
        return Outcomes(delivered=batch.alert_ids)


def alerts_table(alerts: Iterable[Alert], title: str = "") -> Table:
    """Return the table of `alerts`, in their order."""
    table = Table(title=title or None, show_lines=True, expand=False)
    for heading in ("Day", "What", "Where", "Toll", "Outlets", "In their words"):
        table.add_column(heading, overflow="fold")
    for alert in alerts:
        table.add_row(*(_cell(text) for text in _cells(alert)), style="dim" if alert.change is Change.RETRACTED else "")
    return table


def _cells(alert: Alert) -> tuple[Text | str, ...]:
    what = Text(kind_words(alert), style=_STYLES[alert.family])
    marks = [alert.change.value] if alert.change is not Change.NEW else []
    notes = [*marks, certainty_words(alert), ceasefire_words(alert)]
    for note in filter(None, notes):
        what.append(f"\n{safe_text(note)}", style="italic")
    return (
        day_words(alert.date) or "not told",
        what,
        place_words(alert),
        toll_words(alert),
        outlet_words(alert),
        shortened(first_quote(alert), 160),
    )


def _cell(value: Text | str) -> Text:
    """Never as markup: a quote with square brackets is a quote."""
    return value if isinstance(value, Text) else Text(safe_text(value))
