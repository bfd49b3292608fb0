"""What `decide` does beside clustering: closing, merging, splitting, denials, corrected articles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.deduplicate.invented import START, mention, partition_of, run, still_open
from transforms.deduplicate.decide import decide, decision, space_for
from transforms.deduplicate.settings import ClusterSettings
from transforms.model import Family, Realis, Told

STRIKE = {
    "published": "2016-10-03T10:00",
    "places": ["Sarmin"],
    "killed": 11,
    "targets": ["market"],
    "words": "jets hit a vegetable market",
}


def strike(name: str, **fields: Any) -> Any:
    return mention({"id": name, **STRIKE, **fields})


@pytest.mark.parametrize("case", cases("dedup_changes"), ids=lambda case: case["name"])
def test_what_a_later_mention_changes(case: dict[str, Any]) -> None:
    first = [mention({**case["base"], **row}) for row in case["first"]]
    events, _ = run([first], START)
    assert len(events) == 1
    then = [mention({**case["base"], **row}) for row in case["then"]]
    made = decide(still_open(events.values()), then, START)
    assert [list(one.what) for one in made] == case["what"]
    if "certainty" in case:
        assert made[0].event.certainty is Realis(case["certainty"])


def test_an_event_closes_after_its_horizon_and_takes_no_more() -> None:
    events, _ = run([[strike("a")]])
    last = datetime(2016, 10, 3, 10, tzinfo=UTC)
    assert decide(list(events.values()), [], last + timedelta(days=10)) == ()
    (change,) = decide(list(events.values()), [], last + timedelta(days=10, seconds=1))
    assert change.what == ("closed",)
    assert change.event.closed
    (opened,) = decide([change.event], [strike("b")], last)
    assert opened.what == ("new",)


def test_the_horizon_is_a_setting() -> None:
    events, _ = run([[strike("a")]])
    at = datetime(2016, 10, 6, 11, tzinfo=UTC)
    (change,) = decide(list(events.values()), [], at, ClusterSettings(horizon_days=3))
    assert change.what == ("closed",)


def test_a_ceasefire_to_come_stays_open_until_it_was_to_begin() -> None:
    truce = mention({"id": "a", "published": "2016-10-03T10:00", "date": "2016-10-20", "kind": "agreed"})
    events, _ = run([[truce]])
    assert decide(list(events.values()), [], datetime(2016, 10, 21, tzinfo=UTC)) == ()


def test_old_news_opens_an_event_that_is_closed_at_once() -> None:
    (change,) = decide([], [strike("a")], datetime(2016, 11, 3, tzinfo=UTC))
    assert change.what == ("new", "closed")
    assert change.event.closed


def test_what_subscribers_were_told_is_carried_on() -> None:
    events, _ = run([[strike("a")]])
    told = Told(revision=2, at=START, family=Family.HOSTILITY)
    before = replace(next(iter(events.values())), told=told)
    (change,) = decide([before], [strike("b", killed=13)], START)
    assert change.event.told == told
    assert (change.event.event_id, change.event.key) == (before.event_id, before.key)


def test_a_late_first_report_joins_without_a_new_id() -> None:
    later, earlier = strike("b", published="2016-10-03T12:00"), strike("a", published="2016-10-03T10:00")
    events, changes = run([[later], [earlier]], START)
    assert len(events) == 1
    assert changes[1].event.mentions[0].mention_id == "a"
    assert changes[1].event.first_seen == earlier.published


def test_two_events_that_turn_out_to_be_one() -> None:
    # Two outlets give too little to know that they speak of one strike; a third tells all of it.
    vague = mention(
        {
            "id": "a",
            "published": "2016-10-03T09:00",
            "places": ["Idlib province"],
            "kind": "airstrike",
            "words": "surgeon paediatric clinic",
        }
    )
    other = mention(
        {
            "id": "b",
            "published": "2016-10-03T10:00",
            "places": ["Sarmin"],
            "kind": "unspecified",
            "killed": 12,
            "words": "ambulance volunteers",
        }
    )
    whole = mention(
        {
            "id": "c", "published": "2016-10-03T11:00", "places": ["Sarmin"], "kind": "airstrike", "killed": 12,
            "words": "surgeon paediatric clinic ambulance volunteers",
        }
    )  # fmt: skip
    events, changes = run([[vague, other], [whole]], START)
    assert partition_of(events.values()) in ({frozenset("abc")}, {frozenset("ac"), frozenset("b")})
    merged = [one for one in events.values() if one.superseded_by]
    assert len(merged) == 1
    (gone,) = merged
    kept = events[gone.superseded_by]
    assert kept.first_seen < gone.first_seen
    assert gone.closed
    assert [list(one.what) for one in changes if one.event.event_id == gone.event_id] == [["new"], ["merged"]]
    assert any("merged" in one.what for one in changes if one.event.event_id == kept.event_id)
    at_once, _ = run([[vague, other, whole]], START)
    assert partition_of(at_once.values()) == partition_of(events.values())


def test_a_corrected_article_replaces_what_it_told() -> None:
    first = strike("a", outlet="Daily", item="x", killed=11)
    corrected = strike("a2", outlet="Daily", item="x", killed=17, fetched="2016-10-03T14:00")
    events, changes = run([[first], [corrected]], START)
    (event,) = events.values()
    assert [one.mention_id for one in event.mentions] == ["a2"]
    assert (event.killed.low, event.killed.high) == (17, 17)
    assert {"toll", "withdrawn"} <= set(changes[1].what)
    made = decision(list(events.values()), [first], START)
    assert made.changes == ()
    assert made.dropped == {"outdated": 1}


def test_an_event_whose_only_article_no_longer_tells_it_is_withdrawn() -> None:
    first = strike("a", outlet="Daily", item="x")
    corrected = strike(
        "a2", outlet="Daily", item="x", fetched="2016-10-03T14:00", places=["Homs"], kind="bombing", killed=None
    )
    events, changes = run([[first], [corrected]], START)
    assert [list(one.what) for one in changes[:1]] == [["new"]]
    assert sorted(list(one.what) for one in changes[1:]) == [["new"], ["withdrawn"]]
    (gone,) = [one.event for one in changes if "withdrawn" in one.what]
    assert (gone.certainty, gone.mentions, gone.closed) == (Realis.DENIED, (), True)
    assert len(events) == 2


def test_what_is_not_told_as_real_is_dropped_by_reason() -> None:
    unreal = [strike(name, realis=name) for name in ("negated", "hypothetical", "future", "background")]
    made = decision([], [*unreal, strike("a"), strike("d", realis="denied", places=["Homs"], words="")], START)
    assert made.dropped == {"denial_unmatched": 1, "unreal": 4}
    assert made.taken == 1
    assert len(made.changes) == 1


def test_what_a_space_remembers_gives_way_to_what_is_stored() -> None:
    space = space_for()
    first = [one.event for one in decision([], [strike("a")], START, space=space).changes]
    decision(first, [strike("b")], START, space=space)  # not kept: the engine went back to its checkpoint
    (change,) = decision(first, [strike("c")], START, space=space).changes
    assert [one.mention_id for one in change.event.mentions] == ["a", "c"]
    (elsewhere,) = decision([change.event], [strike("d")], START).changes  # another worker had the country for a while
    (change,) = decision([elsewhere.event], [strike("e")], START, space=space).changes
    assert [one.mention_id for one in change.event.mentions] == ["a", "c", "d", "e"]
