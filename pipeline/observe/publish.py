"""Telling a run's metrics: to the Prometheus file, to a collector, and on an endpoint. Never fails a run."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pipeline.observe.health import Health
from pipeline.observe.measures import Measures
from pipeline.observe.metrics import (
    FEED_FAILURES,
    FEED_SILENCE,
    FEED_SUCCESS,
    PULLS,
    RECORDS,
    SINK_STUCK,
    SINK_UNDELIVERABLE,
    SINK_WAITING,
    UNACCOUNTED,
    feed_samples,
    record_samples,
    run_samples,
    sink_samples,
)
from pipeline.observe.settings import MetricsSettings
from pipeline.store.outbox import SinkState
from pipeline.store.store import Store
from pipeline.summary import RunSummary
from transforms.failures import ConfigError
from transforms.ingest.feed import Feed
from transforms.ingest.health import FeedHealth, health_of
from transforms.model import Alert

if TYPE_CHECKING:
    from pipeline.observe.endpoint import MetricsServer
    from pipeline.observe.otlp import OtlpTeller

_OF_THE_LAST_RUN = (
    UNACCOUNTED, PULLS, FEED_FAILURES, FEED_SUCCESS, FEED_SILENCE, SINK_WAITING, SINK_UNDELIVERABLE, SINK_STUCK,
)  # fmt: skip


class Observer:
    """Adds up the runs of this process and tells them; make one for a `watch`, or one for each `run`."""

    def __init__(self, settings: MetricsSettings, *, lasting: bool = False) -> None:
        """Check the settings and go on from the totals that the Prometheus file holds.

        Args:
            settings: Where metrics go.
            lasting: Whether this process does many runs.

        Raises:
            ConfigError: A setting cannot be used, or the libraries are not installed.
        """
        self._settings = settings
        self._version = importlib.metadata.version("trucewatch")
        self._file = Path(settings.prometheus_file) if settings.prometheus_file else None
        self._otlp: OtlpTeller | None = None
        self.measures = Measures()
        if self._file:
            _library("pipeline.observe.prometheus").restore_file(self.measures, self._file)
        if settings.otlp_endpoint:
            otlp = _library("pipeline.observe.otlp")
            self._otlp = otlp.OtlpTeller(settings, self._version, lasting=lasting)

    def publish(
        self,
        summary: RunSummary,
        alerts: Sequence[Alert] = (),
        *,
        feeds: Sequence[FeedHealth] = (),
        sinks: Sequence[SinkState] = (),
        ended: datetime | None = None,
    ) -> list[str]:
        """Tell a run; return sentences about what could not be told.

        Args:
            summary: The run's summary.
            alerts: What it raised.
            feeds: How the feeds do after it.
            sinks: How the sinks stand after it.
            ended: When it ended, by the wall clock; now where not given.
        """
        samples = [
            *run_samples(summary, alerts, ended or datetime.now(UTC), self._version),
            *feed_samples(feeds, per_feed=self._settings.per_feed),
            *sink_samples(sinks),
        ]
        self.measures.take(samples, anew=_OF_THE_LAST_RUN)
        warnings = []
        if self._file:
            try:
                _library("pipeline.observe.prometheus").write_file(self.measures, self._file)
            except OSError as error:
                warnings.append(f"metrics: {self._file} cannot be written: {error.strerror or error}")
        if self._otlp:
            trouble = self._otlp.send(samples)
            warnings += [f"metrics: {self._otlp.endpoint} did not take them: {trouble}"] if trouble else []
        return warnings

    def observe_run(
        self, summary: RunSummary, alerts: Sequence[Alert], store: Store, feeds: Sequence[Feed]
    ) -> list[str]:
        """Tell a run, with the feeds' and sinks' condition as the store has it after it."""
        states = store.feed_states()
        health = [health_of(feed, states[feed.name], summary.now) for feed in feeds if feed.name in states]
        return self.publish(summary, alerts, feeds=health, sinks=store.outbox.states())

    def observe_counters(self, counters: Mapping[str, int]) -> None:
        """Set the records' totals to an engine's own counters, as a stream tells them."""
        self.measures.take(record_samples(counters), anew=(RECORDS,))

    def serve(self, port: int, address: str = "", health: Callable[[], Health] | None = None) -> MetricsServer:
        """Serve /metrics and /healthz on `port` (0 for any) until closed.

        Raises:
            ConfigError: The port cannot be used, or the libraries are not installed.
        """
        server: MetricsServer = _library("pipeline.observe.endpoint").MetricsServer(
            self.measures, port, address, health
        )
        return server

    def close(self) -> None:
        """End the connection to the collector."""
        if self._otlp:
            self._otlp.close()


def publish(summary: RunSummary, alerts: Sequence[Alert], settings: MetricsSettings) -> list[str]:
    """Tell one run of a process that does no more of them; return sentences about what could not be told."""
    observer = Observer(settings)
    try:
        return observer.publish(summary, alerts)
    finally:
        observer.close()


def _library(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"metrics need the library {error.name}: install trucewatch[metrics] or drop [metrics], --metrics-port"
        ) from error
