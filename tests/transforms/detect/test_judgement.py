"""The lexicon loader and the model file: what is refused, and that packing is exact and repeatable."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.detect.judgement import Head, load_judgement, pack, unpack, vocabulary
from transforms.detect.lexicons import load_lexicon, parse_lexicon
from transforms.failures import KnowledgeError

GOOD = 'language = "en"\n[[trigger]]\nid = "a"\nfamily = "ceasefire"\nforms = ["truce"]\n'


def head() -> Head:
    weights = np.array([[0.5, -1.0, 0.25]], dtype=np.float32)
    return Head(("none", "event"), {"t.a": 0, "w.b": 1, "c.c": 2}, weights, np.array([0.1], dtype=np.float32))


def test_packing_is_exact_and_repeatable() -> None:
    raw = pack({"event.armed@en": head()}, {"event.armed": 0.5})
    assert raw == pack({"event.armed@en": head()}, {"event.armed": 0.5})
    model = unpack(raw, "model.npz")
    features = {"t.a": 1.0, "w.b": 0.5, "unknown": 3.0}
    assert model.head("event.armed", "en").probabilities(features) == pytest.approx(head().probabilities(features))
    assert model.thresholds == {"event.armed": 0.5}


def test_leading_features_come_heaviest_first() -> None:
    features = {"t.a": 1.0, "w.b": 1.0, "c.c": 1.0}
    assert [name for name, _ in head().leading(features, "event")] == ["w.b", "t.a", "c.c"]
    assert head().leading(features, "none")[0] == ("w.b", 1.0)


def test_many_classes_add_up_to_one() -> None:
    weights = np.array([[1, 0], [0, 1], [-1, -1]], dtype=np.float32)
    many = Head(("a", "b", "c"), {"x": 0, "y": 1}, weights, np.zeros(3, dtype=np.float32))
    answers = many.probabilities({"x": 2.0})
    assert sum(answers.values()) == pytest.approx(1.0)
    assert max(answers, key=lambda name: answers[name]) == "a"


@pytest.mark.parametrize("raw", [b"", b"not a zip", pack({}, {})[:-30]])
def test_a_damaged_model_says_what_to_do(raw: bytes) -> None:
    with pytest.raises(KnowledgeError, match="make model"):
        unpack(raw, "model.npz")


def test_rare_features_are_left_out() -> None:
    assert vocabulary([{"a": 1.0, "b": 1.0}, {"a": 1.0}], fewest=2) == {"a": 0}


def test_the_shipped_model_has_every_head() -> None:
    model = load_judgement()
    for name in ("event.ceasefire", "event.armed", "violation", "stage", "means", "certainty", "same"):
        assert model.head(name, "en").names
    assert set(model.thresholds) >= {"event.ceasefire", "event.armed", "violation", "alleged", "same"}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        pytest.param("language = ", "not valid TOML", id="syntax"),
        pytest.param(GOOD.replace("en", "en") + "colour = 1\n", "unknown key 'colour'", id="unknown key"),
        pytest.param(GOOD.replace("ceasefire", "peace"), "neither", id="unknown family"),
        pytest.param(GOOD + 'stage = "paused"\n', "unknown stage 'paused'", id="unknown stage"),
        pytest.param(GOOD + 'means = "airstrike"\n', "unknown means", id="means of a ceasefire"),
        pytest.param(GOOD + GOOD.split("\n", 1)[1], "duplicate id 'a'", id="duplicate id"),
        pytest.param(GOOD.replace('["truce"]', "[]"), "list of forms", id="no forms"),
        pytest.param(GOOD.replace('["truce"]', '[" "]'), "empty form", id="empty form"),
        pytest.param(GOOD.replace('"en"', '""'), "`language` is missing", id="no language"),
    ],
)
def test_a_wrong_lexicon_says_what_is_wrong_and_where(raw: str, told: str) -> None:
    with pytest.raises(KnowledgeError, match=r"triggers\.xx\.toml.*") as caught:
        parse_lexicon(raw, "triggers.xx.toml")
    assert told in str(caught.value)


def test_a_language_without_lexicon_says_so() -> None:
    with pytest.raises(KnowledgeError, match=r"triggers\.zz\.toml"):
        load_lexicon("zz")
