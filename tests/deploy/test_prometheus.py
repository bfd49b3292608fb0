"""The rules and the dashboard in a real Prometheus: what raises each rule, and every query over a real scrape."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.observe.publish import Observer
from pipeline.observe.settings import MetricsSettings
from pipeline.store.outbox import SinkState
from tests.conftest import ROOT
from tests.deploy.test_grafana import DASHBOARD, FOLDER, RULES
from tests.pipeline.observe.made import NOW, summary
from tests.transforms.sinks.made import alert
from transforms.ingest.health import FeedHealth

RULE_TESTS = FOLDER / "alert-rules.test.yaml"


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:{ROOT / '.cache' / 'tools'}")
    if found is None:
        pytest.skip(f"no {name} here; .ci/tools brings it")
    return found


def test_each_rule_is_raised_by_what_should_raise_it_and_by_nothing_else() -> None:
    done = subprocess.run(
        [tool("promtool"), "test", "rules", RULE_TESTS], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_has_a_case_that_raises_it_and_one_that_does_not() -> None:
    cases = [
        case for test in yaml.safe_load(RULE_TESTS.read_text("utf-8"))["tests"] for case in test["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} >= names - {"TrucewatchSlow"}


@contextmanager
def prometheus(target: int, folder: Path) -> Iterator[str]:
    """A Prometheus that scrapes the port `target` and holds our rules."""
    program = tool("prometheus")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scrape = {"job_name": "trucewatch", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(FOLDER / "alert-rules.yaml")],
        "scrape_configs": [scrape],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    words = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]  # fmt: skip
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as server:
        try:
            yield f"http://127.0.0.1:{port}/api/v1"
        finally:
            server.terminate()


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body = json.load(answer)
    assert body["status"] == "success", body
    return body["data"]


def until(url: str, wanted: Any) -> Any:
    """Ask until the answer is what is wanted."""
    for _ in range(300):
        try:
            if wanted(found := asked(url)):
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} does not answer as it should")


def test_a_prometheus_takes_the_rules_scrapes_the_endpoint_and_answers_the_dashboard(tmp_path: Path) -> None:
    observer = Observer(MetricsSettings(), lasting=True)
    feeds = [FeedHealth(feed="a", status="ok", last_success=NOW, last_new_item=NOW, silent_for_s=60.0)]
    sinks = [SinkState(name="hook", failures=3, waiting=5, last_error="away")]
    with observer.serve(0, "127.0.0.1") as server, prometheus(server.port, tmp_path) as api:
        observer.publish(summary(), [alert(1, told_at=NOW)], feeds=feeds, sinks=sinks)
        query = f"{api}/query?query="
        until(f"{query}trucewatch_runs_total", lambda found: found["result"])
        groups = asked(f"{api}/rules")["groups"]
        assert {rule["name"] for group in groups for rule in group["rules"]} == {rule["alert"] for rule in RULES}
        until(f"{api}/rules", lambda found: all(r["health"] == "ok" for g in found["groups"] for r in g["rules"]))
        empty = []
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$instance", ".*")
                found = asked(query + urllib.parse.quote(expression))
                # Rates need two scrapes of a value that changes; whatever shows a condition must show it now.
                if not found["result"] and "increase(" not in expression:
                    empty.append(panel["title"])
        assert empty == ["Feeds that fail longest"]  # none does
        until(f"{api}/alerts", lambda found: "TrucewatchSinkStuck" in names_of(found["alerts"]))


def names_of(alerts: list[dict[str, Any]]) -> set[str]:
    return {each["labels"]["alertname"] for each in alerts}


def test_what_is_exposed_has_the_form_that_prometheus_asks_for() -> None:
    observer = Observer(MetricsSettings(), lasting=True)
    observer.publish(summary(), [alert(1, told_at=NOW)])
    with (
        observer.serve(0, "127.0.0.1") as server,
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer,
    ):
        text = answer.read()
    words = [tool("promtool"), "check", "metrics"]
    done = subprocess.run(words, input=text, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.decode()) == (0, "")
