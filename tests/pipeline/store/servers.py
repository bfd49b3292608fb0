"""A private PostgreSQL server for tests: its own cluster, reached by a socket in its own folder, as no root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def server_programs() -> Path | None:
    """Return the folder with `initdb` and `postgres`, if PostgreSQL's server is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _not_root() -> str | None:
    """Return the user to run the server as; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _answers(sockets: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(sockets), user="tester", dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """Run a server; gives the URL of its first database."""
    user = _not_root()
    with tempfile.TemporaryDirectory(prefix="tw-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        data, sockets = folder / "data", folder / "s"
        for part in (data, sockets):
            part.mkdir(mode=0o700)
            if user:
                shutil.chown(part, user)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
            user=user, check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        # Only the clients are killed in tests, never the machine, so the server need not wait for the disk.
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={sockets}", "-c", "fsync=off"]
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options, "-c", "max_connections=50"],
            user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            end = time.monotonic() + 60
            # The socket is there before the server lets anybody in.
            while not _answers(sockets) and server.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            yield f"postgresql+psycopg://tester@/postgres?host={sockets}"
        finally:
            server.terminate()
            server.wait(30)
