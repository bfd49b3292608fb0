"""The command that runs without end on an engine: stream."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pipeline.commands.running import (
    AlertsOption,
    BeamOption,
    ConfigOption,
    JsonOption,
    LogOption,
    MetricsPortOption,
    StoreOption,
    configured,
    show_warnings,
)
from pipeline.config import Config, duration
from pipeline.console import clock_of, command, log_as_json, out, say, write_json
from pipeline.observe.logs import logged_as
from transforms.failures import ConfigError

if TYPE_CHECKING:
    from pipeline.observe.publish import Observer
    from pipeline.store.store import Store
    from pipeline.stream import Schedule
    from pipeline.stream_beat import Pulse
    from pipeline.summary import RunSummary
    from transforms.model import Alert

log = logging.getLogger("trucewatch")

_OLDEST_BEAT = timedelta(minutes=15)

_SUBSCRIPTION = re.compile(r"projects/[a-z0-9:.-]+/subscriptions/[A-Za-z][\w.~+%-]{2,254}")


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(stream)


@command
def stream(
    config: ConfigOption = None,
    store: StoreOption = None,
    no_store: Annotated[
        bool, typer.Option("--no-store", help="Keep all state in the engine; alerts go straight to Pub/Sub.")
    ] = False,
    alerts: AlertsOption = None,
    runner: Annotated[
        str, typer.Option("--runner", help="Engine: prism, flink, dataflow, portable, or direct (Pub/Sub only).")
    ] = "prism",
    beam: BeamOption = None,
    prism: Annotated[
        Path | None, typer.Option("--prism", help="The Prism binary (default: TRUCEWATCH_PRISM, else on the path).")
    ] = None,
    every: Annotated[
        str, typer.Option("--every", help="Time between two ticks; each feed keeps its own interval.")
    ] = "1 min",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Replay: the first tick, and from then on the clock. ISO 8601, UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Replay: the last tick.")] = None,
    from_pubsub: Annotated[
        str, typer.Option("--from-pubsub", help="Read articles from this subscription instead of feeds.")
    ] = "",
    metrics_port: MetricsPortOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Hand the job to the engine and come back.")] = False,
    json: JsonOption = False,
    log_json: LogOption = False,
) -> None:
    """Read the feeds without end on an engine that keeps state, until Ctrl-C or SIGTERM.

    Example: trucewatch stream --runner prism --every "1 min"
    """
    from pipeline.engines import engine_flags, stream_runner
    from pipeline.observe.publish import Observer
    from pipeline.store.store import Store
    from pipeline.stream_run import StreamJob, run_stream

    if log_json:
        log_as_json()
    short = stream_runner(runner)
    schedule = schedule_of(every, as_of, until)
    _check_source(from_pubsub, short)
    loaded = configured(config, None if no_store else store, alerts)
    _check_sinks(loaded, no_store)
    flags = engine_flags(short, beam or (), "" if no_store else loaded.store, prism=prism, environment=os.environ)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    source = from_pubsub or f"{len(loaded.feeds)} feeds"
    say(f"Streaming {source} on {short}; Ctrl-C stops.")
    job = StreamJob(config=loaded, schedule=schedule, runner=short, flags=flags, subscription=from_pubsub)
    opened = None if no_store else Store.open(loaded.store)
    observer = Observer(loaded.metrics, lasting=True)
    pulse = _pulse(loaded, opened, observer) if opened else None
    if metrics_port is not None:
        _serve(observer, metrics_port, opened)
    with logged_as(f"stream/{schedule.start:%Y%m%dT%H%M%SZ}"):
        counters = run_stream(job, opened, stop, lambda told: _show(told, json), pulse=pulse, detach=detach)
    observer.close()
    _show_unread(counters.get("feeds.failed", 0), opened)
    if json:
        write_json(counters)
    else:
        told = counters.get("alert.made", 0)
        say(f"{counters.get('ingest.out', 0)} items, {told} alerts")


def schedule_of(every: str, as_of: str | None, until: str | None) -> Schedule:
    """Return the schedule that the options describe.

    Raises:
        ConfigError: They do not go together.
    """
    from pipeline.stream import Schedule

    pause = duration(every, "--every")
    if pause.total_seconds() < 1:
        raise ConfigError(f"--every {every!r} is too short; give a second or more")
    start = clock_of(as_of)
    last = clock_of(until) if until else None
    if last is not None and last < start:
        raise ConfigError(f"--until {until} lies before the first tick, {start.isoformat()}")
    if as_of and start > datetime.now(UTC):
        raise ConfigError(f"--as-of {as_of} lies in the future; a stream of live news needs none")
    return Schedule(start=start, every=pause, until=last, replay=as_of is not None)


def _check_source(subscription: str, runner: str) -> None:
    if not subscription:
        if runner == "direct":
            raise ConfigError("Beam's local runner cannot read feeds as a stream: use prism, or `trucewatch watch`")
        return
    if not _SUBSCRIPTION.fullmatch(subscription):
        raise ConfigError(f"--from-pubsub {subscription!r}: write projects/PROJECT/subscriptions/NAME")
    if runner not in ("dataflow", "direct"):
        raise ConfigError(
            f"{runner} cannot read from Pub/Sub: use dataflow (or direct, on this machine), or leave out --from-pubsub"
        )


def _check_sinks(config: Config, no_store: bool) -> None:
    from transforms.sinks.registry import sinks_of
    from transforms.sinks.settings import PubSubSettings

    served = [sink for sink in config.sinks if isinstance(sink, PubSubSettings) or not no_store]
    if no_store and not served:
        raise ConfigError(
            'with --no-store alerts go straight to Pub/Sub: add a [[sink]] with kind = "pubsub" to the configuration'
        )
    sinks_of(served)  # two of one name, or a library that is missing, are told now and not by a worker
    left_out = [sink.name for sink in config.sinks if sink not in served]
    if left_out:
        show_warnings([f"without a store these sinks get nothing: {', '.join(left_out)}"])


def _pulse(config: Config, store: Store, observer: Observer) -> Pulse:
    from pipeline.stream_beat import Pulse

    def tell(summary: RunSummary, alerts: Sequence[Alert]) -> None:
        log.info("stream", extra={"fields": {"summary": msgspec.to_builtins(summary)}})
        show_warnings(observer.observe_run(summary, alerts, store, config.feeds))

    return Pulse(config, store, tell)


def _serve(observer: Observer, port: int, store: Store | None) -> None:
    from pipeline.observe.health import healthcheck

    if store is None:
        raise ConfigError("--metrics-port: without a store nothing is known here; the engine has metrics of its own")
    server = observer.serve(port, health=lambda: healthcheck(store, datetime.now(UTC), _OLDEST_BEAT, runs_only=True))
    say(f"Metrics and health are served on port {server.port}: /metrics, /healthz")


def _show_unread(pulls: int, store: Store | None) -> None:
    """Say that items may be missing: a feed that failed at the last tick of a replay was not asked again."""
    if pulls:
        why = "`trucewatch failures` says which and why" if store else "the log says which and why"
        times = "once" if pulls == 1 else f"{pulls} times"
        show_warnings([f"a feed could not be read {times} ({why}); what it missed is read by its next poll, or start"])


def _show(alerts: Sequence[Alert], as_json: bool) -> None:
    if not alerts:
        return
    if as_json:
        for alert in alerts:
            write_json(alert)
        return
    from transforms.sinks.table import alerts_table

    out.print(alerts_table(alerts))
