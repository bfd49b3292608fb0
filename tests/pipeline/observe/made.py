"""Invented runs for tests of metrics and health."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.summary import RunSummary

NOW = datetime(2016, 10, 3, 9, 30, tzinfo=UTC)


def summary(**changes: Any) -> RunSummary:
    values: dict[str, Any] = {
        "run_id": "20161003T093000Z-1",
        "now": NOW,
        "seconds": 4.5,
        "feeds": {"read": 7, "failed": 1},
        "counters": {
            "feeds.in": 8, "feeds.out": 7, "feeds.failed": 1,
            "detect.in": 30, "detect.out": 9, "detect.dropped.screen": 20, "detect.failed": 1, "detect.made": 11,
        },
        "imbalances": {},
        "alerts": {"new": 2},
        "failures": 1,
        "delivered": {"jsonl": 2},
        "waiting": {},
        "exit_code": 3,
    }  # fmt: skip
    return RunSummary(**(values | changes))
