"""What a group of feeds remembers between two polls of a stream."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.envelope import pack, unpack
from transforms.ingest.feed import Feed, FeedState
from transforms.ingest.polling import (
    KEPT,
    GroupMemory,
    SeenBefore,
    group_of,
    groups_of,
    requests_of,
    without_future,
)
from transforms.ingest.pull import PullResult
from transforms.model import Article

NOW = datetime(2016, 10, 3, 6, tzinfo=UTC)


def feed(name: str, host: str) -> Feed:
    return Feed(name=name, url=f"https://{host}/{name}.xml", outlet=name)


def article(item_id: str, content: str = "c", *flags: str) -> Article:
    return Article(
        item_id=item_id, feed="a", outlet="a", published=NOW, fetched=NOW, content_hash=content, flags=tuple(flags)
    )


class Stored:
    """A store that holds one article."""

    def known(self, feed: str, item_ids: list[str]) -> dict[str, str]:
        return {"stored": "s"} if "stored" in item_ids else {}


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.sampled_from("xyz")), unique=True),
    st.integers(1, 64),
)
def test_every_feed_is_in_one_group_and_all_feeds_of_a_host_in_the_same(pairs: list[tuple[str, str]], n: int) -> None:
    feeds = [feed(name + host, f"{host}.example") for name, host in pairs]
    groups = groups_of(feeds, n)
    assert sorted(each.name for group in groups.values() for each in group) == sorted(each.name for each in feeds)
    for host in "xyz":
        assert len({group_of(each.url, n) for each in feeds if f"//{host}." in each.url}) <= 1
    assert all(group.endswith(f"/{n}") for group in groups), "hosts move when the number of groups changes"


def test_what_was_given_on_is_known_at_the_next_poll() -> None:
    first = SeenBefore(GroupMemory(), None, NOW)
    assert first.known("a", ["one", "two"]) == {}
    memory = unpack(pack(GroupMemory(due=NOW, seen=first.after([article("one", "1")]))), GroupMemory)
    later = SeenBefore(memory, None, NOW + timedelta(hours=1))
    assert later.known("a", ["one", "two"]) == {"one": "1"}
    assert later.known("b", ["one"]) == {}, "another feed's item of that name is another item"


def test_what_only_the_store_knows_is_remembered_from_then_on() -> None:
    first = SeenBefore(GroupMemory(), Stored(), NOW)
    assert first.known("a", ["stored", "new"]) == {"stored": "s"}
    assert SeenBefore(GroupMemory(seen=first.after([])), None, NOW).known("a", ["stored"]) == {"stored": "s"}


@pytest.mark.parametrize(("days", "known"), [(29, True), (31, False)])
def test_an_item_is_forgotten_long_after_its_feed_dropped_it(days: int, known: bool) -> None:
    before = SeenBefore(GroupMemory(), None, NOW).after([article("one")])
    later = NOW + timedelta(days=days)
    dropped = SeenBefore(GroupMemory(seen=before), None, later)
    dropped.known("a", ["another"])
    after = SeenBefore(GroupMemory(seen=dropped.after([])), None, later)
    assert ("one" in after.known("a", ["one"])) is known
    assert timedelta(days=days) != KEPT


def test_an_item_that_its_feed_holds_for_years_stays_known() -> None:
    seen = SeenBefore(GroupMemory(), None, NOW).after([article("one")])
    for week in range(1, 100):
        poll = SeenBefore(GroupMemory(seen=seen), None, NOW + week * timedelta(days=7))
        assert "one" in poll.known("a", ["one"])
        seen = poll.after([])


def test_a_replay_asks_without_validators() -> None:
    state = FeedState(feed="a", etag='"x"', last_modified="then", validators_saved_at=NOW, pulls=3)
    memory = GroupMemory(states={"a": state})
    assert requests_of([feed("a", "h")], memory, whole=False)[0].state == state
    whole = requests_of([feed("a", "h")], memory, whole=True)[0].state
    assert whole == replace(state, etag="", last_modified="", validators_saved_at=None)


def test_a_replay_leaves_what_is_not_out_yet_and_counts_it() -> None:
    result = PullResult(articles=[article("one"), article("two", "c", "date_future")])
    result.counters.update({"ingest.in": 5, "ingest.out": 2, "ingest.dropped.seen": 3})
    left = without_future(result)
    assert [each.item_id for each in left.articles] == ["one"]
    assert left.counters == {"ingest.in": 5, "ingest.out": 1, "ingest.dropped.seen": 3, "ingest.dropped.not_out_yet": 1}
