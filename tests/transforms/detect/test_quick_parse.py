"""The quicker stand-ins for parts of spaCy's model give what those give, word by word."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.detect import word_classes, word_vectors
from transforms.detect.nlp import load_english, load_model
from transforms.detect.word_classes import WordClasses
from transforms.detect.word_vectors import WordVectors

TEXTS = [
    "Syria's army said on Monday it hadn't broken the truce.\n\nIt did.",
    "Let's go: there were strikes, and there's no ceasefire. They're gonna bomb; y'all gotta leave, c'mon.",
    "It ain't over. He'd had enough, and did not do what he'd have done. Doin' nothin'.",
    "That is what that army said that day; those who have, have. What it has been, it is being.",
    "AIRSTRIKES HIT ALEPPO'S MARKETS \t  KILLING 12,000 \n\n\n...",
    "Russian jets were bombing Idlib, whose dead lay unburied, worse than the worst.",
    "",
    "\n",
    "a\u2028b \U0001f4a3 سوريا",
]
WORDS = [
    "let",
    "'s",
    "there",
    "were",
    "gon",
    "na",
    "truce",
    "Syria",
    "the",
    "bombed",
    "that",
    "\n",
    "ain't",
    "of",
    "y'",
    "all",
]


@cache
def plain() -> Any:
    return load_model(exclude=("ner",))


@cache
def half_parsed() -> Any:
    """Return spaCy's pipeline up to the parser, and the stand-in for the rest, over one vocabulary."""
    return WordClasses(plain())


def told(doc: Any) -> list[tuple[str, ...]]:
    return [(t.text, t.pos_, t.tag_, t.dep_, t.lemma_, str(t.morph), str(t.is_sent_start)) for t in doc]


def parsed(text: str) -> tuple[Any, Any]:
    """Return a text as spaCy reads it, and as it reads with the stand-in."""
    full = plain()(text)
    with plain().select_pipes(disable=["attribute_ruler", "lemmatizer"]):
        half = plain()(text)
    return full, half_parsed()(half)


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_told_as_spacy_tells_them(text: str) -> None:
    full, quick = parsed(text)
    assert told(quick) == told(full)
    assert told(parsed(text)[1]) == told(full), "looked up, as learnt before"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=12).map(" ".join))
def test_any_words_are_told_as_spacy_tells_them(text: str) -> None:
    full, quick = parsed(text)
    assert told(quick) == told(full)


def test_full_stores_are_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_classes, "_KNOWN_WORDS", 20)
    monkeypatch.setattr(word_vectors, "_KNOWN_WORDS", 20)
    vectors = WordVectors(plain().get_pipe("tok2vec").model)
    for text in TEXTS * 2:
        full, quick = parsed(text)
        assert told(quick) == told(full)
        assert np.allclose(vectors([full])[0], plain().get_pipe("tok2vec").predict([full])[0], atol=1e-5)


def test_vectors_are_those_of_the_model_whatever_is_read_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    model = plain().get_pipe("tok2vec").model
    docs = [plain().make_doc(text) for text in TEXTS]
    vectors = WordVectors(model)
    monkeypatch.setattr(word_vectors, "_ROWS", 30)
    for doc, alone, together, wanted in zip(
        docs, (vectors([doc])[0] for doc in docs), vectors(docs), model.predict(docs), strict=True
    ):
        assert alone.shape == wanted.shape == (len(doc), 96)
        assert np.allclose(alone, wanted, atol=1e-5)
        assert np.allclose(together, wanted, atol=1e-5)


def test_no_documents_have_no_vectors() -> None:
    assert WordVectors(plain().get_pipe("tok2vec").model)([]) == []


def test_the_stage_reads_with_them() -> None:
    nlp = load_english()
    assert nlp.get_pipe("tok2vec").model.name == word_vectors.NAME
    assert word_classes.NAME in nlp.pipe_names
    assert "lemmatizer" not in nlp.pipe_names


def test_a_model_built_otherwise_is_left_as_it_is() -> None:
    nlp = load_model(exclude=("ner", "attribute_ruler"))
    nlp.get_pipe("tok2vec").model = nlp.get_pipe("tok2vec").model.layers[0]
    before = nlp.get_pipe("tok2vec").model
    word_vectors.quicken(nlp)
    word_classes.look_up_words(nlp)
    assert nlp.get_pipe("tok2vec").model is before
    assert word_classes.NAME not in nlp.pipe_names
