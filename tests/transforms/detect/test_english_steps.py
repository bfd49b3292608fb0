"""Which step of a ceasefire English news tells: a table of named cases, and what is wrong with a lexicon."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tests.tables import as_params, cases
from transforms.detect.candidates import Candidate
from transforms.detect.detector import Detected, load_detector
from transforms.detect.step_words import compile_steps, step_words
from transforms.detect.steps import step_of
from transforms.failures import KnowledgeError
from transforms.model import Article, Stage

CASES = cases("detect_en_steps")
FEWEST = 10  # cases of each step
NOON = datetime(2026, 2, 13, 12, tzinfo=UTC)


def article(name: str, text: str, lang: str = "en") -> Article:
    return Article(item_id=name, feed="f", outlet="o", published=NOON, fetched=NOON, summary=text, lang=lang)


@cache
def readings() -> dict[str, Detected]:
    read = load_detector().analyse([article(case["name"], case["text"]) for case in CASES])
    return dict(zip((case["name"] for case in CASES), read, strict=True))


def truce_of(detected: Detected, word: str = "") -> Candidate:
    """Return the ceasefire word that is meant; the strong one before "plan" and "deal"."""
    truces = [c for c in detected.found.candidates if c.family == "ceasefire" and word in c.form]
    return min(truces, key=lambda c: (c.trigger.weak, c.first))


def told(case: dict[str, Any]) -> Stage | None:
    detected = readings()[case["name"]]
    return step_of(detected.reading, truce_of(detected, case.get("word", "")))


def test_the_table_covers_every_step() -> None:
    counts = Counter(case["step"] for case in CASES)
    assert {str(stage) for stage in Stage} | {"none"} == set(counts)
    assert all(counts[str(stage)] >= FEWEST for stage in Stage)
    assert len({case["name"] for case in CASES}) == len(CASES) >= 90
    assert sum("open" in case for case in CASES) < len(CASES) / 10


@pytest.mark.parametrize("case", as_params(CASES))
def test_step(case: dict[str, Any]) -> None:
    step = told(case)
    allowed = {case["step"]} | ({"none"} if case.get("or_none") else set())
    assert (str(step) if step else "none") in allowed


def test_other_languages_are_left_to_the_cues() -> None:
    (detected,) = load_detector().analyse([article("fr", "Une trêve a été signée à Alep, en Syrie.", "fr")])
    assert step_of(detected.reading, truce_of(detected)) is None


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"objects": {}}, r"steps\.en\.toml: unknown key 'objects'; known are .*object"),
        ({"object": {"aged": ["sign"]}}, r"steps\.en\.toml: object: unknown key 'aged'; known are agreed"),
        ({"object": {"itself": ["deal"]}}, r"steps\.en\.toml: object: unknown key 'itself'"),  # a list of [noun]
        ({"marks": {"agreed": ["sign"]}}, r"steps\.en\.toml: marks: unknown key 'agreed'"),
        (
            {"object": {"agreed": ["sign"], "ended": ["scrap", "sign"]}},
            r"steps\.en\.toml: object: 'sign' stands under agreed and under ended",
        ),
        ({"subject": {"ended": "collapse"}}, r"steps\.en\.toml: subject: ended: expected a list of words"),
        ({"clause": {"told": [7]}}, r"steps\.en\.toml: clause: told: expected a list of words"),
    ],
)
def test_a_bad_lexicon_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(KnowledgeError, match=reason):
        compile_steps(table, "steps.en.toml")


def test_a_section_that_is_no_table_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"steps\.en\.toml: object: expected a table"):
        compile_steps({"object": ["sign"]}, "steps.en.toml")


def test_one_word_may_make_two_steps_in_two_sections() -> None:
    made = compile_steps({"object": {"ended": ["end"]}, "subject": {"in_effect": ["end"]}}, "steps.en.toml").made
    assert (made["object"]["end"], made["subject"]["end"]) == (Stage.ENDED, Stage.IN_EFFECT)


def test_the_lexicon_knows_all_its_sections() -> None:
    words = step_words()
    assert words.made["object"]["sign"] is Stage.AGREED
    assert {"itself", "asked", "failed", "told", "condition"} <= set(words.lists)
