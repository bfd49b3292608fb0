"""Which mentions tell one event: the table of hard cases, and what the score is made of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.deduplicate.invented import mention, partition_of, run
from transforms.deduplicate.compare import reasons, same_event


@pytest.mark.parametrize("case", cases("dedup_same_event"), ids=lambda case: case["name"])
def test_which_mentions_stand_together(case: dict[str, Any]) -> None:
    mentions = [mention(row) for row in case["mention"]]
    wanted = {frozenset(ids) for ids in case["events"]}
    at_once, _ = run([mentions])
    assert partition_of(at_once.values()) == wanted
    one_by_one, _ = run([[one] for one in sorted(mentions, key=lambda one: one.published)])
    assert partition_of(one_by_one.values()) == wanted


def test_reasons_add_up_to_the_score() -> None:
    a, b = (mention(row) for row in cases("dedup_same_event")[0]["mention"])
    told = reasons(a, b)
    assert {"kind_same", "day_same", "place_same", "killed_same"} <= set(told)
    assert sum(told.values()) == pytest.approx(same_event(a, b))
    assert same_event(a, b) == pytest.approx(same_event(b, a))
