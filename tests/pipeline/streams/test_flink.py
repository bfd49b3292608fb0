"""The stream on a Flink cluster: processes are killed, jobs stopped and gone on with; nothing is lost or told twice.

The graph is `pipeline.stream`'s, with its DoFns, states and timers, put on Flink by `benchmarks.flink.translate`.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.flink.jobs import stop_with_savepoint, told, wait_for_end, why_failed
from pipeline.config import Config, config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.stream import Schedule
from tests.pipeline.streams.conftest import FlinkBench

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EVERY = timedelta(hours=4)
FIRST, LAST = demo_steps()[0] - timedelta(hours=24), demo_steps()[-1]
PACE = "1"  # seconds from tick to tick: slow enough to be killed in the middle


@dataclass(frozen=True)
class News:
    """The demonstration's outlets with everything on show, and what runs on time tell of them."""

    config: Config
    expected: list[str]


@pytest.fixture(scope="module")
def news(flink_bench: FlinkBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[News]:
    folder, clock = tmp_path_factory.mktemp("runs"), DemoClock()
    with serve_demo(clock) as url:
        config = config_of(tomllib.loads(demo_config(url)), base=folder, environment={})
        with Store.open(f"sqlite:///{folder}/runs.sqlite") as store:
            for n in range(int((LAST - FIRST) / EVERY) + 1):
                clock.until = FIRST + n * EVERY
                run_once(config, store, clock.until)
            expected = ids_of(store)
        assert len(expected) >= 10
        yield News(config, expected)


def schedule(until: datetime | None) -> Schedule:
    return Schedule(start=FIRST, every=EVERY, until=until, replay=True)


def ids_of(store: Store) -> list[str]:
    return sorted(alert.alert_id for alert in store.alerts())


def ids_in(folder: Path) -> list[str]:
    return sorted(alert.alert_id for alert in told(folder))


@pytest.mark.parametrize("kept", ["in Flink's state", "in a store"])
def test_a_killed_taskmanager_costs_no_alert_and_doubles_none(
    flink_bench: FlinkBench, news: News, tmp_path: Path, kept: str
) -> None:
    """The job has no end; alerts are in files that Flink commits with its checkpoints, or in the store."""
    cluster, alerts = flink_bench.cluster, tmp_path / "alerts"
    store_url = f"sqlite:///{tmp_path}/store.sqlite" if kept == "in a store" else ""
    where = ["--store", store_url] if store_url else ["--alerts", str(alerts)]

    def found() -> list[str]:
        if not store_url:
            return ids_in(alerts)
        with Store.open(store_url) as store:
            return ids_of(store)

    job = flink_bench.start(news.config, schedule(None), tmp_path, "--pace", PACE, *where)
    cluster.wait(lambda: len(found()) >= 3 and cluster.completed_checkpoints(job) >= 1, "nothing was told", 300)
    cluster.kill_taskmanager(cluster.managers[0])
    assert len(found()) < len(news.expected), "too late: everything had been told"
    cluster.wait(lambda: set(news.expected) <= set(found()), "alerts are missing", 300)
    later = cluster.completed_checkpoints(job) + 2  # what is told again would be there by then
    cluster.wait(lambda: cluster.completed_checkpoints(job) >= later, "no more checkpoints")
    restored = cluster.get(f"/jobs/{job}/checkpoints")["counts"]["restored"]
    flink_bench.end(job)
    assert restored >= 1, "the job never noticed"
    assert {alert: n for alert, n in Counter(found()).items() if n > 1} == {}
    assert found() == news.expected


def test_a_job_stopped_with_a_savepoint_goes_on_where_it_was(
    flink_bench: FlinkBench, news: News, tmp_path: Path
) -> None:
    """The way to upgrade. A job that lacks the steps of the state is refused; the savepoint is as good as before."""
    cluster, alerts = flink_bench.cluster, tmp_path / "alerts"
    words = ["--pace", PACE, "--alerts", str(alerts)]
    job = flink_bench.start(news.config, schedule(LAST), tmp_path, *words)
    cluster.wait(lambda: len(told(alerts)) >= 3, "nothing was told", 300)
    savepoint = stop_with_savepoint(cluster, job)
    assert 3 <= len(ids_in(alerts)) < len(news.expected)

    words += ["--savepoint", savepoint]
    with pytest.raises(RuntimeError, match=r"Cannot map checkpoint/savepoint state"):
        # Flink tells at once or a moment later, whichever is the first to ask.
        other = flink_bench.start(news.config, schedule(LAST), tmp_path, *words, "--graph", "items")
        assert wait_for_end(cluster, other) == "FAILED"
        raise RuntimeError(why_failed(cluster, other))

    job = flink_bench.start(news.config, schedule(LAST), tmp_path, *words)
    assert wait_for_end(cluster, job) == "FINISHED", why_failed(cluster, job)
    assert ids_in(alerts) == news.expected
