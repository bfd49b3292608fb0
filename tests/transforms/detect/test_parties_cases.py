"""Parties: the table of cases, the laws of spans, and what bare words mean in each war."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import cases
from transforms.detect.parties import compile_parties, find_parties, party_id_of
from transforms.failures import KnowledgeError

WORDS = [
    "Syrian",
    "Libyan",
    "Russian",
    "Assad's",
    "Haftar",
    "President",
    "of",
    "forces",
    "loyal",
    "to",
    "pro",
    "-",
    "anti",
    "rebels",
    "army",
    "US",
    "and",
    "U.N.",
    "al",
    "قوات",
    "حفتر",
    "النظام",
    "السوري",
    "Асад",
    "войска",
    "l'armée",
]
ANY_TEXT = st.text(max_size=200) | st.lists(
    st.sampled_from(WORDS),
    max_size=25,
).map(" ".join)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in cases("parties")])
def test_cases(case: dict[str, Any]) -> None:
    found = find_parties(case["text"], case.get("lang", "en"))
    assert [[one.party.name, one.party.party_id] for one in found] == case["parties"]


@settings(max_examples=150)
@given(ANY_TEXT)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    found = find_parties(text, "en")
    assert all(text[one.start : one.end] == one.party.name for one in found)
    assert all(one.start < one.end for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("name", "country", "party"),
    [
        ("rebels", "SY", "sy-opposition"),
        ("rebels", "LY", "ly-rebels"),
        ("rebels", None, "rebels"),
        ("the army", "SY", "sy-government"),
        ("government forces", "LY", "ly-government"),
        ("the LNA", None, "ly-lna"),
        ("a passer-by", "SY", ""),
        ("", None, ""),
    ],
)
def test_party_id_of(name: str, country: str | None, party: str) -> None:
    assert party_id_of(name, country) == party


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"party": [{"id": "a", "kind": "state"}, {"id": "a", "kind": "state"}]}, "this id stands twice"),
        ({"party": [{"id": "a", "kind": "tribe"}]}, "unknown kind 'tribe'"),
        ({"party": [{"id": "a", "kind": "state", "against": "b"}]}, "unknown party 'b'"),
        ({"party": [{"kind": "state"}]}, "has no id"),
        ({"partie": []}, "unknown key 'partie'"),
    ],
)
def test_a_bad_lexicon_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(KnowledgeError, match=reason):
        compile_parties(table, "parties.toml")
