"""A feed as configured, what the store remembers of it, and what one pull of it gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Outcome = Literal["new", "unchanged", "not_due", "muted", "paused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed of the configuration.

    Attributes:
        name: Unique in the configuration.
        url: http(s) address as configured; redirects never change it.
        outlet: Who publishes it; several feeds may share an outlet.
        language: Two-letter code, or "" to detect it item by item.
        country: Two-letter code of the outlet's country, or "".
        owner: Who owns the outlet, or "".
        state_affiliated: Whether a state owns or directs the outlet.
        full_text: Whether article pages are fetched where the feed gives only a teaser.
        interval: How often to ask at most.
        timezone: IANA name of the zone that the feed's naive times are in, "" if unknown (then UTC).
    """

    name: str
    url: str
    outlet: str
    language: str = ""
    country: str = ""
    owner: str = ""
    state_affiliated: bool = False
    full_text: bool = False
    interval: timedelta = timedelta(minutes=15)
    timezone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is remembered of a feed between runs.

    Attributes:
        feed: The feed's name.
        configured_url: The configured address that this state is about; another one in the configuration resets it.
        url: The address that permanent redirects led to, "" = as configured.
        etag: Validator of the last body read, "" if none.
        last_modified: The other validator, "" if none.
        validators_saved_at: When the validators were taken.
        failures: Failures in a row.
        retry_at: Not to be asked before this time: back-off of a failing feed, or the server's wish.
        host_paused_until: Until when the server asked (429, 503) that its whole host be left alone.
        muted: Not to be asked any more (the server said 410 Gone).
        muted_reason: Why it is muted, for a person.
        last_success: When the feed was last read, or said to be unchanged.
        last_new_item: Publication time of the newest item yet, clamped to the clock of the run that read it.
        last_attempt: When it was last asked.
        last_error: Why the last attempt failed, "" if it did not.
        items_mean: Moving mean of new items per pull that had any.
        interval_mean_s: Moving mean of the seconds between items.
        pulls: How often the feed was read with success.
    """

    feed: str
    configured_url: str = ""
    url: str = ""
    etag: str = ""
    last_modified: str = ""
    validators_saved_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None
    host_paused_until: datetime | None = None
    muted: bool = False
    muted_reason: str = ""
    last_success: datetime | None = None
    last_new_item: datetime | None = None
    last_attempt: datetime | None = None
    last_error: str = ""
    items_mean: float = 0.0
    interval_mean_s: float = 0.0
    pulls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """A feed to pull, and what is remembered of it."""

    feed: Feed
    state: FeedState


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPull:
    """What one pull of one feed gave.

    Attributes:
        feed: The feed's name.
        state: The state after this pull; to be committed together with the articles, never before them.
        outcome: new (at least one new or changed item), unchanged, not_due, muted, paused or failed.
        kind: Short stable word for the reason, such as "timeout", "http_404", "http_429", "" if there is none.
        message: The reason in words.
        items_in: Entries that the feed held.
        items_new: Entries that were given on as articles.
        warnings: What was odd but could be read.
        elapsed_s: Seconds spent on the network and in parsing.
    """

    feed: str
    state: FeedState
    outcome: Outcome
    kind: str = ""
    message: str = ""
    items_in: int = 0
    items_new: int = 0
    warnings: tuple[str, ...] = ()
    elapsed_s: float = 0.0
