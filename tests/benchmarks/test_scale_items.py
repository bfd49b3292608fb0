"""The invented news of the scale figures: the same for everyone who makes it, each item once, in its turn."""

from __future__ import annotations

import pytest

from benchmarks.scale.items import SHARE, PackedItem, due_at, item, published_at
from transforms.detect.screen import passes_screen
from transforms.envelope import unpack
from transforms.ingest.polling import PolledArticle


def test_an_item_is_the_same_whoever_makes_it() -> None:
    assert item(7, 1234) == item(7, 1234)
    assert item(8, 1234) != item(7, 1234)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_make_every_item_once_and_side_by_side_in_time(workers: int) -> None:
    count, make = 800, PackedItem(7, 800, workers)
    part = count // workers
    made = [[unpack(make(k)[1], PolledArticle) for k in range(w * part, (w + 1) * part)] for w in range(workers)]
    ids = [one.article.item_id for share in made for one in share]
    assert sorted(ids) == sorted(item(7, n).item_id for n in range(count))
    for share in made:
        assert [one.due for one in share] == sorted(one.due for one in share)
        assert share[0].due <= due_at(workers)


def test_an_item_is_polled_within_a_minute_of_its_publication() -> None:
    assert all(0 < (due_at(n) - published_at(n)).total_seconds() <= 60 for n in range(0, 5_000, 7))


def test_few_items_pass_the_screen() -> None:
    passing = sum(passes_screen(item(7, n)) for n in range(5_000)) / 5_000
    assert SHARE * 0.8 < passing < 3 * SHARE
