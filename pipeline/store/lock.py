"""One run at a time: a lock file beside an SQLite store, an advisory lock on PostgreSQL.

Both go when their holder dies, however it dies. Behind them the store's UNIQUE constraints hold.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store.database import connect, lock_key, parsed, plain_errors, shown, sqlite_file
from transforms.failures import StoreBusyError, StoreError

# A process's own file locks do not exclude its threads, so those are kept apart here.
_held: set[str] = set()
_held_guard = threading.Lock()


class RunLock:
    """A context manager that holds the store for one job ("run" or "relay").

    Raises:
        StoreBusyError: Another process, or another thread of this one, holds it.
    """

    def __init__(self, url: str, job: str = "run") -> None:
        """Lock nothing yet."""
        self._url = parsed(url)
        self._job = job
        self._name = f"{shown(self._url)}#{job}"
        self._handle = -1
        self._engine: Engine | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> RunLock:
        """Take the lock or raise at once."""
        with _held_guard:
            if self._name in _held:
                raise self._busy()
            _held.add(self._name)
        try:
            file = sqlite_file(self._url)
            if file is not None:
                self._lock_file(file.with_name(f"{file.name}.{self._job}.lock"))
            elif self._url.get_backend_name() == "postgresql":
                self._lock_database()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self._release()

    def _busy(self) -> StoreBusyError:
        return StoreBusyError(f"another {self._job} is using the store {shown(self._url)}; try again later")

    def _lock_file(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(
                f"cannot write {path}: {reason}; the store's directory must exist and be writable"
            ) from error
        try:
            # Record locks, not flock: a parser process forked by the run must not keep the lock alive after it.
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._busy() from error

    def _lock_database(self) -> None:
        self._engine = connect(self._url)
        with plain_errors(self._url):
            self._connection = self._engine.connect()
            got = self._connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": lock_key(self._job)})
            held = bool(got.scalar())
            self._connection.commit()  # the lock belongs to the session; no transaction stays open behind it
        if not held:
            raise self._busy()

    def _release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._connection is not None:
            # Said and not only left to the end of the session, which the server notices a moment later.
            with contextlib.suppress(sa.exc.DBAPIError):
                self._connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": lock_key(self._job)})
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        with _held_guard:
            _held.discard(self._name)
