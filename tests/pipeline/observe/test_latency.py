"""The seconds from first report to first alert, as Beam's own distribution: what an engine's page shows of a stream."""

from __future__ import annotations

from datetime import timedelta

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.transforms.alert.invented import NOW, step
from transforms.alert.settings import AlertPolicy
from transforms.alert.transform import RaiseAlerts
from transforms.counters import NAMESPACE
from transforms.model import EventChange, Stage


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
