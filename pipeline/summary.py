"""What a run did, for the log, the store and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from transforms.model import Alert, Article, Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What a stage measured: how many values, their sum, the least and the greatest."""

    count: int
    sum: int
    min: int
    max: int

    def since(self, earlier: Distribution | None) -> Distribution:
        """Return what was measured after `earlier`; the least and the greatest are of the whole time."""
        if earlier is None:
            return self
        return Distribution(count=self.count - earlier.count, sum=self.sum - earlier.sum, min=self.min, max=self.max)

    def joined(self, other: Distribution) -> Distribution:
        """Return the distribution of both."""
        return Distribution(
            count=self.count + other.count,
            sum=self.sum + other.sum,
            min=min(self.min, other.min),
            max=max(self.max, other.max),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did: one line of the log, kept in the store.

    Attributes:
        run_id: Names the run in the store.
        now: The run's clock.
        seconds: Wall time of the run.
        feeds: Number of feeds by outcome: read, not_due, muted, paused, failed.
        counters: Every stage's counters.
        distributions: What stages measured: feeds.took_ms, ingest.age_s, detect.took_ms, alert.latency_s.
        imbalances: Stages whose counters do not add up (none, unless something is lost).
        alerts: Number of alerts by change (new, updated, retracted).
        failures: Number of dead letters of this run.
        delivered: Number of alerts handed over, by sink.
        waiting: Number of alerts that could not be handed over yet, by sink.
        warnings: Sentences about feeds and sinks that need a look.
        exit_code: 0 ok, 1 failed, 3 partial.
    """

    run_id: str
    now: datetime
    seconds: float
    feeds: Mapping[str, int]
    counters: Mapping[str, int]
    imbalances: Mapping[str, int]
    alerts: Mapping[str, int]
    failures: int
    delivered: Mapping[str, int]
    waiting: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    exit_code: int = 0
    distributions: Mapping[str, Distribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Inputs from the dead letters."""

    articles: tuple[Article, ...] = ()
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run's summary and what it raised."""

    summary: RunSummary
    alerts: tuple[Alert, ...] = ()


def summary_lines(summary: RunSummary) -> list[str]:
    """Return the run summary in a few lines of text."""
    counted = summary.counters
    feeds = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in summary.feeds.items()) or "none"
    alerts = ", ".join(f"{n} {change}" for change, n in summary.alerts.items()) or "none"
    dropped = {
        name.removeprefix("detect.dropped."): n for name, n in counted.items() if name.startswith("detect.dropped.")
    }
    lines = [
        f"feeds: {feeds}",
        f"items: {counted.get('ingest.in', 0)} read, {counted.get('ingest.out', 0)} new"
        f", {counted.get('detect.out', 0)} tell of ceasefires or armed acts"
        + (f" (left out: {', '.join(f'{n} {reason}' for reason, n in dropped.items())})" if dropped else ""),
        f"events: {counted.get('deduplicate.in', 0)} mentions, {counted.get('alert.in', 0)} events new or changed",
        f"alerts: {alerts}; failures: {summary.failures}; {summary.seconds:.1f} s",
    ]
    if summary.waiting:
        lines.append("waiting: " + ", ".join(f"{n} for {sink}" for sink, n in summary.waiting.items()))
    return lines
