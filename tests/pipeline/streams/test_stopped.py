"""A stream that is killed or stopped anywhere is made good by the next: the same alerts as undisturbed, each once."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store
from tests.pipeline.killed_run import STREAM_POINTS
from tests.pipeline.streams.conftest import ended_with_children

ROOT = Path(__file__).resolve().parents[3]
FIRST, LAST = demo_steps()[0], demo_steps()[-1]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("prism")]


@pytest.fixture(scope="module")
def outlets() -> Iterator[str]:
    with serve_demo(DemoClock(until=LAST)) as url:
        yield url


def written_config(folder: Path, url: str) -> Path:
    path = folder / "trucewatch.toml"
    sink = '[[sink]]\nkind = "jsonl"\npath = "alerts.jsonl"\n'
    path.write_text(f'store = "sqlite:///{folder}/store.sqlite"\n{sink}{demo_config(url)}', "utf-8")
    return path


def told(folder: Path) -> tuple[list[str], list[str], int]:
    """Ids in the store, ids in the JSONL file, and how many articles are marked as read."""
    with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        stored = sorted(alert.alert_id for alert in store.alerts())
        articles = sum(row.result.articles for row in store.run_rows())
    lines = (folder / "alerts.jsonl").read_text("utf-8").splitlines()
    return stored, sorted(json.loads(line)["id"] for line in lines), articles


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str], int]:
    """What bounded runs tell."""
    folder = tmp_path_factory.mktemp("undisturbed")
    clock = DemoClock(until=FIRST)
    with serve_demo(clock) as url:
        config = load_config(written_config(folder, url), environment={})
        for moment in (FIRST, LAST):
            clock.until = moment
            run_once(config, Store.open(config.store), moment)
    return told(folder)


def arguments(config: Path) -> list[str]:
    replay = ["--as-of", FIRST.isoformat(), "--until", LAST.isoformat(), "--every", "1d"]
    return ["stream", "--runner", "prism", "--config", str(config), *replay]


def started(command: list[str]) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Start a process whose children end with it."""
    return ended_with_children(
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
    )


def finished(config: Path) -> None:
    """Start the stream again, once, and see that it read all that was left."""
    with started([sys.executable, "-m", "pipeline.cli", *arguments(config)]) as process:
        output = process.communicate(timeout=200)[0]
    assert process.returncode == 0, output[-2000:]
    assert not unread(config.parent), "a feed that could not be read explains items that are missing"


def unread(folder: Path) -> list[str]:
    """What could not be handled, in the store's words."""
    with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        return [f"{failure.input_id}: {failure.message}" for failure in store.failures()]


def named(name: str, session: int) -> list[int]:
    """Ids of the processes of a session that run the program `name`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, tail = path.read_text().rpartition(")")
            state, _, _, sid = tail.split()[:4]
            if head.partition("(")[2] == name and int(sid) == session and state != "Z":
                found.append(int(path.parent.name))
    return found


def waited_for(condition: Callable[[], object], seconds: float) -> bool:
    """Whether `condition` came to hold within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("point", STREAM_POINTS)
def test_killed_at(point: str, outlets: str, tmp_path: Path, undisturbed: tuple[list[str], list[str], int]) -> None:
    config = written_config(tmp_path, outlets)
    with started([sys.executable, "-m", "tests.pipeline.killed_run", point, *arguments(config)]) as process:
        output = process.communicate(timeout=200)[0]
    assert process.returncode == -9, f"the stream was not killed at {point!r}: {output[-1000:]}"
    finished(config)
    assert told(tmp_path) == undisturbed


def test_stopped_by_sigterm(outlets: str, tmp_path: Path, undisturbed: tuple[list[str], list[str], int]) -> None:
    config = written_config(tmp_path, outlets)
    with started([sys.executable, "-m", "pipeline.cli", *arguments(config)]) as process:
        with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as store:
            assert waited_for(lambda: store.run_rows() or process.poll() is not None, 120)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=100)[0]
    assert process.returncode == 0, output[-2000:]
    finished(config)
    assert told(tmp_path) == undisturbed


def test_a_stream_holds_its_store_and_takes_prism_with_it_when_killed(outlets: str, tmp_path: Path) -> None:
    config = written_config(tmp_path, outlets)
    live = ["stream", "--runner", "prism", "--config", str(config), "--every", "1 h"]
    with started([sys.executable, "-m", "pipeline.cli", *live]) as process:
        # The store is taken before Prism is started.
        assert waited_for(lambda: named("prism", process.pid) or process.poll() is not None, 120)
        run = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(config)]
        refused = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        assert refused.returncode == 75, refused.stderr
        assert "try again later" in refused.stderr
        assert named("prism", process.pid)
        process.kill()  # the command alone
        if sys.platform == "linux":  # whose kernel ends the children of the dead
            assert waited_for(lambda: not named("prism", process.pid), 10), "Prism was left behind"
