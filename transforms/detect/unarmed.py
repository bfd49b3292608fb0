"""Truces and clashes without arms in English: of sport, trade, prices, strikes and quarrels."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, Word, children
from transforms.detect.slot_data import word_lists
from transforms.detect.view import View

FILE = "unarmed.en.toml"
_KEYS = (
    "kinds",
    "quarrels",
    "quarrellers",
    "at_times_armed",
    "sport",
)
_ARMS = frozenset({"air.strike", "shelling", "bombing", "chemical", "siege", "shooting", "shooting.who"})
_SPORTS_ITEM = 3
_MOST_TRUCES = 20  # looked at in one item
_REACH = 70  # words looked at on each side
_OVER = frozenset({"over", "on", "in", "about"})
_BETWEEN = frozenset({"between", "among", "with"})
_PARTS = frozenset({"compound", "amod", "nmod"})


def unarmed_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return word_lists(FILE, _KEYS)


def is_unarmed(view: View) -> bool:
    """Return whether a truce or a clash is told where nobody is at arms."""
    if _arms_told(view):
        return False
    if _is_sport(view.reading):
        return view.candidate.family == "ceasefire" or view.candidate.trigger.id == "ground.fight"
    return view.candidate.family == "ceasefire" and _tells_of_a_quarrel(view)


def _tells_of_a_quarrel(view: View) -> bool:
    """Return whether a truce of the item is one of a quarrel: a headline may say whose truce it is."""
    memo = view.reading.memo
    if "quarrel" not in memo:
        truces = [c for c in view.found.candidates if c.family == "ceasefire"][:_MOST_TRUCES]
        memo["quarrel"] = any(_of_a_quarrel(view.reading, truce) for truce in truces)
    return bool(memo["quarrel"])


def _arms_told(view: View) -> bool:
    return any(c.trigger.id in _ARMS for c in view.found.candidates)


def _is_sport(reading: Reading) -> bool:
    return len({word.lemma for word in reading.words} & unarmed_words()["sport"]) >= _SPORTS_ITEM


def _of_a_quarrel(reading: Reading, candidate: Candidate) -> bool:
    lexicon, tokens = unarmed_words(), reading.words
    quarrellers = lexicon["quarrellers"] | lexicon["at_times_armed"]
    below = list(_below(reading, candidate.head, candidate))
    if any(word.lemma in lexicon["kinds"] and word.dep in _PARTS for word in below):
        return True
    verb = tokens[candidate.head].head
    beside = [*below, *(_below(reading, verb, candidate) if verb != candidate.head else ())]
    for word in beside:
        at = tokens.index(word)
        if word.dep == "prep":
            for noun in _below(reading, at, candidate):
                phrase = {noun.lemma, *(w.lemma for w in _phrase(reading, tokens.index(noun), candidate))}
                if word.lemma in _OVER and phrase & lexicon["quarrels"]:
                    return True
                if word.lemma in _BETWEEN and noun.lemma in quarrellers:
                    return True
        if (
            word.dep == "nsubj"
            and word.head == verb
            and tokens[candidate.head].dep == "dobj"
            and word.lemma in quarrellers
        ):
            return True
    return False


def _below(reading: Reading, index: int, candidate: Candidate) -> Iterator[Word]:
    sentence = candidate.sentence
    first, last = max(sentence.first, candidate.head - _REACH), min(sentence.last, candidate.head + _REACH)
    yield from (reading.words[i] for i in children(reading, index, first, last))


def _phrase(reading: Reading, index: int, candidate: Candidate) -> Iterator[Word]:
    """Yield what belongs to a noun: its parts, and what it is over or of ("the dispute over fuel prices")."""
    for word in _below(reading, index, candidate):
        if word.dep in _PARTS:
            yield word
        elif word.dep == "prep" and word.lemma in {"over", "of", "about"}:
            for noun in _below(reading, reading.words.index(word), candidate):
                yield noun
                yield from (w for w in _below(reading, reading.words.index(noun), candidate) if w.dep in _PARTS)
