"""The seconds from first report to first alert, as Beam's own distribution: what an engine's page shows of a stream."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.observe.metrics import MEASURED, MEASURED_SUM, latency_s
from pipeline.observe.publish import Observer
from pipeline.observe.settings import MetricsSettings
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import Distribution
from tests.transforms.alert.invented import NOW, step
from transforms.alert.settings import AlertPolicy
from transforms.alert.transform import RaiseAlerts
from transforms.counters import NAMESPACE
from transforms.model import Change, EventChange, Stage


def test_latency_is_a_distribution_of_the_alert_stage() -> None:
    changes = [EventChange(event=step(1, NOW.date().isoformat(), Stage.AGREED), what=("new",))]
    pipeline = beam.Pipeline(runner=FnApiRunner())
    now = changes[0].event.first_seen + timedelta(minutes=7)
    pipeline | "Changes" >> beam.Create(changes) | "RaiseAlerts" >> RaiseAlerts(AlertPolicy(), now)
    result = pipeline.run()
    result.wait_until_finish()
    (row,) = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["distributions"]
    assert row.key.metric.name == "alert.latency_s"
    assert row.committed.count == 1
    assert row.committed.sum == 7 * 60


def test_what_stages_measure_is_in_the_summary_and_the_metrics(tmp_path: Path) -> None:
    """Each value once: as many ages as new items, as many latencies as new alerts, as many times as feeds asked."""
    with serve_demo(DemoClock(until=demo_steps()[0])) as url:
        config = config_of(tomllib.loads(demo_config(url)), base=tmp_path, environment={})
        result = run_once(config, Store.open(f"sqlite:///{tmp_path}/store.sqlite"), demo_steps()[0])
    found, counters = result.summary.distributions, result.summary.counters
    assert found["ingest.age_s"].count == counters["ingest.out"]
    assert found["feeds.took_ms"].count == counters["feeds.in"]
    assert found["detect.took_ms"].count >= 1
    latencies = [latency_s(alert) for alert in result.alerts if alert.change is Change.NEW]
    assert found["alert.latency_s"].count == len(latencies) >= 5
    assert found["alert.latency_s"].max >= found["alert.latency_s"].min > 0
    observer = Observer(MetricsSettings())
    observer.publish(result.summary, result.alerts)
    observer.publish(result.summary, result.alerts)
    values = dict(observer.measures.values(MEASURED)), dict(observer.measures.values(MEASURED_SUM))
    assert [each["ingest", "age_s"] for each in values] == [
        2 * found["ingest.age_s"].count,
        2 * found["ingest.age_s"].sum,
    ]


def test_distributions_of_a_stage_on_two_workers_are_one() -> None:
    a, b = Distribution(count=2, sum=7, min=3, max=4), Distribution(count=1, sum=1, min=1, max=1)
    assert a.joined(b) == b.joined(a) == Distribution(count=3, sum=8, min=1, max=4)
