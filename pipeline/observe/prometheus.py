"""Measures as Prometheus text: to a file that appears whole or not at all, and back from one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from pipeline.observe.measures import Labels, Measures, Spread
from pipeline.observe.metrics import LAST_SUCCESS, LATENCY_BOUNDS, METRICS, Kind, Metric

_BOUNDS = (*(str(bound) for bound in LATENCY_BOUNDS), "+Inf")


class MeasuresCollector(Collector):
    """Gives a registry the measures as they are at that moment."""

    def __init__(self, measures: Measures) -> None:
        """Keep the measures."""
        self._measures = measures

    def collect(self) -> Iterator[Family]:
        """Yield a family for each metric, also for those that have no value yet."""
        for metric in METRICS:
            yield (
                _histogram(metric, self._measures) if metric.kind is Kind.HISTOGRAM else _plain(metric, self._measures)
            )


def registry_of(measures: Measures) -> CollectorRegistry:
    """Return a registry that tells `measures` and nothing else."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(MeasuresCollector(measures))
    return registry


def write_file(measures: Measures, path: Path) -> None:
    """Write `measures` to `path`; a reader finds the old text or the new one, never half of it."""
    write_to_textfile(str(path), registry_of(measures))


def restore_file(measures: Measures, path: Path) -> None:
    """Go on from the totals in the file at `path`, where there is one that can be read.

    Gauges are left out, as each run sets them; the time of the last success is kept, since a failed run does not.
    """
    try:
        families = {family.name: family for family in text_string_to_metric_families(path.read_text("utf-8"))}
    except (OSError, ValueError):
        return  # lost or damaged: totals begin again, which readers of counters expect
    for metric in METRICS:
        family = families.get(metric.prometheus_name.removesuffix("_total"))
        if family is None:
            continue
        if metric.kind is Kind.COUNTER or metric is LAST_SUCCESS:
            for sample in family.samples:
                if sample.name == metric.prometheus_name:
                    measures.restore(metric, _labels(metric, sample.labels), sample.value)
        elif metric.kind is Kind.HISTOGRAM:
            _restore_histogram(measures, metric, family)


def _plain(metric: Metric, measures: Measures) -> Family:
    name = metric.prometheus_name
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(name, metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(name, metric.help, labels=metric.labels)
    for labels, value in measures.values(metric):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, measures: Measures) -> Family:
    family = HistogramMetricFamily(metric.prometheus_name, metric.help, labels=metric.labels)
    for labels, spread in measures.spreads(metric):
        buckets, below = [], 0.0
        for bound, count in zip(_BOUNDS, spread.counts, strict=True):
            below += count
            buckets.append((bound, below))
        family.add_metric(labels, buckets, sum_value=spread.total)
    return family


def _restore_histogram(measures: Measures, metric: Metric, family: Family) -> None:
    below: dict[Labels, dict[float, float]] = {}
    totals: dict[Labels, float] = {}
    for sample in family.samples:
        labels = _labels(metric, sample.labels)
        if sample.name.endswith("_bucket"):
            below.setdefault(labels, {})[float(sample.labels["le"])] = sample.value
        elif sample.name.endswith("_sum"):
            totals[labels] = sample.value
    bounds = (*LATENCY_BOUNDS, float("inf"))
    for labels, counts in below.items():
        if tuple(sorted(counts)) != bounds:
            continue  # other buckets of another version cannot be added to these
        steps = [counts[bound] for bound in bounds]
        parts = [after - before for before, after in zip([0.0, *steps], steps, strict=False)]
        measures.restore_spread(metric, labels, Spread(parts, totals.get(labels, 0.0)))


def _labels(metric: Metric, given: dict[str, str]) -> Labels:
    return tuple(given.get(name, "") for name in metric.labels)
