"""A running stream can be updated: names that stay, coders that other versions read, and a graph Dataflow takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as api
from google.protobuf.message import Message

from pipeline.config import Config
from pipeline.stream import Schedule
from pipeline.stream_run import StreamJob, pipeline_of
from pipeline.stream_sources import tick_after
from transforms.ingest.feed import Feed

SCHEDULE = Schedule(start=datetime(2026, 1, 1, tzinfo=UTC), every=timedelta(minutes=1))
FEED = Feed(name="a", url="https://a.example/rss", outlet="A")
# A name that changes costs a running stream its state: change one only with VERSION of transforms/envelope.py.
STATEFUL = {
    "PollFeeds/Poll/ParDo(_Poll)": {"memory", "ticks", "ts-tick"},
    "DecideAndTell/Look/ParDo(_Country)": {"news", "agenda", "events", "ts-tick"},
    "SettlePolls/Settle": {"receipts", "last", "ts-due"},
}
LOOK = "DecideAndTell/Look/ParDo(_Country)"
PUBLISHED = {"ArticlesPublished/Unseen/Unseen": {"heard", "ts-forget"}}


def graph(store: str, *flags: str, runner: str = "prism", subscription: str = "") -> api.Pipeline:
    """The stream as a runner gets it."""
    job = StreamJob(
        config=Config(feeds=(FEED,)),
        schedule=SCHEDULE,
        runner=runner,
        flags=["--streaming", *flags],
        subscription=subscription,
    )
    return pipeline_of(job, store).to_runner_api()


def stateful(proto: api.Pipeline) -> dict[str, tuple[set[str], api.ParDoPayload, Any]]:
    """Each step that keeps state: the names of its state and timers, its payload, and itself."""
    found = {}
    for step in proto.components.transforms.values():
        if step.spec.urn == "beam:transform:pardo:v1":
            payload = api.ParDoPayload.FromString(step.spec.payload)
            names = {*payload.state_specs, *payload.timer_family_specs}
            if names:
                found[step.unique_name] = (names, payload, step)
    return found


@pytest.mark.parametrize("store", ["sqlite:///store.sqlite", ""])
def test_the_names_of_steps_and_states_stay(store: str) -> None:
    expected = STATEFUL if store else {name: STATEFUL[name] for name in STATEFUL if name != "SettlePolls/Settle"}
    assert {name: names for name, (names, _, _) in stateful(graph(store)).items()} == expected


def test_the_names_stay_where_articles_are_published() -> None:
    proto = graph("", runner="direct", subscription="projects/my-project/subscriptions/news")
    names = {name: names for name, (names, _, _) in stateful(proto).items()}
    assert names == PUBLISHED | {LOOK: STATEFUL[LOOK]}


@pytest.mark.parametrize("store", ["sqlite:///store.sqlite", ""])
def test_keys_are_text_and_all_else_is_bytes(store: str) -> None:
    """So no key depends on how Python pickles, and no record on the class that made it."""
    proto = graph(store)
    coders = proto.components.coders

    def urns(coder_id: str) -> list[str]:
        coder = coders[coder_id]
        return [coder.spec.urn, *(urn for part in coder.component_coder_ids for urn in urns(part))]

    for name, (_, payload, step) in stateful(proto).items():
        source = proto.components.pcollections[next(iter(step.inputs.values()))]
        assert urns(source.coder_id) == ["beam:coder:kv:v1", "beam:coder:string_utf8:v1", "beam:coder:bytes:v1"], name
        kept = [
            spec.bag_spec.element_coder_id or spec.read_modify_write_spec.coder_id
            for spec in payload.state_specs.values()
        ]
        assert {urn for coder in kept for urn in urns(coder)} == {"beam:coder:bytes:v1"}, name


def test_no_two_steps_have_one_name() -> None:
    names = [step.unique_name for step in graph("sqlite:///store.sqlite").components.transforms.values()]
    assert len(names) == len(set(names))


def test_dataflow_takes_the_graph(tmp_path: Path) -> None:
    pytest.importorskip("apache_beam.io.gcp.gcsio", reason="Beam's extra for Google Cloud is not installed")
    flags = [
        "--streaming", "--project=my-project", "--region=europe-west1", "--job_name=trucewatch",
        "--staging_location=gs://my-bucket/staging", "--temp_location=gs://my-bucket/temp", "--no_auth",
        "--dry_run=True", "--sdk_location=container", "--sdk_container_image=europe-west1-docker.pkg.dev/p/t/t:0.1.0",
    ]  # fmt: skip
    job = StreamJob(config=Config(feeds=(FEED,)), schedule=SCHEDULE, runner="dataflow", flags=flags)
    result = pipeline_of(job, "postgresql+psycopg://user@host/db").run()  # a dry run: translated, and not sent
    proto: Message = result.job.proto_pipeline
    names = {step.unique_name for step in proto.components.transforms.values()}
    assert {"PollFeeds", "ReadArticles", "DecideAndTell", "SettlePolls"} <= names


@pytest.mark.parametrize(("second", "tick"), [(0, 60), (59, 60), (60, 120), (61, 120)])
def test_a_message_belongs_to_the_tick_after_it(second: int, tick: int) -> None:
    def at(seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    assert tick_after(at(second), timedelta(minutes=1)) == at(tick)
