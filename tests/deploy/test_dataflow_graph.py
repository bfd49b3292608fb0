"""The bounded run as a Dataflow job: translated by DataflowRunner as for the service, and not sent (dry run)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import apache_beam as beam
import pytest

from pipeline.config import Config
from pipeline.graph import Job, build_graph
from pipeline.options import beam_options
from pipeline.store.store import Store
from transforms.ingest.feed import Feed, FeedRequest, FeedState

FLAGS = (
    "--project=my-project", "--region=europe-west1", "--job_name=trucewatch", "--staging_location=gs://my-bucket/staging",
    "--temp_location=gs://my-bucket/temp", "--no_auth", "--dry_run=True", "--sdk_location=container",
    "--sdk_container_image=europe-west1-docker.pkg.dev/my-project/trucewatch/trucewatch:0.1.0",
)  # fmt: skip


def test_the_run_becomes_a_job_graph(tmp_path: Path) -> None:
    pytest.importorskip("apache_beam.io.gcp.gcsio", reason="Beam's extra for Google Cloud is not installed")
    store = Store.open(f"sqlite:///{tmp_path}/store.sqlite")
    feed = Feed(name="a", url="https://a.example/rss", outlet="A")
    now = datetime(2016, 10, 3, tzinfo=UTC)
    job = Job(run_id="r", now=now, requests=(FeedRequest(feed=feed, state=FeedState(feed="a")),))
    pipeline = beam.Pipeline(options=beam_options("dataflow", FLAGS))
    build_graph(pipeline, job, Config(), seen=store.seen(), committer=store.committer())
    result = pipeline.run()  # a dry run: translated, checked, and not sent
    proto = result.job.proto_pipeline
    names = {step.unique_name for step in proto.components.transforms.values()}
    assert {"PullFeeds", "DetectEvents", "DeduplicateEvents", "RaiseAlerts", "WriteAlerts"} <= names
    images = {env.payload for env in proto.components.environments.values()}
    assert any(b"trucewatch/trucewatch:0.1.0" in payload for payload in images)
