"""Local continuous operation: bounded runs in a loop, in one process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.config import Config
from pipeline.options import DEFAULT_RUNNER
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import RunResult
from transforms.failures import StoreBusyError

log = logging.getLogger("trucewatch")


def watch_feeds(
    config: Config,
    store: Store,
    every: timedelta,
    stop: threading.Event,
    *,
    limit: int = 0,
    runner: str = DEFAULT_RUNNER,
    beam_flags: Sequence[str] = (),
) -> Iterator[RunResult]:
    """Yield the result of run after run, started `every` apart, until `stop` is set or `limit` runs are done.

    A run that finds the store busy is left out, not queued; `stop` takes effect between runs.
    """
    done = 0
    while not stop.is_set():
        started = time.monotonic()
        try:
            yield run_once(config, store, datetime.now(UTC), runner=runner, beam_flags=beam_flags, due_only=True)
        except StoreBusyError as error:
            log.warning("run left out: %s", error)
        done += 1
        if limit and done >= limit:
            return
        stop.wait(max(0.0, every.total_seconds() - (time.monotonic() - started)))
