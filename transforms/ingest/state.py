"""How a feed's state changes with each pull: when it is due, how long it rests, what it gave."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from transforms.ingest.feed import Feed, FeedState, Outcome
from transforms.ingest.settings import FetchSettings

_EARLY, _JITTER = 0.85, 0.10  # due after 85 to 95 % of the interval, so that a timer of that interval never misses it
_SMOOTHING = 0.25
_GIVE_UP_MOVE = 3  # failures in a row at the address a permanent redirect led to
_DEFAULT_PAUSE = timedelta(minutes=15)


def current(feed: Feed, state: FeedState, settings: FetchSettings, now: datetime) -> FeedState:
    """Return the state as it applies now: reset where the configured address changed, stale validators dropped."""
    if state.configured_url and state.configured_url != feed.url:
        state = replace(
            state, url="", etag="", last_modified="", validators_saved_at=None, failures=0, retry_at=None,
            host_paused_until=None, muted=False, muted_reason="", last_error="", last_attempt=None,
        )  # fmt: skip
    state = replace(state, feed=feed.name, configured_url=feed.url)
    saved = state.validators_saved_at
    if saved is None or not timedelta(0) <= now - saved < timedelta(days=settings.validators_days):
        state = replace(state, etag="", last_modified="", validators_saved_at=None)
    return state


def resting(feed: Feed, state: FeedState, settings: FetchSettings, now: datetime) -> tuple[Outcome, str] | None:
    """Return the outcome and reason when the feed is to be left alone now, None when it is due."""
    if state.muted:
        return "muted", state.muted_reason
    if state.host_paused_until and now < state.host_paused_until:
        return "paused", f"the server asked to be left alone until {state.host_paused_until:%Y-%m-%d %H:%M} UTC"
    # A clock behind the last attempt is one of a replay: what was agreed then does not hold.
    if state.last_attempt and now < state.last_attempt:
        return None
    if state.retry_at and now < state.retry_at:
        return "not_due", f"resting after {state.failures} failures in a row until {state.retry_at:%Y-%m-%d %H:%M} UTC"
    if settings.respect_interval and state.last_attempt and not state.failures:
        share = _EARLY + _JITTER * fraction(feed.name, state.last_attempt)
        if now - state.last_attempt < feed.interval * share:
            return "not_due", "its interval is not over"
    return None


def read(
    state: FeedState,
    now: datetime,
    *,
    etag: str,
    last_modified: str,
    moved_to: str,
    complete: bool,
    new_times: Sequence[datetime],
) -> FeedState:
    """Return the state after a body was read.

    Args:
        state: Before.
        now: The run's clock.
        etag: Validator of the body.
        last_modified: The other one.
        moved_to: Where permanent redirects alone led, "" if nowhere.
        complete: Whether the body was whole; only then are its validators taken.
        new_times: Publication times of its new items, clamped.
    """
    keep = complete and bool(etag or last_modified)
    state = replace(
        state,
        url=moved_to or state.url,
        etag=etag if keep else "",
        last_modified=last_modified if keep else "",
        validators_saved_at=now if keep else None,
        pulls=state.pulls + 1,
    )
    return _learned(_answered(state, now), new_times)


def unchanged(state: FeedState, now: datetime, *, moved_to: str = "") -> FeedState:
    """Return the state after a 304; the age of the validators goes on counting from when they were taken."""
    return _answered(replace(state, url=moved_to or state.url, pulls=state.pulls + 1), now)


def failed(
    feed: Feed,
    state: FeedState,
    settings: FetchSettings,
    now: datetime,
    *,
    message: str,
    retry_after: timedelta | None = None,
) -> FeedState:
    """Return the state after a failure: the pause doubles with each one in a row, with jitter, up to a day."""
    failures = state.failures + 1
    if state.url and failures >= _GIVE_UP_MOVE:
        # Where the feed was moved to is no good any more; the configured address may be again.
        state = replace(state, url="", etag="", last_modified="", validators_saved_at=None)
    pause = feed.interval.total_seconds() * 2 ** min(failures - 1, 20)
    pause *= 0.9 + 0.2 * fraction(feed.name, now)
    # The first failure does not cost a turn: most are over by the next.
    rest = timedelta(seconds=min(pause * _EARLY, settings.max_backoff_s))
    host_pause = _capped(retry_after, settings)
    return replace(
        state,
        failures=failures,
        retry_at=now + max(rest, host_pause or rest),
        host_paused_until=now + host_pause if host_pause else state.host_paused_until,
        last_attempt=now,
        last_error=message,
    )


def paused(
    state: FeedState, settings: FetchSettings, now: datetime, *, message: str, wait: timedelta | None
) -> FeedState:
    """Return the state after 429: no failure, but the whole host rests as long as it asks."""
    until = now + (_capped(wait, settings) or _DEFAULT_PAUSE)
    return replace(state, retry_at=until, host_paused_until=until, last_attempt=now, last_error=message)


def muted(feed: Feed, state: FeedState, settings: FetchSettings, now: datetime, *, reason: str) -> FeedState:
    """Return the state after 410: the feed is not asked again until its configured address changes."""
    state = failed(feed, state, settings, now, message=reason)
    return replace(state, muted=True, muted_reason=reason)


def _answered(state: FeedState, now: datetime) -> FeedState:
    return replace(
        state, failures=0, retry_at=None, host_paused_until=None, last_success=now, last_attempt=now, last_error=""
    )


def _learned(state: FeedState, new_times: Sequence[datetime]) -> FeedState:
    """Update how often the feed has something new, and how much."""
    if not new_times:
        return state
    times = sorted(new_times)
    if state.last_new_item and state.last_new_item < times[-1]:
        times = [state.last_new_item, *(t for t in times if t > state.last_new_item)]
    gap = (times[-1] - times[0]).total_seconds() / (len(times) - 1) if len(times) > 1 else 0.0
    return replace(
        state,
        last_new_item=max(times[-1], state.last_new_item or times[-1]),
        items_mean=_moved(state.items_mean, float(len(new_times))),
        interval_mean_s=_moved(state.interval_mean_s, gap) if gap > 0 else state.interval_mean_s,
    )


def _moved(mean: float, value: float) -> float:
    return round(value if not mean else mean + _SMOOTHING * (value - mean), 3)


def _capped(wait: timedelta | None, settings: FetchSettings) -> timedelta | None:
    if not wait:
        return None
    return min(wait, timedelta(seconds=settings.max_backoff_s))


def fraction(name: str, moment: datetime) -> float:
    """Return a number from 0 to 1 that differs between feeds and runs, and is the same when a run is repeated."""
    digest = hashlib.sha256(f"{name}\n{moment.isoformat()}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
