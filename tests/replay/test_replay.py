"""Real news of 18 outlets, day by day through the whole pipeline: the material beside the checkout is needed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks.replay import ReplayServer, days, dedup_scores, replay_config, replay_server, run_days
from pipeline.config import Config
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import RunResult

pytestmark = [pytest.mark.shared, pytest.mark.timeout(900)]

MONTHS = ("2012-04", "2013-08", "2016-10")


@dataclass(frozen=True)
class Replayed:
    """A replay that has been run: day by day, and each day's run once more at the same clock for some days."""

    server: ReplayServer
    config: Config
    store: Store
    moments: list[datetime]
    results: list[RunResult]


@pytest.fixture(scope="module")
def replayed(shared_dir: Path) -> Iterator[Replayed]:
    with tempfile.TemporaryDirectory() as folder, replay_server(shared_dir) as server:
        config = replay_config(server)
        store = Store.open(f"sqlite:///{folder}/replay.sqlite")
        # Days without news are left out: a run costs two seconds of starting Beam, and has nothing to read.
        moments = [day for day in days(shared_dir, quiet=False) if f"{day:%Y-%m}" in MONTHS]
        yield Replayed(server, config, store, moments, run_days(server, config, store, moments))


@pytest.fixture(scope="module")
def texts(shared_dir: Path) -> dict[str, dict[str, str]]:
    rows = (shared_dir / "gold" / "dedup_dev_items.jsonl").read_text("utf-8").splitlines()
    return {item["id"]: item for item in map(json.loads, rows)}


def test_every_run_ends_well(replayed: Replayed) -> None:
    assert [r.summary.exit_code for r in replayed.results] == [0] * len(replayed.moments)
    assert [r.summary.failures for r in replayed.results] == [0] * len(replayed.moments)


def test_counters_balance(replayed: Replayed) -> None:
    assert [dict(r.summary.imbalances) for r in replayed.results] == [{}] * len(replayed.moments)
    read = sum(r.summary.counters.get("ingest.out", 0) for r in replayed.results)
    assert read == 145, "every item of the replay was read once, the first run's backlog included"


def test_a_second_run_tells_and_fetches_nothing(replayed: Replayed) -> None:
    before = [a.alert_id for a in replayed.store.alerts()]
    again = run_once(replayed.config, replayed.store, replayed.moments[-1])
    assert again.alerts == ()
    assert again.summary.counters.get("ingest.in", 0) == 0
    assert again.summary.counters["feeds.dropped.unchanged"] == len(replayed.config.feeds)
    assert [a.alert_id for a in replayed.store.alerts()] == before


def test_quotes_are_exact_substrings_of_their_items(replayed: Replayed, texts: dict[str, dict[str, str]]) -> None:
    quotes = [q for alert in replayed.store.alerts() for q in alert.evidence]
    assert len(quotes) >= 15, "enough of the news was told to judge its quotes"
    for quote in quotes:
        item = texts[quote.item_id]  # its feed may make a headline of the first words of its text
        assert any(quote.quote in " ".join(item[field].split()) for field in ("title", "summary")), quote.item_id


def test_each_alert_is_told_once(replayed: Replayed) -> None:
    ids = [a.alert_id for r in replayed.results for a in r.alerts]
    assert len(ids) == len(set(ids)) >= 10, "enough was told to be told twice"
    for alert in replayed.store.alerts(last_revision_only=True):
        revisions = [a.revision for a in replayed.store.alerts(event_ids=[alert.event_id])]
        assert revisions == list(range(1, len(revisions) + 1))


def test_one_run_over_everything_gives_the_same_events(replayed: Replayed, tmp_path: Path) -> None:
    at_once = Store.open(f"sqlite:///{tmp_path}/at_once.sqlite")
    run_days(replayed.server, replayed.config, at_once, replayed.moments[-1:])

    def told(store: Store) -> dict[str, tuple[str, ...]]:
        standing = [one for one in store.events() if not one.superseded_by]
        return {one.event_id: tuple(m.mention_id for m in one.mentions) for one in standing}

    assert len(told(at_once)) >= 60
    assert told(at_once) == told(replayed.store)


def test_the_deduplication_scorer_reads_the_export(replayed: Replayed, shared_dir: Path, tmp_path: Path) -> None:
    scores = dedup_scores(shared_dir, replayed.store, tmp_path)
    assert scores["coverage"] >= 0.8
    assert scores["pairs"]["f1"] >= 0.5
