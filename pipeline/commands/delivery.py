"""Commands about delivery: outbox, deliver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from pipeline.commands.running import ConfigOption, JsonOption, StoreOption, configured
from pipeline.commands.stored import open_store
from pipeline.console import OK, PARTIAL, clock_of, command, err, out, write_json
from transforms.text import plain


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(outbox)
    app.command()(deliver)


@command
def outbox(
    config: ConfigOption = None,
    store: StoreOption = None,
    sink: Annotated[str, typer.Option("--sink", help="Only this sink.")] = "",
    status: Annotated[
        str, typer.Option("--status", help="undeliverable, waiting, delivered, or all.")
    ] = "undeliverable",
    resend: Annotated[bool, typer.Option("--resend", help="Queue again what was given up.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", help="With --sink and --resend: queue everything told since then.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List alerts that could not be delivered, and how each sink stands; queue them again on request.

    Example: trucewatch outbox --sink webhook --resend
    """
    box = open_store(config, store).outbox
    now = datetime.now(UTC)
    if resend:
        queued = box.fill(sink, clock_of(since), now) if sink and since else box.resend(now, sink=sink)
        err.print(f"{queued} queued again; the next run delivers them, or `trucewatch deliver` does now.")
        return
    states = [state for state in box.states() if sink in ("", state.name)]
    rows = box.rows(sink=sink, status="" if status == "all" else status)
    if json:
        write_json({"sinks": states, "rows": rows})
        return
    sinks = Table("Sink", "Waiting", "Undeliverable", "Last success", "State", title="Sinks")
    for state in states:
        last = f"{state.last_success:%Y-%m-%d %H:%M}" if state.last_success else "never"
        words = state.disabled or state.last_error or ("ok" if state.active else "not in the configuration")
        sinks.add_row(state.name, str(state.waiting), str(state.undeliverable), last, plain(words))
    out.print(sinks)
    if rows:
        table = Table("No.", "Sink", "Alert", "Status", "Attempts", "Due", "Error", title=f"Rows: {status}")
        for row in rows:
            due = f"{row.due:%Y-%m-%d %H:%M}"
            table.add_row(
                str(row.number), row.sink, row.alert_id, row.status, str(row.attempts), due, plain(row.error)
            )  # fmt: skip
        out.print(table)


@command
def deliver(config: ConfigOption = None, store: StoreOption = None, json: JsonOption = False) -> None:
    """Hand over what waits in the outbox, without reading feeds.

    Example: trucewatch deliver
    """
    from pipeline.relay import relay
    from transforms.sinks.registry import sinks_of

    loaded = configured(config, store)
    report = relay(open_store(config, store), sinks_of(loaded.sinks), datetime.now(UTC))
    if json:
        write_json(report)
    for row in report.sinks:
        problem = row.error or row.skipped
        err.print(
            f"{row.name}: {row.delivered} delivered, {row.retried} to be tried again, {row.undeliverable} undeliverable"
            + (f" ({plain(problem)})" if problem else ""),
            markup=False,
            highlight=False,
        )
    raise typer.Exit(PARTIAL if report.troubled else OK)
