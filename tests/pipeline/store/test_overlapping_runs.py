"""Runs that overlap: one works, the others try later, nothing is told twice; constraints guard behind the lock.

On PostgreSQL some rounds are done by default; with TRUCEWATCH_THOROUGH=1, as in CI, all 25.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.lock import RunLock
from pipeline.store.store import Store

pytestmark = pytest.mark.timeout(1260)  # of a machine that does much else; one that is free needs a tenth
ROOT = Path(__file__).resolve().parents[3]


def overlapping(folder: Path, **plan: Any) -> dict[str, Any]:
    path = folder / "plan.json"
    path.write_text(json.dumps({"path": str(folder / "a.jsonl"), "workers": 8} | plan), "utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.store.overlapping_runs", str(path)],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    found: dict[str, Any] = json.loads(answer.stdout)
    assert "deadlock" not in answer.stderr
    assert set(found["codes"]) <= {"0", "75"}, answer.stderr[-3000:]
    return found


def once(found: dict[str, Any]) -> None:
    wanted = found["wanted"]
    assert (found["alerts"], found["lines"], found["ids"], found["delivered"], found["waiting"]) == (wanted,) * 4 + (0,)


def test_eight_runs_at_once(url: str, tmp_path: Path) -> None:
    rounds = 25 if url.startswith("sqlite") or os.environ.get("TRUCEWATCH_THOROUGH") else 6
    found = overlapping(tmp_path, url=url, locked=True, rounds=rounds)
    once(found)
    assert min(found["winners"]) >= 1
    assert found["codes"]["0"] + found["codes"]["75"] == 8 * rounds


def test_without_the_lock_the_constraints_hold(url: str, tmp_path: Path) -> None:
    """As if an advisory lock had been lost with its connection. Busy losers may then be those of the relay's lock."""
    Store.open(url).close()
    once(overlapping(tmp_path, url=url, locked=False, rounds=3))


def test_the_command_line_exits_75(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.sqlite"
    config = tmp_path / "trucewatch.toml"
    config.write_text(
        '[[feed]]\nname = "courier"\nurl = "http://127.0.0.1:1/feed"\noutlet = "The Courier"\nlanguage = "en"\n',
        "utf-8",
    )
    Store.open(address).close()
    with RunLock(address):
        answer = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "run", "--config", str(config), "--store", address],
            cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120, env=_environment(),
        )  # fmt: skip
    assert answer.returncode == 75, answer.stderr[-2000:]
    assert "try again later" in " ".join(answer.stderr.split())


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
