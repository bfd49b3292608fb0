"""The figures of this stage on real labelled mentions, where the measuring material is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.deduplication.compare_methods import events_of
from benchmarks.deduplication.gold import as_alerts, dev_mentions, rows, scorer


@pytest.mark.shared
def test_gold_mentions_become_the_labelled_events(shared_dir: Path) -> None:
    mentions = [one.mention for one in dev_mentions(shared_dir)]
    labels = rows(shared_dir / "gold" / "dedup_dev_labels.jsonl")
    made = scorer(shared_dir)(labels, as_alerts([one.mentions for one in events_of([mentions])]))
    assert made["pairs"]["f1"] >= 0.92
    assert made["bcubed"]["f1"] >= 0.94


@pytest.mark.shared
def test_day_by_day_gives_the_events_of_one_run(shared_dir: Path) -> None:
    mentions = sorted((one.mention for one in dev_mentions(shared_dir)), key=lambda one: one.published)
    days = sorted({one.published for one in mentions})
    daily = events_of([[one for one in mentions if one.published == day] for day in days])

    def told(events: list) -> dict[str, list[str]]:  # type: ignore[type-arg]
        return {one.event_id: [m.mention_id for m in one.mentions] for one in events}

    assert told(daily) == told(events_of([mentions]))
