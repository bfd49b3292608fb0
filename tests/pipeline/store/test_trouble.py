"""Stores that cannot be used: each error says what to do, and nothing is harmed. Locks, retention, backup."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.relay import relay
from pipeline.store import database
from pipeline.store.lock import RunLock
from pipeline.store.store import Store
from tests.transforms.sinks.made import NOW, alert, article, batch, event, failure
from tests.transforms.sinks.test_files import as_nobody
from transforms.failures import StoreBusyError, StoreError
from transforms.model import Family, Stage
from transforms.sinks.jsonl import JsonlSink
from transforms.sinks.settings import JsonlSettings


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "is not a URL"),
        ("trucewatch.sqlite", 'is not a URL; use "sqlite:///FILE"'),
        ("mysql://host/db", 'kind "mysql" are not supported'),
        (
            "sqlite:////nonexistent-folder/a.sqlite",
            "/nonexistent-folder of the store does not exist; create it",
        ),
        ("postgresql://nobody@127.0.0.1:1/none", "does not answer; check host and port"),
    ],
)
def test_an_address_that_leads_nowhere(address: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Store.open(address)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        Store.open("postgresql://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


def test_a_database_that_does_not_exist(postgres: str) -> None:
    with pytest.raises(StoreError, match="is not there; create the database"):
        Store.open(postgres.replace("/postgres?", "/elsewhere?"))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"these are my notes on the war " * 200)
    with pytest.raises(StoreError, match="is not a trucewatch store or is damaged"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"these are my notes")


def test_another_programs_database(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="another program's database"):
        Store.open(f"sqlite:///{path}")


def test_a_read_only_folder_then_a_writable_one() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = f"sqlite:///{folder}/a.sqlite"
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(StoreError, match=r"cannot be (opened|written)"):
            Store.open(address)
        with as_nobody(), pytest.raises(StoreError, match="must exist and be writable"), RunLock(address):
            pass
        folder.chmod(0o755)
        with Store.open(address) as store:
            assert store.commit(batch("r1")).alerts == 1
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(StoreError, match=r"cannot be (opened|written)"):
            Store.open(address).commit(batch("r2", (2,)))
        folder.chmod(0o755)


def test_a_full_disk_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    """The limit on a file's size stands in for the disk, in a process of its own."""
    address = f"sqlite:///{tmp_path}/a.sqlite"
    with Store.open(address) as store:
        store.outbox.set_sinks(["jsonl"])
        store.commit(batch("r1"))
    script = (
        "import resource, sys\nfrom pipeline.store.store import Store\n"
        "from tests.transforms.sinks.made import batch\nfrom transforms.failures import StoreError\n"
        "store = Store.open(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try: store.commit(batch('r2', range(2, 400)))\nexcept StoreError as error: print(error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", script, address], check=False, capture_output=True, text=True)
    assert "nothing was half-written" in answer.stdout, answer.stderr
    with Store.open(address) as store:
        assert len(store.alerts()) == 1
        assert store.commit(batch("r2", range(2, 400))).alerts == 398
        assert len(store.outbox.rows(status="waiting")) == 399


def test_a_locked_database_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    address = f"sqlite:///{tmp_path}/a.sqlite"
    with Store.open(address) as store, sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="in use by another process; try again later"):
            store.commit(batch("r1"))
        other.execute("ROLLBACK")
        assert store.commit(batch("r1")).alerts == 1


# Locks


def test_one_run_at_a_time(url: str) -> None:
    with RunLock(url):
        with pytest.raises(StoreBusyError, match="another run is using the store"), RunLock(url):
            pass
        with RunLock(url, "relay"):
            pass
    with RunLock(url):
        pass


def test_one_run_at_a_time_across_threads_and_processes(url: str) -> None:
    seen: list[str] = []

    def attempt() -> None:
        try:
            with RunLock(url):
                seen.append("held")
        except StoreBusyError:
            seen.append("busy")

    script = (
        "import sys\nfrom pipeline.store.lock import RunLock\n"
        "with RunLock(sys.argv[1]):\n print('held', flush=True)\n sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, url], stdin=-1, stdout=-1) as other:
        assert other.stdout and other.stdin
        other.stdout.readline()
        attempt()
        other.kill()
        other.wait()
    # A killed holder lets go; PostgreSQL notices when the connection is found closed.
    for _ in range(100):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        if seen[-1] == "held":
            break
        threading.Event().wait(0.05)
    assert seen[0] == "busy"
    assert seen[-1] == "held"


def test_a_child_of_the_run_does_not_keep_its_lock(tmp_path: Path) -> None:
    """Parser processes outlive a killed run for a moment; the next run must not wait for them."""
    address = f"sqlite:///{tmp_path}/a.sqlite"
    script = (
        "import os, sys, time\nfrom pipeline.store.lock import RunLock\n"
        "RunLock(sys.argv[1]).__enter__()\n"
        "if os.fork() == 0:\n time.sleep(30)\n os._exit(0)\n"
        "print('forked', flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, address], stdout=-1, start_new_session=True) as other:
        assert other.stdout
        other.stdout.readline()
        other.wait()
        with RunLock(address):
            pass
        os.killpg(other.pid, signal.SIGKILL)


# Retention and backup


def old_and_new(store: Store) -> None:
    old = NOW - timedelta(days=500)
    truce = event(3, 0, family=Family.CEASEFIRE, stage=Stage.AGREED, means=None, closed=True, last_seen=old)
    store.outbox.set_sinks(["jsonl"])
    store.commit(
        batch(
            "old",
            (1,),
            now=old,
            articles=tuple(article(n, fetched=old) for n in range(1100)),
            events=(event(1, closed=True, last_seen=old), event(2, 0, closed=True, last_seen=old), truce),
            alerts=(alert(1, told_at=old), alert(9, told_at=old)),
            failures=(replace(failure(), at=old),),
        )
    )
    store.commit(batch("new", (5,)))


def test_prune_keeps_what_is_still_needed(store: Store, tmp_path: Path) -> None:
    old_and_new(store)
    result = store.prune(NOW)
    assert (result.articles, result.events, result.alerts, result.failures, result.runs) == (100, 1, 0, 1, 1)
    assert {each.event_id for each in store.events()} == {"e000001", "e000003", "e000005"}
    assert store.prune(NOW) == replace(result, articles=0, events=0, failures=0, runs=0)


def test_prune_of_alerts_spares_what_a_sink_still_waits_for(store: Store, tmp_path: Path) -> None:
    old_and_new(store)
    assert store.prune(NOW, alerts_too=True).alerts == 0
    relay(store, [JsonlSink(JsonlSettings(path=str(tmp_path / "a.jsonl")))], NOW - timedelta(days=450))
    result = store.prune(NOW, alerts_too=True)
    assert (result.alerts, result.deliveries) == (2, 2)
    assert [each.event_id for each in store.alerts()] == ["e000005"]


def test_prune_refuses_what_would_make_old_news_new(store: Store) -> None:
    with pytest.raises(StoreError, match="at least 30 days"):
        store.prune(NOW, keep_days=3)


def test_a_backup_is_a_store_even_while_a_run_writes(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/a.sqlite"
    copy = tmp_path / "copy.sqlite"
    with Store.open(address) as store:
        store.commit(batch("r1"))
        with database.writing(store._engine):
            store.backup(copy)
        with pytest.raises(StoreError, match="exists already"):
            store.backup(copy)
        with pytest.raises(StoreError, match="cannot write the backup"):
            store.backup(tmp_path / "nowhere" / "copy.sqlite")
    with Store.open(f"sqlite:///{copy}") as restored:
        assert len(restored.alerts()) == 1


def test_a_backup_of_postgresql_names_its_own_tool(postgres_url: str, tmp_path: Path) -> None:
    with Store.open(postgres_url) as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "copy.sql")
