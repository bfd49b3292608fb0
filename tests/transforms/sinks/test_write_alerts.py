"""The Beam face: one transaction for whatever a run made, on each local runner, once even if a bundle is retried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter

from pipeline.store.store import Store
from tests.transforms.sinks.made import NOW, alert, article, event, failure, pull
from transforms.counters import NAMESPACE, imbalances
from transforms.sinks.commit import CommitResult, RunBatch
from transforms.sinks.transform import WriteAlerts

RUNNERS = ["FnApiRunner", "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"]
EMPTY: dict[str, list[Any]] = {"articles": [], "pulls": [], "events": [], "alerts": [], "failures": []}
FULL = EMPTY | {
    "articles": [article(1), article(2)],
    "pulls": [pull()],
    "events": [event(1), event(2)],
    "alerts": [alert(2), alert(1)],
    "failures": [failure()],
}


class FailsOnce:
    """Makes committers that fail the first time: after they have written, where `late`."""

    def __init__(self, url: str, marker: Path, *, late: bool) -> None:
        self._url, self._marker, self._late = url, marker, late

    def __call__(self) -> FailsOnce:
        return self

    def commit(self, batch: RunBatch) -> CommitResult:
        first = not self._marker.exists()
        self._marker.touch()
        if first and not self._late:
            raise RuntimeError("the worker dies")
        with Store.open(self._url) as store:
            result = store.commit(batch)
        if first:
            raise RuntimeError("the worker dies")
        return result


def counters(result: Any) -> dict[str, int]:
    rows = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    return {row.key.metric.name: row.committed or 0 for row in rows}


def write(
    inputs: dict[str, list[Any]], committer: Any, run_id: str = "r1", runner: str = RUNNERS[0], **options: Any
) -> Any:
    pipeline = beam.Pipeline(runner=runner)
    collections = {name: pipeline | f"Make {name}" >> beam.Create(rows) for name, rows in inputs.items()}
    made = collections | "Write" >> WriteAlerts(committer, run_id, NOW, **options)
    assert set(made) == {"committed"}
    result = pipeline.run()
    result.wait_until_finish()
    return result


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        opened.outbox.set_sinks(["jsonl", "webhook"])
        yield opened


@pytest.mark.parametrize("runner", RUNNERS)
def test_everything_of_a_run_is_one_batch(runner: str, store: Store) -> None:
    found = counters(write(FULL, store.committer(), runner=runner))
    assert found == {"sinks.in": 2, "sinks.out": 2, "sinks.made": 4}
    (row,) = store.run_rows()
    assert (row.result.articles, row.result.alerts, row.result.failures, row.result.queued) == (2, 2, 1, 4)
    assert [each.event_id for each in store.alerts()] == ["e000001", "e000002"]
    assert store.feed_states()["courier"].etag == '"v1"'


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_run_that_found_nothing_is_committed_too(runner: str, store: Store) -> None:
    assert counters(write(EMPTY, store.committer(), runner=runner)) == {}
    assert len(store.run_rows()) == 1


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_later_run_counts_what_was_told_already(runner: str, store: Store) -> None:
    write(FULL, store.committer(), runner=runner)
    found = counters(write(FULL | {"alerts": [alert(2), alert(3)]}, store.committer(), "r2", runner))
    assert (found["sinks.in"], found["sinks.out"], found["sinks.dropped.already_told"]) == (2, 1, 1)
    assert imbalances(found, ["sinks"]) == {}
    assert len(store.alerts()) == 3


@pytest.mark.parametrize("late", [False, True])
def test_a_bundle_that_is_retried_tells_once(late: bool, store: Store, tmp_path: Path) -> None:
    """The direct runner tries a bundle again; a worker may die before its commit, or after it and before saying so."""
    committer = FailsOnce(store.url, tmp_path / "failed", late=late)
    found = counters(write(FULL, committer, runner=RUNNERS[1]))
    assert len(store.alerts()) == 2
    assert len(store.failures()) == 1
    assert found["sinks.out"] == 2
    assert imbalances(found, ["sinks"]) == {}


def test_a_run_that_cannot_commit_fails_and_the_next_one_makes_good(store: Store, tmp_path: Path) -> None:
    committer = FailsOnce(store.url, tmp_path / "failed", late=False)
    with pytest.raises(RuntimeError, match="the worker dies"):
        write(FULL, committer)
    assert store.run_rows() == []
    write(FULL, committer, "r2")
    assert len(store.alerts()) == 2


BOTH = FULL | {
    "events": [event(1), event(2), event(3, country="LY")],
    "alerts": [alert(1), alert(2), alert(3, country="LY")],
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_large_run_is_committed_by_country(runner: str, store: Store) -> None:
    found = counters(write(BOTH, store.committer(), runner=runner, by_country=True))
    assert (found["sinks.in"], found["sinks.out"], found["sinks.made"]) == (3, 3, 6)
    rows = {row.part: row.result for row in store.run_rows()}
    assert {part: (row.alerts, row.articles) for part, row in rows.items()} == {
        "SY": (2, 0),
        "LY": (1, 0),
        "end": (0, 2),
    }


def test_a_large_run_that_dies_before_its_end_has_marked_nothing_as_read(store: Store, tmp_path: Path) -> None:
    class DiesAtTheEnd(FailsOnce):
        def commit(self, batch: RunBatch) -> CommitResult:
            if batch.part == "end":
                return super().commit(batch)
            with Store.open(self._url) as opened:
                return opened.commit(batch)

    committer = DiesAtTheEnd(store.url, tmp_path / "failed", late=False)
    with pytest.raises(RuntimeError, match="the worker dies"):
        write(BOTH, committer, by_country=True)
    assert len(store.alerts()) == 3
    assert store.seen().known("courier", ["item-1", "item-2"]) == {}
    write(BOTH, committer, "r2", by_country=True)
    assert len(store.alerts()) == 3
    assert len(store.outbox.rows(status="waiting")) == 6
    assert len(store.seen().known("courier", ["item-1", "item-2"])) == 2
