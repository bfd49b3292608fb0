"""A country looked at tick by tick: the same as runs tell, and memory that ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.transforms.alert.invented import NOW, TOWN, mention, parties, span
from transforms.alert.country import Look, Memory, look, remembered
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.decide import space_for
from transforms.deduplicate.settings import ClusterSettings
from transforms.model import Change, Family, Mention, Stage

CLUSTERS, POLICY = ClusterSettings(), AlertPolicy()
DAY = timedelta(days=1)


def seen(memory: Memory, *mentions: Mention, at: timedelta = timedelta(0), policy: AlertPolicy = POLICY) -> Look:
    return look(memory, mentions, NOW + at, CLUSTERS, policy)


def agreed(number: int = 1) -> Mention:
    return mention(
        number, family=Family.CEASEFIRE, stage=Stage.AGREED, means=None, places=(TOWN,), date=span("2026-02-11"),
        actors=parties(["sy-gov", "sy-sdf"]), wording=("agree", "ceasefire", "maskana"),
    )  # fmt: skip


def test_an_empty_tick_leaves_everything_as_it_is() -> None:
    first = seen(Memory(), mention(1))
    again = seen(first.memory, at=timedelta(minutes=1))
    assert (again.events, again.alerts, again.failures) == ((), (), ())
    assert again.memory.events == first.memory.events


def test_mentions_that_come_again_raise_nothing() -> None:
    first = seen(Memory(), mention(1), agreed(2))
    again = seen(first.memory, mention(1), agreed(2), at=timedelta(minutes=1))
    assert again.alerts == ()
    assert again.counts["deduplicate.dropped.copy"] == 2


def test_a_worker_that_reads_the_events_anew_goes_on_as_the_one_before_it() -> None:
    first = seen(Memory(), mention(1), agreed(2))
    later = [mention(3, published=NOW, killed=9)]
    kept = seen(first.memory, *later, at=timedelta(hours=2))
    anew = seen(remembered(first.memory.events.values(), NOW, POLICY), *later, at=timedelta(hours=2))
    assert anew.alerts == kept.alerts
    assert anew.memory.events == kept.memory.events


def test_a_look_that_was_not_kept_is_not_remembered() -> None:
    space = space_for(CLUSTERS)
    first = look(Memory(), [mention(1)], NOW, CLUSTERS, POLICY, space)
    look(first.memory, [mention(2, killed=9)], NOW + DAY, CLUSTERS, POLICY, space)
    later = look(first.memory, [mention(3, killed=7)], NOW + DAY, CLUSTERS, POLICY, space)
    assert later == seen(first.memory, mention(3, killed=7), at=DAY)


def test_a_revision_that_waited_is_told_when_its_quiet_period_is_over() -> None:
    policy = replace(POLICY, quiet_minutes=60.0, revisions=("outlet",), outlet_steps=(2,))
    memory = seen(Memory(), mention(1), policy=policy).memory
    second = replace(mention(2), outlet="Another", owner="Else", wording=mention(1).wording)
    early = seen(memory, second, at=timedelta(minutes=1), policy=policy)
    assert early.alerts == ()
    assert early.memory.waiting
    silent = seen(early.memory, at=timedelta(minutes=30), policy=policy)
    assert silent.alerts == ()
    told = seen(silent.memory, at=timedelta(minutes=61), policy=policy)
    assert [alert.change for alert in told.alerts] == [Change.UPDATED]
    assert not told.memory.waiting


def test_a_closed_event_is_forgotten_and_a_step_is_kept_for_the_ledger_without_its_mentions() -> None:
    memory = seen(Memory(), mention(1), agreed(2)).memory
    assert len(memory.events) == 2
    closed = seen(memory, at=11 * DAY)
    assert {event.closed for event in closed.events} == {True}
    assert [(event.family, event.mentions) for event in closed.memory.events.values()] == [(Family.CEASEFIRE, ())]
    assert closed.memory.ledger is not None


@pytest.mark.parametrize(("days", "left"), [(89, 1), (400, 0)])
def test_a_step_is_forgotten_when_its_ceasefire_is_long_over(days: int, left: int) -> None:
    memory = seen(Memory(), agreed(2)).memory
    memory = seen(memory, at=11 * DAY).memory
    assert len(seen(memory, at=days * DAY).memory.events) == left


def test_an_act_is_judged_by_a_step_read_in_the_same_look_or_before() -> None:
    together = seen(Memory(), agreed(1), mention(2))
    apart = seen(seen(Memory(), agreed(1)).memory, mention(2), at=timedelta(minutes=1))
    joined = {alert.ceasefire_id for alert in together.alerts if alert.family is Family.VIOLATION}
    assert joined == {alert.ceasefire_id for alert in apart.alerts if alert.family is Family.VIOLATION}
    assert joined
    assert joined != {""}
