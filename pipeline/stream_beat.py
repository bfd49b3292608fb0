"""The pulse of a stream: every few minutes a summary of what it did since the last one, as of a bounded run.

So probes, `trucewatch healthcheck`, the dashboard and the alert rules judge a stream as they judge runs.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from apache_beam.runners.runner import PipelineResult

from pipeline.config import Config
from pipeline.relay import RelayReport
from pipeline.run import counters_of, distributions_of, summary_of
from pipeline.store.store import Store
from pipeline.summary import Distribution, RunSummary
from transforms.model import Alert
from transforms.sinks.streaming import STREAM

BEAT_S = 60.0


class Pulse:
    """Tells, at most every `BEAT_S` seconds, what the stream did since."""

    def __init__(
        self, config: Config, store: Store, tell: Callable[[RunSummary, Sequence[Alert]], None] = lambda *_: None
    ) -> None:
        """Start to count.

        Args:
            config: Of the stream.
            store: Where summaries are kept.
            tell: Told of each summary, with the alerts raised since the last one.
        """
        self._config = config
        self._store = store
        self._tell = tell
        self._last = time.monotonic()
        self._counters: Mapping[str, int] = {}
        self._distributions: Mapping[str, Distribution] = {}
        self._alerts: list[Alert] = []

    def beat(self, result: PipelineResult, alerts: Sequence[Alert], *, now: bool = False) -> None:
        """Note `alerts`, and tell if it is time or `now` is set."""
        self._alerts += alerts
        passed = time.monotonic() - self._last
        if passed < BEAT_S and not now:
            return
        if getattr(result, "_metrics", None) is not None:
            result._metrics = None  # Beam asks the engine only once
        counters, distributions = counters_of(result), distributions_of(result)
        measured = {name: found.since(self._distributions.get(name)) for name, found in distributions.items()}
        since = {name: n - self._counters.get(name, 0) for name, n in counters.items()}
        moment = datetime.now(UTC)
        run_id = f"{STREAM}/beat/{moment:%Y%m%dT%H%M%S}"
        told = summary_of(
            self._config, self._store, run_id, moment, _some(since), self._alerts, RelayReport(), ended=False
        )
        told = dataclasses.replace(told, distributions={name: one for name, one in measured.items() if one.count})
        self._store.add_summary(run_id, msgspec.json.encode(told).decode(), moment)
        self._tell(told, self._alerts)
        self._counters, self._distributions = counters, distributions
        self._alerts, self._last = [], time.monotonic()


def _some(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in counters.items() if n > 0}
