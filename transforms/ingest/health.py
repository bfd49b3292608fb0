"""How feeds do, judged from what is remembered of them: failing, stale, silent beyond their habit, or well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from transforms.ingest.feed import Feed, FeedState

Status = Literal["ok", "new", "failing", "muted", "stale", "silent"]

FAILING_AFTER = 3  # failures in a row; fewer are weather
STALE_AFTER = timedelta(days=30)
SILENT_TIMES = 6.0  # so many times the usual time between items
SILENT_LEAST = timedelta(days=2)  # so that a weekend is not a fault
_HABIT_PULLS = 3  # a feed read less often has no habit yet
_QUORUM = 2  # one feed alone may have a quiet week


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One feed's condition.

    Attributes:
        feed: Its name.
        status: ok; new (never read); failing; muted (410); stale (newest item older than a month); silent (nothing
            new for much longer than usual).
        message: The same in words, "" if all is well.
        last_success: When it was last read.
        last_new_item: When its newest item was published.
        last_attempt: When it was last asked.
        failures: In a row.
        items_mean: New items per pull that had any.
        usual_interval_s: Usual seconds between items, 0 if not known yet.
        silent_for_s: Seconds since its newest item, 0 if it never had one.
    """

    feed: str
    status: Status
    message: str = ""
    last_success: datetime | None = None
    last_new_item: datetime | None = None
    last_attempt: datetime | None = None
    failures: int = 0
    items_mean: float = 0.0
    usual_interval_s: float = 0.0
    silent_for_s: float = 0.0


def health_of(feed: Feed, state: FeedState, now: datetime) -> FeedHealth:
    """Return how `feed` does at `now`."""
    quiet = now - state.last_new_item if state.last_new_item else timedelta(0)
    status, message = _judged(state, quiet, now)
    return FeedHealth(
        feed=feed.name,
        status=status,
        message=message,
        last_success=state.last_success,
        last_new_item=state.last_new_item,
        last_attempt=state.last_attempt,
        failures=state.failures,
        items_mean=state.items_mean,
        usual_interval_s=state.interval_mean_s,
        silent_for_s=max(0.0, quiet.total_seconds()),
    )


def all_silent(rows: Sequence[FeedHealth]) -> bool:
    """Whether every feed that used to have news is silent or failing: a fault on our side, not a quiet day.

    Feeds that are new, muted or long stale say nothing about it; at least two others must agree.
    """
    telling = [row for row in rows if row.status in ("ok", "silent", "failing") and row.last_new_item]
    return len(telling) >= _QUORUM and all(row.status != "ok" for row in telling)


def _judged(state: FeedState, quiet: timedelta, now: datetime) -> tuple[Status, str]:
    if state.muted:
        return "muted", f"not asked any more: {state.muted_reason}"
    if state.failures >= FAILING_AFTER or (state.failures and not state.pulls):
        since = f"since {state.last_success:%Y-%m-%d %H:%M}" if state.last_success else "and was never read"
        return "failing", f"failed {state.failures} times in a row {since}: {state.last_error}"
    if not state.pulls:
        return "new", ""
    if not state.last_new_item:
        return "ok", ""
    usual = timedelta(seconds=state.interval_mean_s)
    has_habit = state.pulls >= _HABIT_PULLS and usual
    if has_habit and SILENT_LEAST < quiet <= STALE_AFTER and quiet > usual * SILENT_TIMES:
        return "silent", f"nothing new for {_span(quiet)}; usually an item every {_span(usual)}"
    if quiet > STALE_AFTER and not (has_habit and quiet <= usual * SILENT_TIMES):
        return "stale", f"its newest item is {_span(quiet)} old"
    return "ok", ""


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
