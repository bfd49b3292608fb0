"""Measures to an OpenTelemetry collector, by OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from pipeline.observe.metrics import LATENCY_BOUNDS, METRICS, Kind, Sample
from pipeline.observe.settings import MetricsSettings
from transforms.failures import ConfigError

_TEMPORALITY = {
    "delta": AggregationTemporality.DELTA,
    "cumulative": AggregationTemporality.CUMULATIVE,
}


class OtlpTeller:
    """Sends samples to a collector; one for the life of a process."""

    def __init__(self, settings: MetricsSettings, version: str, *, lasting: bool) -> None:
        """Prepare the instruments; nothing is sent before `send`.

        Raises:
            ConfigError: The endpoint is no http(s) URL.
        """
        kind = settings.otlp_temporality
        chosen = _TEMPORALITY["cumulative" if lasting else "delta"] if kind == "auto" else _TEMPORALITY[kind]
        self.endpoint = endpoint_url(settings.otlp_endpoint)
        self._timeout_ms = settings.otlp_timeout.total_seconds() * 1000
        exporter = OTLPMetricExporter(
            endpoint=self.endpoint,
            timeout=settings.otlp_timeout.total_seconds(),
            preferred_temporality={Counter: chosen, Histogram: chosen},
        )
        # Runs end when they end: no timer sends in between (its period is infinite), `send` does.
        self._reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        about: dict[str, str] = {"service.name": "trucewatch", "service.version": version}
        about |= {"service.instance.id": settings.instance} if settings.instance else {}
        self._provider = MeterProvider([self._reader], Resource.create(about), shutdown_on_exit=False)
        self._instruments = self._made()

    def send(self, samples: Iterable[Sample]) -> str:
        """Record `samples` and send all; return what went wrong, "" if nothing did."""
        for sample in samples:
            labels = dict(zip(sample.metric.labels, sample.labels, strict=True))
            self._instruments[sample.metric.name](float(sample.value), labels)
        heard: list[str] = []
        handler = _Listener(heard)
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(handler)  # the SDK tells of a failed export in its log only
        passed, logger.propagate = logger.propagate, False
        try:
            sent = self._provider.force_flush(self._timeout_ms + 1000)
        finally:
            logger.propagate = passed
            logger.removeHandler(handler)
        if heard or not sent:
            return heard[-1] if heard else "no answer in time"
        return ""

    def close(self) -> None:
        """End; what is recorded has been sent already."""
        self._provider.shutdown(timeout_millis=self._timeout_ms)

    def _made(self) -> Mapping[str, Any]:
        meter = self._provider.get_meter("trucewatch")
        made: dict[str, Any] = {}
        for metric in METRICS:
            if metric.kind is Kind.COUNTER:
                made[metric.name] = meter.create_counter(metric.name, description=metric.help).add
            elif metric.kind is Kind.GAUGE:
                made[metric.name] = meter.create_gauge(metric.name, metric.unit, metric.help).set
            else:
                made[metric.name] = meter.create_histogram(
                    metric.name, metric.unit, metric.help, explicit_bucket_boundaries_advisory=LATENCY_BOUNDS
                ).record
        return made


def endpoint_url(given: str) -> str:
    """Return the URL that metrics are posted to.

    Raises:
        ConfigError: It is no http(s) URL.
    """
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f'[metrics] otlp_endpoint: {given!r} is not a URL; write for instance "http://localhost:4318"'
        )
    return given if parts.path.strip("/") else f"{given.rstrip('/')}/v1/metrics"


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())
