"""Dates: the table of cases, the laws of spans, and which date an event takes."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import cases
from transforms.detect.dates import compile_calendar, date_for, find_dateline, find_dates
from transforms.failures import KnowledgeError

PUBLISHED = date(2016, 10, 6)  # a Thursday
WORDS = [
    "5",
    "31",
    "2016",
    "0",
    "99",
    "October",
    "Feb.",
    "Friday",
    "Monday",
    "and",
    "to",
    "since",
    "until",
    "next",
    "last",
    "week",
    "days",
    "ago",
    "in",
    "the",
    "past",
    "from",
    "-",
    ",",
    "/",
    "10",
    "overnight",
    "tomorrow",
    "will",
    "said",
    "يوم",
    "الثلاثاء",
    "ماي",
    "أمس",
    "вчера",
    "октября",
    "hier",
    "mardi",
    "dün",
]
ANY_TEXT = st.text(max_size=200) | st.lists(
    st.sampled_from(WORDS),
    max_size=25,
).map(" ".join)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in cases("dates")])
def test_cases(case: dict[str, Any]) -> None:
    found = find_dates(case["text"], case.get("lang", "en"), case.get("published", PUBLISHED))
    if "first" not in case:
        assert found == []
        return
    one = found[case.get("at", 0)]
    assert (one.span.start, one.span.end) == (case["first"], case.get("last", case["first"]))
    if "kind" in case:
        assert one.kind == case["kind"]


@settings(max_examples=150)
@given(ANY_TEXT, st.sampled_from(["en", "ar", "fr", "tr", "ru"]), st.dates())
def test_spans_lie_in_the_text_and_run_forward(text: str, lang: str, published: date) -> None:
    found = find_dates(text, lang, published)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(one.span.start <= one.span.end for one in found)


@given(st.dates(min_value=date(2011, 1, 1), max_value=date(2030, 1, 1)), st.sampled_from(range(7)))
def test_a_weekday_is_the_latest_on_or_before_publication(published: date, weekday: int) -> None:
    name = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][weekday]
    [one] = find_dates(f"The market was shelled on {name}.", "en", published)
    assert one.span.start.weekday() == weekday
    assert 0 <= (published - one.span.start).days < 7


def test_dateline_beats_publication() -> None:
    assert find_dateline("AFP Friday 30 Sep 2016 A raid killed nine", "en", PUBLISHED) == date(2016, 9, 30)
    assert find_dateline("The deal of 30 September 2016 failed", "en", PUBLISHED) is None
    assert find_dateline("A raid killed nine on 30 September 2016", "en", PUBLISHED) is None


def event_day(text: str, words: str) -> date:
    start = text.index(words)
    return date_for(find_dates(text, "en", PUBLISHED), start, start + len(words), text, PUBLISHED).start


@pytest.mark.parametrize(
    ("text", "words", "day"),
    [
        ("Jets bombed the port on Tuesday.", "bombed the port", date(2016, 10, 4)),
        ("Jets bombed the port. On Tuesday talks failed.", "bombed the port", PUBLISHED),
        ("A truce was agreed, after a raid on Tuesday.", "A truce was agreed", PUBLISHED),
        ("Troops shelled the town, breaking the truce signed in February.", "shelled the town", PUBLISHED),
        ("The raid came a day after rebels agreed to a pause", "rebels agreed to a pause", date(2016, 10, 5)),
        ("On Monday jets hit one town; on Tuesday they hit the dam", "they hit the dam", date(2016, 10, 4)),
    ],
)
def test_an_event_takes_its_own_date(text: str, words: str, day: date) -> None:
    assert event_day(text, words) == day


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"monts": {}}, "unknown key 'monts'"),
        ({"months": {"may": "5"}}, "months.may: expected a whole number"),
        ({"fixed": {"today": [0]}}, r"fixed.today: expected \[first, last\]"),
        ({"named": {"this week": "week"}}, "named.this week: unknown 'week'"),
        ({"rule": [{"pattern": "x", "means": "someday"}]}, "rule 1: unknown meaning 'someday'"),
        ({"rule": [{"pattern": "(", "means": "weekday"}]}, "rule 1: "),
    ],
)
def test_a_bad_calendar_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(KnowledgeError, match=reason):
        compile_calendar(table, "dates.en.toml")
