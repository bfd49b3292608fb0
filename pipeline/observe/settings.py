"""Settings of the metrics, the table `[metrics]` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where metrics go; nothing is measured where none is named. Needs `trucewatch[metrics]`.

    Attributes:
        prometheus_file: A file in Prometheus text format, written at the end of each run, "" for none. Totals go on
            from what the file holds. Its name must end in `.prom` where node_exporter is to pick it up.
        otlp_endpoint: URL of an OpenTelemetry collector, such as "http://localhost:4318", "" for none. `/v1/metrics`
            is added where the URL has no path. Headers, certificates and the like are taken from the environment
            variables that OpenTelemetry defines (`OTEL_EXPORTER_OTLP_HEADERS` ...).
        otlp_timeout: How long the collector may take to answer.
        otlp_temporality: "delta" sends what a run added, "cumulative" the totals of the process; "auto" is delta for
            `run` and cumulative for `watch`.
        per_feed: Whether each feed has series of its own; switch it off where there are thousands of feeds.
        instance: Names this deployment among others of the same collector (`service.instance.id`), "" for none.
    """

    prometheus_file: str = ""
    otlp_endpoint: str = ""
    otlp_timeout: timedelta = timedelta(seconds=10)
    otlp_temporality: Literal["auto", "delta", "cumulative"] = "auto"
    per_feed: bool = True
    instance: str = ""

    @property
    def wanted(self) -> bool:
        """Whether metrics go anywhere by themselves."""
        return bool(self.prometheus_file or self.otlp_endpoint)
