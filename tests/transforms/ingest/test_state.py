"""What is remembered of a feed, and how it is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from tests.transforms.ingest.made import NOW, feed
from transforms.failures import ConfigError
from transforms.ingest import state as states
from transforms.ingest.feed import Feed, FeedPull, FeedRequest, FeedState
from transforms.ingest.health import FeedHealth, all_silent, health_of
from transforms.ingest.settings import FetchSettings

_CASES = cases("ingest_health")
SETTINGS = FetchSettings()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_health(case: dict[str, Any]) -> None:
    fields = {
        key.removeprefix("h_"): NOW - timedelta(hours=value) if key.startswith("h_") else value
        for key, value in case["state"].items()
    }
    health = health_of(feed(), FeedState(feed="outlet", **fields), NOW)
    assert health.status == case["status"], health.message
    assert all(words in health.message for words in case.get("says", [])), health.message
    assert bool(health.message) == (case["status"] not in ("ok", "new"))
    assert msgspec.json.decode(msgspec.json.encode(health), type=FeedHealth) == health


def judged(*statuses: str) -> list[FeedHealth]:
    return [
        FeedHealth(feed=f"f{n}", status=status, last_new_item=NOW)  # type: ignore[arg-type]
        for n, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "silent"),
    [
        (("silent", "silent", "failing"), True),
        (("silent", "ok", "failing"), False),
        (("silent",), False),  # one feed alone may be quiet
        (("stale", "muted", "new"), False),  # these say nothing about today
        (("stale", "silent", "silent"), True),
        ((), False),
    ],
)
def test_all_feeds_silent_at_once_is_a_fault(statuses: tuple[str, ...], silent: bool) -> None:
    assert all_silent(judged(*statuses)) is silent


def test_another_configured_address_starts_anew() -> None:
    old = FeedState(
        feed="outlet", configured_url="https://old.example/rss", url="https://moved.example/rss", etag='"a"',
        validators_saved_at=NOW, failures=9, retry_at=NOW + 9 * MINUTE, muted=True, muted_reason="gone", pulls=7,
    )  # fmt: skip
    now = states.current(feed(), old, SETTINGS, NOW)
    assert (now.url, now.etag, now.failures, now.muted, now.retry_at) == ("", "", 0, False, None)
    assert now.pulls == 7  # what it has told before stays known
    assert states.resting(feed(), now, SETTINGS, NOW) is None


def test_the_same_configured_address_keeps_all() -> None:
    kept = states.current(feed(), FeedState(feed="outlet"), SETTINGS, NOW)
    moved = replace(kept, url="https://moved.example/rss", muted=True)
    assert states.current(feed(), moved, SETTINGS, NOW) == moved


@given(st.integers(1, 60))
def test_back_off_grows_to_a_day_and_no_further(failures: int) -> None:
    state = FeedState(feed="outlet", failures=failures - 1)
    after = states.failed(feed(), state, SETTINGS, NOW, message="timeout")
    assert after.failures == failures
    assert after.retry_at is not None
    rest = after.retry_at - NOW
    assert rest <= timedelta(days=1)
    assert rest >= min(timedelta(days=1), 15 * MINUTE * 2 ** min(failures - 1, 12) * 0.75)


@given(st.text(max_size=20), st.integers(0, 10**6))
def test_a_timer_of_the_interval_never_misses_a_turn(name: str, minutes: int) -> None:
    last = NOW + minutes * MINUTE
    outlet = feed(name)
    state = FeedState(feed=name, last_attempt=last)
    assert states.resting(outlet, state, SETTINGS, last + 15 * MINUTE) is None
    assert states.resting(outlet, state, SETTINGS, last + 12 * MINUTE) is not None


@given(st.lists(st.integers(0, 10**7), max_size=30))
def test_learning_from_any_times(offsets: list[int]) -> None:
    state = FeedState(feed="outlet")
    for start in range(0, len(offsets), 5):
        times = [NOW - timedelta(seconds=s) for s in offsets[start : start + 5]]
        state = states.read(state, NOW, etag="", last_modified="", moved_to="", complete=True, new_times=times)
    assert state.interval_mean_s >= 0
    assert state.last_new_item == (max(NOW - timedelta(seconds=s) for s in offsets) if offsets else None)


def test_usual_interval_is_that_of_the_items() -> None:
    hourly = [NOW - timedelta(hours=h) for h in range(10)]
    state = states.read(
        FeedState(feed="o"), NOW, etag="", last_modified="", moved_to="", complete=True, new_times=hourly
    )
    assert state.interval_mean_s == 3600
    assert state.items_mean == 10


def test_records_survive_json() -> None:
    state = FeedState(feed="outlet", etag='"ü"', retry_at=NOW, last_new_item=NOW, items_mean=1.5, muted=True)
    request = FeedRequest(
        feed=Feed(name="o", url="https://o.example", outlet="o", interval=timedelta(hours=1.5)), state=state
    )
    assert msgspec.json.decode(msgspec.json.encode(request), type=FeedRequest) == request
    pull = FeedPull(feed="outlet", state=state, outcome="new", warnings=("a", "b"), elapsed_s=0.5)
    assert msgspec.json.decode(msgspec.json.encode(pull), type=FeedPull) == pull


@pytest.mark.parametrize(
    ("field", "value"),
    [("timeout_s", 0), ("max_body_bytes", 10), ("hosts_at_once", 0), ("parse_workers", "two"), ("contact", "a\nb"),
     ("max_redirects", True), ("contact", "https://x.example/(me)")],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        FetchSettings(**{field: value})
