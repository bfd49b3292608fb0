"""Arabic spelling: letters that writers vary, signs they leave out, and words that lean on the next one.

Only what matching needs, and nothing a reader would call linguistics: newsrooms write the same word with or without
vowel signs, stretched or not, with any of four alefs, and glue "and", "in", "for" and the article to it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

TATWEEL = "\u0640"

# Letters that outlets use for one another; hamza on a seat goes to its seat, as careless spelling does.
_LETTERS = {
    "أ": "ا",
    "إ": "ا",
    "آ": "ا",
    "ٱ": "ا",
    "ٲ": "ا",
    "ٳ": "ا",
    "ى": "ي",
    "ئ": "ي",
    "ی": "ي",
    "ې": "ي",
    "ؤ": "و",
    "ة": "ه",
    "ۀ": "ه",
    "ک": "ك",
    "ڪ": "ك",
    "گ": "غ",  # the g of Libyan and Iraqi names is written with any of gaf, ghayn, jeem, qaf; ghayn is commonest
    "ڨ": "غ",
    "پ": "ب",
    "ڤ": "ف",
    "چ": "ج",
}
_MARKS = {"،": ",", "؛": ";", "؟": "?", "٪": "%", "٫": ".", "٬": ",", "٭": "*", "۔": "."}

_CONJUNCTIONS = ("و", "ف")
_PREPOSITIONS = ("ب", "ك", "ل")
_ARTICLE = "ال"
_SHORTEST = 2  # a stem of one letter is no word


def is_sign(char: str) -> bool:
    """Return whether `char` is a vowel sign, a Koranic mark or a stretch: written or left out at will."""
    return char == TATWEEL or ("\u0600" <= char <= "\u08ff" and unicodedata.category(char) == "Mn")


def letter(char: str) -> str:
    """Return the plain form of one Arabic letter, digit or punctuation mark; other characters as they are."""
    if char in _LETTERS:
        return _LETTERS[char]
    if char in _MARKS:
        return _MARKS[char]
    if "\u0660" <= char <= "\u0669" or "\u06f0" <= char <= "\u06f9":
        return str(unicodedata.digit(char))
    return char


def is_arabic(word: str) -> bool:
    """Return whether `word` begins with an Arabic letter."""
    return bool(word) and "\u0620" <= word[0] <= "\u06ff"


@lru_cache(maxsize=65536)
def stems(word: str) -> tuple[str, ...]:
    """Return the folded `word` and what is left of it when leaning words are taken off, longest first.

    Conjunction (wa, fa), then preposition (bi, ka, li), then the article, each at most once: "وبالهدنه" gives itself,
    "بالهدنه", "الهدنه" and "هدنه"; in "للهدنه" the article has lost its alef and is given back. Which of them is the
    word, the lexicon decides: a form that stands in no list matches nothing.
    """
    forms = [word]

    def add(form: str) -> None:
        if len(form) >= _SHORTEST and form not in forms:
            forms.append(form)

    for conjunction in ("", *_CONJUNCTIONS):
        if conjunction and not word.startswith(conjunction):
            continue
        rest = word[len(conjunction) :]
        add(rest)
        if rest.startswith("لل"):
            add(_ARTICLE + rest[2:])
            add(rest[2:])
        for preposition in ("", *_PREPOSITIONS):
            if preposition and not rest.startswith(preposition):
                continue
            bare = rest[len(preposition) :]
            add(bare)
            if bare.startswith(_ARTICLE):
                add(bare[len(_ARTICLE) :])
    return tuple(forms)


def leaning_letters(word: str, known: Callable[[str], bool]) -> int:
    """Return how many letters at the head of the folded `word` are leaning words, by which of its stems is `known`.

    The article is part of a name and stays; "لل" (to the) cannot be cut from it and stays too.
    """
    for form in stems(word):
        if not known(form):
            continue
        if not word.endswith(form):
            return 0
        cut = len(word) - len(form)
        return cut - len(_ARTICLE) if word[:cut].endswith(_ARTICLE) else cut
    return 0
