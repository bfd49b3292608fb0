"""Metrics as tools read them: parsed by Prometheus' own parser, scraped over HTTP, decoded by a collector."""

from __future__ import annotations

import json
import re
import socket
import threading
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.observe.health import Health
from pipeline.observe.measures import Measures, Spread
from pipeline.observe.metrics import LATENCY, LATENCY_BOUNDS, METRICS, Kind, Sample, latency_s
from pipeline.observe.prometheus import registry_of, restore_file, write_file
from pipeline.observe.publish import Observer, publish
from pipeline.observe.settings import MetricsSettings
from pipeline.store.outbox import SinkState
from tests.pipeline.observe.collector import collecting
from tests.pipeline.observe.made import NOW, summary
from tests.transforms.sinks.made import alert, quote
from transforms.failures import ConfigError
from transforms.ingest.health import FeedHealth
from transforms.model import Change, Family

DELTA, CUMULATIVE = 1, 2


def told(text: str) -> dict[tuple[str, ...], float]:
    """Samples by name and label values, in the order of the metric's labels (a bucket's bound last)."""
    order = {m.prometheus_name.removesuffix("_total"): (*m.labels, "le") for m in METRICS}
    return {
        (s.name, *(s.labels[label] for label in order[family.name] if label in s.labels)): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def file_settings(folder: Path) -> MetricsSettings:
    return MetricsSettings(prometheus_file=str(folder / "trucewatch.prom"))


def test_a_run_is_written_as_prometheus_text(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    late = alert(2, evidence=(quote(2, published=NOW - timedelta(days=3)),), family=Family.CEASEFIRE, told_at=NOW)
    assert publish(summary(), [alert(1, told_at=NOW), late], settings) == []
    values = told(Path(settings.prometheus_file).read_text())
    assert values["trucewatch_records_total", "detect", "in", ""] == 30
    assert values["trucewatch_records_total", "detect", "dropped", "screen"] == 20
    assert values["trucewatch_runs_total", "3"] == 1
    assert values["trucewatch_last_run_exit_code",] == 3
    assert values["trucewatch_last_run_duration_seconds",] == 4.5
    assert values["trucewatch_last_run_feeds", "failed"] == 1
    assert values["trucewatch_last_run_unaccounted", "detect"] == 0
    assert values["trucewatch_deliveries_total", "jsonl"] == 2
    assert values["trucewatch_alerts_total", "new", "ceasefire", "SY"] == 1
    # An hour ends in the bucket of an hour; three days are beyond the last bound.
    assert values["trucewatch_alert_latency_seconds_bucket", "violation", "1800.0"] == 0
    assert values["trucewatch_alert_latency_seconds_bucket", "violation", "3600.0"] == 1
    assert values["trucewatch_alert_latency_seconds_bucket", "ceasefire", "172800.0"] == 0
    assert values["trucewatch_alert_latency_seconds_bucket", "ceasefire", "+Inf"] == 1
    assert values["trucewatch_alert_latency_seconds_sum", "violation"] == 3600
    assert [path.name for path in tmp_path.iterdir()] == ["trucewatch.prom"]


def test_totals_go_on_over_runs_and_conditions_do_not(tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    publish(summary(), [alert(1, told_at=NOW)], settings)
    failed = summary(exit_code=1, counters={"detect.in": 5}, feeds={"failed": 8}, delivered={}, seconds=1.0)
    publish(failed, [alert(3, told_at=NOW)], settings)
    values = told(Path(settings.prometheus_file).read_text())
    assert values["trucewatch_records_total", "detect", "in", ""] == 35
    assert values["trucewatch_runs_total", "1"] == values["trucewatch_runs_total", "3"] == 1
    assert values["trucewatch_alert_latency_seconds_count", "violation"] == 2
    assert values["trucewatch_alert_latency_seconds_sum", "violation"] == 7200
    assert values["trucewatch_last_run_feeds", "failed"] == 8
    assert ("trucewatch_last_run_feeds", "read") not in values
    assert values["trucewatch_last_success_timestamp_seconds",] <= values["trucewatch_last_run_timestamp_seconds",]


@pytest.mark.parametrize("damage", ["", "# half a li", "trucewatch_runs_total{exit_code=", "\x00\x01", "not a metric"])
def test_a_damaged_file_begins_anew(damage: str, tmp_path: Path) -> None:
    settings = file_settings(tmp_path)
    Path(settings.prometheus_file).write_text(damage)
    assert publish(summary(), [], settings) == []
    assert told(Path(settings.prometheus_file).read_text())["trucewatch_runs_total", "3"] == 1


def test_a_file_that_cannot_be_written_is_a_warning_not_a_failure(tmp_path: Path) -> None:
    settings = MetricsSettings(prometheus_file=str(tmp_path / "none" / "trucewatch.prom"))
    (warning,) = publish(summary(), [], settings)
    assert "cannot be written" in warning


def test_nothing_wanted_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert publish(summary(), [alert()], MetricsSettings()) == []
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=40))
def test_a_histogram_survives_the_file(seconds: list[float]) -> None:
    import tempfile

    before, after = Measures(), Measures()
    before.take(Sample(metric=LATENCY, labels=("violation",), value=value) for value in seconds)
    with tempfile.TemporaryDirectory() as folder:
        write_file(before, Path(folder) / "a.prom")
        restore_file(after, Path(folder) / "a.prom")
    assert list(after.spreads(LATENCY)) == list(before.spreads(LATENCY))
    assert sum(spread.counts[-1] for _, spread in after.spreads(LATENCY)) == sum(
        v > LATENCY_BOUNDS[-1] for v in seconds
    )


@given(st.text(max_size=30))
def test_any_name_of_a_feed_is_told_as_it_is(name: str) -> None:
    observer = Observer(MetricsSettings())
    row = FeedHealth(feed=name, status="ok", failures=2)
    observer.publish(summary(), feeds=[row])
    text = generate_latest(registry_of(observer.measures)).decode("utf-8", "replace")
    values = {
        s.labels["feed"]: s.value for f in text_string_to_metric_families(text) for s in f.samples if "feed" in s.labels
    }
    assert values == {name: 2.0}


def test_feeds_and_sinks_are_told_while_they_are_there() -> None:
    observer = Observer(MetricsSettings())
    rows = [FeedHealth(feed="a", status="ok", last_success=NOW, last_new_item=NOW, silent_for_s=60.0)]
    rows.append(FeedHealth(feed="b", status="failing", failures=4))
    sinks = [SinkState(name="hook", failures=3, waiting=5), SinkState(name="gone", active=False, waiting=9)]
    observer.publish(summary(), feeds=rows, sinks=sinks)
    values = told(generate_latest(registry_of(observer.measures)).decode())
    assert values["trucewatch_feeds", "failing"] == values["trucewatch_feeds", "ok"] == 1
    assert values["trucewatch_feeds", "silent"] == 0
    assert values["trucewatch_feed_failures", "b"] == 4
    assert values["trucewatch_sink_stuck", "hook"] == 1
    assert values["trucewatch_sink_waiting", "hook"] == 5
    assert ("trucewatch_sink_waiting", "gone") not in values
    observer.publish(summary(), feeds=rows[:1], sinks=[])
    values = told(generate_latest(registry_of(observer.measures)).decode())
    assert ("trucewatch_feed_failures", "b") not in values
    assert ("trucewatch_sink_stuck", "hook") not in values


def test_feeds_have_no_series_of_their_own_where_that_is_switched_off() -> None:
    observer = Observer(MetricsSettings(per_feed=False))
    observer.publish(summary(), feeds=[FeedHealth(feed="a", status="ok", last_success=NOW)])
    values = told(generate_latest(registry_of(observer.measures)).decode())
    assert values["trucewatch_feeds", "ok"] == 1
    assert not [key for key in values if key[0].startswith("trucewatch_feed_")]


def test_an_engine_sets_the_totals_of_records() -> None:
    observer = Observer(MetricsSettings())
    observer.observe_counters({"detect.in": 10, "detect.dropped.screen": 4})
    observer.observe_counters({"detect.in": 12, "detect.dropped.screen": 5})
    values = told(generate_latest(registry_of(observer.measures)).decode())
    assert values["trucewatch_records_total", "detect", "in", ""] == 12
    assert values["trucewatch_records_total", "detect", "dropped", "screen"] == 5


def test_only_first_alerts_have_a_latency_and_it_is_never_negative() -> None:
    assert latency_s(alert(1, told_at=NOW)) == 3600
    assert latency_s(alert(1, told_at=NOW, evidence=(quote(1), quote(2, published=NOW - timedelta(hours=2))))) == 7200
    assert latency_s(alert(1, told_at=NOW - timedelta(hours=9))) == 0
    assert latency_s(alert(1, evidence=(), first_seen=NOW, told_at=NOW + timedelta(minutes=1))) == 60
    assert latency_s(alert(1, revision=2)) is None
    assert latency_s(alert(1, change=Change.RETRACTED)) is None


def test_names_are_those_that_prometheus_and_collectors_agree_on() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"trucewatch_[a-z_]+", metric.prometheus_name)
        assert metric.prometheus_name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.help.endswith(".")
    assert len({metric.prometheus_name for metric in METRICS}) == len(METRICS)


def test_the_endpoint_is_scraped_while_runs_go_on() -> None:
    observer = Observer(MetricsSettings(), lasting=True)
    health = [Health(ok=True)]
    with observer.serve(0, "127.0.0.1", lambda: health[0]) as server:
        url = f"http://127.0.0.1:{server.port}"
        writer = threading.Thread(target=lambda: [observer.publish(summary(), [alert()]) for _ in range(50)])
        writer.start()
        seen = [told(read(f"{url}/metrics")).get(("trucewatch_runs_total", "3"), 0) for _ in range(10)]
        writer.join()
        assert seen == sorted(seen)
        assert told(read(f"{url}/metrics"))["trucewatch_runs_total", "3"] == 50
        assert json.loads(read(f"{url}/healthz")) == {"ok": True, "problems": []}
        health[0] = Health(ok=False, problems=("no run has ended yet",))
        with pytest.raises(urllib.error.HTTPError) as caught:
            read(f"{url}/healthz")
        assert caught.value.code == 503
        with pytest.raises(urllib.error.HTTPError) as caught:
            read(f"{url}/else")
        assert caught.value.code == 404
    with pytest.raises(OSError):
        read(f"{url}/metrics")


def test_a_port_in_use_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="name another port"):
            Observer(MetricsSettings()).serve(taken.getsockname()[1], "127.0.0.1")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_a_collector_gets_what_each_run_added() -> None:
    with collecting() as collector:
        observer = Observer(MetricsSettings(otlp_endpoint=collector.url, instance="monitor-1"))
        assert observer.publish(summary(), [alert(1, told_at=NOW)]) == []
        assert observer.publish(summary(), [alert(2, told_at=NOW)]) == []
        observer.close()
    assert collector.paths[0] == "/v1/metrics"
    assert collector.temporality("trucewatch.records") == DELTA
    assert collector.points("trucewatch.records", 1)["detect", "in", ""].as_double == 30
    point = collector.points("trucewatch.alert.latency", 1)["violation",]
    assert (point.count, point.sum) == (1, 3600)
    assert tuple(point.explicit_bounds) == LATENCY_BOUNDS
    assert collector.points("trucewatch.last_run.exit_code", 1)[()].as_double == 3
    about = collector.resource()
    assert (about["service.name"], about["service.instance.id"]) == ("trucewatch", "monitor-1")


def test_a_lasting_process_sends_totals() -> None:
    with collecting() as collector:
        observer = Observer(MetricsSettings(otlp_endpoint=f"{collector.url}/otlp/metrics"), lasting=True)
        observer.publish(summary())
        observer.publish(summary())
        observer.close()
    assert collector.paths[0] == "/otlp/metrics"
    assert collector.temporality("trucewatch.records") == CUMULATIVE
    assert collector.points("trucewatch.records", 1)["detect", "in", ""].as_double == 60


def test_a_collector_that_refuses_or_is_away_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with collecting() as collector:
        collector.status = 400
        (refused,) = publish(summary(), [], MetricsSettings(otlp_endpoint=collector.url))
        assert "did not take them" in refused
    away = MetricsSettings(otlp_endpoint=collector.url, otlp_timeout=timedelta(seconds=0.5))
    (warning,) = publish(summary(), [], away)
    assert "did not take them" in warning
    assert not caplog.records  # told once, by the warning


@pytest.mark.parametrize("endpoint", ["localhost:4318", "grpc://localhost:4317", "http://"])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="otlp_endpoint"):
        Observer(MetricsSettings(otlp_endpoint=endpoint))


def test_spreads_handed_out_are_copies() -> None:
    measures = Measures()
    measures.take([Sample(metric=LATENCY, labels=("violation",), value=5.0)])
    next(measures.spreads(LATENCY))[1].add(1.0)
    assert next(measures.spreads(LATENCY))[1] == Spread([1.0] + [0.0] * len(LATENCY_BOUNDS), 5.0)


def test_run_and_watch_tell_their_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trucewatch.toml").write_text('[metrics]\nprometheus_file = "t.prom"\n')
    assert CliRunner().invoke(app, ["run"]).exit_code == 0
    result = CliRunner().invoke(app, ["watch", "--runs", "1", "--metrics-port", "0", "--every", "1 s"])
    assert result.exit_code == 0, result.output
    assert "/healthz" in result.stderr
    values = told((tmp_path / "t.prom").read_text())
    assert values["trucewatch_runs_total", "0"] == 2
    assert values["trucewatch_last_run_exit_code",] == 0
