"""Writing a run's batch: the statements of the one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from pipeline.store.codec import article_key, as_json, db_text, from_json
from pipeline.store.tables import ALERTS, ARTICLES, EVENTS, FAILURES, FEEDS, OUTBOX, RUNS, SINKS
from transforms.failures import Failure
from transforms.model import Alert, Article, Event
from transforms.sinks.commit import CommitResult, RunBatch

WAITING, DELIVERED, UNDELIVERABLE = "waiting", "delivered", "undeliverable"


def write(connection: Connection, batch: RunBatch) -> CommitResult:
    """Write `batch`, unless it was written before, inside the caller's transaction."""
    row = {"run_id": batch.run_id, "part": batch.part, "at": batch.now, "result": ""}
    if not insert_new(connection, RUNS, [row], RUNS.c.run_id):
        return _earlier(connection, batch)
    upsert(connection, ARTICLES, [_article_row(article, batch.run_id) for article in batch.articles])
    upsert(connection, EVENTS, [_event_row(event) for event in batch.events])
    new = insert_new(connection, ALERTS, [_alert_row(alert, batch.run_id) for alert in batch.alerts], ALERTS.c.alert_id)
    written = [alert.alert_id for alert in batch.alerts if alert.alert_id in new]
    queued = enqueue(connection, written, batch)
    upsert(connection, FEEDS, [_feed_row(pull.state, batch) for pull in batch.pulls])
    if batch.failures:
        connection.execute(sa.insert(FAILURES), [_failure_row(failure, batch.run_id) for failure in batch.failures])
    result = CommitResult(
        run_id=batch.run_id,
        part=batch.part,
        articles=len(batch.articles),
        pulls=len(batch.pulls),
        events=len(batch.events),
        alerts=len(new),
        failures=len(batch.failures),
        already_told=tuple(alert.alert_id for alert in batch.alerts if alert.alert_id not in new),
        queued=queued,
    )
    connection.execute(sa.update(RUNS).where(*_same_run(batch)).values(result=as_json(result)))
    return result


def enqueue(connection: Connection, alert_ids: Sequence[str], batch: RunBatch) -> int:
    """Put one row for each active sink and alert into the outbox; return how many."""
    names = connection.execute(sa.select(SINKS.c.name).where(SINKS.c.active).order_by(SINKS.c.name)).scalars().all()
    rows = [outbox_row(name, alert_id, batch.now) for alert_id in alert_ids for name in names]
    return len(insert_new(connection, OUTBOX, rows, OUTBOX.c.number))


def outbox_row(sink: str, alert_id: str, due: Any) -> dict[str, Any]:
    """Return a row that waits for its first delivery."""
    return {"sink": sink, "alert_id": alert_id, "status": WAITING, "attempts": 0, "due": due, "error": ""}


def insert_new(
    connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]], key: sa.Column[Any]
) -> set[Any]:
    """Insert those of `rows` that break no UNIQUE constraint; return the `key` of each that was written."""
    if not rows:
        return set()
    statement = _insert(connection, table).on_conflict_do_nothing().returning(key)
    return set(connection.execute(statement, list(rows)).scalars())


def upsert(connection: Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    """Insert `rows`, or put them in the place of those with the same primary key."""
    keys = [column.name for column in table.primary_key]
    unique = {tuple(row[key] for key in keys): row for row in rows}  # the last one of a batch counts
    if not unique:
        return
    statement = _insert(connection, table)
    values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    in_order = [unique[key] for key in sorted(unique)]  # two transactions that touch the same rows cannot deadlock
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), in_order)


def _insert(connection: Connection, table: sa.Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _same_run(batch: RunBatch) -> tuple[sa.ColumnElement[bool], ...]:
    return RUNS.c.run_id == batch.run_id, RUNS.c.part == batch.part


def _earlier(connection: Connection, batch: RunBatch) -> CommitResult:
    text = connection.execute(sa.select(RUNS.c.result).where(*_same_run(batch))).scalar_one()
    return replace(from_json(text, CommitResult), repeated=True)


def kind_of(record: Event | Alert) -> str:
    """Return the stage or the means."""
    return str(record.stage or record.means or "")


def _article_row(article: Article, run_id: str) -> dict[str, Any]:
    return {
        "article_key": article_key(article.feed, article.item_id),
        "feed": article.feed,
        "item_id": db_text(article.item_id),
        "content_hash": article.content_hash,
        "outlet": db_text(article.outlet),
        "url": db_text(article.url),
        "lang": article.lang,
        "title": db_text(article.title),
        "published": article.published,
        "fetched": article.fetched,
        "run_id": run_id,
        "data": as_json(article),
    }


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "family": event.family.value,
        "kind": kind_of(event),
        "country": event.country,
        "closed": event.closed,
        "superseded_by": event.superseded_by,
        "revision": event.revision,
        "first_seen": event.first_seen,
        "last_seen": event.last_seen,
        "data": as_json(event),
    }


def _alert_row(alert: Alert, run_id: str) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "event_id": alert.event_id,
        "revision": alert.revision,
        "change": alert.change.value,
        "family": alert.family.value,
        "kind": kind_of(alert),
        "country": alert.country,
        "told_at": alert.told_at,
        "run_id": run_id,
        "data": as_json(alert),
    }


def _feed_row(state: Any, batch: RunBatch) -> dict[str, Any]:
    return {"feed": state.feed, "updated": batch.now, "data": as_json(state)}


def _failure_row(failure: Failure, run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "stage": failure.stage,
        "kind": failure.kind,
        "message": db_text(failure.message),
        "input_id": db_text(failure.input_id),
        "input_hash": failure.input_hash,
        "payload": db_text(failure.payload),
        "at": failure.at,
        "replayed": None,
    }
