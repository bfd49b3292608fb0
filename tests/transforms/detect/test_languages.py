"""Arabic, French, Turkish and Russian news: tables of cases, and the laws that hold for any text in them."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.detect.detector import Detector, is_news
from transforms.detect.judgement import Judgement
from transforms.detect.screen import passes_screen
from transforms.detect.settings import DetectSettings
from transforms.model import Article, Mention

CASES = Path(__file__).resolve().parents[2] / "cases"
LANGUAGES = ("ar", "fr", "tr", "ru")
# These languages are judged by rules alone; a detector for them needs no trained model.
DETECTOR = Detector(DetectSettings(languages=LANGUAGES), Judgement({}, {}, "rules"))


def article(lang: str, published: date, title: str = "", summary: str = "", text: str = "") -> Article:
    at = datetime.combine(published, time(12), tzinfo=UTC)
    return Article(
        item_id="1", feed="f", outlet="o", lang=lang, title=title, summary=summary, text=text, published=at, fetched=at
    )


def detect(lang: str, published: date, title: str = "", summary: str = "", text: str = "") -> list[Mention]:
    found = DETECTOR.detect([article(lang, published, title, summary, text)])[0]
    return [mention for mention in found if is_news(mention)]


def table(lang: str) -> list[Any]:
    data = tomllib.loads((CASES / f"detect_{lang}.toml").read_text("utf-8"))
    assert all(case["why"] for case in data["case"])
    return [
        pytest.param(lang, case.get("published", data["published"]), case, id=f"{lang}-{case['name']}")
        for case in data["case"]
    ]


def kinds(mentions: list[Mention]) -> list[tuple[str, str, str]]:
    return sorted((m.family.value, str(m.stage or m.means), m.country) for m in mentions)


@pytest.mark.parametrize(("lang", "published", "case"), [one for lang in LANGUAGES for one in table(lang)])
def test_cases(lang: str, published: date, case: dict[str, Any]) -> None:
    mentions = detect(lang, published, case.get("title", ""), case.get("summary", ""))
    wanted = case["events"]
    assert kinds(mentions) == sorted((e["family"], e["sub"], e["country"]) for e in wanted)
    for event in wanted:
        mention = next(m for m in mentions if (m.family, m.stage or m.means) == (event["family"], event["sub"]))
        if "place" in event:
            told = [place.name for place in mention.places]
            assert any(event["place"] in name or name in event["place"] for name in told), told
        if "date" in event:
            assert mention.date is not None
            assert mention.date.start.isoformat() == event["date"]
        for toll in ("killed", "injured"):
            if toll in event:
                assert getattr(mention, toll) == event[toll]
        assert mention.realis == event.get("certainty", "asserted")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_at_least_sixty_cases(lang: str) -> None:
    names = [case.values[2]["name"] for case in table(lang)]  # type: ignore[index]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_stage_and_means_has_a_case(lang: str) -> None:
    told = {(e["family"], e["sub"]) for case in table(lang) for e in case.values[2]["events"]}  # type: ignore[index]
    stages = {"called_for", "negotiating", "agreed", "in_effect", "extended", "rejected", "ended"}
    means = {"airstrike", "shelling", "ground", "bombing", "shooting", "chemical", "siege", "unspecified"}
    assert {("ceasefire", stage) for stage in stages} | {("hostility", one) for one in means} <= told


WORDS = {
    "ar": "هدنة وقف إطلاق النار قصف حلب إدلب طرابلس السبت الجيش السوري مقتل ١٢ شخصا رغم خرق أعلن تمديد ، . ؟ في على",
    "fr": "trêve cessez-le-feu bombardement Alep d'Idleb Tripoli samedi armée syrienne tués 12 malgré viole , . ?",
    "tr": "ateşkes İdlib'de Halep bombaladı ilan etti rejim güçleri öldü 12 kişi cumartesi ihlal rağmen uzatıldı , . ?",
    "ru": "перемирие прекращение огня авиаудар Алеппо в Идлибе Триполи субботу армия погибли 12 нарушено , . ?",
}


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    lang = draw(st.sampled_from(LANGUAGES))
    words = draw(st.lists(st.sampled_from(WORDS[lang].split()), max_size=40))
    return lang, draw(st.sampled_from([" ", "  ", "\n"])).join(words)


@given(texts(), texts())
@settings(max_examples=60)
def test_evidence_lies_in_its_article(title: tuple[str, str], summary: tuple[str, str]) -> None:
    lang = title[0]
    told = article(lang, date(2018, 3, 14), title[1], summary[1])
    for mention in DETECTOR.detect([told])[0]:
        evidence = mention.evidence
        assert getattr(told, evidence.field)[evidence.start : evidence.end] == evidence.quote
        assert 0 < len(evidence.quote) <= 200
        assert mention.country in {"SY", "LY"}


@given(st.sampled_from(LANGUAGES), st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=60)
def test_no_text_makes_it_raise(lang: str, title: str, summary: str) -> None:
    DETECTOR.detect([article(lang, date(2018, 3, 14), title, summary)])


SIGNS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0640"


@given(st.sampled_from(table("ar")), st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_vowel_signs_and_stretches_change_nothing(case: Any, random: Any) -> None:
    _, published, told = case.values

    def written(text: str) -> str:
        return re.sub(
            "[\u0621-\u064a](?=[\u0621-\u064a])", lambda m: m[0] + random.choice(["", random.choice(SIGNS)]), text
        )

    plain = detect("ar", published, told.get("title", ""), told.get("summary", ""))
    signed = detect("ar", published, written(told.get("title", "")), written(told.get("summary", "")))
    assert kinds(signed) == kinds(plain)
    assert [m.date for m in signed] == [m.date for m in plain]
    assert [[p.gazetteer_id for p in m.places] for m in signed] == [[p.gazetteer_id for p in m.places] for m in plain]


@given(st.sampled_from([one for lang in ("fr", "tr", "ru") for one in table(lang)]))
@settings(max_examples=60)
def test_decomposed_letters_change_nothing(case: Any) -> None:
    import unicodedata

    lang, published, told = case.values
    plain = detect(lang, published, told.get("title", ""), told.get("summary", ""))
    apart = detect(lang, published, *(unicodedata.normalize("NFD", told.get(k, "")) for k in ("title", "summary")))
    assert kinds(apart) == kinds(plain)


@pytest.mark.parametrize(
    "sentence",
    [
        "وأعلن الجيش السوري هدنة في حلب",
        "فأعلن الجيش السوري هدنة في حلب",
        "أعلن الجيش السوري الهدنة بحلب",
        "الجيش السوري يعلن التزامه بالهدنة وبإعلانها في حلب",
    ],
)
def test_leaning_words_hide_nothing(sentence: str) -> None:
    mentions = detect("ar", date(2018, 3, 14), sentence)
    assert [m.family.value for m in mentions] == ["ceasefire"]
    assert [place.name for place in mentions[0].places] == ["حلب"]


@pytest.mark.parametrize(
    ("lang", "word"),
    [("ar", "قصف "), ("fr", "trêve "), ("tr", "ateşkes "), ("ru", "перемирие "), ("ar", "ا"), ("ru", "я")],
)
def test_long_text_is_read_in_part(lang: str, word: str) -> None:
    DETECTOR.detect([article(lang, date(2018, 3, 14), text=word * (2_000_000 // len(word)))])


@pytest.mark.parametrize(
    ("lang", "title", "actors", "targets"),
    [
        ("ar", "قصفت طائرات روسية مواقع لهيئة تحرير الشام في إدلب", ["ru"], ["sy-hts"]),
        ("ar", "شن تنظيم داعش هجوما على قوات سوريا الديمقراطية في دير الزور", ["isis"], ["sy-sdf"]),
        ("ar", "هدنة بين الجيش السوري وقوات سوريا الديمقراطية في الحسكة", ["sy-government", "sy-sdf"], []),
        ("ar", "حفتر يرفض وقف إطلاق النار في ليبيا", ["ly-lna"], []),
        ("fr", "Une localité de la province d'Alep bombardée par l'armée syrienne", ["sy-government"], []),
        ("fr", "Haftar rejette une trêve en Libye", ["ly-lna"], []),
        ("tr", "İsrail Şam'ı bombaladı", ["il"], []),
        ("tr", "Hafter Libya'da ateşkesi reddetti", ["ly-lna"], []),
        ("ru", "Российская авиация нанесла удары по позициям боевиков в Идлибе", ["ru"], ["armed-groups"]),
        ("ru", "Хафтар отверг перемирие в Ливии", ["ly-lna"], []),
    ],
)
def test_who_did_it_and_to_whom(lang: str, title: str, actors: list[str], targets: list[str]) -> None:
    (mention,) = detect(lang, date(2018, 3, 14), title)
    assert [party.party_id for party in mention.actors] == actors
    assert [party.party_id for party in mention.targets] == targets


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_screen_holds_back_no_event(lang: str) -> None:
    held_back = [
        told["name"]
        for _, published, told in (case.values for case in table(lang))
        if told["events"]
        and not passes_screen(article(lang, published, told.get("title", ""), told.get("summary", "")))  # type: ignore[arg-type]
    ]
    assert held_back == []


WHOLE = tomllib.loads((CASES / "detect_whole_articles.toml").read_text("utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in WHOLE["case"]])
def test_whole_articles(case: dict[str, Any]) -> None:
    mentions = detect(case["lang"], WHOLE["published"], case["title"], text=case["text"])
    assert kinds(mentions) == sorted(tuple(event) for event in case["events"])
    violation = next(m for m in mentions if m.family == "violation")
    assert violation.date is not None
    assert (violation.killed, violation.date.start) == (7, date(2021, 10, 20))
    assert next(m for m in mentions if m.family == "hostility").killed == 14
