"""What one run hands to whoever keeps it, and what comes back: the records of a commit.

They live here, and not beside the store, because a transform may not import how it is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from transforms.failures import Failure
from transforms.model import Alert, Article, Event

if TYPE_CHECKING:
    from transforms.ingest.feed import FeedPull


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch:
    """Everything of one run, or of one part of a large run, that must be kept together or not at all.

    Attributes:
        run_id: Names the run; the same id handed in twice is the same batch, and is kept once.
        part: "" for a run committed whole, else the part's name (a country, or "end" for what must come last).
        now: The run's clock.
        articles: Read for the first time, or changed since.
        pulls: How each feed answered, with the validators for its next request.
        events: As they now are.
        alerts: Raised by this run.
        failures: What the stages could not handle.
    """

    run_id: str
    now: datetime
    part: str = ""
    articles: tuple[Article, ...] = ()
    pulls: tuple[FeedPull, ...] = ()
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitResult:
    """What a commit did.

    Attributes:
        run_id: The batch's.
        part: The batch's.
        repeated: The batch had been committed before; nothing was written now, the figures are those of then.
        articles, pulls, events, alerts, failures: How many were written.
        already_told: Ids of alerts that the store held already and that were not written again.
        queued: Rows put into the outbox (alerts times sinks).
    """

    run_id: str
    part: str = ""
    repeated: bool = False
    articles: int = 0
    pulls: int = 0
    events: int = 0
    alerts: int = 0
    failures: int = 0
    already_told: tuple[str, ...] = ()
    queued: int = 0


class Committer(Protocol):
    """Keeps a batch in one transaction."""

    def commit(self, batch: RunBatch) -> CommitResult:
        """Write all of `batch` or nothing; a batch written before is not written again."""
        ...
