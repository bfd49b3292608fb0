"""The article that the project began with, in full text: its seven events and no other, days and tolls right."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from transforms.detect.detector import is_news, load_detector
from transforms.detect.output import article_of_item
from transforms.model import Mention

SEED = Path(__file__).resolve().parents[4] / "shared" / "seed"

pytestmark = pytest.mark.skipif(not SEED.is_dir(), reason="the article stands beside the checkout, and is not there")


def told(mention: Mention) -> tuple[str, str, str, str, int | None]:
    assert mention.date is not None
    days = dict.fromkeys((mention.date.start.isoformat(), mention.date.end.isoformat()))
    return str(mention.family), str(mention.stage or mention.means), mention.country, "/".join(days), mention.killed


def test_its_seven_events_and_no_other() -> None:
    item = json.loads((SEED / "item.json").read_text("utf-8"))
    (labels,) = map(json.loads, (SEED / "labels.jsonl").read_text("utf-8").splitlines())
    (mentions,) = load_detector().detect([article_of_item(item)])
    gold = [
        (e["family"], e.get("stage") or e["means"], e["country"], e["date"], e.get("killed")) for e in labels["events"]
    ]
    assert Counter(map(told, filter(is_news, mentions))) == Counter(gold)
