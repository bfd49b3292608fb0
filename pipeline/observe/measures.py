"""The measures of one process: samples added up, ready to be told in any format."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.observe.metrics import LATENCY_BOUNDS, METRICS, Kind, Metric, Sample

Labels = tuple[str, ...]


@dataclass(slots=True)
class Spread:
    """A histogram: how many values fall into each bucket (the last has no upper bound), and their sum."""

    counts: list[float] = field(default_factory=lambda: [0.0] * (len(LATENCY_BOUNDS) + 1))
    total: float = 0.0

    def add(self, value: float) -> None:
        """Count one value; a bound belongs to the bucket that it ends."""
        self.counts[bisect_left(LATENCY_BOUNDS, value)] += 1
        self.total += value


class Measures:
    """Values by metric and labels; safe to read while another thread writes."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = threading.Lock()
        self._values: dict[str, dict[Labels, float]] = {metric.name: {} for metric in METRICS}
        self._spreads: dict[str, dict[Labels, Spread]] = {metric.name: {} for metric in METRICS}

    def take(self, samples: Iterable[Sample], *, anew: Collection[Metric] = ()) -> None:
        """Add, set or count `samples`; what `anew` names is emptied before, so that what is gone is not told on."""
        with self._lock:
            for metric in anew:
                self._values[metric.name].clear()
            for sample in samples:
                self._take(sample)

    def restore(self, metric: Metric, labels: Labels, value: float) -> None:
        """Go on from a total that an earlier process told."""
        with self._lock:
            self._values[metric.name][labels] = value

    def restore_spread(self, metric: Metric, labels: Labels, spread: Spread) -> None:
        """Go on from a histogram that an earlier process told."""
        with self._lock:
            self._spreads[metric.name][labels] = spread

    def values(self, metric: Metric) -> list[tuple[Labels, float]]:
        """Return a counter's or gauge's values, sorted by labels."""
        with self._lock:
            return sorted(self._values[metric.name].items())

    def spreads(self, metric: Metric) -> Iterator[tuple[Labels, Spread]]:
        """Return a histogram's spreads, sorted by labels."""
        with self._lock:
            rows = sorted(self._spreads[metric.name].items())
            return iter([(labels, Spread(list(spread.counts), spread.total)) for labels, spread in rows])

    def _take(self, sample: Sample) -> None:
        metric = sample.metric
        values = self._values[metric.name]
        if metric.kind is Kind.HISTOGRAM:
            self._spreads[metric.name].setdefault(sample.labels, Spread()).add(sample.value)
        elif metric.kind is Kind.COUNTER:
            values[sample.labels] = values.get(sample.labels, 0.0) + sample.value
        else:
            values[sample.labels] = sample.value
