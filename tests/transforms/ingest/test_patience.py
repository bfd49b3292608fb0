"""A worker is given up for what it does, not for what the machine keeps it from doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.transforms.ingest.scripted import rss
from transforms.failures import ParseError
from transforms.ingest import parser_pool, patience
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.patience import Patience
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job

SHORT = FetchSettings(parse_workers=1, parse_wall_s=0.3)
FEED = Job(kind="feed")


@contextmanager
def process(code: str) -> Iterator[int]:
    """A Python process that runs `code` once it has said so."""
    with subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE) as started:
        assert started.stdout
        started.stdout.readline()
        yield started.pid
        started.kill()


def test_a_worker_that_was_not_let_run_is_waited_for() -> None:
    """The machine stands still for longer than a parse may take; the feed's items are read all the same."""
    with ParserPool(SHORT) as parsers:
        assert parsers.run(FEED, rss("Truce holds")).feed
        (worker,) = parsers.pids()
        os.kill(worker, signal.SIGSTOP)
        threading.Timer(1.0, os.kill, (worker, signal.SIGCONT)).start()
        assert parsers.run(FEED, rss("Truce holds")).feed
        assert parsers.pids() == [worker]


def test_a_worker_that_is_never_let_run_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST_S", 1.0)
    with ParserPool(SHORT) as parsers:
        assert parsers.run(FEED, rss("Truce holds")).feed
        (worker,) = parsers.pids()
        os.kill(worker, signal.SIGSTOP)
        with pytest.raises(ParseError) as told:
            parsers.run(FEED, rss("Truce holds"))
        assert told.value.kind == "parse_timeout"
        assert parsers.run(FEED, rss("Truce holds")).feed


def test_an_answer_that_is_there_counts_however_late_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread held Python's lock, as detect does while it loads its model."""
    monkeypatch.setattr(patience, "LONGEST_S", 0.0)  # time is not given again
    read = parser_pool._Worker._read_frame

    def late(self: Any, allowed: Patience) -> bytes:
        time.sleep(0.6)
        return read(self, allowed)

    with ParserPool(SHORT) as parsers:
        assert parsers.run(FEED, rss("Truce holds")).feed
        monkeypatch.setattr(parser_pool._Worker, "_read_frame", late)
        assert parsers.run(FEED, rss("Truce holds")).feed
        assert parsers.started == 1


def test_time_is_given_again_to_a_process_that_waits_only() -> None:
    with process("while True: pass") as busy, process("import time; time.sleep(60)") as waiting:
        of_busy, of_waiting, of_none = Patience(0.5, of=busy), Patience(0.5, of=waiting), Patience(0.5)
        assert of_waiting.left() > 0
        time.sleep(0.6)
        assert of_waiting.left() == 0
        assert not of_busy.renewed()
        assert not of_none.renewed()
        assert of_waiting.renewed()
        assert of_waiting.left() > 0
