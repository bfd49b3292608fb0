"""A pipeline that Pub/Sub feeds and drains, on the local streaming runner against the official emulator."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.pubsub import setup
from pipeline.pubsub_io import AlertsToPubSub, ArticlesFromPubSub, article_message
from tests.transforms.sinks.emulator import running_emulator
from tests.transforms.sinks.made import NOW, alert, article
from transforms.failures import Failure
from transforms.model import Alert, Article

ROOT = Path(__file__).resolve().parents[3]
RUNNER = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"


def told(read: Article) -> Alert:
    return alert(int(read.item_id.split("-")[1]))


def as_bytes(failure: Failure) -> bytes:
    return failure.payload.encode()


def run_for_ever() -> None:
    """What a process of its own runs until it is killed; a streaming pipeline does not end by itself."""
    pipeline = beam.Pipeline(runner=RUNNER, options=PipelineOptions(["--streaming"]))
    read = pipeline | "Read" >> ArticlesFromPubSub("projects/tw-beam/subscriptions/news-all", NOW)
    alerts = read["articles"] | "Tell" >> beam.Map(told)
    alerts | "Write" >> AlertsToPubSub("projects/tw-beam/topics/alerts", "urn:watch")
    rejected = read["failures"] | "As bytes" >> beam.Map(as_bytes)
    rejected | "Keep" >> beam.io.WriteToPubSub("projects/tw-beam/topics/rejected")
    pipeline.run().wait_until_finish()


def test_articles_in_alerts_out_and_what_is_no_article_to_its_place() -> None:
    with running_emulator():
        from google.cloud import pubsub_v1

        for topic in ("news", "alerts", "rejected"):
            setup("tw-beam", topic, with_schema=False)
        publisher = pubsub_v1.PublisherClient()
        news = publisher.topic_path("tw-beam", "news")
        for data in (article_message(article(1)), b"no article", article_message(article(2))):
            publisher.publish(news, data).result(10)
        command = [sys.executable, "-c", f"from {__name__} import run_for_ever; run_for_ever()"]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
            try:
                messages = _pulled("alerts-all", 2)
                rejected = _pulled("rejected-all", 1)
            finally:
                running.kill()
    assert {json.loads(message.data)["id"] for message in messages} == {"e000001.1", "e000002.1"}
    assert {message.attributes["pcode"] for message in messages} == {"SY0500"}
    assert [message.data for message in rejected] == [b"no article"]


def _pulled(subscription: str, wanted: int) -> list[Any]:
    from google.api_core.exceptions import DeadlineExceeded
    from google.cloud import pubsub_v1

    found: list[Any] = []
    with pubsub_v1.SubscriberClient() as client:
        path = client.subscription_path("tw-beam", subscription)
        for _ in range(12):
            try:
                answer = client.pull(request={"subscription": path, "max_messages": 10}, timeout=5, retry=None)
            except DeadlineExceeded:
                continue
            found += [each.message for each in answer.received_messages]
            if len(found) >= wanted:
                break
    return found
