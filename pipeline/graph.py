"""The pipeline: one function that joins the five stages, and reads like their table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apache_beam as beam

from pipeline.config import Config
from transforms.alert.transform import RaiseAlerts
from transforms.deduplicate.transform import DeduplicateEvents
from transforms.detect.screen import passes_screen
from transforms.detect.transform import DetectEvents
from transforms.ingest.feed import FeedRequest
from transforms.ingest.transform import PullFeeds
from transforms.model import Article, Event, Mention
from transforms.sinks.commit import Committer
from transforms.sinks.transform import WriteAlerts

STAGES = ("feeds", "ingest", "detect", "deduplicate", "alert", "sinks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one bounded run works on.

    Attributes:
        run_id: Names the run in the store; a repeated commit of one run changes nothing.
        now: The run's clock.
        requests: The feeds to pull, each with its state.
        articles_again: Articles fed in again from the dead letters.
        mentions_again: Mentions fed in again from the dead letters of later stages.
        open_events: Events that may still take mentions.
        ceasefire_events: Ceasefire events of earlier runs, from which the ledger learns.
    """

    run_id: str
    now: datetime
    requests: tuple[FeedRequest, ...] = ()
    articles_again: tuple[Article, ...] = ()
    mentions_again: tuple[Mention, ...] = ()
    open_events: tuple[Event, ...] = ()
    ceasefire_events: tuple[Event, ...] = ()


def build_graph(
    pipeline: beam.Pipeline, job: Job, config: Config, *, seen: Any, committer: Callable[[], Committer]
) -> beam.PCollection:
    """Join the stages on `pipeline` for one bounded run and return the collection of commit results.

    Args:
        pipeline: Where the steps are added; labels are stable over versions.
        job: What to work on.
        config: Settings of the stages.
        seen: Tells which articles are stored already; picklable, `known(feed, item_ids)`.
        committer: Makes, in a worker, the object whose `commit` is the run's one transaction.
    """
    requests = pipeline | "FeedsToPull" >> beam.Create(list(job.requests))
    pulled = requests | "PullFeeds" >> PullFeeds(config.fetch, job.now, seen, passes_screen)

    again = pipeline | "ArticlesAgain" >> beam.Create(list(job.articles_again))
    articles = (pulled["articles"], again) | "AllArticles" >> beam.Flatten()
    detected = articles | "DetectEvents" >> DetectEvents(config.detect, job.now)

    told_again = pipeline | "MentionsAgain" >> beam.Create(list(job.mentions_again))
    mentions = (detected["mentions"], told_again) | "AllMentions" >> beam.Flatten()
    open_events = pipeline | "OpenEvents" >> beam.Create(list(job.open_events))
    decided = {
        "mentions": mentions,
        "open_events": open_events,
    } | "DeduplicateEvents" >> DeduplicateEvents(config.deduplicate, job.now)

    raised = {
        "changes": decided["changes"],
        "open_events": open_events,
    } | "RaiseAlerts" >> RaiseAlerts(config.alert, job.now, job.ceasefire_events)

    dead_letters = [stage["failures"] for stage in (pulled, detected, decided, raised)]
    failures = dead_letters | "DeadLetters" >> beam.Flatten()
    written = {
        "articles": articles,
        "pulls": pulled["pulls"],
        "events": raised["events"],
        "alerts": raised["alerts"],
        "failures": failures,
    } | "WriteAlerts" >> WriteAlerts(committer, job.run_id, job.now)
    return written["committed"]
