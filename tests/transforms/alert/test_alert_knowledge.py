"""Data files of the stage are checked when loaded, and say where they are wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from transforms.alert.ceasefires import load_ceasefires, parse_ceasefires
from transforms.alert.coverage import Coverage, coverage_of, fold_name
from transforms.alert.parties import parse_ranks
from transforms.alert.revisions import CHANGES, load_rules, parse_rules
from transforms.alert.settings import AlertPolicy
from transforms.alert.withdrawals import load_withdrawals, parse_withdrawals
from transforms.failures import ConfigError, KnowledgeError
from transforms.model import Place

ENTRY = """
[[ceasefire]]
id = 'sy-2020-truce'
name = 'A truce'
country = 'SY'
sides = [['sy-government'], ['sy-opposition']]
excluded = ['isis']
codes = ['SY07']
from = 2020-01-02
began = '06:00'
until = 2020-02-03
ended = 'broken'
kind = 'preliminary'
purpose = 'holiday'
source = { title = 'T', publisher = 'P', date = 2020-01-01 }
"""


def test_the_base_entry_is_right() -> None:
    (entry,) = parse_ceasefires(ENTRY)
    assert entry.parties == {"sy-government", "sy-opposition"}


@pytest.mark.parametrize("case", cases("alert_knowledge_errors"), ids=lambda case: case["name"])
def test_errors_name_file_entry_and_reason(case: dict[str, Any]) -> None:
    text = case.get("text") or ENTRY
    if "replace" in case:
        assert case["replace"] in text
        text = text.replace(case["replace"], case["by"])
    with pytest.raises(KnowledgeError) as error:
        parse_ceasefires(text * 2 if case.get("twice") else text, "x.toml")
    assert str(error.value).startswith("x.toml")
    assert case["says"] in str(error.value)


def test_known_ceasefires_come_in_order_and_hash() -> None:
    entries = load_ceasefires()
    assert list(entries) == sorted(entries, key=lambda entry: (entry.start, entry.id))
    assert len(set(entries)) == len(entries)


def test_every_change_has_one_rule() -> None:
    assert sorted(rule.change for rule in load_rules()) == sorted(CHANGES)
    with pytest.raises(KnowledgeError, match="no such change"):
        parse_rules("[[rule]]\nchange='x'\nrevision=true\nurgent=true\nwhy='y'")
    with pytest.raises(KnowledgeError, match="has 0 rules"):
        parse_rules("")
    with pytest.raises(KnowledgeError, match="must"):
        parse_rules("[[rule]]\nchange='withdrawn'\nrevision=true\nurgent=true\nwhy='y'")


def test_kinship_knows_only_parties_of_the_lexicon() -> None:
    lexicon = {"party": [{"id": "a", "kind": "force", "country": "SY"}]}
    assert parse_ranks("[part_of]\na = ['b']\n[unnamed]\nb = 'B'", lexicon).lineage("a") == ("a", "b")
    with pytest.raises(KnowledgeError, match=r"y\.toml: 'b' is no party"):
        parse_ranks("[part_of]\na = ['b']", lexicon, "y.toml")
    with pytest.raises(KnowledgeError, match="take it out"):
        parse_ranks("[unnamed]\na = 'A'", lexicon)


def test_withdrawals_are_lists_of_words() -> None:
    assert {"en", "ar", "fr", "tr", "ru"} <= set(load_withdrawals())
    with pytest.raises(KnowledgeError, match="en: must be a list"):
        parse_withdrawals("en = ['word']")


@pytest.mark.parametrize(
    ("given_keys", "says"),
    [
        ({"families": []}, "families: is empty"),
        ({"certainties": ["denied"]}, "certainties: denied raises no alerts"),
        ({"countries": ["LB"]}, "'LB' is not covered"),
        ({"places": ["Idlib"]}, "'Idlib' is no P-code"),
        ({"min_independent_outlets": 0}, "min_independent_outlets: 0 is below 1"),
        ({"freshness_hours": -1}, "freshness_hours: -1"),
        ({"outlet_steps": [3, 2]}, "must rise from 2"),
        ({"revisions": ["tolls"]}, "'tolls' is no change"),
        ({"detected_days": 0}, "detected_days"),
        ({"quiet_minutes": float("nan")}, "quiet_minutes"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(given_keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=r"\[alert\] ") as error:
        msgspec.convert(given_keys, AlertPolicy, strict=True)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [("al-Wa'er", "Waer"), ("Al Fuʿah", "Fuah"), ("Eastern Ghouta", "eastern ghouta"), ("الوعر", "الوعر")],
)
def test_names_are_compared_without_articles_and_accents(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@given(st.text(max_size=40))
def test_folding_is_idempotent(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


def test_ground_of_a_detected_ceasefire() -> None:
    town = Place(name="Rastan", country="SY", kind="town", adm1="SY04", adm2="SY0404", adm3="SY040400")
    quarter = Place(name="Waer", gazetteer_id="q1", country="SY", kind="neighbourhood", adm1="SY04", adm3="SY040100")
    country = Place(name="Syria", country="SY", kind="country")
    assert coverage_of([town, country], "SY") == Coverage(codes=("SY040400",))
    assert coverage_of([country], "SY").nationwide
    assert coverage_of([], "LY").nationwide
    ground = coverage_of([quarter], "SY")
    assert ground.holds(quarter) and not ground.holds(town)
    assert not ground.holds(Place(name="Homs", country="SY", kind="town", adm1="SY04", adm3="SY040100"))
    assert ground.touches(Place(name="Homs", country="SY", kind="town", adm1="SY04", adm3="SY040100"))
    unplaced = coverage_of([Place(name="Somewhere")], "SY")
    assert not unplaced.nationwide and unplaced.holds(Place(name="somewhere"))
