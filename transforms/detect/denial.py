"""Denials and withdrawals in English, read from the parse: an act inside what is denied is no news."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, Sentence, ancestors, children
from transforms.detect.slot_data import only_keys, read_lexicon, words
from transforms.detect.step_words import step_words

FILE = "realis.en.toml"
_KEYS = {
    "deny", "reject", "claims", "false", "truth", "withdraw", "own_reports", "corrections", "negates_less",
    "conditions",
}  # fmt: skip
_CLAUSES = {"ccomp", "xcomp"}
_OBJECTS = {"dobj", "nsubjpass", "attr", "oprd"}
_NAME_PARTS = {"compound", "amod", "nmod", "poss"}
_ASIDE = {"advcl", "relcl"}  # clauses beside what is denied: "denied hitting the clinic, where 20 died"
_NOT = {"not", "n't", "never"}
_WILL = {"desire", "intention", "plan", "wish"}
_US = {"we", "our", "us", "it", "its", "has"}


@dataclass(frozen=True, slots=True)
class RealisWords:
    """The lexicon `realis.en.toml`: lemmas by their work."""

    deny: frozenset[str]
    reject: frozenset[str]
    claims: frozenset[str]
    false: frozenset[str]
    truth: frozenset[str]
    withdraw: frozenset[str]
    own_reports: frozenset[str]
    corrections: tuple[str, ...]
    negates_less: frozenset[str]
    conditions: frozenset[str]


def compile_realis(table: dict[str, Any], name: str) -> RealisWords:
    """Return the words of the lexicon `name`, checked.

    Raises:
        KnowledgeError: An unknown key, or a value that is no list of words.
    """
    only_keys(table, _KEYS, name)
    lists = {key: words(table, key, name) for key in _KEYS}
    corrections = lists.pop("corrections")
    return RealisWords(**{key: frozenset(value) for key, value in lists.items()}, corrections=corrections)


@cache
def realis_words() -> RealisWords:
    """Return the package's lexicon."""
    return compile_realis(read_lexicon(FILE), FILE)


@dataclass(frozen=True, slots=True)
class Denial:
    """An act that is denied, or a report that is taken back.

    Attributes:
        top: The word that what is denied hangs on.
        inside: All words of what is denied.
        denier: Head of the noun phrase that denies; None where nobody is named or the outlet takes its own report back.
        claimed_by: Whether somebody else is named whose claim it is ("denied claims by the minister that ...").
        withdrawn: Whether the outlet takes its own report back.
    """

    top: int
    inside: frozenset[int]
    denier: int | None = None
    withdrawn: bool = False
    claimed_by: bool = False


def denial_of(reading: Reading, candidate: Candidate) -> Denial | None:
    """Return the denial that a trigger stands in, None where it stands in none."""
    tokens, lexicon = reading.words, realis_words()
    sentence = candidate.sentence
    below, aside = candidate.head, False
    for above in ancestors(reading, candidate.head):
        if not sentence.first <= above < sentence.last:
            break
        word, link = tokens[above], tokens[below].dep
        claimed = tokens[below].lemma in lexicon.claims
        if not aside and word.lemma in lexicon.deny | lexicon.reject:
            whole = link in _CLAUSES and (word.lemma in lexicon.deny or bool(_objects(reading, above, lexicon.claims)))
            direct = word.lemma in lexicon.deny and _is_named(reading, candidate, below)
            if (whole or (link in _OBJECTS and (claimed or direct))) and not _negated(reading, above, sentence):
                return Denial(
                    below,
                    _subtree(reading, below, sentence),
                    _subject(reading, above, sentence),
                    claimed_by=claimed and any(tokens[i].lemma == "by" for i in _children(reading, below, sentence)),
                )
        if not aside and word.lemma in lexicon.withdraw and link in _OBJECTS | _CLAUSES:
            reports = [below] if link in _OBJECTS else _objects(reading, above, lexicon.own_reports)
            if any(_own(reading, report, above, sentence) for report in reports):
                inside = frozenset[int]().union(*(_subtree(reading, i, sentence) for i in {below, *reports}))
                return Denial(below, inside, withdrawn=True)
        if claimed and link in {"nsubj", "nsubjpass"} and _said_false(reading, above, sentence):
            return Denial(below, _subtree(reading, below, sentence), _speaker(reading, above, sentence))
        if word.lemma in lexicon.truth and any(tokens[i].lemma == "no" for i in _children(reading, above, sentence)):
            return Denial(above, _subtree(reading, above, sentence), _speaker(reading, above, sentence))
        # "reports that gunmen shot" is read as a relative clause of "reports", and is what is reported all the same.
        aside = aside or (link in _ASIDE and word.lemma not in lexicon.claims | lexicon.own_reports)
        below = above
    return None


def is_correction(reading: Reading) -> bool:
    """Return whether the headline says that the item corrects or takes back an earlier report."""
    title = reading.article.title.strip().casefold()
    return any(
        title.startswith(word) and not title[len(word) : len(word) + 1].isalnum() for word in realis_words().corrections
    )


def negated(reading: Reading, candidate: Candidate) -> bool:
    """Return whether "no" or "not" stands on the trigger itself, on the verb that tells it, or on the will to do it.

    An act that has not been stopped goes on.
    """
    tokens, sentence = reading.words, candidate.sentence
    head = candidate.head
    less = realis_words().negates_less
    own = [i for i in _children(reading, head, sentence) if not candidate.first <= i < candidate.last]
    if tokens[head].pos in {"NOUN", "PROPN"}:
        bare = [i for i in own if tokens[i].dep in {"det", "neg"} and tokens[i].lemma in {"no", "neither"}]
        if bare and tokens[bare[0] + 1].lemma not in less:
            return True
    if any(
        tokens[i].lemma in _WILL and any(tokens[k].lemma == "no" for k in _children(reading, i, sentence))
        for i in ancestors(reading, head)[:4]
        if sentence.first <= i < sentence.last
    ):
        return True  # "has no intention of breaking the truce"
    verb = head if tokens[head].pos in {"VERB", "AUX"} else tokens[head].head
    if candidate.family == "armed" and verb != head and tokens[verb].lemma in step_words().lists["stop"]:
        return False  # "has not stopped the fighting"
    told = verb == head or (tokens[head].dep in {"dobj", "nsubjpass"} and tokens[verb].pos == "VERB")
    if not told or not sentence.first <= verb < sentence.last or tokens[verb].pos != "VERB":
        return False
    nots = [
        i for i in _children(reading, verb, sentence)
        if tokens[i].dep == "neg" and tokens[i].lemma in _NOT and not candidate.first <= i < candidate.last
    ]  # fmt: skip
    return bool(nots) and not any(tokens[i + 1].lemma in less for i in nots if i + 1 < sentence.last)


def conditional(reading: Reading, candidate: Candidate) -> bool:
    """Return whether the trigger stands in an if-clause ("if the truce collapses") or in what would be."""
    tokens, sentence = reading.words, candidate.sentence
    copula = tokens[candidate.head].head
    would = [tokens[i] for i in _children(reading, copula, sentence) if tokens[i].lemma == "would"]
    if tokens[candidate.head].dep in {"nsubj", "attr"} and tokens[copula].lemma == "be" and would:
        return True
    for at in (candidate.head, *ancestors(reading, candidate.head)):
        if not sentence.first <= at < sentence.last:
            return False
        if tokens[at].dep in {"pcomp", "pobj"} and tokens[tokens[at].head].lemma in realis_words().conditions:
            return True
        marks = [tokens[i] for i in _children(reading, at, sentence) if i < at and tokens[i].dep in {"mark", "advmod"}]
        if tokens[at].pos not in {"VERB", "AUX"}:
            continue
        if any(mark.lemma in realis_words().conditions for mark in marks):
            return True
        if tokens[at].dep != "xcomp":  # "if they fail to keep the truce", but no clause further up
            return False
    return False


def _children(reading: Reading, index: int, sentence: Sentence) -> list[int]:
    return children(reading, index, sentence.first, sentence.last)


def _subtree(reading: Reading, top: int, sentence: Sentence) -> frozenset[int]:
    inside = range(sentence.first, sentence.last)
    return frozenset(i for i in inside if i == top or top in ancestors(reading, i))


def _is_named(reading: Reading, candidate: Candidate, top: int) -> bool:
    """Return whether the trigger itself is denied ("denied the attack"), not "responsibility for the attack"."""
    at = candidate.head
    while at != top:
        if reading.words[at].dep not in _NAME_PARTS:
            return candidate.first <= top < candidate.last
        at = reading.words[at].head
    return True


def _negated(reading: Reading, verb: int, sentence: Sentence) -> bool:
    return any(reading.words[i].dep == "neg" for i in _children(reading, verb, sentence))


def _objects(reading: Reading, verb: int, lemmas: frozenset[str]) -> list[int]:
    """Return the objects of a verb that are one of `lemmas`: the parser hangs "that ..." on either of the two."""
    sentence = reading.sentence_of(verb)
    below = _children(reading, verb, sentence)
    return [i for i in below if reading.words[i].dep in _OBJECTS and reading.words[i].lemma in lemmas]


def _own(reading: Reading, report: int, verb: int, sentence: Sentence) -> bool:
    """Return whether it is a report, with a sign that it is the outlet's or an outlet's own."""
    if reading.words[report].lemma not in realis_words().own_reports:
        return False
    near = [*_children(reading, report, sentence), *_children(reading, verb, sentence)]
    return any(reading.words[i].text.casefold() in _US or reading.words[i].dep in {"poss", "auxpass"} for i in near)


def _said_false(reading: Reading, verb: int, sentence: Sentence) -> bool:
    return any(
        reading.words[i].lemma in realis_words().false and reading.words[i].dep in {"acomp", "attr", "oprd", "amod"}
        for i in _children(reading, verb, sentence)
    )


def _subject(reading: Reading, verb: int, sentence: Sentence) -> int | None:
    """Return the head of who denies: the verb's subject, also of a verb that it is joined to, or "by" whom."""
    tokens = reading.words
    for _ in range(4):
        below = _children(reading, verb, sentence)
        for i in below:
            if tokens[i].dep == "agent":
                return next((j for j in _children(reading, i, sentence) if tokens[j].dep == "pobj"), None)
        for i in below:
            if tokens[i].dep == "nsubj":
                return i
        if tokens[verb].dep not in {"conj", "xcomp", "advcl"}:
            return None
        verb = tokens[verb].head
    return None


def _speaker(reading: Reading, verb: int, sentence: Sentence) -> int | None:
    """Return the head of who says that a report is false: the subject of the verb of saying above."""
    above = reading.words[verb].head
    if above == verb or not sentence.first <= above < sentence.last or reading.words[verb].dep != "ccomp":
        return None
    return _subject(reading, above, sentence)
