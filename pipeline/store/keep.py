"""Retention and backup."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store.database import shown, writing
from pipeline.store.tables import ALERTS, ARTICLES, EVENTS, FAILURES, OUTBOX, RUNS
from transforms.failures import StoreError
from transforms.model import Family

# A feed may list an old item for years; if it were forgotten, it would be read as news again.
_NEWEST_KEPT_PER_FEED = 1000
_TEXTS_KEPT = timedelta(days=30)  # to explain what was or was not told; alerts keep their quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """How many rows of each kind were deleted."""

    articles: int = 0
    events: int = 0
    alerts: int = 0
    deliveries: int = 0
    failures: int = 0
    runs: int = 0


def prune(engine: Engine, now: datetime, *, keep_days: int, alerts_too: bool) -> PruneResult:
    """Delete what is older than `keep_days`.

    Kept whatever their age: open events, ceasefires (later breaches refer to them), alerts that a sink still waits for,
    the newest articles of each feed, and, unless `alerts_too`, all alerts and the events that were told.

    Raises:
        StoreError: `keep_days` is so short that feeds would still list what is deleted.
    """
    if keep_days < 30:
        raise StoreError("keep at least 30 days: what a feed still lists would be read as news again")
    cutoff = now - timedelta(days=keep_days)
    rank = sa.func.row_number().over(partition_by=ARTICLES.c.feed, order_by=ARTICLES.c.fetched.desc())
    ranked = sa.select(ARTICLES.c.article_key, rank.label("rank")).subquery()
    newest = sa.select(ranked.c.article_key).where(ranked.c.rank <= _NEWEST_KEPT_PER_FEED)
    unsettled = sa.select(OUTBOX.c.alert_id).where(OUTBOX.c.status != "delivered")
    told = [] if alerts_too else [EVENTS.c.revision == 0]
    with writing(engine) as connection:
        old_text = (ARTICLES.c.fetched < now - _TEXTS_KEPT, ARTICLES.c.data != "")
        connection.execute(sa.update(ARTICLES).where(*old_text).values(data=""))
        deliveries = _delete(connection, OUTBOX, OUTBOX.c.status == "delivered", OUTBOX.c.settled < cutoff)
        alerts = 0
        if alerts_too:
            alerts = _delete(connection, ALERTS, ALERTS.c.told_at < cutoff, ALERTS.c.alert_id.not_in(unsettled))
        events = _delete(
            connection,
            EVENTS,
            EVENTS.c.closed,
            EVENTS.c.last_seen < cutoff,
            EVENTS.c.family != Family.CEASEFIRE.value,
            *told,
        )
        return PruneResult(
            articles=_delete(connection, ARTICLES, ARTICLES.c.fetched < cutoff, ARTICLES.c.article_key.not_in(newest)),
            events=events,
            alerts=alerts,
            deliveries=deliveries,
            failures=_delete(connection, FAILURES, FAILURES.c.at < cutoff),
            runs=_delete(connection, RUNS, RUNS.c.at < cutoff),
        )


def _delete(connection: Connection, table: sa.Table, *rules: Any) -> int:
    return connection.execute(sa.delete(table).where(*rules)).rowcount


def backup(engine: Engine, path: Path) -> None:
    """Copy an SQLite store into the new file `path` by SQLite's own backup.

    Raises:
        StoreError: `path` exists, cannot be written, or the store is on PostgreSQL (which has pg_dump).
    """
    if engine.dialect.name != "sqlite":
        raise StoreError(f"back up {shown(engine.url)} with pg_dump; this command copies SQLite stores")
    if path.exists():
        raise StoreError(f"{path} exists already; name a new file")
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        source = engine.raw_connection()
        try:
            with contextlib.closing(sqlite3.connect(draft)) as target:
                source.driver_connection.backup(target)  # type: ignore[union-attr]
        finally:
            source.close()
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(path)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StoreError(f"cannot write the backup {path}: {error}") from error
