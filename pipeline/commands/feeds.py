"""Commands about feeds: check, health, list, starter, import, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.commands.running import AsOfOption, ConfigOption, JsonOption, StoreOption, configured
from pipeline.commands.stored import open_store
from pipeline.console import FAILED, OK, PARTIAL, clock_of, command, err, fail, out, write_json, write_line
from transforms.failures import ConfigError, ParseError

app = typer.Typer(no_args_is_help=True, help="Which feeds answer, how they do, and moving them by OPML.")

_STYLES = {"ok": "green", "answers": "green", "stale": "yellow", "silent": "yellow", "new": "dim"}


@app.command()
@command
def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Ask every feed once and tell which answer, which are stale, which fail and why; nothing is stored.

    Example: trucewatch feeds check --config trucewatch.toml
    """
    from transforms.ingest.check import check_feeds

    loaded = configured(config)
    with err.status(f"asking {len(loaded.feeds)} feeds"):
        rows = check_feeds(loaded.feeds, loaded.fetch, clock_of(None))
    if json:
        for row in rows:
            write_json(row)
    else:
        table = Table("Feed", "Status", "Items", "Newest", "Seconds", "Why")
        for row in rows:
            newest = f"{row.newest:%Y-%m-%d %H:%M}" if row.newest else ""
            style = _STYLES.get(row.status, "red")
            table.add_row(
                row.feed, row.status, str(row.items), newest, f"{row.elapsed_s:.1f}", row.message, style=style
            )
        out.print(table)
    failed = sum(row.status == "fails" for row in rows)
    raise typer.Exit(OK if not failed else FAILED if failed == len(rows) else PARTIAL)


@app.command()
@command
def health(
    config: ConfigOption = None, store: StoreOption = None, as_of: AsOfOption = None, json: JsonOption = False
) -> None:
    """Tell, from what the store remembers, which feeds are failing, stale or silent beyond their habit.

    Example: trucewatch feeds health --json
    """
    from transforms.ingest.feed import FeedState
    from transforms.ingest.health import health_of

    loaded = configured(config, store)
    states = open_store(config, store).feed_states()
    now = clock_of(as_of)
    rows = [health_of(feed, states.get(feed.name) or FeedState(feed=feed.name), now) for feed in loaded.feeds]
    if json:
        for row in rows:
            write_json(row)
        return
    table = Table("Feed", "Status", "Last success", "Last new item", "Failures", "What")
    for row in rows:
        moments = (f"{moment:%Y-%m-%d %H:%M}" if moment else "" for moment in (row.last_success, row.last_new_item))
        table.add_row(
            row.feed, row.status, *moments, str(row.failures), row.message, style=_STYLES.get(row.status, "red")
        )
    out.print(table)


@app.command(name="list")
@command
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the feeds of the configuration.

    Example: trucewatch feeds list
    """
    feeds = configured(config).feeds
    if json:
        for feed in feeds:
            write_json(feed)
        return
    table = Table("Feed", "Outlet", "Language", "Country", "State", "URL")
    for feed in feeds:
        state = "yes" if feed.state_affiliated else ""
        table.add_row(feed.name, feed.outlet, feed.language, feed.country, state, feed.url)
    out.print(table)


@app.command()
@command
def starter() -> None:
    """Print the starter list of feeds, to be copied into a configuration.

    Example: trucewatch feeds starter > more-feeds.toml
    """
    from pipeline.feeds.starter import starter_text

    write_line(starter_text())


@app.command(name="import")
@command
def import_(path: Annotated[Path, typer.Argument(help="An OPML file.")]) -> None:
    """Print the feeds of an OPML file as [[feed]] tables for trucewatch.toml.

    Example: trucewatch feeds import subscriptions.opml >> trucewatch.toml
    """
    from pipeline.feeds.tables import feed_tables
    from transforms.ingest.opml import read_opml

    try:
        feeds = read_opml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise ConfigError(f"{path}: cannot be read as OPML: {error}") from error
    if not feeds:
        fail(f"{path}: no feeds in it")
    write_line(feed_tables(feeds))


@app.command(name="export")
@command
def export_(config: ConfigOption = None) -> None:
    """Print the feeds of the configuration as OPML.

    Example: trucewatch feeds export > trucewatch.opml
    """
    from transforms.ingest.opml import write_opml

    write_line(write_opml(configured(config).feeds))
