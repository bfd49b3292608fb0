"""Runs that all begin at once, in child processes: `python -m tests.pipeline.store.overlapping_runs PLAN.json`.

With `locked` each run takes the store's lock, as the command line does; without it only the UNIQUE constraints guard.
Prints, as JSON, how the runs ended and what the store and the file hold.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.relay import relay
from pipeline.store.store import Store
from tests.pipeline.store.killed_delivery import told
from tests.transforms.sinks.made import NOW, article, event, pull
from transforms.failures import StoreBusyError
from transforms.sinks.commit import RunBatch
from transforms.sinks.jsonl import JsonlSink, ids_in
from transforms.sinks.settings import JsonlSettings

TRY_LATER = 75
PER_ROUND = 4


def run(plan: dict[str, Any], number: int, worker: int) -> int:
    """One run; returns its exit code."""
    sink = JsonlSink(JsonlSettings(path=plan["path"]))
    items = range(PER_ROUND * (number + 1))
    try:
        with Store.open(plan["url"]) as store:
            if plan["locked"]:
                with store.lock():
                    _work(store, sink, number, worker, items)
            else:
                _work(store, sink, number, worker, items)
    except StoreBusyError:
        return TRY_LATER
    return 0


def _work(store: Store, sink: JsonlSink, number: int, worker: int, items: range) -> None:
    now = NOW + timedelta(minutes=number)
    store.outbox.set_sinks([sink.name])
    known = store.seen().known("courier", [f"item-{n}" for n in items])
    new = [n for n in items if f"item-{n}" not in known]
    new = new if worker % 2 else new[::-1]  # in another order, as two runs may well have it
    time.sleep(0.01)  # so that others, where no lock stops them, have read the same state
    store.commit(
        RunBatch(
            run_id=f"{number}-{worker}",
            now=now,
            articles=tuple(article(n) for n in new),
            pulls=(pull(),),
            events=tuple(event(n) for n in new),
            alerts=tuple(told(n) for n in new),
        )
    )
    relay(store, [sink], now)


def main(plan: dict[str, Any]) -> dict[str, Any]:
    """Let `workers` runs begin at once, `rounds` times; then one more, alone."""
    codes: Counter[str] = Counter()
    winners: list[int] = []
    for number in range(plan["rounds"]):
        gate, opened = os.pipe()
        children = []
        for worker in range(plan["workers"]):
            pid = os.fork()
            if pid == 0:
                os.close(opened)
                signal.alarm(100)
                os.read(gate, 1)  # returns when the parent closes its end
                code = 70
                try:
                    code = run(plan, number, worker)
                except BaseException:  # noqa: BLE001 - a child of a fork must not go on as its parent
                    import traceback

                    traceback.print_exc()
                os._exit(code)
            children.append(pid)
        os.close(gate)
        os.close(opened)
        ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        codes.update(map(str, ended))
        winners.append(ended.count(0))
    run(plan, plan["rounds"] - 1, 99)
    with Store.open(plan["url"]) as store:
        alerts = [each.alert_id for each in store.alerts()]
        delivered = len(store.outbox.rows(status="delivered", limit=10**6))
        waiting = len(store.outbox.rows(status="waiting", limit=10**6))
    lines = Path(plan["path"]).read_bytes()
    return {
        "codes": codes,
        "winners": winners,
        "wanted": PER_ROUND * plan["rounds"],
        "alerts": len(alerts),
        "lines": lines.count(b"\n"),
        "ids": len(ids_in(lines)),
        "delivered": delivered,
        "waiting": waiting,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
