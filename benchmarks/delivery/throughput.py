"""Alerts per second and peak memory of the commit and of each sink: `python -m benchmarks.delivery.throughput [N]`.

Each sink is measured in a process of its own, with the real thing on the other side: files on this disk, a web receiver
and an SMTP server on loopback, the Pub/Sub emulator, PostgreSQL (the last two where they are installed).
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks.machine import machine
from pipeline.relay import relay
from pipeline.store.store import Store
from tests.pipeline.store.servers import postgres_server, server_programs
from tests.transforms.sinks.emulator import emulator_program, running_emulator
from tests.transforms.sinks.made import NOW, alert, article, event, pull, quote
from tests.transforms.sinks.receiver import receiving
from transforms.sinks.commit import RunBatch
from transforms.sinks.registry import sinks_of
from transforms.sinks.settings import settings_of

SECRETS = {"TRUCEWATCH_WEBHOOK_SECRETS": "whsec_dHJ1Y2V3YXRjaC10cnVjZXdhdGNo"}


def batch(count: int) -> RunBatch:
    """A run of `count` alerts with three quotes each."""
    quotes = tuple(quote(n, outlet=f"Outlet {n}") for n in range(3))
    return RunBatch(
        run_id="bench",
        now=NOW,
        articles=tuple(article(n) for n in range(count)),
        pulls=(pull(),),
        events=tuple(event(n) for n in range(count)),
        alerts=tuple(alert(n, evidence=quotes, told_at=NOW + timedelta(seconds=n)) for n in range(count)),
    )


def measured(url: str, table: dict[str, Any] | None, count: int, answer: Any) -> None:
    """Commit `count` alerts, deliver them to one sink, and send seconds and peak memory to `answer`."""
    made = batch(count)
    with Store.open(url) as store:
        sinks = sinks_of([settings_of(table, SECRETS)]) if table else []
        store.outbox.set_sinks(sink.name for sink in sinks)
        started = time.perf_counter()
        store.commit(made)
        committed = time.perf_counter() - started
        del made
        started = time.perf_counter()
        report = relay(store, sinks, NOW)
        relayed = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.put({"commit_s": committed, "relay_s": relayed, "delivered": report.delivered, "peak_mb": peak})


class _Mail:
    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802
        return "250 OK"


@contextmanager
def others(folder: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """Start what the sinks deliver to; gives the table of each sink that can be measured here."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        mail = Controller(_Mail(), hostname="127.0.0.1", port=_free_port())
        mail.start()
        stack.callback(mail.stop)
        tables: dict[str, dict[str, Any]] = {
            "jsonl": {"kind": "jsonl", "path": str(folder / "a.jsonl")},
            "atom (last 200)": {"kind": "atom", "path": str(folder / "a.atom")},
            "geojson": {"kind": "geojson", "path": str(folder / "a.geojson"), "keep": 1_000_000},
            "csv": {"kind": "csv", "path": str(folder / "a.csv"), "keep": 1_000_000},
            "cap": {"kind": "cap", "directory": str(folder / "cap")},
            "webhook": {"kind": "webhook", "url": receiver.url, "allow_private_networks": True},
            "email": {
                "kind": "email", "host": "127.0.0.1", "port": mail.port, "security": "none",
                "sender": "alerts@watch.example", "recipients": ["desk@agency.example"],
            },
        }  # fmt: skip
        if emulator_program():
            stack.enter_context(running_emulator())
            from pipeline.pubsub import setup

            setup("bench", "alerts", examples=False)
            tables["pubsub (emulator)"] = {"kind": "pubsub", "project": "bench", "topic": "alerts"}
        yield tables


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def in_process(work: Callable[..., None], *arguments: Any) -> dict[str, Any]:
    """Run `work` in a fresh process and return what it sends."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=work, args=(*arguments, answer))
    process.start()
    found: dict[str, Any] = answer.get(timeout=900)
    process.join()
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(machine())
    print(f"{count} alerts, {len(json.dumps(str(batch(1).alerts[0])))} characters each as a record")
    print(f"{'':22}{'seconds':>9}{'alerts/s':>10}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as name, others(Path(name)) as tables:
        stores = {"commit, SQLite": f"sqlite:///{name}/plain.sqlite"}
        with ExitStack() as stack:
            programs = server_programs()
            if programs:
                stores["commit, PostgreSQL"] = stack.enter_context(postgres_server(programs))
            for label, url in stores.items():
                found = in_process(measured, url, None, count)
                show(label, found["commit_s"], count, found["peak_mb"])
        for number, (label, table) in enumerate(tables.items()):
            found = in_process(measured, f"sqlite:///{name}/{number}.sqlite", table, count)
            show(label, found["relay_s"], found["delivered"], found["peak_mb"])


def show(label: str, seconds: float, count: int, peak: float) -> None:
    """Print one line of the table."""
    print(f"{label:22}{seconds:9.2f}{count / seconds:10.0f}{peak:9.0f}")


if __name__ == "__main__":
    main()
