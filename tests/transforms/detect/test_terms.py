"""Lexicon entries with endings, choices and gaps."""

import pytest

from transforms.detect.folding import fold_text
from transforms.detect.lexicons import parse_lexicon
from transforms.detect.reading import keys_of
from transforms.detect.terms import TermMatcher, parse_entry, screen_words
from transforms.failures import KnowledgeError


def found(entry: str, text: str, lang: str = "ru") -> list[str]:
    words = fold_text(text).split()
    matches = TermMatcher([(entry, "x")]).find([keys_of(word, lang) for word in words])
    return [" ".join(words[first:last]) for first, last, _ in matches]


@pytest.mark.parametrize(
    ("lang", "entry", "text", "wanted"),
    [
        ("ru", "прекращени* огня", "о прекращении огня", ["прекращении огня"]),
        ("ru", "прекращени* огня", "прекращение войны", []),
        ("fr", "accord|trêve", "une trêve et un accord", ["treve", "accord"]),
        ("fr", "accord", "l'accord d'Alep", ["l'accord"]),
        ("ru", "вступил* ~ силу", "вступило наконец в силу", ["вступило наконец в силу"]),
        ("ru", "вступил* ~ силу", "вступило через долгие два дня в силу", []),
        ("tr", "ateşkes ?anlaşması ilan", "ateşkes ilan edildi", ["ateskes ilan"]),
        ("tr", "ateşkes ?anlaşması ilan", "ateşkes anlaşması ilan edildi", ["ateskes anlasmasi ilan"]),
        ("ar", "وقف إطلاق نار", "ووقفِ إطلاقِ النارِ", ["ووقف اطلاق النار"]),
        ("ar", "هدنة", "بالهدنة وللهدنة", ["بالهدنه", "وللهدنه"]),
        ("tr", "halep", "Halep’te", ["halep'te"]),
    ],
)
def test_entries(lang: str, entry: str, text: str, wanted: list[str]) -> None:
    assert found(entry, text, lang) == wanted


@pytest.mark.parametrize("entry", ["", "~ a", "a ~", "?a b", "a,b", "*", "a||b"])
def test_entries_that_cannot_be_read(entry: str) -> None:
    with pytest.raises(ValueError, match=r"word|entry"):
        parse_entry(entry)


def test_only_the_longest_match_of_a_payload_counts_at_one_place() -> None:
    matcher = TermMatcher([("cessez", 1), ("cessez le feu", 1), ("cessez", 2)])
    assert sorted(matcher.find([("cessez",), ("le",), ("feu",)])) == [(0, 1, 2), (0, 3, 1)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [("cessez le feu", ("cessez",)), ("attaque|raid ?aérien chimique*", ("chimique",)), ("в ~ силу", ("силу",))],
)
def test_screen_words_are_those_of_the_most_telling_word(entry: str, words: tuple[str, ...]) -> None:
    assert screen_words(entry) == words


def test_a_bad_entry_is_reported_with_file_and_place() -> None:
    raw = 'language = "fr"\n[[trigger]]\nid = "a"\nfamily = "armed"\nforms = ["raid ~"]\n'
    with pytest.raises(KnowledgeError, match=r"triggers\.fr\.toml: .*\ba\b.*'raid ~'"):
        parse_lexicon(raw, "triggers.fr.toml")
