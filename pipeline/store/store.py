"""The store: everything that persists between runs, behind one class.

Exactly once rests on three things here: a run is one transaction, a batch handed in twice is written once, and UNIQUE
constraints on alert ids hold even where two runs should overlap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from pipeline.store import commit as writer
from pipeline.store.codec import as_json, from_json
from pipeline.store.database import connect, parsed, plain_errors, prepare, reading, shown, writing
from pipeline.store.keep import PruneResult, backup, prune
from pipeline.store.lock import RunLock
from pipeline.store.outbox import Outbox
from pipeline.store.seen import SeenArticles
from pipeline.store.tables import ALERTS, ARTICLES, EVENTS, FAILURES, FEEDS, RUNS
from transforms.failures import Failure
from transforms.ingest.feed import FeedState
from transforms.model import Alert, Article, Event, Family
from transforms.sinks.commit import CommitResult, RunBatch

_LONGEST_HORIZON = timedelta(days=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFailure:
    """A failure as listed: `number` names it for `trucewatch replay`."""

    number: int
    run_id: str
    failure: Failure
    replayed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as listed: what it committed, and the summary that was added at its end ("" if it was not)."""

    run_id: str
    part: str
    at: datetime
    result: CommitResult
    summary: str = ""


class StoreCommitter:
    """Makes a committer in a worker; only the address is pickled."""

    def __init__(self, url: str) -> None:
        """Keep the address."""
        self._url = url

    def __call__(self) -> Store:
        """Open the store."""
        return Store.open(self._url)


class Store:
    """What persists between runs; made by `Store.open`."""

    def __init__(self, url: URL, engine: Engine, address: str) -> None:
        """Use `Store.open`, which also checks and migrates."""
        self._url = url
        self._engine = engine
        self._address = address
        self.outbox = Outbox(engine)

    @classmethod
    def open(cls, url: str = "sqlite:///trucewatch.sqlite") -> Store:
        """Return the store at `url`, made or brought to this version where needed.

        Raises:
            StoreBusyError: Another process holds the database's lock.
            StoreError: It cannot be reached, read or written, is of a newer version, or is no store.
        """
        made = parsed(url)
        engine = connect(made)
        try:
            with plain_errors(made):
                prepare(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(made, engine, url)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        """Return the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def url(self) -> str:
        """Its address as it was given, a password included, for workers that open it themselves."""
        return self._address

    @property
    def name(self) -> str:
        """Its address for people, without the password."""
        return shown(self._url)

    def lock(self, job: str = "run") -> RunLock:
        """Return the lock that keeps two runs from overlapping; raises `StoreBusyError` when entered while held."""
        return RunLock(self.url, job)

    def committer(self) -> StoreCommitter:
        """Return a picklable callable that opens this store in a worker, for `WriteAlerts`."""
        return StoreCommitter(self.url)

    def seen(self) -> SeenArticles:
        """Return a picklable look-up of the articles in the store."""
        return SeenArticles(self.url)

    def commit(self, batch: RunBatch) -> CommitResult:
        """Write all of `batch` in one transaction, or nothing; a batch written before is not written again."""
        with writing(self._engine) as connection:
            return writer.write(connection, batch)

    def feed_states(self) -> dict[str, FeedState]:
        """Return what is remembered of each feed, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(FEEDS.c.feed, FEEDS.c.data)).all()
        return {feed: from_json(data, FeedState) for feed, data in rows}

    def open_events(self, now: datetime) -> list[Event]:
        """Return events that may still take mentions: not closed, and not silent for longer than any horizon."""
        return self._events(sa.not_(EVENTS.c.closed), EVENTS.c.last_seen >= now - _LONGEST_HORIZON)

    def ceasefire_events(self) -> list[Event]:
        """Return every event of the ceasefire family, for the ledger of ceasefires that were learned."""
        return self._events(EVENTS.c.family == Family.CEASEFIRE.value, EVENTS.c.superseded_by == "")

    def events(
        self,
        *,
        family: str = "",
        country: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        event_ids: Collection[str] | None = None,
        superseded: bool = False,
    ) -> list[Event]:
        """Return the events that match, hostilities too, by the time of their first report.

        Args:
            family: Only this family.
            country: Only this country.
            since: Last reported at or after this time.
            until: First reported before this time.
            event_ids: Only these.
            superseded: Also those that turned out to be another event.
        """
        rules: list[Any] = [] if superseded else [EVENTS.c.superseded_by == ""]
        rules += [
            column == value for column, value in ((EVENTS.c.family, family), (EVENTS.c.country, country)) if value
        ]
        rules += [EVENTS.c.last_seen >= since] if since else []
        rules += [EVENTS.c.first_seen < until] if until else []
        rules += [EVENTS.c.event_id.in_(event_ids)] if event_ids is not None else []
        return self._events(*rules)

    def alerts(
        self,
        *,
        family: str = "",
        country: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        event_ids: Collection[str] | None = None,
        run_id: str = "",
        last_revision_only: bool = False,
        limit: int | None = None,
    ) -> list[Alert]:
        """Return the alerts that match, in the order in which they were committed.

        Args:
            family: Only this family.
            country: Only this country.
            since: Told at or after this time.
            until: Told before this time.
            event_ids: Only of these events.
            run_id: Only those that this run raised.
            last_revision_only: Of each event only the last revision.
            limit: At most so many, the newest.
        """
        exact = ((ALERTS.c.family, family), (ALERTS.c.country, country), (ALERTS.c.run_id, run_id))
        rules: list[Any] = [column == value for column, value in exact if value]
        rules += [ALERTS.c.told_at >= since] if since else []
        rules += [ALERTS.c.told_at < until] if until else []
        rules += [ALERTS.c.event_id.in_(event_ids)] if event_ids is not None else []
        if last_revision_only:
            rules.append(ALERTS.c.number.in_(sa.select(sa.func.max(ALERTS.c.number)).group_by(ALERTS.c.event_id)))
        query = sa.select(ALERTS.c.data).where(*rules).order_by(ALERTS.c.number.desc()).limit(limit)
        with reading(self._engine) as connection:
            found = connection.execute(query).scalars().all()
        return [from_json(data, Alert) for data in reversed(found)]

    def article(self, item_id: str) -> Article | None:
        """Return the article of that id or URL as it was last read, None if there is none or its text was pruned."""
        wanted = sa.or_(ARTICLES.c.item_id == item_id, ARTICLES.c.url == item_id)
        query = sa.select(ARTICLES.c.data).where(wanted, ARTICLES.c.data != "").order_by(ARTICLES.c.fetched.desc())
        with reading(self._engine) as connection:
            data = connection.execute(query.limit(1)).scalar()
        return from_json(str(data), Article) if data else None

    def failures(
        self, *, stage: str = "", since: datetime | None = None, replayed: bool = False
    ) -> list[StoredFailure]:
        """Return what the stages could not handle, oldest first; those replayed since only if asked for."""
        rules: list[Any] = [FAILURES.c.stage == stage] if stage else []
        rules += [FAILURES.c.at >= since] if since else []
        rules += [] if replayed else [FAILURES.c.replayed.is_(None)]
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(FAILURES).where(*rules).order_by(FAILURES.c.number)).mappings().all()
        kept = ("stage", "kind", "message", "input_id", "input_hash", "payload", "at")
        return [
            StoredFailure(
                number=row["number"],
                run_id=row["run_id"],
                failure=Failure(**{name: row[name] for name in kept}),
                replayed=row["replayed"],
            )
            for row in rows
        ]

    def mark_replayed(self, numbers: Iterable[int], now: datetime) -> None:
        """Note that these failures have been fed in again."""
        with writing(self._engine) as connection:
            connection.execute(sa.update(FAILURES).where(FAILURES.c.number.in_(list(numbers))).values(replayed=now))

    def add_summary(self, run_id: str, summary: str, now: datetime) -> None:
        """Keep a run's closing summary (JSON), also of a run that had nothing to commit."""
        row = {"run_id": run_id, "part": "", "at": now, "result": as_json(CommitResult(run_id=run_id))}
        with writing(self._engine) as connection:
            writer.insert_new(connection, RUNS, [row], RUNS.c.run_id)
            same = (RUNS.c.run_id == run_id, RUNS.c.part == "")
            connection.execute(sa.update(RUNS).where(*same).values(summary=summary))

    def run_rows(self, limit: int | None = None) -> list[RunRow]:
        """Return the runs committed, newest first."""
        query = sa.select(RUNS).order_by(RUNS.c.at.desc(), RUNS.c.run_id.desc(), RUNS.c.part).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [
            RunRow(
                run_id=row["run_id"],
                part=row["part"],
                at=row["at"],
                result=from_json(row["result"], CommitResult),
                summary=row["summary"],
            )
            for row in rows
        ]

    def parts_of(self, run_id: str) -> int:
        """Return the number after that of the last part of `run_id`, whose parts are numbered; 0 if it has none."""
        query = sa.select(sa.func.max(RUNS.c.part)).where(RUNS.c.run_id == run_id)
        with reading(self._engine) as connection:
            last = connection.execute(query).scalar()
        return int(last) + 1 if last else 0

    def prune(self, now: datetime, *, keep_days: int = 400, alerts_too: bool = False) -> PruneResult:
        """Delete what is older than `keep_days` and needed no more; alerts and their events only if asked."""
        return prune(self._engine, now, keep_days=keep_days, alerts_too=alerts_too)

    def backup(self, path: Path) -> None:
        """Copy the store into the new file `path`, consistent even while a run writes."""
        backup(self._engine, path)

    def _events(self, *rules: Any) -> list[Event]:
        query = sa.select(EVENTS.c.data).where(*rules).order_by(EVENTS.c.first_seen, EVENTS.c.event_id)
        with reading(self._engine) as connection:
            found = connection.execute(query).scalars().all()
        return [from_json(data, Event) for data in found]
