"""The demonstration as a stream on a Flink cluster: `make flink`, or `python -m benchmarks.flink.demo`.

Starts a JobManager and two TaskManagers, streams the bundled outlets through them into a store, shows what was told,
and stops them. `--linger` leaves the cluster up, with Flink's own page, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.flink.environment import FlinkMissingError, flink_home
from benchmarks.flink.jobs import cluster_of, submit, wait_for_end, why_failed
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.store.store import Store
from transforms.sinks.table import alerts_table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--linger", action="store_true", help="leave the cluster up until Ctrl-C")
    arguments = parser.parse_args()
    out, err = Console(), Console(stderr=True)
    err.print("Getting Flink (some 900 MB, once)")
    try:
        flink = flink_home()
    except FlinkMissingError as error:
        err.print(str(error), markup=False)
        return 2
    first, last = demo_steps()
    with tempfile.TemporaryDirectory() as name, serve_demo(DemoClock(until=last)) as outlets:
        folder = Path(name)
        (folder / "trucewatch.toml").write_text(demo_config(outlets), "utf-8")
        url = f"sqlite:///{folder}/trucewatch.sqlite"
        err.print("Starting one JobManager and two TaskManagers")
        with cluster_of(flink, folder / "cluster") as cluster:
            err.print(f"Flink's own page: {cluster.url}")
            words = ["--config", str(folder / "trucewatch.toml"), "--store", url, "--parallelism", "2"]
            words += ["--start", first.isoformat(), "--until", last.isoformat()]
            words += ["--every", f"{(last - first).total_seconds() / 3600:g} h"]
            job = submit(flink, cluster, words)
            state = wait_for_end(cluster, job)
            if state != "FINISHED":
                err.print(f"The job ended as {state}: {why_failed(cluster, job)}", markup=False)
                return 1
            with Store.open(url) as store:
                out.print(alerts_table(store.alerts()))
            if arguments.linger:
                err.print("Ctrl-C stops the cluster")
                signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
