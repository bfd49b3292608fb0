"""A fresh store for each test, on SQLite and, where its server is installed, on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.store.store import Store
from tests.pipeline.store.servers import postgres_server, server_programs

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a database on a private PostgreSQL server."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    with postgres_server(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database."""
    name = f"tw{next(_numbers)}"
    _administer(postgres, f"CREATE DATABASE {name}")
    yield postgres.replace("/postgres?", f"/{name}?")
    _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a new, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite store to copy: migrating for each test would take most of its time."""
    path = tmp_path_factory.mktemp("prepared") / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def prepared_postgres(postgres: str) -> str:
    """Name of a migrated PostgreSQL database to copy."""
    _administer(postgres, "CREATE DATABASE prepared")
    Store.open(postgres.replace("/postgres?", "/prepared?")).close()
    return "prepared"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "store.sqlite"
        shutil.copy(request.getfixturevalue("prepared_sqlite"), path)
        with Store.open(f"sqlite:///{path}") as opened:
            yield opened
        return
    server: str = request.getfixturevalue("postgres")
    name = f"tw{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('prepared_postgres')}")
    with Store.open(server.replace("/postgres?", f"/{name}?")) as opened:
        yield opened
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
