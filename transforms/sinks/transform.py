"""The Beam face of the sinks: everything of a run meets in one place and is committed in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import apache_beam as beam

from transforms.counters import count
from transforms.sinks.commit import CommitResult, Committer, RunBatch

STAGE = "sinks"
INPUTS = ("articles", "pulls", "events", "alerts", "failures")
_KEY = "run"


class WriteAlerts(beam.PTransform):
    """Commits what a bounded run made; gives `{"committed": CommitResult}`.

    Takes a dict of PCollections `articles`, `pulls`, `events`, `alerts` and `failures`. The commit happens also where
    all of them are empty, so that every run leaves a row. A bundle tried again commits nothing a second time: the
    batch is recognised by its run.
    """

    def __init__(self, committer_factory: Callable[[], Committer], run_id: str, now: datetime) -> None:
        """Keep what a worker needs to commit; `committer_factory` is pickled and called there."""
        super().__init__()
        self._committer_factory = committer_factory
        self._run_id = run_id
        self._now = now

    def expand(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Bring all inputs under one key and commit them."""
        pipeline = next(iter(inputs.values())).pipeline
        tagged = [inputs[name] | f"Tag {name}" >> beam.Map(_tagged, name) for name in INPUTS if name in inputs]
        # Without this element a run that found nothing would not reach the commit.
        start = pipeline | "Begin" >> beam.Create([(_KEY, ("begin", None))])
        together = (start, *tagged) | "Together" >> beam.Flatten() | "As one" >> beam.GroupByKey()
        commit = _Commit(self._committer_factory, self._run_id, self._now)
        return {"committed": together | "Commit" >> beam.ParDo(commit)}


def _tagged(record: Any, name: str) -> tuple[str, tuple[str, Any]]:
    return _KEY, (name, record)


def batch_of(records: Iterable[tuple[str, Any]], run_id: str, now: datetime) -> RunBatch:
    """Return the batch of tagged `records`, each kind in an order that does not depend on the runner."""
    kinds: dict[str, list[Any]] = {name: [] for name in INPUTS}
    for name, record in records:
        if name in kinds:
            kinds[name].append(record)
    return RunBatch(
        run_id=run_id,
        now=now,
        articles=tuple(
            sorted(kinds["articles"], key=lambda article: (article.feed, article.published, article.item_id))
        ),
        pulls=tuple(sorted(kinds["pulls"], key=lambda pull: pull.feed)),
        events=tuple(sorted(kinds["events"], key=lambda event: event.event_id)),
        alerts=tuple(sorted(kinds["alerts"], key=lambda alert: (alert.first_seen, alert.event_id, alert.revision))),
        failures=tuple(sorted(kinds["failures"], key=lambda failure: (failure.stage, failure.input_id, failure.kind))),
    )


class _Commit(beam.DoFn):
    """Commits the one group there is."""

    def __init__(self, committer_factory: Callable[[], Committer], run_id: str, now: datetime) -> None:
        self._committer_factory = committer_factory
        self._run_id = run_id
        self._now = now

    def process(self, group: tuple[str, Iterable[tuple[str, Any]]]) -> Iterable[CommitResult]:
        """Commit; an error ends the run, nothing being written, and the next run repeats it."""
        batch = batch_of(group[1], self._run_id, self._now)
        committer = self._committer_factory()
        try:
            result = committer.commit(batch)
        finally:
            close = getattr(committer, "close", None)
            if close is not None:
                close()
        count(STAGE, "in", len(batch.alerts))
        count(STAGE, "out", len(batch.alerts) - len(result.already_told))
        count(STAGE, "dropped.already_told", len(result.already_told))
        count(STAGE, "made", result.queued)
        yield result
