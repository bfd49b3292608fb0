"""Laws of `decide`: order, batches and replays do not matter, ids are frozen, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transforms.deduplicate.invented import START, mention, partition_of, run, still_open
from transforms.deduplicate.clusters import Cluster
from transforms.deduplicate.compare import score, tells_same
from transforms.deduplicate.decide import decide, decision, space_for
from transforms.deduplicate.features import features_of
from transforms.deduplicate.settings import ClusterSettings
from transforms.deduplicate.weights import default_weights
from transforms.model import Event, Mention

_WORDS = ["market", "hospital", "bakery", "convoy", "bridge", "school", "mosque", "checkpoint"]


@st.composite
def rows(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A row that often is like another one: few towns, days, tolls and words."""
    ceasefire = draw(st.integers(0, 4)) == 0
    day = START + timedelta(days=draw(st.integers(0, 3)))
    row: dict[str, Any] = {
        "id": f"m{number:02}",
        "published": (day + timedelta(minutes=draw(st.integers(0, 2000)))).isoformat(),
        "date": draw(st.sampled_from([day.date().isoformat()] * 4 + [""])),
        "kind": draw(
            st.sampled_from(
                ["agreed", "in_effect", "ended"] if ceasefire else ["airstrike", "shelling", "unspecified", "chemical"]
            )
        ),
        "places": draw(
            st.sampled_from([["Sarmin"], ["Sarmin"], ["Saraqib"], ["Idlib province"], ["Idlib"], ["Idlib", "Homs"], []])
        ),
        "actors": draw(st.sampled_from([[], ["rebels"], ["government"], ["UN"]])),
        "words": " ".join(draw(st.lists(st.sampled_from(_WORDS), max_size=4))),
    }
    killed = draw(st.sampled_from([None, 3, 11, 12, 40]))
    return row if killed is None else row | {"killed": killed}


@st.composite
def news(draw: st.DrawFn) -> list[Mention]:
    """Up to fourteen mentions of a few days."""
    return [mention(draw(rows(number))) for number in range(draw(st.integers(1, 14)))]


def _splits(draw: st.DrawFn, mentions: list[Mention]) -> list[list[Mention]]:
    shuffled = draw(st.permutations(mentions))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(mentions) - 1)), max_size=4)))
    ends = [0, *cuts, len(mentions)]
    return [batch for first, last in pairwise(ends) if (batch := shuffled[first:last])]


@settings(max_examples=120)
@given(data=st.data(), mentions=news())
def test_order_and_batches_do_not_change_the_partition(data: st.DataObject, mentions: list[Mention]) -> None:
    at_once, _ = run([mentions], START)
    spread, _ = run(data.draw(st.composite(_splits)(mentions)), START)
    assert partition_of(spread.values()) == partition_of(at_once.values())


_OF_TWO_PROVINCES = mention(
    {"id": "a", "published": "2016-10-01T10:00", "places": ["Idlib", "Homs"], "words": "market convoy"}
)
_OF_NO_PLACE = mention({"id": "b", "published": "2016-10-01T11:00", "words": "market bridge"})


@settings(max_examples=150)
@given(mentions=news())
@example([_OF_TWO_PROVINCES, _OF_NO_PLACE])
def test_links_hold_both_ways(mentions: list[Mention]) -> None:
    space = space_for()
    told = [features_of(one) for one in mentions]
    for one in told:
        space.insert(Cluster([one]))
    linked = {
        (one.mention.mention_id, near.mention.mention_id)
        for one in told
        for rest in space.candidates(one).values()
        for near in rest
        if near is not one and tells_same(score(one, near, default_weights()))
    }
    assert linked == {(near, one) for one, near in linked}


@settings(max_examples=120)
@given(data=st.data(), mentions=news())
def test_what_a_space_remembers_changes_nothing(data: st.DataObject, mentions: list[Mention]) -> None:
    again = [replace(one, mention_id=f"{one.mention_id}x", fetched=one.fetched + timedelta(days=1)) for one in mentions]
    corrected = data.draw(st.lists(st.sampled_from(again), max_size=4, unique_by=lambda one: one.mention_id))
    horizon = ClusterSettings(horizon_days=data.draw(st.sampled_from([0.5, 1.0, 10.0])))
    batches = data.draw(st.composite(_splits)([*mentions, *corrected]))
    _, changes = run(batches, settings=horizon)
    _, remembered = run(batches, settings=horizon, space=space_for(horizon))
    assert remembered == changes


@settings(max_examples=120)
@given(data=st.data(), mentions=news())
def test_a_stale_space_changes_nothing(data: st.DataObject, mentions: list[Mention]) -> None:
    # As after a restore, or in a worker that gets a country back which another one had for a while: what the space
    # remembers is of a later state, or of one that never was, and the same events are other objects.
    space = space_for()
    states: list[list[Event]] = [[]]
    for _ in range(6):
        batch = data.draw(st.lists(st.sampled_from(mentions), min_size=1, max_size=6, unique=True))
        before = data.draw(st.sampled_from(states[-3:]))
        if data.draw(st.booleans()):
            before = msgspec.json.decode(msgspec.json.encode(before), type=list[Event])
        made = decision(before, batch, START)
        assert decision(before, batch, START, space=space) == made
        after = {one.event_id: one for one in before} | {one.event.event_id: one.event for one in made.changes}
        states.append(still_open(after.values()))


@settings(max_examples=60)
@given(mentions=news())
def test_news_in_order_gives_the_same_events_however_it_is_batched(mentions: list[Mention]) -> None:
    ordered = sorted(mentions, key=lambda one: (one.published, one.mention_id))
    at_once, _ = run([ordered])
    one_by_one, _ = run([[one] for one in ordered])

    def standing(events: dict[str, Event]) -> dict[str, tuple[str, ...]]:
        return {k: tuple(m.mention_id for m in e.mentions) for k, e in events.items() if not e.superseded_by}

    assert standing(one_by_one) == standing(at_once)


@settings(max_examples=60)
@given(data=st.data(), mentions=news())
def test_a_replayed_batch_changes_nothing(data: st.DataObject, mentions: list[Mention]) -> None:
    events, _ = run([mentions], START)
    again = data.draw(st.lists(st.sampled_from(mentions), min_size=1, max_size=10))
    made = decision(still_open(events.values()), again, START)
    assert made.changes == ()
    assert made.dropped == {"copy": len(again)}


@settings(max_examples=60)
@given(data=st.data(), mentions=news())
def test_ids_are_frozen_and_no_mention_is_lost(data: st.DataObject, mentions: list[Mention]) -> None:
    batches = data.draw(st.composite(_splits)(mentions))
    keys: dict[str, str] = {}
    events, changes = run(batches, START)
    for change in changes:
        assert ("new" in change.what) == (change.event.event_id not in keys)
        assert keys.setdefault(change.event.event_id, change.event.key) == change.event.key
    told = [m.mention_id for one in events.values() if not one.superseded_by for m in one.mentions]
    assert sorted(told) == sorted(one.mention_id for one in mentions)
    for one in events.values():
        if one.superseded_by:
            assert one.closed
            assert one.superseded_by in events


@settings(max_examples=40)
@given(mentions=news())
def test_only_what_changed_is_returned(mentions: list[Mention]) -> None:
    half = len(mentions) // 2
    events, _ = run([mentions[:half]] if half else [], START)
    before = still_open(events.values())
    for change in decide(before, mentions[half:], START):
        assert change.what
        assert change.event not in before
