"""The stream behind ingest on Flink: `python -m benchmarks.scale.flink [--items N] [--slots 1 2 4]`.

Each run has a fresh cluster of one JobManager and two TaskManagers (one where there is one slot), reads the same
invented news (`items`, made on the workers), and has checkpoints every ten seconds. Printed are items a second of wall
time, processor seconds of TaskManagers and Python workers, and the size of the largest checkpoint. The alerts of all
runs must be the same ones.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.flink.cluster import FlinkCluster
from benchmarks.flink.environment import FlinkHome, flink_home
from benchmarks.flink.jobs import cluster_of, submit, told, wait_for_end, why_failed
from benchmarks.machine import machine
from benchmarks.scale.items import START

_CONFIG = '[[feed]]\nname = "none"\nurl = "https://feed.example/rss"\noutlet = "None"\nlanguage = "en"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run cost.

    Attributes:
        wall_s: From the job's first task running to its end.
        cpu_s: Processor seconds of TaskManagers and Python workers.
        load: Average number of processes that wanted a core, of this machine's last minute.
        state_bytes: Of the largest complete checkpoint.
        checkpoint_s: The longest one took.
        alerts: Their ids.
    """

    wall_s: float
    cpu_s: float
    load: float
    state_bytes: int
    checkpoint_s: float
    alerts: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    flink = flink_home()
    print(machine(), flush=True)
    first: Measured | None = None
    for slots in arguments.slots:
        with tempfile.TemporaryDirectory() as name:
            found = measure(flink, Path(name), slots, arguments.items, arguments.seed)
        first = first or found
        same = "the same" if found.alerts == first.alerts else "OTHER"
        print(
            f"{slots} slots: {arguments.items / found.wall_s:.0f} items a second ({found.wall_s:.0f} s,"
            f" {first.wall_s / found.wall_s:.2f} times the first run), {found.cpu_s:.0f} s CPU"
            f" = {arguments.items / found.cpu_s:.0f} items a second and core; state"
            f" {found.state_bytes / 1e6:.2f} MB, longest checkpoint {found.checkpoint_s:.1f} s;"
            f" {len(found.alerts)} alerts, {same}; load {found.load:.1f}",
            flush=True,
        )


def measure(flink: FlinkHome, folder: Path, slots: int, items: int, seed: int) -> Measured:
    """Run the job once on a cluster of its own."""
    managers = min(slots, 2)
    settings = {"execution.checkpointing.interval": "10s"}
    (folder / "trucewatch.toml").write_text(_CONFIG, "utf-8")
    alerts = folder / "alerts"
    with cluster_of(
        flink, folder / "cluster", taskmanagers=managers, slots=slots // managers, settings=settings
    ) as cluster:
        before = _cpu_seconds(cluster)
        words = ["--graph", "items", "--count", str(items), "--seed", str(seed), "--parallelism", str(slots)]
        words += ["--config", str(folder / "trucewatch.toml"), "--start", START.isoformat(), "--every", "1 min"]
        job = submit(flink, cluster, [*words, "--alerts", str(alerts)])
        most, spent = 0.0, before
        while cluster.job_state(job) not in ("FINISHED", "FAILED", "CANCELED"):
            spent = max(spent, _cpu_seconds(cluster))  # workers that end take their seconds with them
            time.sleep(0.5)
            most = max(most, os.getloadavg()[0])
        if wait_for_end(cluster, job) != "FINISHED":
            raise RuntimeError(why_failed(cluster, job))
        state = _checkpoints(cluster, job)
        return Measured(
            wall_s=_running_s(cluster, job),
            cpu_s=spent - before,
            load=most,
            state_bytes=max((one["state_size"] for one in state), default=0),
            checkpoint_s=max((one["end_to_end_duration"] for one in state), default=0) / 1000,
            alerts=tuple(sorted(alert.alert_id for alert in told(alerts))),
        )


def _running_s(cluster: FlinkCluster, job: str) -> float:
    times = cluster.get(f"/jobs/{job}")["timestamps"]
    return float(times["FINISHED"] - times["RUNNING"]) / 1000


def _checkpoints(cluster: FlinkCluster, job: str) -> list[dict[str, Any]]:
    history = cluster.get(f"/jobs/{job}/checkpoints")["history"]
    return [one for one in history if one["status"] == "COMPLETED"]


def _cpu_seconds(cluster: FlinkCluster) -> float:
    """Return the processor seconds of the TaskManagers' process groups: the Python workers are in them."""
    groups = {manager.pid for manager in cluster.managers}
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) in groups:
            ticks += sum(map(int, fields[11:15]))  # own and of ended children, user and system
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
