"""The health check, for probes, timers and people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.commands.running import ConfigOption, JsonOption, StoreOption, configured
from pipeline.commands.stored import open_store
from pipeline.config import duration
from pipeline.console import FAILED, OK, command, config_path, err, out, write_json


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(healthcheck)


@command
def healthcheck(
    config: ConfigOption = None,
    store: StoreOption = None,
    max_age: Annotated[str, typer.Option("--max-age", help="How long ago the last run may have ended.")] = "1 h",
    runs_only: Annotated[
        bool, typer.Option("--runs-only", help="Judge only whether runs happen and succeed: for liveness probes.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Tell from the store whether runs happen, sinks take alerts and feeds answer; exit code 0 if so, 1 if not.

    Example: trucewatch healthcheck --max-age "30 min"
    """
    from pipeline.observe.health import healthcheck as judge

    age = duration(max_age, "--max-age")
    feeds = configured(config).feeds if config_path(config).exists() else ()
    health = judge(open_store(config, store), datetime.now(UTC), age, feeds=feeds, runs_only=runs_only)
    if json:
        write_json(health)
    else:
        for problem in health.problems:
            err.print(f"problem: {problem}", style="red", markup=False, highlight=False)
        for warning in health.warnings:
            err.print(f"warning: {warning}", style="yellow", markup=False, highlight=False)
        if health.ok and health.last_run:
            out.print(f"ok: the last run was at {health.last_run:%Y-%m-%d %H:%M} UTC, exit code {health.exit_code}")
    raise typer.Exit(OK if health.ok else FAILED)
