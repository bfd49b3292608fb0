"""A run killed anywhere is made good by the next one: the same alerts as an undisturbed run, each once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store
from tests.pipeline.killed_run import POINTS

ROOT = Path(__file__).resolve().parents[2]
MOMENT: datetime = demo_steps()[0]


@pytest.fixture(scope="module")
def outlets() -> Iterator[str]:
    with serve_demo(DemoClock(until=MOMENT)) as url:
        yield url


def written_config(folder: Path, url: str) -> Path:
    sinks = '[[sink]]\nkind = "jsonl"\npath = "alerts.jsonl"\n[[sink]]\nkind = "atom"\npath = "alerts.atom"\n'
    path = folder / "trucewatch.toml"
    path.write_text(f'store = "sqlite:///{folder}/store.sqlite"\n{sinks}{demo_config(url)}', "utf-8")
    return path


def told(folder: Path) -> tuple[list[str], list[str], str]:
    """What subscribers hold: ids in the store, ids in the JSONL file, the Atom feed."""
    store = Store.open(f"sqlite:///{folder}/store.sqlite")
    lines = (folder / "alerts.jsonl").read_text("utf-8").splitlines()
    atom = (folder / "alerts.atom").read_text("utf-8")
    return sorted(a.alert_id for a in store.alerts()), sorted(json.loads(line)["id"] for line in lines), atom


@pytest.fixture(scope="module")
def undisturbed(outlets: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str], str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    config = load_config(written_config(folder, outlets), environment={})
    run_once(config, Store.open(config.store), MOMENT)
    return told(folder)


def test_an_undisturbed_run_tells_of_something(undisturbed: tuple[list[str], list[str], str]) -> None:
    stored, lines, _ = undisturbed
    assert len(stored) >= 5
    assert stored == lines


@pytest.mark.parametrize("point", sorted(POINTS))
def test_killed_at(point: str, outlets: str, tmp_path: Path, undisturbed: tuple[list[str], list[str], str]) -> None:
    path = written_config(tmp_path, outlets)
    arguments = ["run", "--config", str(path), "--as-of", MOMENT.isoformat()]
    command = [sys.executable, "-m", "tests.pipeline.killed_run", point, *arguments]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -9, f"the run was not killed at {point!r}: {killed.stderr[-1000:]}"
    config = load_config(path, environment={})
    run_once(config, Store.open(config.store), MOMENT)
    assert told(tmp_path) == undisturbed
