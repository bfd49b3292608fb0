"""Every metric that trucewatch tells, and how a run turns into samples of them. Knows no format and no library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.store.outbox import SinkState
from pipeline.summary import Distribution, RunSummary
from transforms.ingest.health import FeedHealth
from transforms.model import Alert, Change

# From a minute to two days: an alert within minutes is the aim, feeds that are asked each hour are the rule.
LATENCY_BOUNDS = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0, 172800.0)


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"  # only grows; samples are added
    GAUGE = "gauge"  # as it now is; samples replace
    HISTOGRAM = "histogram"  # samples are sorted into buckets


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        name: Its OpenTelemetry name.
        kind: counter, gauge or histogram.
        help: What it tells.
        labels: Names of its labels.
        unit: "s" or "".
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def prometheus_name(self) -> str:
        """The name in Prometheus, by the rules that OpenTelemetry collectors follow too."""
        name = self.name.replace(".", "_") + ("_seconds" if self.unit == "s" else "")
        return f"{name}_total" if self.kind is Kind.COUNTER else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value for one set of a metric's labels."""

    metric: Metric
    labels: tuple[str, ...] = ()
    value: float


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=f"trucewatch.{name}", kind=Kind.COUNTER, help=text, labels=labels)


def _gauge(name: str, text: str, *labels: str, unit: str = "") -> Metric:
    return Metric(name=f"trucewatch.{name}", kind=Kind.GAUGE, help=text, labels=labels, unit=unit)


RUNS = _counter("runs", "Runs by exit code: 0 ok, 1 failed, 3 partial.", "exit_code")
RECORDS = _counter(
    "records",
    "Records by stage and outcome (in, out, made, failed, dropped); reason says why they were dropped. "
    "For each stage, in = out + failed + dropped.",
    "stage", "outcome", "reason",
)  # fmt: skip
MEASURED = _counter("measured", "Values that stages measured, by stage and what.", "stage", "what")
MEASURED_SUM = _counter(
    "measured.sum",
    "Their sum: feeds took_ms, ingest age_s (publication to reading), detect took_ms (an article), alert latency_s.",
    "stage", "what",
)  # fmt: skip
ALERTS = _counter("alerts", "Alerts raised, by change, family and country.", "change", "family", "country")
DELIVERIES = _counter("deliveries", "Alerts handed over, by sink.", "sink")
DEAD_LETTERS = _counter("dead_letters", "Inputs that a stage could not handle; `trucewatch failures` lists them.")
LATENCY = Metric(
    name="trucewatch.alert.latency",
    kind=Kind.HISTOGRAM,
    help="Seconds from the earliest report's publication to the event's first alert.",
    labels=("family",),
    unit="s",
)
BUILD = _gauge("build_info", "Always 1; the version that runs.", "version")
LAST_RUN = _gauge("last_run.timestamp", "When the last run ended.", unit="s")
LAST_SUCCESS = _gauge("last_success.timestamp", "When the last run ended that did not fail (exit 0 or 3).", unit="s")
DURATION = _gauge("last_run.duration", "Wall time of the last run.", unit="s")
EXIT_CODE = _gauge("last_run.exit_code", "Exit code of the last run.")
UNACCOUNTED = _gauge(
    "last_run.unaccounted", "Inputs of the last run that no outcome accounts for; 0 is right.", "stage"
)
PULLS = _gauge("last_run.feeds", "Feeds of the last run by outcome: read, unchanged, not_due, failed ...", "outcome")
FEEDS = _gauge("feeds", "Feeds by condition: ok, new, failing, muted, stale, silent.", "status")
FEED_FAILURES = _gauge("feed.failures", "Failures in a row, by feed.", "feed")
FEED_SUCCESS = _gauge("feed.last_success.timestamp", "When a feed was last read, by feed.", "feed", unit="s")
FEED_SILENCE = _gauge("feed.silence", "Time since a feed's newest item, by feed.", "feed", unit="s")
SINK_WAITING = _gauge("sink.waiting", "Alerts that a sink has not taken yet.", "sink")
SINK_UNDELIVERABLE = _gauge("sink.undeliverable", "Alerts that were given up at a sink.", "sink")
SINK_STUCK = _gauge("sink.stuck", "1 where a sink is disabled or left alone after repeated failures.", "sink")

METRICS = (
    RUNS, RECORDS, MEASURED, MEASURED_SUM, ALERTS, DELIVERIES, DEAD_LETTERS, LATENCY, BUILD, LAST_RUN, LAST_SUCCESS,
    DURATION, EXIT_CODE, UNACCOUNTED, PULLS, FEEDS, FEED_FAILURES, FEED_SUCCESS, FEED_SILENCE, SINK_WAITING,
    SINK_UNDELIVERABLE, SINK_STUCK,
)  # fmt: skip
FEED_STATUSES = ("ok", "new", "failing", "muted", "stale", "silent")
STUCK_AFTER = 3  # failed batches in a row, as the relay's circuit breaker counts them


def run_samples(summary: RunSummary, alerts: Sequence[Alert], ended: datetime, version: str) -> Iterator[Sample]:
    """Yield what one run adds to the counters and sets the gauges to."""
    yield Sample(metric=BUILD, labels=(version,), value=1)
    yield Sample(metric=RUNS, labels=(str(summary.exit_code),), value=1)
    yield Sample(metric=LAST_RUN, value=ended.timestamp())
    if summary.exit_code != 1:
        yield Sample(metric=LAST_SUCCESS, value=ended.timestamp())
    yield Sample(metric=DURATION, value=summary.seconds)
    yield Sample(metric=EXIT_CODE, value=summary.exit_code)
    yield Sample(metric=DEAD_LETTERS, value=summary.failures)
    yield from record_samples(summary.counters)
    yield from measured_samples(summary.distributions)
    for stage in sorted({name.partition(".")[0] for name in summary.counters} | set(summary.imbalances)):
        yield Sample(metric=UNACCOUNTED, labels=(stage,), value=summary.imbalances.get(stage, 0))
    for outcome, n in summary.feeds.items():
        yield Sample(metric=PULLS, labels=(outcome,), value=n)
    for sink, n in summary.delivered.items():
        yield Sample(metric=DELIVERIES, labels=(sink,), value=n)
    yield from alert_samples(alerts)


def alert_samples(alerts: Sequence[Alert]) -> Iterator[Sample]:
    """Yield what alerts add to the counters, and how long first alerts took."""
    for alert in alerts:
        yield Sample(metric=ALERTS, labels=(alert.change.value, alert.family.value, alert.country), value=1)
        seconds = latency_s(alert)
        if seconds is not None:
            yield Sample(metric=LATENCY, labels=(alert.family.value,), value=seconds)


def record_samples(counters: Mapping[str, int]) -> Iterator[Sample]:
    """Yield the stages' counters ("detect.dropped.screen") as samples of `RECORDS`."""
    for name, n in counters.items():
        stage, _, rest = name.partition(".")
        outcome, _, reason = rest.partition(".")
        yield Sample(metric=RECORDS, labels=(stage, outcome, reason), value=n)


def measured_samples(distributions: Mapping[str, Distribution]) -> Iterator[Sample]:
    """Yield what stages measured ("feeds.took_ms") as samples of `MEASURED` and `MEASURED_SUM`."""
    for name, found in distributions.items():
        stage, _, what = name.partition(".")
        yield Sample(metric=MEASURED, labels=(stage, what), value=found.count)
        yield Sample(metric=MEASURED_SUM, labels=(stage, what), value=found.sum)


def latency_s(alert: Alert) -> float | None:
    """Return the seconds from the earliest report to the alert; None for revisions, which answer later reports."""
    if alert.change is not Change.NEW:
        return None
    first = min((quote.published for quote in alert.evidence), default=alert.first_seen)
    return max(0.0, (alert.told_at - first).total_seconds())


def feed_samples(rows: Sequence[FeedHealth], *, per_feed: bool) -> Iterator[Sample]:
    """Yield how the feeds do."""
    for status in FEED_STATUSES:
        yield Sample(metric=FEEDS, labels=(status,), value=sum(row.status == status for row in rows))
    for row in rows if per_feed else ():
        yield Sample(metric=FEED_FAILURES, labels=(row.feed,), value=row.failures)
        if row.last_success:
            yield Sample(metric=FEED_SUCCESS, labels=(row.feed,), value=row.last_success.timestamp())
        if row.last_new_item:
            yield Sample(metric=FEED_SILENCE, labels=(row.feed,), value=row.silent_for_s)


def sink_samples(states: Sequence[SinkState]) -> Iterator[Sample]:
    """Yield how the sinks of the configuration stand."""
    for state in states:
        if state.active:
            yield Sample(metric=SINK_WAITING, labels=(state.name,), value=state.waiting)
            yield Sample(metric=SINK_UNDELIVERABLE, labels=(state.name,), value=state.undeliverable)
            yield Sample(metric=SINK_STUCK, labels=(state.name,), value=float(is_stuck(state)))


def is_stuck(state: SinkState) -> bool:
    """Whether a sink takes nothing: disabled, or failing again and again."""
    return bool(state.disabled) or state.failures >= STUCK_AFTER
