"""Write dashboard.json beside this file (or, with --check, fail where it is out of date)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECT = 'instance=~"$instance"'

# title, kind, unit, width in 24ths, height, (expression, legend) ..., what it means
ROWS: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "Is it well?",
        [
            {
                "title": "Since the last run", "kind": "stat", "unit": "s", "width": 4,
                "queries": [(f"time() - max(trucewatch_last_run_timestamp_seconds{{{SELECT}}})", "")],
                "steps": [(None, "green"), (900, "orange"), (1800, "red")],
                "text": "Runs are expected every few minutes.",
            },
            {
                "title": "Exit code", "kind": "stat", "unit": "none", "width": 4,
                "queries": [(f"max(trucewatch_last_run_exit_code{{{SELECT}}})", "")],
                "steps": [(None, "green"), (1, "red"), (2, "orange"), (4, "red")],
                "text": "Of the last run: 0 ok, 1 failed, 3 some feeds failed.",
            },
            {
                "title": "Sinks that take nothing", "kind": "stat", "unit": "none", "width": 4,
                "queries": [(f"sum(trucewatch_sink_stuck{{{SELECT}}})", "")],
                "steps": [(None, "green"), (1, "red")],
                "text": "Disabled, or left alone after repeated failures.",
            },
            {
                "title": "Inputs unaccounted for", "kind": "stat", "unit": "none", "width": 4,
                "queries": [(f"sum(abs(trucewatch_last_run_unaccounted{{{SELECT}}}))", "")],
                "steps": [(None, "green"), (1, "red")],
                "text": "0 unless a stage loses something.",
            },
            {
                "title": "Median latency (1 day)", "kind": "stat", "unit": "s", "width": 4,
                "queries": [
                    (
                        "histogram_quantile(0.5, sum by (le) "
                        f"(increase(trucewatch_alert_latency_seconds_bucket{{{SELECT}}}[1d])))",
                        "",
                    )
                ],
                "steps": [(None, "green"), (3600, "orange"), (14400, "red")],
                "text": "From the first report to the first alert of an event.",
            },
            {
                "title": "Version", "kind": "stat", "unit": "none", "width": 4,
                "queries": [(f"max by (version) (trucewatch_build_info{{{SELECT}}})", "{{version}}")],
                "name": True,
                "text": "What runs.",
            },
        ],
    ),
    (
        "What is told",
        [
            {
                "title": "Alerts an hour", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (
                        f"sum by (family, change) (increase(trucewatch_alerts_total{{{SELECT}}}[1h]))",
                        "{{family}} {{change}}",
                    )
                ],
                "text": "New events, revisions and retractions.",
            },
            {
                "title": "From first report to alert", "kind": "timeseries", "unit": "s", "width": 12,
                "queries": [
                    (
                        f"histogram_quantile({q}, sum by (le) "
                        f"(increase(trucewatch_alert_latency_seconds_bucket{{{SELECT}}}[6h])))",
                        f"{q:.0%}",
                    )
                    for q in (0.5, 0.9)
                ],
                "text": "Feeds that are asked each quarter of an hour cannot be faster than that.",
            },
            {
                "title": "Deliveries an hour", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [(f"sum by (sink) (increase(trucewatch_deliveries_total{{{SELECT}}}[1h]))", "{{sink}}")],
                "text": "Alerts that a sink took.",
            },
            {
                "title": "Waiting and given up", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (f"max by (sink) (trucewatch_sink_waiting{{{SELECT}}})", "{{sink}} waiting"),
                    (f"max by (sink) (trucewatch_sink_undeliverable{{{SELECT}}})", "{{sink}} given up"),
                ],
                "text": "The outbox. `trucewatch outbox` lists it.",
            },
        ],
    ),
    (
        "Stages",
        [
            {
                "title": "Records out of each stage, an hour", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (
                        f'sum by (stage) (increase(trucewatch_records_total{{{SELECT}, outcome="out"}}[1h]))',
                        "{{stage}}",
                    )
                ],
                "text": "Feeds, items, articles with events, mentions, events told.",
            },
            {
                "title": "Dropped, by reason, an hour", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (
                        "sum by (stage, reason) "
                        f'(increase(trucewatch_records_total{{{SELECT}, outcome="dropped"}}[1h]))',
                        "{{stage}}: {{reason}}",
                    )
                ],
                "text": "What was left out on purpose.",
            },
            {
                "title": "Failed and dead letters, an hour", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (
                        f'sum by (stage) (increase(trucewatch_records_total{{{SELECT}, outcome="failed"}}[1h]))',
                        "{{stage}}",
                    ),
                    (f"sum(increase(trucewatch_dead_letters_total{{{SELECT}}}[1h]))", "dead letters"),
                ],
                "text": "`trucewatch failures` lists dead letters.",
            },
            {
                "title": "Means of what stages measure", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [
                    (
                        f"sum by (stage, what) (increase(trucewatch_measured_sum_total{{{SELECT}}}[1h])) "
                        f"/ sum by (stage, what) (increase(trucewatch_measured_total{{{SELECT}}}[1h]))",
                        "{{stage}} {{what}}",
                    )
                ],
                "text": "Where latency comes from: age of items when read (s), time of a feed and an article (ms).",
            },
            {
                "title": "Duration of runs", "kind": "timeseries", "unit": "s", "width": 6,
                "queries": [(f"max by (instance) (trucewatch_last_run_duration_seconds{{{SELECT}}})", "{{instance}}")],
                "text": "Wall time of the last run.",
            },
            {
                "title": "Runs an hour", "kind": "timeseries", "unit": "short", "width": 6,
                "queries": [
                    (f"sum by (exit_code) (increase(trucewatch_runs_total{{{SELECT}}}[1h]))", "exit {{exit_code}}"),
                ],
                "text": "By exit code: 0 ok, 1 failed, 3 some feeds failed.",
            },
        ],
    ),
    (
        "Feeds",
        [
            {
                "title": "Feeds by condition", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [(f"sum by (status) (trucewatch_feeds{{{SELECT}}})", "{{status}}")],
                "text": "`trucewatch feeds health` says why.",
            },
            {
                "title": "Outcome of the last run's pulls", "kind": "timeseries", "unit": "short", "width": 12,
                "queries": [(f"sum by (outcome) (trucewatch_last_run_feeds{{{SELECT}}})", "{{outcome}}")],
                "text": "Read, unchanged, not due, failed.",
            },
            {
                "title": "Feeds that fail longest", "kind": "bargauge", "unit": "short", "width": 8,
                "queries": [(f"topk(15, max by (feed) (trucewatch_feed_failures{{{SELECT}}}) > 0)", "{{feed}}")],
                "text": "Failures in a row.",
            },
            {
                "title": "Feeds not read for longest", "kind": "bargauge", "unit": "s", "width": 8,
                "queries": [
                    (
                        "topk(15, time() - max by (feed) "
                        f"(trucewatch_feed_last_success_timestamp_seconds{{{SELECT}}}))",
                        "{{feed}}",
                    )
                ],
                "text": "Since a feed was last read.",
            },
            {
                "title": "Feeds silent for longest", "kind": "bargauge", "unit": "s", "width": 8,
                "queries": [(f"topk(15, max by (feed) (trucewatch_feed_silence_seconds{{{SELECT}}}))", "{{feed}}")],
                "text": "Since a feed's newest item; silent feeds are worse than failing ones.",
            },
        ],
    ),
]  # fmt: skip


def panel(number: int, row: dict[str, Any], x: int, y: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": row["unit"]}
    if "steps" in row:
        steps = [{"value": value, "color": colour} for value, colour in row["steps"]]
        defaults |= {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}
    made: dict[str, Any] = {
        "id": number,
        "type": row["kind"],
        "title": row["title"],
        "description": row["text"],
        "datasource": SOURCE,
        "gridPos": {"h": 4 if row["kind"] == "stat" else 8, "w": row["width"], "x": x, "y": y},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + n), "datasource": SOURCE, "expr": expr, "legendFormat": legend,
                "instant": row["kind"] != "timeseries",
            }
            for n, (expr, legend) in enumerate(row["queries"])
        ],
    }  # fmt: skip
    if row.get("name"):
        made["options"] = {"textMode": "name"}
    return made


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, rows in ROWS:
        at = {"h": 1, "w": 24, "x": 0, "y": y}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": at, "collapsed": False, "panels": []}
        )
        y, x, height = y + 1, 0, 0
        for row in rows:
            if x + row["width"] > 24:
                x, y = 0, y + height
            made = panel(len(panels) + 1, row, x, y)
            panels.append(made)
            x, height = x + row["width"], made["gridPos"]["h"]
        y += height
    choices = [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "instance", "label": "Deployment", "type": "query", "datasource": SOURCE, "multi": True,
            "includeAll": True, "allValue": ".*", "refresh": 2, "current": {"text": "All", "value": "$__all"},
            "query": {"query": "label_values(trucewatch_last_run_timestamp_seconds, instance)", "refId": "instance"},
        },
    ]  # fmt: skip
    return {
        "uid": "trucewatch",
        "title": "trucewatch",
        "description": "Ceasefires in Syria and Libya: what is read, what is told, and how fast.",
        "tags": ["trucewatch"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": choices},
        "panels": panels,
    }


def main() -> int:
    fresh = json.dumps(dashboard(), indent=2) + "\n"
    path = FOLDER / "dashboard.json"
    if "--check" in sys.argv[1:]:
        return int(not path.exists() or path.read_text("utf-8") != fresh)
    path.write_text(fresh, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
