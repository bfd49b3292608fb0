"""Commands about what is in the store: alerts, export, ceasefires, failures, replay, prune, backup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipeline.commands.running import (
    AsOfOption,
    ConfigOption,
    JsonOption,
    RunnerOption,
    StoreOption,
    configured,
    show_result,
)
from pipeline.config import DEFAULT_STORE, duration
from pipeline.console import clock_of, command, config_path, err, out, write_json, write_line
from pipeline.options import DEFAULT_RUNNER
from transforms.failures import StoreError

if TYPE_CHECKING:
    from pipeline.store.store import Store

CountryOption = Annotated[str, typer.Option("--country", help="Only SY or LY.")]
FamilyOption = Annotated[str, typer.Option("--family", help="Only ceasefire, violation or hostility.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="Only at or after this time.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for function in (alerts, export, ceasefires, failures, replay, prune, backup):
        app.command()(function)


def open_store(config: Path | None, store: str | None) -> Store:
    """Open the store given, else the configured one, else the default one; it must be there already.

    Raises:
        StoreError: There is none yet, or it cannot be opened.
    """
    from pipeline.store.database import parsed, sqlite_file
    from pipeline.store.store import Store

    url = store or (configured(config).store if config_path(config).exists() else DEFAULT_STORE)
    file = sqlite_file(parsed(url))
    if file is not None and not file.exists():
        raise StoreError(f"{file}: no store yet; `trucewatch run` makes it, `--store URL` names another")
    return Store.open(url)


@command
def alerts(
    config: ConfigOption = None,
    store: StoreOption = None,
    country: CountryOption = "",
    family: FamilyOption = "",
    since: SinceOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, the newest.")] = 50,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Every revision, not only the last of each event.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List what has been told.

    Example: trucewatch alerts --country SY --since 2026-02-12
    """
    from transforms.sinks.cloudevents import cloudevent
    from transforms.sinks.settings import DEFAULT_SOURCE
    from transforms.sinks.table import alerts_table

    rows = open_store(config, store).alerts(
        country=country,
        family=family,
        since=clock_of(since) if since else None,
        last_revision_only=not revisions,
        limit=limit,
    )
    if json:
        for alert in rows:
            write_json(cloudevent(alert, DEFAULT_SOURCE))
    elif rows:
        out.print(alerts_table(rows))
    else:
        err.print("No alerts.")


@command
def export(
    what: Annotated[str, typer.Option("--what", help="events (hostilities too) or alerts.")] = "alerts",
    format_: Annotated[str, typer.Option("--format", help="jsonl; for alerts also csv, geojson, atom.")] = "jsonl",
    config: ConfigOption = None,
    store: StoreOption = None,
    country: CountryOption = "",
    family: FamilyOption = "",
    since: SinceOption = None,
) -> None:
    """Print the store's present state: each event, or the last revision of each alert.

    Example: trucewatch export --what events --format jsonl > events.jsonl
    """
    from pipeline.exporting import export_lines

    opened = open_store(config, store)
    after = clock_of(since) if since else None
    for line in export_lines(opened, what, format_, country=country, family=family, since=after):
        write_line(line)


@command
def ceasefires(
    config: ConfigOption = None,
    store: StoreOption = None,
    as_of: AsOfOption = None,
    country: CountryOption = "",
    json: JsonOption = False,
) -> None:
    """List which ceasefires are in force where, and their violations per day.

    Example: trucewatch ceasefires --as-of 2020-02-01
    """
    from pipeline.standing import standing_rows, where_words

    rows = standing_rows(_store_if_any(config, store), clock_of(as_of), country)
    if json:
        for row in rows:
            write_json(row)
        return
    table = Table("Since", "Ceasefire", "Where", "Breaches")
    for row in rows:
        one = row.ceasefire
        name = one.name if one.origin == "known" else f"{one.name} (read of in the news)"
        breaches = f"{row.violations} ({row.per_day:.2f} a day)" if row.violations else "none on record"
        table.add_row(f"{row.since}", _plain(name), _plain(f"{one.country}: {where_words(one.coverage)}"), breaches)
    out.print(table if rows else "None in force.")


def _store_if_any(config: Path | None, store: str | None) -> Store | None:
    try:
        return open_store(config, store)
    except StoreError:
        if store:
            raise
        return None


@command
def failures(
    config: ConfigOption = None,
    store: StoreOption = None,
    stage: Annotated[str, typer.Option("--stage", help="Only ingest, detect, deduplicate, alert or sinks.")] = "",
    replayed: Annotated[bool, typer.Option("--all", help="Also those that were fed in again.")] = False,
    json: JsonOption = False,
) -> None:
    """List what a stage could not handle.

    Example: trucewatch failures --stage detect
    """
    rows = open_store(config, store).failures(stage=stage, replayed=replayed)
    if json:
        for row in rows:
            write_json(row)
        return
    table = Table("No.", "When", "Stage", "Kind", "Input", "Message")
    for row in rows:
        what = row.failure
        cells = (str(row.number), f"{what.at:%Y-%m-%d %H:%M}", what.stage, what.kind, what.input_id, what.message[:300])
        table.add_row(*(_plain(cell) for cell in cells))
    out.print(table if rows else "No failures.")


def _plain(text: str) -> str:
    from rich.markup import escape

    from transforms.text import plain

    return escape(plain(text))


@command
def replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers from `trucewatch failures`; all if none.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    as_of: AsOfOption = None,
    runner: RunnerOption = DEFAULT_RUNNER,
    json: JsonOption = False,
) -> None:
    """Feed in again what a stage could not handle, for instance after an upgrade.

    Example: trucewatch replay 12 13
    """
    from pipeline.again import replay_failures
    from pipeline.store.store import Store

    loaded = configured(config, store)
    result, left_out = replay_failures(loaded, Store.open(loaded.store), clock_of(as_of), numbers or (), runner=runner)
    for reason in left_out:
        err.print(reason, style="yellow", markup=False, highlight=False)
    if result is None:
        err.print("Nothing to feed in again.")
        return
    show_result(result, json)
    raise typer.Exit(result.summary.exit_code)


@command
def prune(
    config: ConfigOption = None,
    store: StoreOption = None,
    keep: Annotated[str, typer.Option("--keep", help="Delete what is older and needed no more.")] = "400 d",
    alerts_too: Annotated[bool, typer.Option("--alerts-too", help="Alerts and their events as well.")] = False,
    as_of: AsOfOption = None,
    json: JsonOption = False,
) -> None:
    """Delete old articles, events and deliveries; what was told stays unless asked otherwise.

    Example: trucewatch prune --keep "180 d"
    """
    days = duration(keep, "--keep").days
    result = open_store(config, store).prune(clock_of(as_of), keep_days=days, alerts_too=alerts_too)
    if json:
        write_json(result)
    else:
        out.print(", ".join(f"{getattr(result, name)} {name}" for name in result.__dataclass_fields__) + " deleted")


@command
def backup(
    path: Annotated[Path, typer.Argument(help="The new file.")],
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Copy an SQLite store, consistent even while a run writes.

    Example: trucewatch backup trucewatch-backup.sqlite
    """
    open_store(config, store).backup(path)
    err.print(f"Wrote {path}")
