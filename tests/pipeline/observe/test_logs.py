"""The log for machines: one JSON object a line and nothing else, each with its run, errors and warnings too."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.observe.logs import JsonFormatter, logged_as
from pipeline.store.store import Store
from tests.conftest import ROOT

CLOSED = '[[feed]]\nname = "Closed"\nurl = "http://127.0.0.1:9/rss"\noutlet = "Closed"\n'


def trucewatch(folder: Path, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the records on stderr, and stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words], cwd=folder, capture_output=True, text=True, timeout=200,
        check=False, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )  # fmt: skip
    records = [json.loads(line) for line in done.stderr.splitlines()]
    for record in records:
        assert {"time", "severity", "logger", "message"} <= set(record)
        assert datetime.fromisoformat(record["time"]).tzinfo
    return done.returncode, records, done.stdout


def test_every_line_of_a_run_is_a_record_with_its_run(tmp_path: Path) -> None:
    with serve_demo(DemoClock(until=demo_steps()[0])) as url:
        (tmp_path / "trucewatch.toml").write_text(demo_config(url) + CLOSED)
        code, records, _ = trucewatch(tmp_path, "run", "--log-json", "--as-of", demo_steps()[0].isoformat())
    assert code == 3
    with Store.open(f"sqlite:///{tmp_path}/trucewatch.sqlite") as store:
        (run,) = store.run_rows()
    (finished,) = [record for record in records if record["message"] == "run finished"]
    assert finished["run_id"] == run.run_id
    assert finished["summary"] == json.loads(run.summary)
    assert finished["severity"] == "INFO"
    (warning,) = [record for record in records if "Closed" in record["message"]]
    assert (warning["severity"], warning["run_id"]) == ("WARNING", run.run_id)


def test_what_ends_a_command_is_a_record_too(tmp_path: Path) -> None:
    (tmp_path / "trucewatch.toml").write_text("stoer = 1")
    for command in ("run", "watch"):
        code, records, out = trucewatch(tmp_path, command, "--log-json")
        assert (code, out) == (2, "")
        assert [record["severity"] for record in records] == ["ERROR"]
        assert "did you mean `store`" in records[0]["message"]


def test_records_of_all_threads_belong_to_the_run_and_none_after_it() -> None:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    try:
        with logged_as("run-1"):
            thread = threading.Thread(target=logger.warning, args=("from %s", "afar"))
            thread.start()
            thread.join()
            try:
                raise ValueError("broken")
            except ValueError:
                logger.exception("it broke", extra={"fields": {"where": Path("a"), "n": {1, 2}}})
        logger.warning("later")
    finally:
        logger.removeHandler(handler)
    afar, broke, later = map(json.loads, heard.getvalue().splitlines())
    assert (afar["run_id"], afar["message"]) == ("run-1", "from afar")
    assert broke["run_id"] == "run-1"
    assert broke["error"].endswith("ValueError: broken")
    assert "run_id" not in later


@pytest.mark.parametrize("message", ["two\nlines", "\x1b[31mred", "\ud800", "100 %", 'quote " and \\'])
def test_any_message_stays_one_line(message: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, message, None, None)
    (line,) = JsonFormatter().format(record).splitlines()
    assert json.loads(line)["severity"] == "INFO"


def test_what_python_prints_of_its_own_accord_is_a_record_too(tmp_path: Path) -> None:
    program = """
import sys, threading, traceback, warnings
from pipeline.observe.logs import log_as_json
class Broken:
    def __del__(self): raise OSError("while let go")
log_as_json()
warnings.warn("too old")
thread = threading.Thread(target=lambda: 1 / 0, name="reader")
thread.start()
thread.join()
Broken()
try:
    [][1]
except IndexError:
    traceback.print_exc()
print("half a", end=" ", file=sys.stderr)
print("line", file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    warned, ended, let_go, *printed, line = (json.loads(line) for line in done.stderr.splitlines())
    assert (warned["severity"], "too old" in warned["message"]) == ("WARNING", True)
    assert (ended["severity"], ended["message"]) == ("ERROR", "thread reader ended by an error")
    assert "ZeroDivisionError" in ended["error"]
    assert let_go["error"].endswith("OSError: while let go")
    assert [record["message"] for record in (printed[0], printed[-1], line)] == [
        "Traceback (most recent call last):", "IndexError: list index out of range", "half a line",
    ]  # fmt: skip
