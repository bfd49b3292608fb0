"""Truces and acts that English news names in passing, and near misses that are news: a table of named cases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tests.tables import as_params, cases
from transforms.detect.detector import Detected, load_detector
from transforms.detect.named_in_passing import passing_of
from transforms.detect.view import View
from transforms.model import Article

CASES = cases("detect_en_passing")
NOON = datetime(2026, 2, 13, 12, tzinfo=UTC)  # a Friday


def article(case: dict[str, Any]) -> Article:
    return Article(item_id=case["name"], feed="f", outlet="o", published=NOON, fetched=NOON, summary=case["text"])


@cache
def readings() -> dict[str, Detected]:
    read = load_detector().analyse([article(case) for case in CASES])
    return dict(zip((case["name"] for case in CASES), read, strict=True))


def view_of(case: dict[str, Any]) -> View:
    """Return the candidate whose words hold the case's `word`, the `nth` such."""
    detected = readings()[case["name"]]
    assert detected.facts is not None
    named = [
        c
        for c in (*detected.found.candidates, *detected.found.dropped)
        if case["word"] in c.form or case["word"] in " ".join(w.lemma for w in detected.reading.words[c.first : c.last])
    ]
    return View(detected.reading, detected.found, detected.facts, named[case.get("nth", 1) - 1])


def test_the_table_has_as_many_near_misses() -> None:
    counts = Counter(case["told"] for case in CASES)
    assert set(counts) == {"background", "negated", "hypothetical", "news"}
    assert 20 <= counts["news"] <= len(CASES) - 20
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40
    assert sum("open" in case for case in CASES) < len(CASES) / 10


@pytest.mark.parametrize("case", as_params(CASES))
def test_passing(case: dict[str, Any]) -> None:
    assert (passing_of(view_of(case)) or "news") == case["told"]
