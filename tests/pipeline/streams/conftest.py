"""What tests of streams run on: Prism, processes that leave nothing behind, and a Flink cluster.

Flink is some 900 MB: its tests run where TRUCEWATCH_FLINK=1 asks for them.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.flink.cluster import FlinkCluster
from benchmarks.flink.environment import FlinkHome, FlinkMissingError, flink_home
from benchmarks.flink.jobs import cluster_of, submit, wait_for_end
from pipeline.config import Config
from pipeline.engines import prism_binary
from pipeline.stream import Schedule
from transforms.failures import ConfigError


@pytest.fixture(scope="session")
def prism() -> None:
    """Prism can be started here; the test is skipped where it cannot."""
    try:
        prism_binary(None)
    except ConfigError as error:
        pytest.skip(str(error))


@contextlib.contextmanager
def ended_with_children(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Give a process that was started in a session of its own, and end it with all that it started."""
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class FlinkBench:
    """One JobManager and two TaskManagers of one slot, each a process of its own; a checkpoint every two seconds."""

    flink: FlinkHome
    cluster: FlinkCluster

    def start(self, config: Config, schedule: Schedule, folder: Path, *options: str) -> str:
        """Start the stream on both TaskManagers and return the job's id."""
        pickled = folder / "config.pickle"
        pickled.write_bytes(pickle.dumps(config))
        words = ["--config", str(pickled), "--parallelism", "2", "--start", schedule.start.isoformat()]
        words += ["--every", f"{schedule.every.total_seconds() / 3600:g} h"]
        words += ["--until", schedule.until.isoformat()] if schedule.until else []
        return submit(self.flink, self.cluster, [*words, *options])

    def end(self, job: str) -> None:
        """Cancel a job and wait until its slots are free."""
        self.cluster.patch(f"/jobs/{job}?mode=cancel")
        wait_for_end(self.cluster, job)


@pytest.fixture(scope="session")
def flink_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkBench]:
    """A running cluster; the test is skipped where there is none to be had."""
    if os.environ.get("TRUCEWATCH_FLINK") != "1":
        pytest.skip("TRUCEWATCH_FLINK=1 runs the tests on a Flink cluster")
    try:
        flink = flink_home()
    except FlinkMissingError as error:
        pytest.skip(str(error))
    with cluster_of(flink, tmp_path_factory.mktemp("flink")) as cluster:
        yield FlinkBench(flink, cluster)
