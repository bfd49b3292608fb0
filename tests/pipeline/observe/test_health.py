"""Health as a probe sees it: judged from a real store, told by the exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.observe.health import healthcheck
from pipeline.store.outbox import Settlement, SinkState
from pipeline.store.store import Store
from pipeline.summary import RunSummary
from tests.pipeline.observe.made import NOW, summary
from tests.transforms.sinks.made import alert
from transforms.ingest.feed import Feed, FeedPull, FeedState
from transforms.sinks.commit import RunBatch

HOUR = timedelta(hours=1)
FEEDS = tuple(Feed(name=name, url=f"https://{name}.example/rss", outlet=name) for name in "abc")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path}/store.sqlite")


def ended(store: Store, **changes: object) -> None:
    run: RunSummary = summary(**changes)
    store.add_summary(run.run_id, msgspec.json.encode(run).decode(), run.now)


def with_feeds(store: Store, *failing: str) -> None:
    pulls = tuple(
        FeedPull(
            feed=feed.name,
            state=FeedState(
                feed=feed.name,
                failures=5 if feed.name in failing else 0,
                last_error="timeout",
                last_success=NOW,
                last_new_item=NOW,
                pulls=9,
                interval_mean_s=600.0,
            ),
            outcome="failed" if feed.name in failing else "unchanged",
        )
        for feed in FEEDS
    )
    store.commit(RunBatch(run_id="r", now=NOW, pulls=pulls))


def test_a_store_without_runs_is_not_well(store: Store) -> None:
    health = healthcheck(store, NOW, HOUR)
    assert (health.ok, health.problems, health.age_s) == (False, ("no run has ended yet",), None)


@pytest.mark.parametrize(
    ("minutes", "code", "ok", "words"),
    [
        (10, 0, True, ""),
        (59, 3, True, ""),
        (61, 0, False, "ended 61 min ago; at most 60 min are expected"),
        (300, 0, False, "ended 5.0 h ago"),
        (10, 1, False, "the last run failed: all feeds are silent"),
    ],
)
def test_runs_are_judged_by_age_and_exit_code(store: Store, minutes: int, code: int, ok: bool, words: str) -> None:
    ended(store, exit_code=code, warnings=("all feeds are silent",) if code == 1 else (), seconds=4.5)
    health = healthcheck(store, NOW + timedelta(minutes=minutes, seconds=5), HOUR)
    assert health.ok is ok
    assert words in " ".join(health.problems)
    assert (health.last_run, health.exit_code) == (NOW, code)


def test_the_newest_run_counts_and_a_killed_one_left_no_word(store: Store) -> None:
    ended(store, run_id="old", exit_code=1, now=NOW - timedelta(hours=3))
    ended(store, run_id="new", exit_code=0, now=NOW - timedelta(minutes=20))
    store.commit(RunBatch(run_id="killed", now=NOW, alerts=(alert(),)))
    health = healthcheck(store, NOW, HOUR)
    assert (health.ok, health.last_run) == (True, NOW - timedelta(minutes=20))


def test_a_stuck_sink_is_a_problem_but_no_reason_to_restart(store: Store) -> None:
    ended(store, exit_code=0)
    store.outbox.set_sinks(["hook", "file"])
    store.outbox.settle(SinkState(name="hook", failures=3, last_error="503"), Settlement(), NOW)
    store.outbox.settle(SinkState(name="file", failures=2, last_error="hiccup"), Settlement(), NOW)
    health = healthcheck(store, NOW, HOUR)
    assert (health.ok, health.sinks_stuck) == (False, ("hook",))
    assert "sink hook takes nothing: 503" in health.problems
    assert healthcheck(store, NOW, HOUR, runs_only=True).ok
    store.outbox.set_sinks(["file"])
    assert healthcheck(store, NOW, HOUR).ok


def test_some_failing_feeds_are_a_warning_all_of_them_a_problem(store: Store) -> None:
    ended(store, exit_code=3)
    with_feeds(store, "a")
    some = healthcheck(store, NOW, HOUR, feeds=FEEDS)
    assert (some.ok, some.feeds_failing) == (True, ("a",))
    assert "failed 5 times in a row" in some.warnings[0]
    store2 = store
    store2.commit(
        RunBatch(
            run_id="r2",
            now=NOW,
            pulls=tuple(
                FeedPull(
                    feed=f.name,
                    state=FeedState(
                        feed=f.name, failures=5, last_error="x", last_success=NOW, last_new_item=NOW, pulls=9
                    ),
                    outcome="failed",
                )
                for f in FEEDS
            ),
        )
    )
    everything = healthcheck(store, NOW, HOUR, feeds=FEEDS)
    assert not everything.ok
    assert any("check the network" in problem for problem in everything.problems)


def test_the_command_ends_with_0_or_1_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli = CliRunner()
    missing = cli.invoke(app, ["healthcheck"])
    assert (missing.exit_code, "no store yet" in missing.stderr) == (1, True)
    store = Store.open("sqlite:///trucewatch.sqlite")
    ended(store, now=datetime.now(UTC), exit_code=0)
    good = cli.invoke(app, ["healthcheck", "--max-age", "5 min"])
    assert (good.exit_code, "ok: the last run was" in good.stdout) == (0, True)
    ended(store, run_id="z", now=datetime.now(UTC) + timedelta(seconds=1), exit_code=1)
    bad = cli.invoke(app, ["healthcheck", "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["problems"][0].startswith("the last run failed")
    wrong = cli.invoke(app, ["healthcheck", "--max-age", "soon"])
    assert wrong.exit_code == 2
