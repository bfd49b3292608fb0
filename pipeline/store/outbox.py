"""The outbox: for each sink and alert one row, from the commit until the sink has it.

Each sink has its own rows, its own schedule of retries and its own circuit breaker, so that one that is down delays
nobody else. Rows are settled after delivery and never before: a crash between the two repeats the delivery.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store import commit as writer
from pipeline.store.codec import db_text, from_json
from pipeline.store.commit import DELIVERED, UNDELIVERABLE, WAITING
from pipeline.store.database import reading, writing
from pipeline.store.tables import ALERTS, OUTBOX, SINKS
from transforms.model import Alert

_READY = {"failures": 0, "open_until": None, "disabled": ""}
_AT_ONCE = 5000  # databases bound the variables of one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """How a sink stands.

    Attributes:
        name: The sink's name.
        active: Whether the configuration names it; only then new alerts are queued for it.
        disabled: Why it must not be used ("" if it may).
        failures: Failed batches in a row.
        open_until: Circuit breaker: not tried before this time.
        last_success: When it last took something.
        last_error: What it last failed with.
        last_delivered: Id of the last alert it took.
        waiting, undeliverable: Rows of each kind.
    """

    name: str
    active: bool = True
    disabled: str = ""
    failures: int = 0
    open_until: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    last_delivered: str = ""
    waiting: int = 0
    undeliverable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An alert that is due at a sink; `attempts` were made before."""

    number: int
    alert: Alert
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A row of the outbox as listed."""

    number: int
    sink: str
    alert_id: str
    status: str
    attempts: int
    due: datetime
    settled: datetime | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What to note of a batch: rows delivered, rows to try again (when, why), rows given up (why)."""

    delivered: tuple[int, ...] = ()
    again: tuple[tuple[int, datetime, str], ...] = ()
    given_up: tuple[tuple[int, str], ...] = ()


class Outbox:
    """The rows that wait for delivery, and how each sink stands."""

    def __init__(self, engine: Engine) -> None:
        """Share the store's engine."""
        self._engine = engine

    def set_sinks(self, names: Iterable[str]) -> None:
        """Make exactly these the sinks for which new alerts are queued; what others still have waiting stays."""
        wanted = set(names)
        with writing(self._engine) as connection:
            self._add(connection, wanted)
            connection.execute(sa.update(SINKS).values(active=SINKS.c.name.in_(wanted)))

    def add_sinks(self, names: Iterable[str]) -> None:
        """Make sure that these sinks are known and active."""
        wanted = set(names)
        with reading(self._engine) as connection:
            active = set(connection.execute(sa.select(SINKS.c.name).where(SINKS.c.active)).scalars())
        if wanted <= active:
            return
        with writing(self._engine) as connection:
            self._add(connection, wanted)
            connection.execute(sa.update(SINKS).where(SINKS.c.name.in_(wanted)).values(active=True))

    def _add(self, connection: Connection, names: Collection[str]) -> None:
        fresh = {"active": True, "disabled": "", "failures": 0, "last_error": "", "last_delivered": ""}
        writer.insert_new(connection, SINKS, [{"name": name} | fresh for name in sorted(names)], SINKS.c.name)

    def states(self) -> list[SinkState]:
        """Return how each sink stands, by name."""
        count = sa.select(OUTBOX.c.sink, OUTBOX.c.status, sa.func.count()).group_by(OUTBOX.c.sink, OUTBOX.c.status)
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(SINKS).order_by(SINKS.c.name)).mappings().all()
            counts = {
                (sink, status): n for sink, status, n in connection.execute(count.where(OUTBOX.c.status != DELIVERED))
            }
        return [
            SinkState(
                **row,
                waiting=counts.get((row["name"], WAITING), 0),
                undeliverable=counts.get((row["name"], UNDELIVERABLE), 0),
            )
            for row in rows
        ]

    def due(self, sink: str, now: datetime, limit: int) -> list[Queued]:
        """Return at most `limit` alerts that `sink` is due to be told, in the order of their commit."""
        query = (
            sa.select(OUTBOX.c.number, OUTBOX.c.attempts, ALERTS.c.data)
            .join(ALERTS, ALERTS.c.alert_id == OUTBOX.c.alert_id)
            .where(OUTBOX.c.sink == sink, OUTBOX.c.status == WAITING, OUTBOX.c.due <= now)
            .order_by(ALERTS.c.number)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [Queued(number=n, attempts=attempts, alert=from_json(data, Alert)) for n, attempts, data in rows]

    def settle(self, state: SinkState, settlement: Settlement, now: datetime) -> None:
        """Note what became of a batch, and how the sink stands after it, in one transaction."""
        tried = OUTBOX.c.attempts + 1
        with writing(self._engine) as connection:
            done = {"status": DELIVERED, "settled": now, "error": "", "attempts": tried}
            for start in range(0, len(settlement.delivered), _AT_ONCE):
                numbers = settlement.delivered[start : start + _AT_ONCE]
                connection.execute(sa.update(OUTBOX).where(OUTBOX.c.number.in_(numbers)).values(done))
            for number, due, error in settlement.again:
                values: dict[str, Any] = {"due": due, "error": db_text(error)[:500], "attempts": tried}
                connection.execute(sa.update(OUTBOX).where(OUTBOX.c.number == number).values(values))
            for number, error in settlement.given_up:
                values = {"status": UNDELIVERABLE, "settled": now, "error": db_text(error)[:500], "attempts": tried}
                connection.execute(sa.update(OUTBOX).where(OUTBOX.c.number == number).values(values))
            kept = ("disabled", "failures", "open_until", "last_success", "last_delivered")
            standing = {name: getattr(state, name) for name in kept} | {"last_error": db_text(state.last_error)[:500]}
            connection.execute(sa.update(SINKS).where(SINKS.c.name == state.name).values(standing))

    def rows(self, *, sink: str = "", status: str = UNDELIVERABLE, limit: int = 1000) -> list[OutboxRow]:
        """Return rows of one status (waiting, delivered, undeliverable; "" for all), oldest first."""
        rules = [OUTBOX.c.sink == sink] if sink else []
        rules += [OUTBOX.c.status == status] if status else []
        query = sa.select(OUTBOX).where(*rules).order_by(OUTBOX.c.number).limit(limit)
        with reading(self._engine) as connection:
            return [OutboxRow(**row) for row in connection.execute(query).mappings()]

    def resend(self, now: datetime, *, sink: str = "", alert_ids: Sequence[str] = ()) -> int:
        """Queue again what was given up (or, where ids are named, just those); return how many rows.

        The sinks concerned (all, where neither a sink nor ids are named) are taken out of their circuit breaker and are
        enabled again.
        """
        rules = [OUTBOX.c.sink == sink] if sink else []
        rules.append(OUTBOX.c.alert_id.in_(alert_ids) if alert_ids else OUTBOX.c.status == UNDELIVERABLE)
        again = {"status": WAITING, "attempts": 0, "due": now, "settled": None, "error": ""}
        with writing(self._engine) as connection:
            concerned = SINKS.c.name == sink if sink else sa.true()
            if alert_ids and not sink:
                concerned = SINKS.c.name.in_(sa.select(OUTBOX.c.sink).where(*rules))
            connection.execute(sa.update(SINKS).where(concerned).values(_READY))
            return connection.execute(sa.update(OUTBOX).where(*rules).values(again)).rowcount

    def enable(self, sink: str) -> None:
        """Use a sink again that was disabled or left alone."""
        with writing(self._engine) as connection:
            connection.execute(sa.update(SINKS).where(SINKS.c.name == sink).values(_READY))

    def fill(self, sink: str, since: datetime, now: datetime) -> int:
        """Queue for `sink` every alert told since then that it was never queued for; return how many.

        This is how a sink that was added later gets what came before it.
        """
        self.add_sinks([sink])
        with writing(self._engine) as connection:
            ids = connection.execute(
                sa.select(ALERTS.c.alert_id).where(ALERTS.c.told_at >= since).order_by(ALERTS.c.number)
            ).scalars()
            rows = [writer.outbox_row(sink, alert_id, now) for alert_id in ids]
            return len(writer.insert_new(connection, OUTBOX, rows, OUTBOX.c.number))

    def latest(self, limit: int) -> list[Alert]:
        """Return the last revision of the events told most recently, newest first."""
        last = sa.select(sa.func.max(ALERTS.c.number)).group_by(ALERTS.c.event_id)
        query = sa.select(ALERTS.c.data).where(ALERTS.c.number.in_(last)).order_by(ALERTS.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [from_json(data, Alert) for data in connection.execute(query).scalars()]

    def of_event(self, event_id: str) -> list[Alert]:
        """Return every revision of one event, oldest first."""
        query = sa.select(ALERTS.c.data).where(ALERTS.c.event_id == event_id).order_by(ALERTS.c.revision)
        with reading(self._engine) as connection:
            return [from_json(data, Alert) for data in connection.execute(query).scalars()]
