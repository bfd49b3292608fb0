"""Armed acts that English news names and nobody did, or not here, and near misses that are news."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tests.tables import as_params, cases
from transforms.detect.detector import Detected, load_detector
from transforms.detect.not_done import is_abroad, not_done
from transforms.detect.view import View
from transforms.model import Article

CASES = cases("detect_en_not_done")
NOON = datetime(2026, 2, 13, 12, tzinfo=UTC)


def article(case: dict[str, Any]) -> Article:
    return Article(item_id=case["name"], feed="f", outlet="o", published=NOON, fetched=NOON, summary=case["text"])


@cache
def readings() -> dict[str, Detected]:
    read = load_detector().analyse([article(case) for case in CASES])
    return dict(zip((case["name"] for case in CASES), read, strict=True))


def view_of(case: dict[str, Any]) -> View:
    """Return the armed candidate whose words hold the case's `word`."""
    detected = readings()[case["name"]]
    assert detected.facts is not None
    words = detected.reading.words
    named = [
        c
        for c in (*detected.found.candidates, *detected.found.dropped)
        if c.family == "armed" and case["word"] in " ".join(w.lemma for w in words[c.first : c.last])
    ]
    return View(detected.reading, detected.found, detected.facts, named[0])


@pytest.mark.parametrize("case", as_params(CASES))
def test_not_done(case: dict[str, Any]) -> None:
    view = view_of(case)
    assert ("elsewhere" if is_abroad(view) else not_done(view) or "news") == case["told"]


@pytest.mark.parametrize("case", [c for c in CASES if c["told"] != "news"], ids=lambda case: case["name"])
def test_what_is_not_done_is_no_event(case: dict[str, Any]) -> None:
    meant = view_of(case).candidate
    assert all(meant not in j.members or j.rejected for j in readings()[case["name"]].judged)
