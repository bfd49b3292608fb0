"""The figures of this stage on real labelled mentions, where the measuring material is at hand."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.deduplication.compare_methods import events_of
from benchmarks.deduplication.gold import as_alerts, dev_mentions, rows, scorer
from tests.transforms.deduplicate.invented import partition_of, run
from transforms.model import Mention


@pytest.mark.shared
def test_gold_mentions_become_the_labelled_events(shared_dir: Path) -> None:
    mentions = [one.mention for one in dev_mentions(shared_dir)]
    labels = rows(shared_dir / "gold" / "dedup_dev_labels.jsonl")
    made = scorer(shared_dir)(labels, as_alerts([one.mentions for one in events_of([mentions])]))
    assert made["pairs"]["f1"] >= 0.92
    assert made["bcubed"]["f1"] >= 0.94


@pytest.mark.shared
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.integers(1, 12))
def test_no_order_and_no_split_of_the_replay_changes_what_stands_together(
    shared_dir: Path, seed: int, cuts: int
) -> None:
    mentions = _mentions(shared_dir)
    chance = random.Random(seed)
    shuffled = chance.sample(mentions, len(mentions))
    ends = [0, *sorted(chance.sample(range(1, len(mentions)), cuts)), len(mentions)]
    batches = [shuffled[first:last] for first, last in pairwise(ends)]
    start = min(one.published for one in mentions)  # so that no event closes before all of it was told
    spread, _ = run(batches, start)
    at_once, _ = run([mentions], start)
    assert partition_of(spread.values()) == partition_of(at_once.values())


@cache
def _mentions(shared: Path) -> list[Mention]:
    return [one.mention for one in dev_mentions(shared)]


@pytest.mark.shared
def test_day_by_day_gives_the_events_of_one_run(shared_dir: Path) -> None:
    mentions = sorted((one.mention for one in dev_mentions(shared_dir)), key=lambda one: one.published)
    days = sorted({one.published for one in mentions})
    daily = events_of([[one for one in mentions if one.published == day] for day in days])

    def told(events: list) -> dict[str, list[str]]:  # type: ignore[type-arg]
        return {one.event_id: [m.mention_id for m in one.mentions] for one in events}

    assert told(daily) == told(events_of([mentions]))
