"""One bounded run: read the feeds, tell what is new, commit it, deliver it. `watch` is a loop of it."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import apache_beam as beam
import msgspec
from apache_beam.metrics import MetricsFilter

from pipeline.config import Config
from pipeline.graph import STAGES, Job, build_graph
from pipeline.observe.logs import logged_as
from pipeline.options import DEFAULT_RUNNER, beam_options
from pipeline.relay import RelayReport, SinkReport, relay
from pipeline.store.store import Store
from pipeline.summary import Again, Distribution, RunResult, RunSummary
from transforms.counters import NAMESPACE, imbalances
from transforms.ingest.feed import FeedRequest, FeedState
from transforms.ingest.health import all_silent, health_of
from transforms.model import Alert
from transforms.sinks.registry import sinks_of


def run_once(
    config: Config,
    store: Store,
    now: datetime,
    *,
    runner: str = DEFAULT_RUNNER,
    beam_flags: Sequence[str] = (),
    again: Again | None = None,
    due_only: bool = False,
    doing: Callable[[str], None] = lambda _: None,
) -> RunResult:
    """Do one bounded run against `store` and deliver what it raised.

    Args:
        config: Feeds and settings.
        store: Where state is kept; one run at a time holds it.
        now: The run's clock: of this moment, or of the past for a replay.
        runner: Beam's runner, as typed.
        beam_flags: Flags for the runner.
        again: Inputs from the dead letters, to be fed in instead of the feeds.
        due_only: Leave feeds alone until their interval has passed.
        doing: Told, in words, what is being done.

    Raises:
        StoreBusyError: Another run holds the store.
    """
    started = time.monotonic()
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    config = dataclasses.replace(config, fetch=dataclasses.replace(config.fetch, respect_interval=due_only))
    sinks = sinks_of(config.sinks)
    with store.lock(), logged_as(run_id):
        doing("reading the store")
        store.outbox.set_sinks(sink.name for sink in sinks)
        job = job_of(config, store, run_id, now, again)
        doing(f"reading {len(job.requests)} feeds, detecting, comparing")
        counters, distributions = _run_graph(config, store, job, runner, beam_flags)
        doing("delivering alerts")
        report = relay(store, sinks, max(datetime.now(UTC), now))  # deliveries are made today, even of a replay
        alerts = tuple(store.alerts(run_id=run_id))
        summary = summary_of(config, store, run_id, now, counters, alerts, report)
        seconds = round(time.monotonic() - started, 3)
        summary = dataclasses.replace(summary, distributions=distributions, seconds=seconds)
        store.add_summary(run_id, msgspec.json.encode(summary).decode(), now)
    return RunResult(summary=summary, alerts=alerts)


def job_of(config: Config, store: Store, run_id: str, now: datetime, again: Again | None = None) -> Job:
    """Return what a run at `now` has to work on, as the store has it."""
    states = store.feed_states()
    requests = [FeedRequest(feed=f, state=states.get(f.name) or FeedState(feed=f.name)) for f in config.feeds]
    return Job(
        run_id=run_id,
        now=now,
        requests=() if again else tuple(requests),
        articles_again=again.articles if again else (),
        mentions_again=again.mentions if again else (),
        open_events=tuple(store.open_events(now)),
        ceasefire_events=tuple(store.ceasefire_events()),
    )


def _run_graph(
    config: Config, store: Store, job: Job, runner: str, flags: Sequence[str]
) -> tuple[dict[str, int], dict[str, Distribution]]:
    pipeline = beam.Pipeline(options=beam_options(runner, flags))
    build_graph(pipeline, job, config, seen=store.seen(), committer=store.committer())
    result = pipeline.run()
    result.wait_until_finish()
    return counters_of(result), distributions_of(result)


def counters_of(result: beam.runners.runner.PipelineResult) -> dict[str, int]:
    """Return trucewatch's counters of a finished run, by name."""
    counters: Counter[str] = Counter()
    for row in result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]:
        value = row.committed if row.committed is not None else row.attempted
        counters[row.key.metric.name] += int(value or 0)
    return dict(sorted(counters.items()))


def distributions_of(result: beam.runners.runner.PipelineResult) -> dict[str, Distribution]:
    """Return what trucewatch's stages measured in a run, by name."""
    found: dict[str, Distribution] = {}
    for row in result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["distributions"]:
        value = row.committed if row.committed is not None else row.attempted
        if value and value.count:
            one = Distribution(count=int(value.count), sum=int(value.sum), min=int(value.min), max=int(value.max))
            name = row.key.metric.name
            found[name] = found[name].joined(one) if name in found else one
    return dict(sorted(found.items()))


def summary_of(
    config: Config,
    store: Store,
    run_id: str,
    now: datetime,
    counters: Mapping[str, int],
    alerts: Sequence[Alert],
    report: RelayReport,
    *,
    ended: bool = True,
) -> RunSummary:
    """Return the summary of a run, or, with `ended` false, of a while of a stream, of which some is on its way yet."""
    states = store.feed_states()
    feeds = {"read": counters.get("feeds.out", 0)}
    feeds |= {n.removeprefix("feeds.dropped."): v for n, v in counters.items() if n.startswith("feeds.dropped.")}
    feeds["failed"] = counters.get("feeds.failed", 0)
    health = [health_of(feed, states[feed.name], now) for feed in config.feeds if feed.name in states]
    warnings = [f"{row.feed}: {row.message}" for row in health if row.status != "ok"]
    silent = bool(health) and all_silent(health)
    if silent:
        warnings.append("all feeds are silent: check the network and the feed list")
    wrong = imbalances(counters, STAGES) if ended else {}
    warnings += [f"{stage}: {n} inputs are not accounted for" for stage, n in wrong.items()]
    queues = {state.name: state.waiting for state in store.outbox.states() if state.active}
    warnings += [f"sink {row.name}: {_trouble(row)}" for row in report.troubled]
    dead = sum(n for name, n in counters.items() if name.endswith(".failed") and not name.startswith("feeds."))
    warnings += [f"{dead} inputs could not be handled: `trucewatch failures` lists them"] if dead else []
    asked = feeds["read"] + feeds["failed"] + counters.get("feeds.dropped.unchanged", 0)
    all_failed = bool(feeds["failed"]) and feeds["failed"] == asked
    code = 1 if all_failed or silent or wrong else 3 if feeds["failed"] or dead or report.troubled else 0
    return RunSummary(
        run_id=run_id,
        now=now,
        seconds=0.0,
        feeds={outcome: n for outcome, n in feeds.items() if n},
        counters=counters,
        imbalances=wrong,
        alerts=dict(Counter(alert.change.value for alert in alerts)),
        failures=dead,
        delivered={row.name: row.delivered for row in report.sinks if row.delivered},
        waiting={name: n for name, n in queues.items() if n},
        warnings=tuple(warnings),
        exit_code=code,
    )


def _trouble(row: SinkReport) -> str:
    parts = [row.skipped, row.error, f"{row.retried} to be tried again" if row.retried else ""]
    parts.append(f"{row.undeliverable} undeliverable, see `trucewatch outbox`" if row.undeliverable else "")
    return "; ".join(part for part in parts if part)
