"""The store's tables. A change here needs a new file in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware time, kept in UTC on databases that know no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Turn into UTC; SQLite drops the zone, so it must be UTC before."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give back an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = sa.MetaData()
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up by itself only in INTEGER


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, **options)


def _time(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, UtcTime(), nullable=nullable, **options)


def _count(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, **options)


RUNS = sa.Table(
    "runs",
    METADATA,
    _text("run_id", primary_key=True),
    _text("part", primary_key=True),
    _time("at"),
    _text("result"),  # JSON of the CommitResult
    _text("summary", server_default=""),  # JSON that the command line adds when the run has ended
)

ARTICLES = sa.Table(
    "articles",
    METADATA,
    _text("article_key", primary_key=True),  # hash of feed and item id: ids may be longer than an index takes
    _text("feed"),
    _text("item_id"),
    _text("content_hash"),
    _text("outlet"),
    _text("url"),
    _text("lang"),
    _text("title"),
    _time("published"),
    _time("fetched"),
    _text("run_id"),
    _text("data"),  # JSON of the article, for `trucewatch explain`; emptied when pruned
    sa.Index("ix_articles_fetched", "fetched"),
)

EVENTS = sa.Table(
    "events",
    METADATA,
    _text("event_id", primary_key=True),
    _text("family"),
    _text("kind"),  # stage or means
    _text("country"),
    sa.Column("closed", sa.Boolean(), nullable=False),
    _text("superseded_by"),
    _count("revision"),
    _time("first_seen"),
    _time("last_seen"),
    _text("data"),
    sa.Index("ix_events_open", "closed", "family"),
    sa.Index("ix_events_last_seen", "last_seen"),
)

ALERTS = sa.Table(
    "alerts",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    _text("alert_id", unique=True),
    _text("event_id"),
    _count("revision"),
    _text("change"),
    _text("family"),
    _text("kind"),
    _text("country"),
    _time("told_at"),
    _text("run_id"),
    _text("data"),
    sa.UniqueConstraint("event_id", "revision", name="uq_alerts_event_revision"),
    sa.Index("ix_alerts_told_at", "told_at"),
)

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    _text("sink"),
    _text("alert_id"),
    _text("status"),  # waiting, delivered or undeliverable
    _count("attempts"),
    _time("due"),
    _time("settled", nullable=True),
    _text("error"),
    sa.UniqueConstraint("sink", "alert_id", name="uq_outbox_sink_alert"),
    sa.Index("ix_outbox_due", "sink", "status", "due"),
)

SINKS = sa.Table(
    "sinks",
    METADATA,
    _text("name", primary_key=True),
    sa.Column("active", sa.Boolean(), nullable=False),  # in the configuration; only these get outbox rows
    _text("disabled"),  # why it must not be used (a receiver that is gone), "" if it may
    _count("failures"),  # in a row
    _time("open_until", nullable=True),  # circuit breaker: not tried before
    _time("last_success", nullable=True),
    _text("last_error"),
    _text("last_delivered"),  # alert id
)

FEEDS = sa.Table(
    "feeds",
    METADATA,
    _text("feed", primary_key=True),
    _time("updated"),
    _text("data"),
)

FAILURES = sa.Table(
    "failures",
    METADATA,
    sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    _text("run_id"),
    _text("stage"),
    _text("kind"),
    _text("message"),
    _text("input_id"),
    _text("input_hash"),
    _text("payload"),
    _time("at"),
    _time("replayed", nullable=True),
    sa.Index("ix_failures_at", "at"),
)
