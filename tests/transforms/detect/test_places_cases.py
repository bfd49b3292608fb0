"""Places: the table of cases, the laws of spans, and what the country decides."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import cases
from transforms.detect.gazetteer import country_of
from transforms.detect.places import find_places, resolve_places
from transforms.detect.spans import ResolvedPlace

WORDS = [
    "Syria",
    "Libya",
    "Aleppo",
    "Tripoli",
    "al",
    "-",
    "of",
    "the",
    "town",
    "village",
    "province",
    "northern",
    "near",
    "and",
    ",",
    "Tal",
    "Abu",
    "'s",
    "Hama",
    "سوريا",
    "ريف",
    "حلب",
    "و",
    "في",
    "Homs'",
    "Deir",
    "ez-Zor",
    "countryside",
    "Сирия",
    "Идлиб",
    "d'Alep",
    ".",
    "\x00",
    "\u200f",
    "\U0001f600",
]
ANY_TEXT = st.text(max_size=300) | st.lists(
    st.sampled_from(WORDS),
    max_size=30,
).map(" ".join)


def resolved(text: str, lang: str = "en") -> list[ResolvedPlace]:
    return resolve_places(text, lang, find_places(text, lang), country_of(text, lang))


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in cases("places")])
def test_cases(case: dict[str, Any]) -> None:
    found = resolved(case["text"], case.get("lang", "en"))
    if "same" in case:
        assert {one.place.gazetteer_id for one in found} == {case["same"]}
        assert len(found) == 4
        return
    told = [[one.place.name, one.place.label, one.place.kind, one.place.precision] for one in found]
    assert told == case["places"]
    assert [one.place.name for one in found if one.container] == case.get("containers", [])


@settings(max_examples=150)
@given(ANY_TEXT)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    spans = find_places(text, "en")
    assert all(0 <= one.start < one.end <= len(text) for one in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    for span in spans:
        assert all(place.name == text[span.start : span.end] for place in span.candidates)
    for one in resolved(text):
        assert one.place.name == text[one.start : one.end]


def test_resolved_places_carry_codes_and_coordinates() -> None:
    [place] = [one.place for one in resolved("Shelling in Khan Sheikhoun, Syria")]
    assert (place.adm1, place.adm2, place.adm3) == ("SY07", "SY0702", "SY070201")
    assert place.lat == pytest.approx(35.44, abs=0.05)
    assert place.lon == pytest.approx(36.65, abs=0.05)


def test_areas_say_what_they_cover() -> None:
    [place] = [one.place for one in resolved("Raids on Libya's Nafusa Mountains")]
    assert place.covers == ("LY0216", "LY0209")


def test_a_certain_country_overrules_the_words() -> None:
    text = "Clashes in Homs"
    spans, evidence = find_places(text, "en"), country_of(text, "en")
    libyan = resolve_places(text, "en", spans, evidence, country="LY")
    assert [one.place.country for one in libyan] == ["LY"]
    assert [one.place.country for one in resolve_places(text, "en", spans, evidence)] == ["SY"]


def test_a_village_name_that_several_places_have_goes_with_its_neighbours() -> None:
    hama = resolved("Syria: the village of Zahraa and Nubl were besieged in Aleppo province")
    assert hama[0].place.adm1 == "SY02"


def test_places_elsewhere_are_marked() -> None:
    spans = find_places("Shells fell on Khan Younis and on Kharkiv", "en")
    assert [one.foreign for one in spans] == ["PS", "UA"]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Clashes near Sirte", "LY"),
        ("Haftar's forces advanced", "LY"),
        ("Assad's army shelled a suburb", "SY"),
        ("The Syrias northern border", "SY"),
        ("Hamas and Israel agreed on a truce in Gaza", "PS"),
        ("Houthis fired on Marib", "YE"),
        ("В Ливии", "LY"),
        ("في سوريا", "SY"),
    ],
)
def test_country_of(text: str, country: str) -> None:
    assert country_of(text, "en").best == country


def test_country_of_nothing() -> None:
    evidence = country_of("The talks went on", "en")
    assert evidence.best == ""
    assert evidence.elsewhere == 0.0
    assert country_of("The talks went on", "en", outlet_country="LY").best == "LY"


def test_states_at_war_there_weigh_less_than_the_country() -> None:
    evidence = country_of("Russia, Turkey and the United States agreed on a ceasefire for Syria", "en")
    assert evidence.best == "SY"
    assert evidence.score("SY") > evidence.elsewhere
