"""As what English news tells an act: a table of named cases, and what becomes of an article the screen fails on."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from transforms.detect.detector import is_news, load_detector
from transforms.detect.transform import screen_one
from transforms.failures import Failure
from transforms.model import Article, Mention, Realis

TABLE = tomllib.loads((Path(__file__).resolve().parents[2] / "cases" / "detect_en_realis.toml").read_text("utf-8"))
CASES: list[dict[str, Any]] = TABLE["case"]


def article(case: dict[str, Any]) -> Article:
    at = datetime.combine(TABLE["published"], time(12), tzinfo=UTC)
    return Article(
        item_id=case["name"], feed="f", outlet="o", published=at, fetched=at,
        title=case.get("title", ""), summary=case.get("summary", ""),
    )  # fmt: skip


@cache
def mentions() -> dict[str, tuple[Mention, ...]]:
    found = load_detector().detect([article(case) for case in CASES])
    return dict(zip((case["name"] for case in CASES), found, strict=True))


def kind(mention: Mention) -> str:
    return f"{mention.family}/{mention.stage or mention.means}"


def named(case: dict[str, Any]) -> str:
    return f"{case['name']}: {case['why']}"


def test_the_table_is_told_apart() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_news(case: dict[str, Any]) -> None:
    told = sorted(kind(m) for m in mentions()[case["name"]] if is_news(m))
    assert told == sorted(case["news"])


@pytest.mark.parametrize("case", [c for c in CASES if "denied" in c], ids=named)
def test_denied(case: dict[str, Any]) -> None:
    told = [m for m in mentions()[case["name"]] if m.realis is Realis.DENIED]
    assert len(told) == len(case["denied"])
    for mention, wanted in zip(told, case["denied"], strict=True):
        assert kind(mention) == wanted["event"]
        if "by" in wanted:
            assert mention.alleged_by == wanted["by"]
        if "place" in wanted:
            assert [place.name for place in mention.places] == [wanted["place"]]
        if "day" in wanted:
            day = date.fromisoformat(wanted["day"]) if wanted["day"] else None
            assert (mention.date.start if mention.date else None) == day


def test_what_an_outlet_takes_back_names_no_denier() -> None:
    (withdrawn,) = mentions()["we withdraw our report"]
    assert withdrawn.realis is Realis.DENIED
    assert withdrawn.alleged_by == ""


def test_an_article_that_the_screen_fails_on_becomes_a_failure() -> None:
    broken = article({"name": "broken"})
    object.__setattr__(broken, "title", 7)  # what no feed gives, and no screen can read
    outcome = screen_one(broken, broken.published)
    assert isinstance(outcome, Failure)
    assert (outcome.stage, outcome.input_id) == ("detect", "broken")
