"""A stream on Prism as operators see it: JSON logs, metrics while it goes on and at its end, and the health check."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.store.store import Store
from tests.conftest import ROOT
from tests.pipeline.observe.collector import collecting

FIRST, LAST = demo_steps()[0], demo_steps()[-1]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("prism")]


def streaming(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "stream", "--log-json", *words], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def told(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have `labels`."""
    rows = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
    chosen = [row.value for row in rows if labels.items() <= row.labels.items()]
    assert chosen, f"no {name} with {labels}"
    return sum(chosen)


def test_a_replay_leaves_its_metrics_in_the_file_and_with_the_collector(tmp_path: Path) -> None:
    with serve_demo(DemoClock(until=LAST)) as url, collecting() as collector:
        metrics = f'[metrics]\nprometheus_file = "t.prom"\notlp_endpoint = "{collector.url}"\n'
        (tmp_path / "trucewatch.toml").write_text(metrics + demo_config(url))
        words = ("--as-of", FIRST.isoformat(), "--until", LAST.isoformat(), "--every", "1 d")
        with streaming(tmp_path, *words) as process:
            _, log = process.communicate(timeout=250)
    assert process.returncode == 0, log[-2000:]
    records = [json.loads(line) for line in log.splitlines()]
    (last,) = [record for record in records if record["message"] == "stream"][-1:]
    assert last["run_id"] == f"stream/{FIRST:%Y%m%dT%H%M%SZ}"
    with Store.open(f"sqlite:///{tmp_path}/trucewatch.sqlite") as store:
        alerts = list(store.alerts())
        beats = [json.loads(row.summary) for row in store.run_rows() if row.summary]
    file = (tmp_path / "t.prom").read_text()
    assert len(alerts) >= 10
    assert told(file, "trucewatch_alerts_total") == len(alerts)
    read = told(file, "trucewatch_records_total", stage="ingest", outcome="out")
    assert read == sum(beat["counters"].get("ingest.out", 0) for beat in beats) >= 60
    assert told(file, "trucewatch_measured_total", stage="ingest", what="age_s") == read
    assert told(file, "trucewatch_measured_total", stage="alert", what="latency_s") >= 10
    assert told(file, "trucewatch_last_run_exit_code") == 0
    points = [
        point for n in range(len(collector.requests)) for point in collector.points("trucewatch.records", n).items()
    ]
    assert dict(points)["ingest", "out", ""].as_double == read


def test_a_stream_of_live_news_is_scraped_and_probed_and_ends_when_told(tmp_path: Path) -> None:
    with serve_demo(DemoClock(until=LAST)) as url:
        (tmp_path / "trucewatch.toml").write_text(demo_config(url))
        with streaming(tmp_path, "--every", "1 s", "--metrics-port", "0") as process:
            assert process.stderr is not None
            lines = [process.stderr.readline()]
            while not (port := re.search(r"served on port (\d+)", lines[-1])):
                assert lines[-1], lines
                lines.append(process.stderr.readline())
            for _ in range(600):
                with Store.open(f"sqlite:///{tmp_path}/trucewatch.sqlite") as store:
                    if store.alerts() or sum(row.result.articles for row in store.run_rows()):
                        break
                time.sleep(0.2)
            with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=10) as answer:
                assert "trucewatch_records_total" in answer.read().decode()
            process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=100)
    assert process.returncode == 0, rest[-2000:]
    assert all(json.loads(line)["severity"] for line in [*lines, *rest.splitlines()])
    probe = [sys.executable, "-m", "pipeline.cli", "healthcheck", "--runs-only", "--max-age", "10 min"]
    done = subprocess.run(probe, cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0
