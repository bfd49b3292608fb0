"""The lexical screen: what passes, what does not, and that nothing with an event is held back."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.detect.screen import passes_screen, text_passes
from transforms.model import Article


@pytest.mark.parametrize(
    "text",
    [
        "Ceasefire takes hold in Syria",
        "SYRIAN REBELS CLASH",
        "Warplanes pound Aleppo",
        "A truce in Benghazi",
        "Haftar's forces struck the airport",
        "هدنة في سوريا",
        "وقف إطلاق النار في إدلب",
        "وقف اطلاق النار في ادلب",
        "هُدْنَة في سُوريا",
        "Trêve en Syrie",
        "Suriye'de ateşkes",
        "Перемирие в Сирии",
    ],
)
def test_passes(text: str) -> None:
    assert text_passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A bakery opens in Paris",
        "Ceasefire in Gaza as Hamas agrees",
        "Syria",
        "Libyan tourism grows",
        "Homstead prices fall as strike looms",
        "Stocks rally on tariff truce",
    ],
)
def test_held_back(text: str) -> None:
    assert not text_passes(text)


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    assert text_passes(text) in {True, False}


@given(st.text(max_size=60), st.text(max_size=60))
def test_more_text_never_turns_a_pass_into_a_hold(before: str, after: str) -> None:
    assert text_passes(f"{before} . Ceasefire in Syria . {after}")


def test_it_can_be_sent_to_workers() -> None:
    assert pickle.loads(pickle.dumps(passes_screen)) is passes_screen


def test_title_summary_and_text_are_read_together() -> None:
    at = datetime(2016, 10, 20, tzinfo=UTC)
    article = Article(item_id="1", feed="f", outlet="o", title="Truce", text="in Libya", published=at, fetched=at)
    assert passes_screen(article)
