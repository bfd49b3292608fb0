"""When a stream marks a poll as read: when all that its articles told is kept, and no earlier poll is open."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from tests.transforms.sinks.made import article
from transforms.alert.streaming import Acknowledged
from transforms.failures import Failure
from transforms.ingest.polling import PollRecord
from transforms.sinks.streaming import ArticleRead, Receipt, article_key, batch_of, ready_of

TICKS = [datetime(2016, 10, 3, tzinfo=UTC) + timedelta(minutes=n) for n in range(3)]


def receipts(parts: dict[int, int], number: int) -> list[Receipt]:
    """The receipts of poll `number`, of articles with so many parts each."""
    due = TICKS[number]
    before = TICKS[number - 1] if number else None
    made = [Receipt(due=due, poll=PollRecord(group="g", due=due, before=before, articles=len(parts)))]
    for n, count in parts.items():
        one = article(n)
        made.append(Receipt(due=due, read=ArticleRead(key=article_key(one), article=one, parts=count)))
        made += [Receipt(due=due, done=Acknowledged(due=due, article=article_key(one)))] * count
    return made


POLLS = [receipts({1: 1, 2: 0}, 0), receipts({}, 1), receipts({3: 2}, 2)]


def by_tick(given: list[Receipt]) -> dict[datetime, list[Receipt]]:
    found: defaultdict[datetime, list[Receipt]] = defaultdict(list)
    for receipt in given:
        found[receipt.due].append(receipt)
    return found


def test_complete_polls_are_ready_in_their_order() -> None:
    assert ready_of(by_tick([one for poll in POLLS for one in poll]), None) == TICKS


@pytest.mark.parametrize("seed", range(30))
def test_in_whatever_order_receipts_come_no_poll_is_ready_before_all_of_its_are_there(seed: int) -> None:
    every = [one for poll in POLLS for one in poll]
    random.Random(seed).shuffle(every)
    last: datetime | None = None
    open_ones: list[Receipt] = []
    settled: list[datetime] = []
    for n, receipt in enumerate(every):
        open_ones.append(receipt)
        for tick in ready_of(by_tick(open_ones), last):
            settled.append(tick)
            last = tick
            assert not [late for late in every[n + 1 :] if late.due <= tick]
        open_ones = [one for one in open_ones if one.due not in settled]
    assert settled == TICKS


def test_a_poll_waits_for_the_one_before_it() -> None:
    later = by_tick(POLLS[1])
    assert ready_of(later, None) == []
    assert ready_of(later, TICKS[0]) == [TICKS[1]]


def test_the_same_poll_is_the_same_batch_and_another_one_is_not() -> None:
    first = batch_of("g", TICKS[0], POLLS[0])
    assert batch_of("g", TICKS[0], list(reversed(POLLS[0]))) == first
    other = batch_of("g", TICKS[0], receipts({1: 1, 4: 0}, 0))
    assert other.run_id == first.run_id
    assert other.part != first.part


def test_failures_of_feeds_and_of_articles_are_committed_with_the_poll() -> None:
    def failure(name: str) -> Failure:
        return Failure(stage="ingest", kind="timeout", message="too late", input_id=name, at=TICKS[0])

    poll = PollRecord(group="g", due=TICKS[0], articles=1, failures=(failure("feed"),))
    one = article(1)
    read = ArticleRead(key=article_key(one), article=one, parts=0, failures=(failure("article"),))
    batch = batch_of("g", TICKS[0], [Receipt(due=TICKS[0], poll=poll), Receipt(due=TICKS[0], read=read)])
    assert [each.input_id for each in batch.failures] == ["article", "feed"]
