"""Jobs on a cluster, from outside: start one, wait for it, read what it told."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.flink.cluster import FlinkCluster
from benchmarks.flink.environment import FlinkHome
from benchmarks.machine import ROOT
from transforms.model import Alert

_ENDED = {"FINISHED", "CANCELED", "FAILED"}


@contextmanager
def cluster_of(flink: FlinkHome, folder: Path, **arguments: Any) -> Iterator[FlinkCluster]:
    """Give a running cluster whose workers import this checkout."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        with FlinkCluster(flink.home, folder, **arguments) as cluster:
            yield cluster
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def submit(flink: FlinkHome, cluster: FlinkCluster, arguments: Sequence[str]) -> str:
    """Start a job by `benchmarks.flink.submit` and return its id."""
    command = [str(flink.python), "-m", "benchmarks.flink.submit", "--cluster", cluster.address, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FLINK_CONF_DIR": str(cluster.folder / "conf")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the job could not be started: {done.stderr[-3000:]}")
    return done.stdout.strip().splitlines()[-1]


def wait_for_end(cluster: FlinkCluster, job_id: str, seconds: float = 240) -> str:
    """Return the state in which a job ended."""
    cluster.wait(lambda: cluster.job_state(job_id) in _ENDED, f"job {job_id} did not end", seconds)
    return cluster.job_state(job_id)


def stop_with_savepoint(cluster: FlinkCluster, job_id: str) -> str:
    """Stop a job, its state kept, and return where it was put."""
    asked = cluster.post(f"/jobs/{job_id}/stop", {"drain": False})["request-id"]
    path = f"/jobs/{job_id}/savepoints/{asked}"
    cluster.wait(lambda: cluster.get(path)["status"]["id"] == "COMPLETED", "no savepoint was made")
    operation = cluster.get(path)["operation"]
    if "location" not in operation:
        raise RuntimeError(f"no savepoint was made: {operation}")
    wait_for_end(cluster, job_id)
    return str(operation["location"])


def why_failed(cluster: FlinkCluster, job_id: str) -> str:
    """Return the innermost cause that Flink knows of a job's failure, "" if it knows of none."""
    history = cluster.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    return str(history[0]["stacktrace"])[-3000:] if history else ""


def told(folder: Path) -> list[Alert]:
    """Return the alerts that a job's files hold: those of finished files, since others are not committed yet."""
    files = sorted(path for path in folder.rglob("*.jsonl") if not path.name.startswith("."))
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    return [msgspec.convert(json.loads(line), Alert) for line in lines]
