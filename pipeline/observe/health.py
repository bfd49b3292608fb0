"""Whether trucewatch is well, judged from its store alone: for probes, timers and people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from pipeline.observe.metrics import is_stuck
from pipeline.store.store import Store
from pipeline.summary import RunSummary
from transforms.ingest.feed import Feed
from transforms.ingest.health import FeedHealth, all_silent, health_of

_ROWS = 50  # a run may have many parts, and runs that were killed left no summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How trucewatch does.

    Attributes:
        ok: Whether there is no problem.
        problems: Sentences about what needs a person; the command then ends with exit code 1.
        warnings: Sentences about what can wait.
        last_run: The clock of the last run that ended, None if none did.
        age_s: Seconds since then.
        exit_code: That run's exit code.
        sinks_stuck: Sinks that take nothing.
        feeds_failing: Feeds that fail again and again.
    """

    ok: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    last_run: datetime | None = None
    age_s: float | None = None
    exit_code: int | None = None
    sinks_stuck: tuple[str, ...] = ()
    feeds_failing: tuple[str, ...] = ()


def healthcheck(
    store: Store, now: datetime, max_age: timedelta, *, feeds: Sequence[Feed] = (), runs_only: bool = False
) -> Health:
    """Judge a deployment by its store.

    Args:
        store: The store of the runs.
        now: The present time.
        max_age: How long ago the last run may have ended.
        feeds: The configured feeds, to judge them too.
        runs_only: Judge only whether runs happen and succeed: for liveness probes, since a restart mends neither a
            sink nor a feed.
    """
    last = _last_run(store)
    problems = _run_problems(last, now, max_age)
    warnings: list[str] = []
    stuck: list[str] = []
    failing: list[FeedHealth] = []
    if not runs_only:
        states = [state for state in store.outbox.states() if state.active]
        stuck = [state.name for state in states if is_stuck(state)]
        problems += [
            f"sink {s.name} takes nothing: {s.disabled or s.last_error or 'it failed repeatedly'}"
            for s in states
            if is_stuck(s)
        ]
        warnings += [
            f"sink {s.name}: {s.undeliverable} alerts were given up; `trucewatch outbox --resend` queues them again"
            for s in states
            if s.undeliverable
        ]
        rows = _feed_rows(store, feeds, now)
        failing = [row for row in rows if row.status in ("failing", "muted")]
        lines = [f"feed {row.feed}: {row.message}" for row in rows if row.status not in ("ok", "new")]
        if all_silent(rows):
            problems.append("all feeds fail or are silent: check the network and the feed list")
        warnings += lines
    return Health(
        ok=not problems,
        problems=tuple(problems),
        warnings=tuple(warnings),
        last_run=last.now if last else None,
        age_s=(now - last.now).total_seconds() if last else None,
        exit_code=last.exit_code if last else None,
        sinks_stuck=tuple(stuck),
        feeds_failing=tuple(row.feed for row in failing),
    )


def _last_run(store: Store) -> RunSummary | None:
    for row in store.run_rows(limit=_ROWS):
        if row.summary:
            return msgspec.json.decode(row.summary, type=RunSummary)
    return None


def _run_problems(last: RunSummary | None, now: datetime, max_age: timedelta) -> list[str]:
    if last is None:
        return ["no run has ended yet"]
    problems = []
    age = now - last.now - timedelta(seconds=last.seconds)
    if age > max_age:
        problems.append(f"the last run ended {_minutes(age)} ago; at most {_minutes(max_age)} are expected")
    if last.exit_code == 1:
        problems.append("the last run failed: " + ("; ".join(last.warnings[:3]) or "see its log"))
    return problems


def _feed_rows(store: Store, feeds: Sequence[Feed], now: datetime) -> list[FeedHealth]:
    states = store.feed_states()
    return [health_of(feed, states[feed.name], now) for feed in feeds if feed.name in states]


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.0f} min"
