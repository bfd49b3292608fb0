"""Runs that are killed again and again: commit and delivery in child processes, ended by SIGKILL.

Each run reads which items of an invented world are new to the store, tells an alert for each, commits and relays. The
process that kills forks its children, so that a round takes milliseconds. Points and mutants are made here, by wrapping
functions from outside; the product knows nothing of them.

    python -m tests.pipeline.store.killed_delivery PLAN.json   prints what was lost or doubled, as JSON
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pipeline import relay as relay_module
from pipeline.relay import RetrySettings, relay
from pipeline.store import commit as commit_module
from pipeline.store.outbox import Outbox, Settlement
from pipeline.store.store import Store
from tests.transforms.sinks.made import NOW, alert, article, event, pull
from transforms.failures import StoreBusyError
from transforms.sinks import files
from transforms.sinks.base import Sink
from transforms.sinks.commit import CommitResult, RunBatch
from transforms.sinks.jsonl import JsonlSink
from transforms.sinks.pubsub import library
from transforms.sinks.registry import sinks_of
from transforms.sinks.settings import settings_of

PER_RUN = 3  # new items that each run finds
_SOON = RetrySettings(delays=(relay_module.timedelta(seconds=1),) * 1000, breaker_after=10**6)


def run(plan: dict[str, Any], number: int, wrap: Callable[[list[Sink]], None] = lambda _: None) -> None:
    """One run at step `number` of the world."""
    now = NOW + relay_module.timedelta(minutes=number)
    sinks = sinks_of(settings_of(each, plan.get("environ", {})) for each in plan["sinks"])
    wrap(sinks)
    with Store.open(plan["url"]) as store, _patient(store):
        store.outbox.set_sinks(sink.name for sink in sinks)
        items = [f"item-{n}" for n in range(PER_RUN * (number + 1))]
        known = store.seen().known("courier", items)
        new = [n for n, item in enumerate(items) if item not in known]
        store.commit(
            RunBatch(
                run_id=f"run-{number}-{os.getpid()}-{time.monotonic_ns()}",
                now=now,
                articles=tuple(article(n) for n in new),
                pulls=(pull(),),
                events=tuple(event(n) for n in new),
                alerts=tuple(told(n) for n in new),
            )
        )
        relay(store, sinks, now, _SOON)


def told(n: int) -> Any:
    """The alert of item `n`, with a place of its own by which every sink's output is recognised."""
    return alert(
        n, places=(replace(alert().places[0], label=f"Village{n:05d}"),), ceasefire_id="", killed=alert().injured
    )


def _patient(store: Store) -> Any:
    """PostgreSQL notices a killed client after a moment; until then its lock is held."""
    end = time.monotonic() + 20
    while True:
        lock = store.lock()
        try:
            lock.__enter__()
        except StoreBusyError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return _Held(lock)


class _Held:
    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        self._lock.__exit__(*error)


# Points


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def before(owner: Any, name: str, call: int = 1) -> None:
    """Die when `owner.name` is called for the `call`-th time."""
    original, calls = getattr(owner, name), Counter[str]()

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        calls["n"] += 1
        return die() if calls["n"] == call else original(*args, **kwargs)

    setattr(owner, name, wrapped)


def after(owner: Any, name: str, call: int = 1) -> None:
    """Die when `owner.name` has returned for the `call`-th time."""
    original, calls = getattr(owner, name), Counter[str]()

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        calls["n"] += 1
        return die() if calls["n"] == call else result

    setattr(owner, name, wrapped)


def torn_line() -> None:
    """Die with half of the lines written."""
    original = os.pwrite

    def wrapped(handle: int, data: Any, at: int) -> int:
        original(handle, bytes(data)[: len(data) * 2 // 3], at)
        os.fsync(handle)
        return int(die() or 0)

    os.pwrite = wrapped


def torn_file() -> None:
    """Die before a finished draft takes the place of a file."""
    Path.replace = die  # type: ignore[method-assign]


POINTS: dict[str, Callable[[], None]] = {
    "before the commit": lambda: before(Store, "commit"),
    "commit: nothing written yet": lambda: before(commit_module, "upsert", 1),
    "commit: articles marked seen": lambda: after(commit_module, "upsert", 1),
    "commit: events written": lambda: after(commit_module, "upsert", 2),
    "commit: alerts written": lambda: before(commit_module, "enqueue"),
    "commit: outbox written": lambda: after(commit_module, "enqueue"),
    "commit: all written, not committed": lambda: after(commit_module, "write"),
    "after the commit": lambda: after(Store, "commit"),
    "before the relay": lambda: before(sys.modules[__name__], "relay"),
    "relay: before each sink's first batch": lambda: before(Outbox, "due", 1),
    "relay: at the second sink or batch": lambda: before(Outbox, "due", 3),
    "relay: delivered, not settled": lambda: before(Outbox, "settle", 1),
    "relay: second sink delivered, not settled": lambda: before(Outbox, "settle", 2),
    "relay: last sink delivered, not settled": lambda: before(Outbox, "settle", 5),
    "relay: settled": lambda: after(Outbox, "settle", 1),
    "line torn": torn_line,
    "line written": lambda: after(JsonlSink, "append", 1),
    "draft not in place": torn_file,
    "file in place": lambda: after(files, "sync_directory", 1),
}


# Mutants: the mistakes that this test must catch


def between() -> None:
    """What a mutant calls between its two steps; a moment in which to be killed."""
    time.sleep(0.05)


def mark_seen_first() -> None:
    """Articles are marked as seen in a transaction of their own, before their alerts are written."""
    original = Store.commit

    def commit(self: Store, batch: RunBatch) -> CommitResult:
        original(self, replace(batch, run_id=batch.run_id + "-seen", alerts=(), events=()))
        between()
        return original(self, batch)

    Store.commit = commit  # type: ignore[method-assign]


def settle_first() -> None:
    """The outbox is settled before the sink has taken the batch."""
    original = relay_module._Relay._deliver

    def deliver(self: Any, queued: Any) -> bool:
        self.outbox.settle(self.state, Settlement(delivered=tuple(row.number for row in queued)), self.now)
        between()
        return original(self, queued)

    relay_module._Relay._deliver = deliver  # type: ignore[method-assign]


def append_blindly() -> None:
    """Lines are written without looking for their ids."""
    JsonlSink._ids = lambda self, handle, end: frozenset()  # type: ignore[method-assign,misc,assignment]


MUTANTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "mark seen first": mark_seen_first,
    "settle first": settle_first,
    "append blindly": append_blindly,
}


MUTANT_POINTS: dict[str, Callable[[], None]] = {"between": lambda: before(sys.modules[__name__], "between")}


# Rounds


def child(plan: dict[str, Any], number: int, arm: Callable[[], None], kill_after: float | None = None) -> bool:
    """Run step `number` in a child; return whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            MUTANTS[plan["mutant"]]()
            arm()
            run(plan, number)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child of a fork must not go on as its parent
            import traceback

            traceback.print_exc()
            os._exit(70)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit(f"a run failed at step {number}: see above")
    return os.WIFSIGNALED(status)


def rounds(plan: dict[str, Any]) -> dict[str, Any]:
    """Kill at each point named and at random moments, up to twice before each run that is left alone."""
    if any(sink["kind"] == "pubsub" for sink in plan["sinks"]):
        library()  # once here, not in every child
    chance = random.Random(plan.get("seed", 1))
    number, killed, hit = 0, 0, []
    child(plan, number, lambda: None)
    started = time.monotonic()
    number += 1
    child(plan, number, lambda: None)
    usual = time.monotonic() - started
    for point in plan["points"]:
        number += 1
        if child(plan, number, {**POINTS, **MUTANT_POINTS}[point]):
            killed += 1
            hit.append(point)
        child(plan, number, lambda: None)
    for _ in range(plan["moments"]):
        number += 1
        for _ in range(chance.choice((1, 1, 2))):
            killed += child(plan, number, lambda: None, kill_after=chance.uniform(0, usual * 1.1))
        if chance.random() < 0.5:
            child(plan, number, lambda: None)
    # Retries are due a second after a failure; two more runs bring in whatever waits.
    for _ in range(2):
        number += 1
        child(plan, number, lambda: None)
    return {"killed": killed, "hit": hit, **account(plan, PER_RUN * (number + 1))}


def account(plan: dict[str, Any], items: int) -> dict[str, Any]:
    """Compare what the world told with what each keeper of alerts holds."""
    wanted = [told(n).alert_id for n in range(items)]
    villages = [f"Village{n:05d}" for n in range(items)]
    with Store.open(plan["url"]) as store:
        held: dict[str, tuple[list[str], list[str]]] = {
            "store": (wanted, [each.alert_id for each in store.alerts()]),
            "events": ([each.rsplit(".", 1)[0] for each in wanted], [each.event_id for each in store.events()]),
        }
        waiting = {state.name: state.waiting + state.undeliverable for state in store.outbox.states()}
    for sink in plan["sinks"]:
        kind = sink["kind"]
        if kind == "jsonl":
            lines = Path(sink["path"]).read_bytes().splitlines()
            held[kind] = (wanted, [json.loads(line)["id"] for line in lines])
        elif kind == "csv":
            with Path(sink["path"]).open(encoding="utf-8", newline="") as file:
                held[kind] = (villages, [row["location"] for row in list(csv.DictReader(file))[1:]])
        elif kind == "geojson":
            features = json.loads(Path(sink["path"]).read_bytes())["features"]
            held[kind] = (villages, [each["properties"]["places"][0] for each in features])
        elif kind == "atom":
            ids = [each.text or "" for each in ET.parse(sink["path"]).getroot().iter("{http://www.w3.org/2005/Atom}id")]
            kept = [each.rsplit(":", 1)[1] for each in ids[1:]]
            held[kind] = ([each.rsplit(".", 1)[0] for each in wanted], kept)
        elif kind == "cap":
            held[kind] = (wanted, [path.stem for path in Path(sink["directory"]).glob("*.xml")])
    return {
        "items": items,
        "waiting": waiting,
        "lost": {name: len(set(want) - set(have)) for name, (want, have) in held.items()},
        "doubled": {name: len(have) - len(set(have)) for name, (want, have) in held.items()},
        "strange": {name: len(set(have) - set(want)) for name, (want, have) in held.items()},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(rounds(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
