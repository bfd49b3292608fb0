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
    denied_words,
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
    """Return the table of `alerts`, in their order; it fits a terminal of 80 columns."""
    table = Table(title=title or None, show_lines=True, expand=False)
    table.add_column("Day", overflow="fold", width=10)
    table.add_column("What, where, and in whose words", overflow="fold", ratio=1)
    table.add_column("Toll", overflow="fold", max_width=11)
    table.add_column("Outlets", overflow="fold", max_width=19)
    for alert in alerts:
        table.add_row(*(_cell(text) for text in _cells(alert)), style="dim" if alert.change is Change.RETRACTED else "")
    return table


def _cells(alert: Alert) -> tuple[Text | str, ...]:
    mark = "" if alert.change is Change.NEW else f"{alert.change.value}: "
    what = Text(f"{mark}{kind_words(alert)}", style=f"bold {_STYLES[alert.family]}")
    what.append(f", {place_words(alert)}", style="bold default")
    notes = ((certainty_words(alert), "yellow"), (denied_words(alert), "yellow"), (_breach(alert), "default"))
    for note, style in notes:
        if note:
            what.append(f"\n{safe_text(note)}", style=f"not bold {style}")
    quote = shortened(first_quote(alert), 200)
    if quote:
        what.append(f"\n“{quote}”", style="not bold italic default")
    days = (day_words(alert.date) or "not told").replace(" to ", "\nto ", 1)
    return days, what, toll_words(alert).replace(", ", "\n"), outlet_words(alert)


def _breach(alert: Alert) -> str:
    words = ceasefire_words(alert)
    return f"breaks: {words}" if words and alert.family is Family.VIOLATION else words


def _cell(value: Text | str) -> Text:
    """Never as markup: a quote with square brackets is a quote."""
    return value if isinstance(value, Text) else Text(safe_text(value))
