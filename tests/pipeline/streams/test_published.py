"""Articles that others publish, straight to alerts on another topic, without a store: against the official emulator."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.pubsub import setup
from pipeline.pubsub_io import article_message
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.summary import Again
from tests.pipeline.streams.conftest import ended_with_children
from tests.transforms.sinks.emulator import running_emulator
from transforms.detect.screen import passes_screen
from transforms.ingest.feed import FeedRequest, FeedState
from transforms.ingest.polling import GroupMemory, SeenBefore
from transforms.ingest.pull import pull_feeds
from transforms.model import Article

ROOT = Path(__file__).resolve().parents[3]
MOMENT = demo_steps()[-1]
PROJECT = "tw-stream"
EVERY_S = 20
ENOUGH_S = 12  # of a tick, to publish and read some messages where much else runs
OLD_NEWS = "[alert]\nfreshness_hours = 87600\n[deduplicate]\nhorizon_days = 3650\n"  # of another month than the clock
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Article], set[str]]:
    """Some articles of the demonstration, and the alerts that a bounded run raises for them."""
    folder = tmp_path_factory.mktemp("bounded")
    with serve_demo(DemoClock(until=MOMENT)) as url:
        config = config_of(tomllib.loads(OLD_NEWS + demo_config(url)), base=folder, environment={})
        requests = [FeedRequest(feed=feed, state=FeedState(feed=feed.name)) for feed in config.feeds]
        seen = SeenBefore(GroupMemory(), None, MOMENT)
        articles = pull_feeds(requests, config.fetch, MOMENT, seen, passes_screen).articles[:30]
    with Store.open(f"sqlite:///{folder}/store.sqlite") as store:
        run_once(config, store, MOMENT, again=Again(articles=tuple(articles)))
        return articles, {each.alert_id for each in store.alerts()}


@contextlib.contextmanager
def streaming(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`trucewatch stream` on Beam's own local runner, from one topic to another."""
    text = f'{OLD_NEWS}[[sink]]\nkind = "pubsub"\nproject = "{PROJECT}"\ntopic = "alerts"\n'
    (folder / "trucewatch.toml").write_text(text, "utf-8")
    source = f"projects/{PROJECT}/subscriptions/news-all"
    options = ["--no-store", "--runner", "direct", "--from-pubsub", source, "--every", f"{EVERY_S} s"]
    command = [sys.executable, "-m", "pipeline.cli", "stream", "-c", str(folder / "trucewatch.toml"), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True, start_new_session=True)
    with ended_with_children(process):
        yield process


def test_each_alert_is_published_and_what_comes_twice_is_told_once(
    news: tuple[list[Article], set[str]], tmp_path: Path
) -> None:
    articles, expected = news
    assert len(expected) >= 5
    with running_emulator():
        from google.cloud import pubsub_v1

        for topic in ("news", "alerts"):
            setup(PROJECT, topic, with_schema=False)
        publisher = pubsub_v1.PublisherClient()
        topic = publisher.topic_path(PROJECT, "news")
        publisher.publish(topic, b"no article").result(10)
        with streaming(tmp_path):
            wait_for("ingest could not handle", tmp_path / "log")
            # All of it in one tick that is not over yet, so that it is decided on together: Beam's local runner, unlike
            # Dataflow, takes the time of the last message that it has pulled for the time of the whole subscription.
            left = EVERY_S - time.time() % EVERY_S
            if left < ENOUGH_S:
                time.sleep(left + 0.5)
            messages = [article_message(article) for article in (*articles, *articles[:5])]
            for pending in [publisher.publish(topic, data) for data in messages]:
                pending.result(10)
            told = [json.loads(message.data)["id"] for message in pulled(len(expected))]
        log = (tmp_path / "log").read_text("utf-8", "replace")
    assert set(told) == expected, log[-3000:]
    assert len(told) == len(expected)


def wait_for(words: str, path: Path) -> None:
    """Wait until the stream has written `words`: it runs, and has read what is no article."""
    end = time.monotonic() + 150
    while words not in path.read_text("utf-8", "replace"):
        assert time.monotonic() < end, path.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.2)


def pulled(wanted: int) -> list[Any]:
    """The alerts that come within two minutes, and some seconds after the last one that is wanted."""
    from google.api_core.exceptions import DeadlineExceeded
    from google.cloud import pubsub_v1

    found: list[Any] = []
    end = time.monotonic() + 150
    with pubsub_v1.SubscriberClient() as client:
        path = client.subscription_path(PROJECT, "alerts-all")
        while time.monotonic() < end:
            try:
                answer = client.pull(request={"subscription": path, "max_messages": 100}, timeout=5, retry=None)
            except DeadlineExceeded:
                if len(found) >= wanted:
                    break
                continue
            if answer.received_messages:
                found += [each.message for each in answer.received_messages]
                acks = [each.ack_id for each in answer.received_messages]
                client.acknowledge(request={"subscription": path, "ack_ids": acks})
            elif len(found) >= wanted:
                break
    return found
