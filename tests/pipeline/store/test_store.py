"""What the store promises: all of a run or nothing, once, and found again as it was."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.store import commit as writer
from pipeline.store import database
from pipeline.store.store import Store
from pipeline.store.tables import METADATA
from tests.transforms.sinks.made import HOSTILE, NOW, alert, article, batch, event, failure, pull
from transforms.failures import StoreError
from transforms.model import Family, Stage


def counts(store: Store) -> dict[str, int]:
    with store._engine.connect() as connection:
        return {
            name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
        }


def test_what_is_committed_is_found_again(store: Store) -> None:
    store.outbox.set_sinks(["jsonl", "webhook"])
    state = replace(pull().state, last_success=NOW, items_mean=2.5, muted_reason="gone")
    run = batch("r1", (1, 2), failures=(failure(),), pulls=(replace(pull(), state=state),))
    result = store.commit(run)
    assert (result.articles, result.events, result.alerts, result.failures, result.queued) == (2, 2, 2, 1, 4)
    assert store.events() == list(run.events)
    assert store.alerts() == list(run.alerts)
    assert store.feed_states() == {"courier": state}
    assert [row.failure for row in store.failures()] == list(run.failures)
    assert store.seen().known("courier", ["item-1", "item-2", "item-3"]) == {"item-1": "h1", "item-2": "h2"}
    assert store.seen().known("other", ["item-1"]) == {}
    assert [row.result for row in store.run_rows()] == [result]
    assert [row.alert for row in store.outbox.due("webhook", NOW, 10)] == list(run.alerts)


def test_the_same_batch_again_is_written_once(store: Store) -> None:
    store.outbox.set_sinks(["jsonl"])
    first = store.commit(batch("r1", failures=(failure(),)))
    before = counts(store)
    again = store.commit(batch("r1", failures=(failure(),)))
    assert again == replace(first, repeated=True)
    assert counts(store) == before


def test_an_alert_told_by_an_earlier_run_is_not_told_again(store: Store) -> None:
    store.outbox.set_sinks(["jsonl"])
    store.commit(batch("r1", (1, 2)))
    result = store.commit(batch("r2", (2, 3)))
    assert (result.alerts, result.already_told, result.queued) == (1, ("e000002.1",), 1)
    assert counts(store)["alerts"] == counts(store)["outbox"] == 3


@pytest.mark.parametrize("step", ["_event_row", "_alert_row", "enqueue", "_feed_row", "_failure_row", "as_json"])
def test_a_commit_that_fails_midway_leaves_nothing(step: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.outbox.set_sinks(["jsonl"])
    before = counts(store)

    def fail(*_: Any) -> Any:
        raise RuntimeError("power cut")

    monkeypatch.setattr(writer, step, fail)
    with pytest.raises(RuntimeError, match="power cut"):
        store.commit(batch("r1", failures=(failure(),)))
    monkeypatch.undo()
    assert counts(store) == before
    assert store.commit(batch("r1", failures=(failure(),))).alerts == 1


def test_an_event_is_replaced_by_its_later_state(store: Store) -> None:
    store.commit(batch("r1"))
    later = event(1, 2, closed=True, last_seen=NOW)
    store.commit(batch("r2", (), events=(later,), alerts=(alert(1, 2),)))
    assert store.events() == [later]
    assert [each.revision for each in store.alerts()] == [1, 2]
    assert [each.revision for each in store.alerts(last_revision_only=True)] == [2]
    assert store.open_events(NOW) == []


def test_open_events_are_those_that_may_still_grow(store: Store) -> None:
    silent = event(2, last_seen=NOW - timedelta(days=200), first_seen=NOW - timedelta(days=200))
    store.commit(batch("r1", (), events=(event(1), silent, event(3, closed=True)), alerts=()))
    assert [each.event_id for each in store.open_events(NOW)] == ["e000001"]


def test_filters(store: Store) -> None:
    truce = {"family": Family.CEASEFIRE, "stage": Stage.AGREED, "means": None}
    events = (event(1), event(2, **truce, country="LY"), event(3, superseded_by="e000001"))
    alerts = (alert(1), alert(2, **truce, country="LY", told_at=NOW + timedelta(days=1)))
    store.commit(batch("r1", (), events=events, alerts=alerts))
    assert [each.event_id for each in store.ceasefire_events()] == ["e000002"]
    assert [each.event_id for each in store.events(country="SY")] == ["e000001"]
    assert len(store.events(superseded=True)) == 3
    assert store.events(family="hostility") == []
    assert [each.event_id for each in store.events(event_ids=["e000001", "e000003"])] == ["e000001"]
    assert store.events(since=NOW + timedelta(days=1)) == []
    assert [each.event_id for each in store.alerts(family="ceasefire")] == ["e000002"]
    assert [each.event_id for each in store.alerts(until=NOW + timedelta(hours=1))] == ["e000001"]
    assert [each.event_id for each in store.alerts(since=NOW + timedelta(hours=1))] == ["e000002"]
    assert [each.event_id for each in store.alerts(limit=1)] == ["e000002"]
    assert len(store.alerts(run_id="r1")) == 2
    assert store.alerts(run_id="r2") == []


def test_failures_are_listed_until_they_are_replayed(store: Store) -> None:
    store.commit(batch("r1", (), failures=(failure(1), failure(2))))
    first, second = store.failures()
    store.mark_replayed([first.number], NOW)
    assert [row.number for row in store.failures(stage="detect")] == [second.number]
    assert [row.replayed for row in store.failures(replayed=True)] == [NOW, None]
    assert store.failures(stage="ingest") == []


def test_hostile_text_is_stored_and_found(store: Store) -> None:
    strange = article(1, item_id=HOSTILE * 100, title=HOSTILE, url=HOSTILE)
    bad = replace(failure(), message=HOSTILE, payload=HOSTILE)
    told = alert(1, ceasefire_name=HOSTILE)
    store.commit(batch("r1", (), articles=(strange,), failures=(bad,), alerts=(told,)))
    assert store.seen().known("courier", [HOSTILE * 100]) == {HOSTILE * 100: "h1"}
    assert len(store.alerts()) == len(store.failures()) == 1


def test_many_ids_are_looked_up_at_once(store: Store) -> None:
    store.commit(batch("r1", range(1200), events=(), alerts=()))
    known = store.seen().known("courier", [f"item-{n}" for n in range(3000)])
    assert len(known) == 1200


def test_the_look_up_travels_to_workers(store: Store) -> None:
    store.commit(batch("r1"))
    seen = store.seen()
    assert seen.known("courier", ["item-1"])
    assert pickle.loads(pickle.dumps(seen)).known("courier", ["item-1"]) == {"item-1": "h1"}
    with pickle.loads(pickle.dumps(store.committer()))() as opened:
        assert opened.commit(batch("r1")).repeated


def test_summaries_are_kept_with_their_run(store: Store) -> None:
    store.commit(batch("r1"))
    store.add_summary("r1", '{"feeds": 3}', NOW)
    store.add_summary("r2", "{}", NOW + timedelta(minutes=1))
    assert [(row.run_id, row.summary, row.result.alerts) for row in store.run_rows()] == [
        ("r2", "{}", 0),
        ("r1", '{"feeds": 3}', 1),
    ]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.tuples(st.integers(1, 4), st.sets(st.integers(1, 8))), max_size=8))
def test_however_batches_are_repeated_and_overlap_each_alert_is_stored_once(
    runs: list[tuple[int, set[int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On SQLite only: the law is one of the statements, which both databases share."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('law')}/s.sqlite") as store:
        store.outbox.set_sinks(["jsonl"])
        told: set[int] = set()
        done: set[int] = set()
        for number, alerts in runs:
            store.commit(batch(f"r{number}", sorted(alerts)))
            told |= alerts if number not in done else set()
            done.add(number)
        assert sorted(each.event_id for each in store.alerts()) == sorted(f"e{n:06d}" for n in told)
        assert len(store.outbox.rows(status="waiting")) == len(told)


# Versions


def test_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    with store._engine.connect() as connection:
        options = {"version_table": "trucewatch_version", "compare_type": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    assert differences == []


def test_the_last_migration_is_the_version_of_the_code() -> None:
    scripts = ScriptDirectory(str(Path(database.__file__).with_name("migrations")))
    assert scripts.get_current_head() == database.SCHEMA_VERSION
    assert {script.revision for script in scripts.walk_revisions()} == database.KNOWN_VERSIONS


def test_a_store_is_opened_again_as_it_was(url: str) -> None:
    with Store.open(url) as store:
        store.commit(batch("r1"))
    with Store.open(url) as store:
        assert len(store.alerts()) == 1


def test_a_newer_store_is_left_alone(url: str) -> None:
    with Store.open(url) as store, store._engine.begin() as connection:
        connection.execute(sa.text("UPDATE trucewatch_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version 9999; upgrade trucewatch"):
        Store.open(url)
