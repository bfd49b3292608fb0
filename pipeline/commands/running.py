"""Commands that do runs: run, watch, demo, init."""

from __future__ import annotations

import dataclasses
import logging
import signal
import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pipeline.config import Config, config_of, duration, load_config
from pipeline.console import (
    FAILED,
    OK,
    PARTIAL,
    clock_of,
    command,
    config_path,
    err,
    fail,
    log_as_json,
    out,
    say,
    warn,
    write_json,
)
from pipeline.engines import run_flags
from pipeline.observe.logs import logged_as
from pipeline.options import DEFAULT_RUNNER
from pipeline.summary import RunResult, summary_lines

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file (default: TRUCEWATCH_CONFIG or trucewatch.toml)."),
]
StoreOption = Annotated[str | None, typer.Option("--store", help="URL of the store, instead of the configured one.")]
AlertsOption = Annotated[
    Path | None, typer.Option("--alerts", help="Append alerts to this file, one CloudEvent a line.")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="The run's clock, for replays: ISO 8601, UTC.")]
RunnerOption = Annotated[str, typer.Option("--runner", help="Beam runner: FnApiRunner, DirectRunner, PrismRunner ...")]
BeamOption = Annotated[list[str] | None, typer.Option("--beam", help="A flag for the runner; may be given again.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
MetricsPortOption = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65535, help="Serve /metrics and /healthz on this port; 0 for any."),
]
LogOption = Annotated[bool, typer.Option("--log-json", help="Log as JSON lines on stderr.")]

log = logging.getLogger("trucewatch")


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(run)
    app.command()(watch)
    app.command()(demo)
    app.command()(init)


def configured(config: Path | None, store: str | None = None, alerts: Path | None = None) -> Config:
    """Return the configuration with what the command line sets instead."""
    from transforms.sinks.settings import JsonlSettings

    loaded = load_config(config_path(config))
    if store:
        loaded = dataclasses.replace(loaded, store=store)
    if alerts:
        sink = JsonlSettings(path=str(alerts), name="alerts-file", source=loaded.source)
        loaded = dataclasses.replace(loaded, sinks=(*loaded.sinks, sink))
    return loaded


@command
def run(
    config: ConfigOption = None,
    as_of: AsOfOption = None,
    store: StoreOption = None,
    alerts: AlertsOption = None,
    runner: RunnerOption = DEFAULT_RUNNER,
    beam: BeamOption = None,
    due_only: Annotated[
        bool, typer.Option("--due-only", help="Leave feeds alone until their interval has passed.")
    ] = False,
    partial_ok: Annotated[
        bool,
        typer.Option(
            "--partial-ok", help="Exit 0, not 3, where only some feeds failed: for schedulers that know no 3."
        ),
    ] = False,
    json: JsonOption = False,
    log_json: LogOption = False,
) -> None:
    """Read the feeds once, tell what is new, and stop.

    Example: trucewatch run --config trucewatch.toml --alerts alerts.jsonl
    """
    if log_json:
        log_as_json()
    loaded = configured(config, store, alerts)
    now = clock_of(as_of)
    flags = run_flags(runner, beam or (), loaded.store)
    from pipeline.observe.publish import Observer
    from pipeline.run import run_once
    from pipeline.store.store import Store

    observer = Observer(loaded.metrics)
    if not loaded.feeds:
        warn("no feeds are configured and nothing will be read; `trucewatch feeds starter` lists some")
    with err.status("starting") as status:
        opened = Store.open(loaded.store)
        result = run_once(
            loaded,
            opened,
            now,
            runner=runner,
            beam_flags=flags,
            due_only=due_only,
            doing=status.update,
        )
    with logged_as(result.summary.run_id):
        show_result(result, json)
        show_warnings(observer.observe_run(result.summary, result.alerts, opened, loaded.feeds))
    code = result.summary.exit_code
    raise typer.Exit(OK if partial_ok and code == PARTIAL else code)


@command
def watch(
    config: ConfigOption = None,
    store: StoreOption = None,
    alerts: AlertsOption = None,
    every: Annotated[str, typer.Option("--every", help="Time from the start of one run to the next.")] = "5 min",
    runs: Annotated[int, typer.Option("--runs", min=0, help="Stop after so many runs; 0 goes on until stopped.")] = 0,
    runner: RunnerOption = DEFAULT_RUNNER,
    metrics_port: MetricsPortOption = None,
    json: JsonOption = False,
    log_json: LogOption = False,
) -> None:
    """Read the feeds again and again in one process, until Ctrl-C or SIGTERM.

    Example: trucewatch watch --every "2 min"
    """
    if log_json:
        log_as_json()
    loaded = configured(config, store, alerts)
    pause = duration(every, "--every")
    flags = run_flags(runner, (), loaded.store)
    from pipeline.observe.health import healthcheck
    from pipeline.observe.publish import Observer
    from pipeline.store.store import Store
    from pipeline.watch import watch_feeds

    observer = Observer(loaded.metrics, lasting=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    say(f"Watching {len(loaded.feeds)} feeds every {every}; Ctrl-C stops after the run under way.")
    opened = Store.open(loaded.store)
    if metrics_port is not None:
        age = max(2 * pause, timedelta(minutes=15))
        server = observer.serve(
            metrics_port, health=lambda: healthcheck(opened, datetime.now(UTC), age, runs_only=True)
        )
        say(f"Metrics and health are served on port {server.port}: /metrics, /healthz")
    for result in watch_feeds(loaded, opened, pause, stop, limit=runs, runner=runner, beam_flags=flags):
        with logged_as(result.summary.run_id):
            show_result(result, json)
            show_warnings(observer.observe_run(result.summary, result.alerts, opened, loaded.feeds))
    observer.close()


@command
def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Keep store, alerts and configuration in this folder.")
    ] = None,
    runner: RunnerOption = DEFAULT_RUNNER,
    json: JsonOption = False,
) -> None:
    """Run the whole pipeline on bundled sample outlets and show the alerts.

    Example: trucewatch demo --keep demo-out
    """
    import tomllib

    from pipeline.demo.outlets import demo_config, demo_steps
    from pipeline.demo.server import DemoClock, serve_demo
    from pipeline.run import run_once
    from pipeline.store.store import Store

    flags = run_flags(runner, (), "")
    server_clock = DemoClock()
    with tempfile.TemporaryDirectory() as temporary, serve_demo(server_clock) as url:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        text = (
            f'store = "sqlite:///{folder}/trucewatch.sqlite"\n[[sink]]\nkind = "jsonl"\npath = "alerts.jsonl"\n'
            + demo_config(url)
        )
        (folder / "trucewatch.toml").write_text(text, "utf-8")
        config = config_of(tomllib.loads(text), base=folder, name="demo", environment={})
        code = 0
        for n, moment in enumerate(demo_steps(), 1):
            server_clock.until = moment
            err.print(f"\nRun {n}: the invented outlets as of {moment:%d %B %Y, %H:%M} UTC", style="bold")
            with err.status("starting") as status:
                result = run_once(
                    config, Store.open(config.store), moment, runner=runner, beam_flags=flags, doing=status.update
                )
            show_result(result, json)
            code = max(code, result.summary.exit_code)
        if keep:
            err.print(f"\nKept in {folder}: trucewatch.sqlite, alerts.jsonl, trucewatch.toml")
    raise typer.Exit(code)


@command
def init(
    path: Annotated[Path, typer.Argument(help="Where to write the configuration.")] = Path("trucewatch.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a starter configuration with the starter list of feeds.

    Example: trucewatch init trucewatch.toml
    """
    from pipeline.starter import starter_config

    if path.exists() and not force:
        fail(f"{path} exists; `--force` overwrites it", FAILED)
    path.write_text(starter_config(), "utf-8")
    err.print(f"Wrote {path}. `trucewatch feeds check` tells which feeds answer, `trucewatch run` reads them.")


def show_result(result: RunResult, as_json: bool) -> None:
    """Print a run's alerts on stdout and its summary on stderr, or the summary as JSON on stdout."""
    from transforms.sinks.table import alerts_table

    summary = result.summary
    log.info("run finished", extra={"fields": {"summary": msgspec.to_builtins(summary)}})
    if as_json:
        write_json(summary)
        return
    if result.alerts:
        out.print(alerts_table(result.alerts))
    for line in summary_lines(summary):
        err.print(line, highlight=False, markup=False)
    show_warnings(summary.warnings)


def show_warnings(warnings: Iterable[str]) -> None:
    """Print warnings on stderr."""
    for warning in warnings:
        warn(warning)
