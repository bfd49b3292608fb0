"""The stream on a Flink cluster: a JobManager and two TaskManagers, each a process of its own, checkpoints on.

The graph is `pipeline.stream`'s, with its DoFns, states and timers, put on Flink by `benchmarks.flink.translate`: Beam's
own Flink runner is tried by `test_beam_on_flink`, where its job server can be had. Flink is some 900 MB, so these tests
run where TRUCEWATCH_FLINK=1 asks for them, as `.ci/run` does.
"""

from __future__ import annotations

import os
import tomllib
import urllib.error
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.flink.cluster import FlinkCluster
from benchmarks.flink.environment import FlinkHome, FlinkMissingError, flink_home
from benchmarks.flink.jobs import cluster_of, stop_with_savepoint, submit, told, wait_for_end, why_failed
from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("TRUCEWATCH_FLINK") != "1", reason="TRUCEWATCH_FLINK=1 runs the tests on a Flink cluster"
    ),
]
EVERY = timedelta(hours=4)
FIRST, LAST = demo_steps()[0] - timedelta(hours=24), demo_steps()[-1]
PACE = "1"  # seconds from tick to tick: slow enough to be killed in the middle


@dataclass(frozen=True)
class Bench:
    """A cluster with the demonstration's outlets to read."""

    flink: FlinkHome
    cluster: FlinkCluster
    outlets: str

    def start(self, folder: Path, *arguments: str) -> str:
        """Start the stream in `folder`, on both TaskManagers."""
        (folder / "trucewatch.toml").write_text(demo_config(self.outlets), "utf-8")
        options = ["--config", str(folder / "trucewatch.toml"), "--parallelism", "2", *arguments]
        return submit(self.flink, self.cluster, options)

    def end(self, job: str) -> None:
        """Cancel a job and wait until its slots are free."""
        self.cluster.patch(f"/jobs/{job}?mode=cancel")
        wait_for_end(self.cluster, job)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    try:
        flink = flink_home()
    except FlinkMissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("flink")
    with serve_demo(DemoClock(until=LAST)) as outlets, cluster_of(flink, folder) as cluster:
        yield Bench(flink, cluster, outlets)


def told_by_runs(outlets: str, folder: Path, moments: list[datetime]) -> list[str]:
    """Ids of the alerts that bounded runs at `moments` tell, each on its own clock."""
    clock = DemoClock()
    with serve_demo(clock) as url:
        config = config_of(tomllib.loads(demo_config(url)), base=folder, environment={})
        with Store.open(f"sqlite:///{folder}/runs.sqlite") as store:
            for moment in moments:
                clock.until = moment
                run_once(config, store, moment)
            return sorted(alert.alert_id for alert in store.alerts())


@pytest.fixture(scope="module")
def expected(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What runs every four hours tell."""
    moments = [FIRST + n * EVERY for n in range(int((LAST - FIRST) / EVERY) + 1)]
    return told_by_runs(bench.outlets, tmp_path_factory.mktemp("runs"), moments)


def schedule(first: datetime, last: datetime | None, every: timedelta) -> list[str]:
    options = ["--start", first.isoformat(), "--every", f"{every.total_seconds() / 3600:g} h"]
    return options + (["--until", last.isoformat()] if last else [])


def ids(folder: Path) -> list[str]:
    return sorted(alert.alert_id for alert in told(folder))


def test_a_bounded_job_tells_what_bounded_runs_tell(bench: Bench, tmp_path: Path) -> None:
    first, last = demo_steps()
    job = bench.start(tmp_path, *schedule(first, last, last - first), "--alerts", str(tmp_path / "alerts"))
    assert wait_for_end(bench.cluster, job) == "FINISHED", why_failed(bench.cluster, job)
    found = ids(tmp_path / "alerts")
    assert len(found) >= 15
    assert found == told_by_runs(bench.outlets, tmp_path, [first, last])


@pytest.mark.parametrize("kept", ["in Flink's state", "in a store"])
def test_a_killed_taskmanager_costs_no_alert_and_doubles_none(
    bench: Bench, expected: list[str], tmp_path: Path, kept: str
) -> None:
    """The job has no end; alerts are in files that Flink commits with its checkpoints, or in the store."""
    cluster, alerts = bench.cluster, tmp_path / "alerts"
    store_url = f"sqlite:///{tmp_path}/store.sqlite" if kept == "in a store" else ""
    where = ["--store", store_url] if store_url else ["--alerts", str(alerts)]

    def found() -> list[str]:
        if not store_url:
            return ids(alerts)
        with Store.open(store_url) as store:
            return sorted(alert.alert_id for alert in store.alerts())

    job = bench.start(tmp_path, *schedule(FIRST, None, EVERY), "--pace", PACE, *where)
    cluster.wait(lambda: 3 <= len(found()), "nothing was told")
    assert cluster.completed_checkpoints(job) >= 1
    victim = cluster.managers[0]
    cluster.kill_taskmanager(victim)
    at_kill = found()
    assert len(at_kill) < len(expected), "too late: everything had been told"
    cluster.add_taskmanager()
    cluster.wait(lambda: set(expected) <= set(found()), "alerts are missing", 180)
    restarts = cluster.get(f"/jobs/{job}/checkpoints")["counts"]["restored"]
    later = cluster.completed_checkpoints(job) + 2  # what is told again would be in files by then
    cluster.wait(lambda: cluster.completed_checkpoints(job) >= later, "no more checkpoints")
    bench.end(job)
    assert restarts >= 1, "the job never noticed"
    assert {alert: n for alert, n in Counter(found()).items() if n > 1} == {}
    assert found() == expected


def test_a_job_stopped_with_a_savepoint_goes_on_where_it_was(
    bench: Bench, expected: list[str], tmp_path: Path
) -> None:
    """The way to upgrade. A job that does not have the state's steps is refused, and loses nothing."""
    cluster, alerts = bench.cluster, tmp_path / "alerts"
    words = [*schedule(FIRST, LAST, EVERY), "--pace", PACE, "--alerts", str(alerts)]
    job = bench.start(tmp_path, *words)
    cluster.wait(lambda: 3 <= len(told(alerts)), "nothing was told")
    savepoint = stop_with_savepoint(cluster, job)
    before = ids(alerts)
    assert 3 <= len(before) < len(expected)

    with pytest.raises((RuntimeError, urllib.error.HTTPError)) as refused:
        other = bench.start(tmp_path, *words, "--graph", "items", "--savepoint", savepoint)
        assert wait_for_end(cluster, other) == "FAILED"
        raise RuntimeError(why_failed(cluster, other))
    assert "allowNonRestoredState" in str(refused.value) or "Cannot map checkpoint" in str(refused.value)

    job = bench.start(tmp_path, *words, "--savepoint", savepoint)
    assert wait_for_end(cluster, job) == "FINISHED", why_failed(cluster, job)
    assert ids(alerts) == expected
