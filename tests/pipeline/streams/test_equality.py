"""The same news gives the same events and alerts, by whatever way trucewatch runs.

What a bounded run a day tells is the measure. A stream that gets the news tick by tick must tell exactly that: the
same event ids, the same members, the same alerts with the same revisions, times and quotes, whatever the engine and
whatever the order within and between the ticks.

One bounded run over all of it sees only how things ended. What differs there, and may: the number of revisions. An
event has one and not several, so it quotes also what made no revision of its own, and one that was taken back before
the end was never told. Events, members and what is last said of each event that stands are the same. (What is old by
then is told only because this test sets `freshness_hours` so.)
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.replay import days, replay_config, replay_server
from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.store.store import Store
from tests.pipeline.streams import ways
from tests.pipeline.streams.conftest import FlinkBench
from tests.pipeline.streams.ways import News, Outcome, store_in

pytestmark = pytest.mark.timeout(900)  # engines start slowly where much else runs

STREAMS: dict[str, Callable[[News, Store], None]] = {
    "TestStream, in order": ways.polled_in_order,
    "TestStream, shuffled": ways.shuffled,
    "Prism": ways.on_prism,
}


def fresh_for_ever(news: News) -> News:
    """Nothing is too old to be told, so that one run over everything tells what runs in time would have told."""
    alert = dataclasses.replace(news.config.alert, freshness_hours=24.0 * 3650)
    return dataclasses.replace(news, config=dataclasses.replace(news.config, alert=alert))


@pytest.fixture(scope="module", params=["invented", "replay"])
def news(request: pytest.FixtureRequest) -> Iterator[News]:
    """Invented news of two days, and a fortnight of real news where the measuring material is at hand."""
    if request.param == "invented":
        clock = DemoClock(until=demo_steps()[0])
        with serve_demo(clock) as url:
            config = config_of(tomllib.loads(demo_config(url)), base=Path(), environment={})
            yield fresh_for_ever(
                News(config=config, moments=demo_steps(), show=lambda moment: setattr(clock, "until", moment))
            )
        return
    shared = request.getfixturevalue("shared_dir")
    moments = [day for day in days(shared) if (day.year, day.month) == (2012, 4) and day.day <= 14]
    with replay_server(shared) as server:
        yield fresh_for_ever(News(config=replay_config(server), moments=moments, show=server.move_clock))


@pytest.fixture(scope="module")
def measure(news: News, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    with store_in(tmp_path_factory.mktemp("measure"), "day-by-day") as store:
        ways.day_by_day(news, store)
        outcome = Outcome.of(store)
    assert len(outcome.members) >= 20
    assert len(outcome.alerts) >= 10  # enough to tell two ways apart
    return outcome


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_tells_what_runs_day_by_day_tell(way: str, news: News, measure: Outcome, tmp_path: Path) -> None:
    with store_in(tmp_path, "stream") as store:
        STREAMS[way](news, store)
        outcome = Outcome.of(store)
    assert outcome.members == measure.members
    assert outcome.alerts == measure.alerts


def test_a_stream_without_a_store_tells_the_same(news: News, measure: Outcome, tmp_path: Path) -> None:
    outcome = ways.shuffled_without_a_store(news, tmp_path)
    assert outcome.members == measure.members
    assert outcome.alerts == measure.alerts


def test_flink_tells_what_runs_day_by_day_tell(
    flink_bench: FlinkBench, news: News, measure: Outcome, tmp_path: Path
) -> None:
    with store_in(tmp_path, "stream") as store:
        ways.on_flink(news, store, flink_bench, tmp_path)
        outcome = Outcome.of(store)
    assert outcome.members == measure.members
    assert outcome.alerts == measure.alerts


def test_one_run_over_everything_ends_where_runs_day_by_day_end(news: News, measure: Outcome, tmp_path: Path) -> None:
    with store_in(tmp_path, "at-once") as store:
        ways.at_once(news, store)
        outcome = Outcome.of(store)
    assert outcome.members == measure.members
    assert outcome.standing == measure.standing
