"""Reaching the database: URLs, the settings that make a commit durable, versions, and errors in plain words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from pipeline.store.secrets import SECRET, address_in
from transforms.failures import StoreBusyError, StoreError

SCHEMA_VERSION = "0001"
KNOWN_VERSIONS = frozenset({SCHEMA_VERSION})
_VERSION_TABLE = "trucewatch_version"
BUSY_SECONDS = 10.0


def parsed(url: str) -> URL:
    """Return `url` with its driver named; one that is kept as a secret is fetched.

    Raises:
        StoreError: It is no URL of SQLite or PostgreSQL, or a secret that cannot be read.
    """
    help_text = 'use "sqlite:///FILE" or "postgresql+psycopg://USER@HOST/DATABASE"'
    try:
        made = make_url(address_in(url) if url.startswith(SECRET) else url)
    except sa.exc.ArgumentError:
        raise StoreError(f'the store\'s address "{url}" is not a URL; {help_text}') from None
    backend = made.drivername.split("+")[0]
    if backend == "sqlite":
        return made.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return made.set(drivername="postgresql+psycopg")
    raise StoreError(f'stores of kind "{made.drivername}" are not supported; {help_text}')


def shown(url: URL) -> str:
    """Return `url` without its password."""
    return url.render_as_string(hide_password=True)


def sqlite_file(url: URL) -> Path | None:
    """Return the file of an SQLite URL, None in memory or on PostgreSQL."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def connect(url: URL) -> Engine:
    """Return an engine whose commits are on the disk when they return."""
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError as error:
        raise StoreError("PostgreSQL needs the psycopg library; install trucewatch[postgres]") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first and then cannot write would fail without waiting.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection to read with; errors come as `StoreError`."""
    with plain_errors(engine.url), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection inside one transaction, committed at the end; errors come as `StoreError`."""
    with (
        plain_errors(engine.url),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def plain_errors(url: URL) -> Iterator[None]:
    """Turn the database's errors into `StoreError` and `StoreBusyError` that say what to do."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _plain_error(url, error) from error


def _plain_error(url: URL, error: sa.exc.DBAPIError) -> StoreError:
    reason = str(error.orig).strip().split("\n")[0]
    low = reason.lower()
    name = shown(url)
    state = getattr(error.orig, "sqlstate", "") or ""
    if "locked" in low or "busy" in low or state in ("55P03", "40001", "40P01"):
        return StoreBusyError(f"the store {name} is in use by another process; try again later")
    sentences = (
        (("readonly", "read-only", "permission denied"), "cannot be written; give this user write access to it"),
        (("not a database", "malformed"), "is not a trucewatch store or is damaged; name another file or a backup"),
        (("disk is full", "disk full", "no space left"), "has no room left; free some space, nothing was half-written"),
        (("unable to open",), "cannot be opened; check that its directory exists and may be written"),
        (("disk i/o error",), "cannot be written (disk full, or the disk fails); nothing was half-written"),
        (("password authentication", "no password"), "refuses the login; check user and password"),
        (("does not exist",), "is not there; create the database and grant this user access"),
        (
            ("connection failed", "could not connect", "refused", "closed the connection", "terminating"),
            "does not answer; check host and port, or try again later",
        ),
    )
    advice = next((text for words, text in sentences if any(word in low for word in words)), "reports an error")
    return StoreError(f"the store {name} {advice} ({reason})")


def prepare(engine: Engine) -> None:
    """Bring the database to this program's version; does nothing where it is there already.

    Raises:
        StoreError: It is of a newer version, or belongs to another program.
    """
    file = sqlite_file(engine.url)
    if file is not None and not file.parent.exists():
        raise StoreError(f"the directory {file.parent} of the store does not exist; create it")
    with reading(engine) as connection:
        if _version(connection, engine.url) == SCHEMA_VERSION:
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("migrate")})
        if _version(connection, engine.url) != SCHEMA_VERSION:
            _migrate(connection)


def _version(connection: Connection, url: URL) -> str:
    inspector = sa.inspect(connection)
    if not inspector.has_table(_VERSION_TABLE):
        if url.get_backend_name() == "sqlite" and inspector.get_table_names():
            raise StoreError(f"{shown(url)} is another program's database; name another file")
        return ""
    version = str(connection.execute(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar() or "")  # noqa: S608
    if version and version not in KNOWN_VERSIONS:
        raise StoreError(
            f"the store {shown(url)} is of the newer version {version}; upgrade trucewatch, or use a backup"
        )
    return version


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def lock_key(name: str) -> int:
    """Return the 63-bit number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(f"trucewatch:{name}".encode()).digest()[:8], "big") >> 1
