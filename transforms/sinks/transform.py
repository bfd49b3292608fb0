"""The Beam face of the sinks: everything of a run meets in one place and is committed in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import apache_beam as beam

from transforms.counters import count
from transforms.sinks.commit import CommitResult, Committer, RunBatch

STAGE = "sinks"
INPUTS = ("articles", "pulls", "events", "alerts", "failures")
_WHOLE = ""
_END = "end"


class WriteAlerts(beam.PTransform):
    """Commits what a bounded run made; gives `{"committed": CommitResult}`.

    Takes a dict of PCollections `articles`, `pulls`, `events`, `alerts` and `failures`. The commit happens also where
    all of them are empty, so that every run leaves a row. A bundle tried again commits nothing a second time: the
    batch is recognised by its run.
    """

    def __init__(
        self, committer_factory: Callable[[], Committer], run_id: str, now: datetime, *, by_country: bool = False
    ) -> None:
        """Keep what a worker needs to commit.

        Args:
            committer_factory: Pickled, and called in the worker.
            run_id: Names the run.
            now: The run's clock.
            by_country: For runs too large for one transaction: events and alerts are committed country by country,
                and articles and feed states after all of them. A run that dies between is made good by the next,
                since nothing was marked as read.
        """
        super().__init__()
        self._committer_factory = committer_factory
        self._run_id = run_id
        self._now = now
        self._by_country = by_country

    def expand(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Bring the inputs under one key, or under one a country, and commit them."""
        commit = _Commit(self._committer_factory, self._run_id, self._now)
        pipeline = next(iter(inputs.values())).pipeline
        tagged = {
            name: inputs[name] | f"Tag {name}" >> beam.Map(_tagged, name, self._by_country)
            for name in INPUTS
            if name in inputs
        }
        # Without this element a run that found nothing would not reach the commit.
        last = _END if self._by_country else _WHOLE
        start = pipeline | "Begin" >> beam.Create([(last, ("begin", None))])
        if not self._by_country:
            together = (start, *tagged.values()) | "Together" >> beam.Flatten() | "As one" >> beam.GroupByKey()
            return {"committed": together | "Commit" >> beam.ParDo(commit)}
        told = [tagged.pop(name) for name in ("events", "alerts") if name in tagged]
        parts = told | "Told" >> beam.Flatten() | "By country" >> beam.GroupByKey()
        committed = parts | "Commit countries" >> beam.ParDo(commit)
        rest = (start, *tagged.values()) | "Rest" >> beam.Flatten() | "Rest as one" >> beam.GroupByKey()
        # The side input makes the end wait for every country.
        end = rest | "Commit end" >> beam.ParDo(commit, beam.pvalue.AsList(committed))
        return {"committed": (committed, end) | "Committed" >> beam.Flatten()}


def _tagged(record: Any, name: str, by_country: bool) -> tuple[str, tuple[str, Any]]:
    if not by_country:
        return _WHOLE, (name, record)
    return (record.country if name in ("events", "alerts") else _END), (name, record)


def batch_of(records: Iterable[tuple[str, Any]], run_id: str, now: datetime, part: str = "") -> RunBatch:
    """Return the batch of tagged `records`, each kind in an order that does not depend on the runner."""
    kinds: dict[str, list[Any]] = {name: [] for name in INPUTS}
    for name, record in records:
        if name in kinds:
            kinds[name].append(record)
    return RunBatch(
        run_id=run_id,
        part=part,
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
    """Commits one group: the whole run, or a part of it."""

    def __init__(self, committer_factory: Callable[[], Committer], run_id: str, now: datetime) -> None:
        self._committer_factory = committer_factory
        self._run_id = run_id
        self._now = now

    def process(
        self, group: tuple[str, Iterable[tuple[str, Any]]], after: Sequence[CommitResult] = ()
    ) -> Iterable[CommitResult]:
        """Commit; an error ends the run, nothing of the group being written, and the next run repeats it."""
        batch = batch_of(group[1], self._run_id, self._now, group[0])
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
