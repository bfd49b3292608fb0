"""The first version of the store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, **options)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _number() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("number", kind, primary_key=True, autoincrement=True)


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "runs",
        _text("run_id", primary_key=True),
        _text("part", primary_key=True),
        _time("at"),
        _text("result"),
        _text("summary", server_default=""),
    )
    op.create_table(
        "articles",
        _text("article_key", primary_key=True),
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
        _text("data"),
    )
    op.create_index("ix_articles_fetched", "articles", ["fetched"])
    op.create_table(
        "events",
        _text("event_id", primary_key=True),
        _text("family"),
        _text("kind"),
        _text("country"),
        sa.Column("closed", sa.Boolean(), nullable=False),
        _text("superseded_by"),
        _count("revision"),
        _time("first_seen"),
        _time("last_seen"),
        _text("data"),
    )
    op.create_index("ix_events_open", "events", ["closed", "family"])
    op.create_index("ix_events_last_seen", "events", ["last_seen"])
    op.create_table(
        "alerts",
        _number(),
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
    )
    op.create_index("ix_alerts_told_at", "alerts", ["told_at"])
    op.create_table(
        "outbox",
        _number(),
        _text("sink"),
        _text("alert_id"),
        _text("status"),
        _count("attempts"),
        _time("due"),
        _time("settled", nullable=True),
        _text("error"),
        sa.UniqueConstraint("sink", "alert_id", name="uq_outbox_sink_alert"),
    )
    op.create_index("ix_outbox_due", "outbox", ["sink", "status", "due"])
    op.create_table(
        "sinks",
        _text("name", primary_key=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        _text("disabled"),
        _count("failures"),
        _time("open_until", nullable=True),
        _time("last_success", nullable=True),
        _text("last_error"),
        _text("last_delivered"),
    )
    op.create_table("feeds", _text("feed", primary_key=True), _time("updated"), _text("data"))
    op.create_table(
        "failures",
        _number(),
        _text("run_id"),
        _text("stage"),
        _text("kind"),
        _text("message"),
        _text("input_id"),
        _text("input_hash"),
        _text("payload"),
        _time("at"),
        _time("replayed", nullable=True),
    )
    op.create_index("ix_failures_at", "failures", ["at"])
