"""Tolls: the table of cases, and the laws of spans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import cases
from transforms.detect.tolls import compile_grammar, find_tolls
from transforms.failures import KnowledgeError

WORDS = [
    "killed",
    "wounded",
    "kill",
    "killing",
    "dead",
    "12",
    "1,200",
    "two",
    "dozen",
    "dozens",
    "a",
    "soldier",
    "and",
    "were",
    "was",
    "at",
    "least",
    "people",
    "of",
    "them",
    "including",
    "left",
    "others",
    ",",
    ".",
    ":",
    "2016",
    "-",
    "قتل",
    "إصابة",
    "شخصا",
    "3",
    "morts",
    "blessés",
    "öldü",
    "погибли",
]
ANY_TEXT = st.text(max_size=200) | st.lists(
    st.sampled_from(WORDS),
    max_size=30,
).map(" ".join)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in cases("tolls")])
def test_cases(case: dict[str, Any]) -> None:
    found = find_tolls(case["text"], case.get("lang", "en"))
    assert [[one.kind, -1 if one.value is None else one.value] for one in found] == case["tolls"]
    assert all(one.cumulative == case.get("cumulative", False) for one in found)
    if "victims" in case:
        assert found[0].victims == case["victims"]


@settings(max_examples=150)
@given(ANY_TEXT, st.sampled_from(["en", "ar", "fr", "tr", "ru"]))
def test_spans_lie_in_the_text(text: str, lang: str) -> None:
    for one in find_tolls(text, lang):
        assert 0 <= one.start < one.end <= len(text)
        assert one.kind in {"killed", "injured"}
        assert one.value is None or one.value >= 0
        assert one.victims in text


@given(st.integers(1, 900))
def test_any_number_of_people(number: int) -> None:
    [one] = find_tolls(f"At least {number} people were killed in the raid.", "en")
    assert (one.kind, one.value) == ("killed", number)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"tolls\.en\.toml: unknown key 'kiled'"):
        compile_grammar({"kiled": {}}, "tolls.en.toml")


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"numbers\.two: expected a whole number"):
        compile_grammar({"numbers": {"two": "2"}}, "tolls.en.toml")
