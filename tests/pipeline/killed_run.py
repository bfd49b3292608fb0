"""Run the command line in a process that kills itself at a named point: `killed_run.py POINT ARGUMENT...`.

The points are made here, by wrapping functions from outside; the product knows nothing of them.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def die(*_: Any, **__: Any) -> Any:
    """End this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(function: Callable[..., Any], call: int = 1) -> Callable[..., Any]:
    """Die when `function` is called for the `call`-th time."""
    calls = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            die()
        return function(*args, **kwargs)

    return wrapped


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Die when `function` has returned for the first time."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        die()

    return wrapped


def torn(function: Callable[..., Any]) -> Callable[..., Any]:
    """For `os.pwrite`: write half of what is given, then die."""

    def wrapped(handle: int, data: bytes, at: int) -> Any:
        function(handle, bytes(data)[: max(1, len(data) // 2)], at)
        os.fsync(handle)
        die()

    return wrapped


# Name of the point: (module, attribute path, how it is wrapped).
POINTS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "in fetch": ("transforms.ingest.fetch", "Fetcher.fetch", lambda f: before(f, 4)),
    "after fetch": ("transforms.ingest.transform", "pull_feeds", after),
    "in detect": ("transforms.detect.detector", "Detector.detect", before),
    "after detect": ("transforms.detect.detector", "Detector.detect", after),
    "in deduplicate": ("transforms.deduplicate.block", "decision", before),
    "in alert": ("transforms.alert.telling", "raise_alert", lambda f: before(f, 3)),
    "before commit": ("pipeline.store.store", "Store.commit", before),
    "in commit": ("pipeline.store.commit", "enqueue", before),
    "after commit": ("pipeline.store.store", "Store.commit", after),
    "before jsonl": ("transforms.sinks.jsonl", "JsonlSink.deliver", before),
    "torn jsonl": ("os", "pwrite", torn),
    "after jsonl": ("transforms.sinks.jsonl", "JsonlSink.deliver", after),
    "in atom": ("transforms.sinks.atom", "AtomSink.deliver", before),
    "after atom": ("transforms.sinks.atom", "AtomSink.deliver", after),
    "before settling": ("pipeline.store.outbox", "Outbox.settle", before),
}

# The same for a stream, which calls some of them from elsewhere, and commits several times.
STREAM_POINTS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "after fetch": ("transforms.ingest.streaming", "pull_feeds", after),
    "in the first commit": POINTS["in commit"],
    "after the first commit": POINTS["after commit"],
    "before the first poll is settled": ("transforms.sinks.streaming", "batch_of", before),
    "before the third commit": ("pipeline.store.store", "Store.commit", lambda f: before(f, 3)),
}


def arm(point: str) -> None:
    """Wrap the function of `point`; a torn write waits until the JSONL sink writes."""
    module_name, path, wrap = (STREAM_POINTS if "stream" in sys.argv else POINTS)[point]
    module = importlib.import_module(module_name)
    if point == "torn jsonl":
        sink = importlib.import_module("transforms.sinks.jsonl").JsonlSink
        deliver, write = sink.deliver, os.pwrite

        def tearing(self: Any, batch: Any) -> Any:
            os.pwrite = torn(write)
            return deliver(self, batch)

        sink.deliver = tearing
        return
    *parents, name = path.split(".")
    owner: Any = module
    for parent in parents:
        owner = getattr(owner, parent)
    setattr(owner, name, wrap(getattr(owner, name)))


if __name__ == "__main__":
    arm(sys.argv[1])
    from pipeline.cli import main

    sys.argv = ["trucewatch", *sys.argv[2:]]
    main()
