"""Replay real news day by day through the whole pipeline, and score the deduplication: `python -m benchmarks.replay`.

The replay server shows only what was published up to its clock; one bounded run a day, against one store, does what a
scheduled job would have done then.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from benchmarks.machine import machine, shared_folder
from pipeline.config import Config, config_of
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import RunResult


class ReplayServer:
    """The replay server in its own process, and its clock."""

    def __init__(self, shared: Path) -> None:
        self.folder = shared / "replay"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            sys.executable,
            str(self.folder / "serve.py"),
            "--port",
            str(self.port),
            "--until",
            "2000-01-01T00:00:00Z",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{self.url}/clock", timeout=1).read()
                break
            except OSError:
                time.sleep(0.05)

    def names(self) -> list[str]:
        """Return the names of the feeds."""
        return sorted(path.stem for path in (self.folder / "feeds").glob("*.xml"))

    def move_clock(self, to: datetime) -> None:
        """Show what was published up to `to`."""
        request = urllib.request.Request(f"{self.url}/clock", data=to.isoformat().encode(), method="POST")
        urllib.request.urlopen(request, timeout=5).read()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def replay_server(shared: Path) -> Iterator[ReplayServer]:
    """Serve the replay feeds on loopback for the time of the block."""
    server = ReplayServer(shared)
    try:
        yield server
    finally:
        server.close()


def config_toml(server: ReplayServer, **top: str) -> str:
    """Return a configuration that reads the replay feeds."""
    lines = [f'{key} = "{value}"' for key, value in top.items()]
    lines += ["[fetch]", "allow_private_networks = true"]
    for name in server.names():
        lines += [
            "[[feed]]",
            f'name = "{name}"',
            f'url = "{server.url}/{name}.xml"',
            f'outlet = "{name}"',
            'language = "en"',
        ]
    return "\n".join(lines) + "\n"


def replay_config(server: ReplayServer) -> Config:
    """Return the parsed configuration of the replay feeds."""
    import tomllib

    return config_of(tomllib.loads(config_toml(server)), base=Path(), environment={})


def days(shared: Path, *, quiet: bool = True) -> list[datetime]:
    """Return the end of each day of the months with news in the replay; without `quiet`, of days with news alone."""
    found = set()
    for path in (shared / "replay" / "feeds").glob("*.xml"):
        for stamp in re.findall(r"<pubDate>(.*?)</pubDate>", path.read_text("utf-8")):
            found.add(parsedate_to_datetime(stamp).date())
    months = {(day.year, day.month) for day in found}
    whole = []
    for year, month in sorted(months):
        day = datetime(year, month, 1, 23, 59, 59, tzinfo=UTC)
        while day.month == month:
            if quiet or day.date() in found:
                whole.append(day)
            day += timedelta(days=1)
    return whole


def run_days(
    server: ReplayServer, config: Config, store: Store, moments: list[datetime], *, quiet: bool = True
) -> list[RunResult]:
    """Do one bounded run at each of `moments`."""
    results = []
    for moment in moments:
        server.move_clock(moment)
        result = run_once(config, store, moment)
        results.append(result)
        if not quiet:
            print(f"{moment:%Y-%m-%d} {dict(result.summary.alerts)} {result.summary.seconds:.2f} s", flush=True)
    return results


def dedup_scores(shared: Path, store: Store, folder: Path) -> dict[str, object]:
    """Export the store's events and return the figures of the deduplication scorer."""
    exported = folder / "events.jsonl"
    command = [
        sys.executable,
        "-m",
        "pipeline.cli",
        "export",
        "--store",
        store.url,
        "--what",
        "events",
        "--format",
        "jsonl",
    ]
    with exported.open("wb") as out:
        subprocess.run(command, stdout=out, check=True)
    gold = shared / "gold"
    scorer = [sys.executable, gold / "score_dedup.py", gold / "dedup_dev_labels.jsonl", exported, "--json"]
    return json.loads(subprocess.run(scorer, capture_output=True, check=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", action="store_true", help="one run over everything instead of one a day")
    arguments = parser.parse_args()
    shared = shared_folder()
    print(machine())
    with tempfile.TemporaryDirectory() as name, replay_server(shared) as server:
        folder = Path(name)
        store = Store.open(f"sqlite:///{folder}/replay.sqlite")
        moments = days(shared)[-1:] if arguments.at_once else days(shared)
        started = time.monotonic()
        results = run_days(server, replay_config(server), store, moments, quiet=False)
        seconds = time.monotonic() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        alerts = sum(sum(r.summary.alerts.values()) for r in results)
        print(
            f"{len(results)} runs, {len(server.names())} feeds, {seconds:.1f} s ({seconds / len(results):.2f} s a run)"
        )
        print(f"{alerts} alerts, peak memory {peak:.0f} MB")
        for key, value in dedup_scores(shared, store, folder).items():
            print(f"{key}: {value}")


if __name__ == "__main__":
    main()
