"""The detector on English: a table of invented news, the laws of mentions, and bad input."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.detect.detector import Detector, is_news, load_detector
from transforms.detect.explain import explain
from transforms.detect.output import article_of_item, event_json
from transforms.failures import ParseError
from transforms.model import Article, Family, Mention, Realis

CASES = tomllib.loads((Path(__file__).resolve().parents[2] / "cases" / "detect_en_events.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector()


def article(
    title: str = "", summary: str = "", text: str = "", lang: str = "en", day: date = date(2016, 10, 20)
) -> Article:
    at = datetime.combine(day, time(12), tzinfo=UTC)
    return Article(
        item_id="1", feed="f", outlet="o", lang=lang, title=title, summary=summary, text=text, published=at, fetched=at
    )


def news(detector: Detector, one: Article) -> list[Mention]:
    return [mention for mention in detector.detect([one])[0] if is_news(mention)]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES["case"]])
def test_cases(detector: Detector, case: dict[str, Any]) -> None:
    found = news(detector, article(case.get("title", ""), case.get("summary", ""), day=CASES["published"]))
    told = sorted((m.family.value, str(m.stage or m.means), m.country) for m in found)
    assert told == sorted((e["family"], e["sub"], e["country"]) for e in case["events"])
    for event in case["events"]:
        mention = next(m for m in found if m.family == event["family"])
        if "place" in event:
            assert any(event["place"] in place.name for place in mention.places)
        if "places" in event:
            assert [place.label for place in mention.places] == event["places"]
        if "killed" in event:
            assert mention.killed == event["killed"]
        if "actor" in event:
            assert event["actor"] in [actor.name for actor in mention.actors]
        if "actors" in event:
            assert [actor.name for actor in mention.actors] == event["actors"]
        if "date" in event:
            assert mention.date is not None
            assert mention.date.start.isoformat() == event["date"]


WORDS = st.sampled_from(
    [
        "Syria", "Libya", "Aleppo", "Tripoli", "ceasefire", "truce", "air strike", "killed", "12", "on Sunday",
        "rebels", "army", "despite", "violated", "the", "in", "Russia", ".", ",", "\n", "“",
        "agreed", "denied", "if", "will",
        "\u0000", "\u200f", "😀", "هدنة", "سوريا", "режим", "Süriye", "2016-13-45", "99999999999999999999 people",
    ]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=120)


@settings(max_examples=60)
@given(title=TEXTS, summary=TEXTS, text=TEXTS, lang=st.sampled_from(["en", "ar", "fr", "tr", "ru", "xx", ""]))
def test_any_text_gives_mentions_whose_quotes_are_exact(title: str, summary: str, text: str, lang: str) -> None:
    one = article(title, summary, text, lang)
    for mention in load_detector().detect([one])[0]:
        evidence = mention.evidence
        assert getattr(one, evidence.field)[evidence.start : evidence.end] == evidence.quote
        assert evidence.quote.strip()
        assert mention.country in {"SY", "LY"}
        assert (mention.stage is None) == (mention.family != Family.CEASEFIRE)
        assert (mention.means is None) == (mention.family == Family.CEASEFIRE)
        msgspec.json.encode(mention)


def test_the_same_article_gives_the_same_mentions(detector: Detector) -> None:
    one = article("Air strikes kill 12 in Idlib, Syria", "A truce in Idlib was violated on Sunday, residents said.")
    other = article("Syrian government declares a three-day ceasefire in Homs")
    alone = detector.detect([one])[0]
    beside = detector.detect([other, one, other])[1]
    assert alone == beside
    assert alone


def test_batches_keep_their_order(detector: Detector) -> None:
    articles = [article(f"Shelling kills {n} people in Douma, Syria") for n in range(3, 9)]
    killed = [mentions[0].killed for mentions in detector.detect(articles)]
    assert killed == list(range(3, 9))


@pytest.mark.parametrize("lang", ["en", "ar", "fr", "tr", "ru"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Syria ceasefire airstrike killed 12 Aleppo. " * 110_000, id="five megabytes of triggers"),
        pytest.param("a" * 5_000_000, id="five megabytes without a space"),
        pytest.param("word", id="one word"),
        pytest.param("😀" * 500, id="emoji"),
        pytest.param("\x00\x00Syria\x00ceasefire\u200f\u202e agreed\x00", id="NULs and direction marks"),
        pytest.param("Syria سوريا Сирия ceasefire هدنة перемирие 停火", id="mixed scripts"),
        pytest.param("\ud800 Syria ceasefire agreed", id="lone surrogate"),
        pytest.param("   \n\t ", id="white space"),
        pytest.param("", id="nothing"),
    ],
)
def test_bad_text_never_raises(detector: Detector, text: str, lang: str) -> None:
    detector.detect([article(text=text, lang=lang)])


def test_reading_stops_at_the_cap(detector: Detector) -> None:
    late = article(text="Nothing of note. " * 2_000 + "Syria agrees to a ceasefire in Homs.")
    assert detector.detect([late])[0] == ()


def test_a_repeated_summary_is_read_once(detector: Detector) -> None:
    told = "Russian jets bombed a market in Idlib, Syria, on Sunday, killing 12 people."
    found = news(detector, article(summary=told, text=told + " Rescuers dug all night."))
    assert len(found) == 1
    assert found[0].evidence.field == "text"


def test_unread_languages_have_no_events(detector: Detector) -> None:
    assert detector.detect([article("Syria agrees to a ceasefire", lang="de")])[0] == ()


def test_denials_are_no_news(detector: Detector) -> None:
    found = detector.detect([article("Syrian army denies shelling Douma on Tuesday")])[0]
    assert not [m for m in found if is_news(m)]
    assert all(m.realis == Realis.DENIED for m in found)


def test_event_json_has_the_fields_of_the_guide(detector: Detector) -> None:
    item = {"id": 7, "published": "2016-10-20", "title": "Air strikes kill 12 civilians in Idlib, Syria", "summary": ""}
    mention = news(detector, article_of_item(item))[0]
    out = event_json(mention)
    assert (out["family"], out["means"], out["country"], out["killed"]) == ("hostility", "airstrike", "SY", 12)
    assert out["date"] == "2016-10-20"
    assert out["places"][0]["name"] == "Idlib"
    assert out["places"][0]["adm1"] == "SY07"
    assert out["certainty"] == "asserted"
    assert "stage" not in out


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"published": "2016-10-20"}, "`id`"),
        ({"id": "1"}, "`published`"),
        ({"id": "1", "published": "yesterday"}, "`published`"),
        ({"id": "1", "published": "2016-10-20", "title": 5}, "`title`"),
    ],
)
def test_bad_items_say_which_field(item: dict[str, Any], told: str) -> None:
    with pytest.raises(ParseError, match=told):
        article_of_item(item)


def test_explanation_shows_events_and_rejections() -> None:
    one = article(
        "Air strikes kill 12 in Idlib, Syria",
        "If the rebels attack again, Damascus would end the truce. Israel and Hamas agreed a ceasefire in Gaza.",
    )
    explanation = explain(one)
    assert [d.kind for d in explanation.events] == ["airstrike"]
    assert any(d.outcome != "event" and d.reason for d in explanation.decisions)
    assert all(d.leading for d in explanation.decisions)
    first = explanation.sentences[0]
    assert {"armed", "place", "toll"} <= {mark.kind for mark in first.marks}
    assert "Air strikes" in explanation.rich().replace("[/]", "").replace("[bold red]", "")
    page = explanation.html()
    assert page.startswith("<!doctype html>")
    assert "<mark class='armed'" in page


def test_explanation_escapes_what_it_quotes() -> None:
    explanation = explain(article("<b>Air strikes</b> kill 12 in [red]Idlib[/red], Syria <script>"))
    assert "<script>" not in explanation.html()
    from rich.text import Text

    assert "[red]Idlib[/red]" in Text.from_markup(explanation.rich()).plain


def test_explanation_of_nothing() -> None:
    assert explain(article("A bakery opens")).summary == "no word of a ceasefire or an armed act"
    assert "not read" in explain(article("Ein Waffenstillstand", lang="de")).summary


def test_spacy_documents_know_their_events() -> None:
    from transforms.detect.nlp import load_nlp

    doc = load_nlp()("Russian jets bombed a market in Idlib, Syria, on Sunday, killing 12 people.")
    assert [m.killed for m in doc._.events] == [12]


@pytest.mark.parametrize(
    "words", ["Syria ceasefire", "air strikes on Aleppo killed", "said that the army demanded that they"]
)
def test_a_text_without_an_end_of_a_sentence_is_cut(words: str) -> None:
    at = datetime(2026, 2, 13, 12, tzinfo=UTC)
    endless = Article(item_id="i", feed="f", outlet="o", text=f"{words} " * 3_000, published=at, fetched=at)
    (detected,) = load_detector().analyse([endless])
    longest = max(sentence.last - sentence.first for sentence in detected.reading.sentences)
    assert longest <= 120  # rules look through a whole sentence for each trigger: what is longer costs its square
