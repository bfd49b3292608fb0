"""Which step of a ceasefire English words settle: the verb that the ceasefire is the object of, read from the parse."""

from __future__ import annotations

from functools import cache

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, Sentence, ancestors
from transforms.detect.slot_data import only_keys, read_lexicon, words
from transforms.model import Stage

FILE = "steps.en.toml"
_KEYS = {
    "extend", "extension", "reject", "talk", "talk_about", "about", "only_asked", "only_possible", "past",
    "ask", "keep", "paper",
}  # fmt: skip
_UP = {"compound", "amod", "nmod", "pobj", "prep", "poss"}
_OBJECTS = {"dobj", "nsubjpass"}


@cache
def step_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    table = read_lexicon(FILE)
    only_keys(table, _KEYS, FILE)
    return {key: frozenset(words(table, key, FILE)) for key in _KEYS}


def step_of(reading: Reading, candidate: Candidate) -> Stage | None:
    """Return the step that the words around a ceasefire word settle, None where they settle none."""
    tokens, lexicon, sentence = reading.words, step_words(), candidate.sentence
    at = candidate.head
    while True:
        above, link = tokens[at].head, tokens[at].dep
        if above == at or not sentence.first <= above < sentence.last:
            break
        governing = tokens[above]
        if governing.lemma in lexicon["talk"] and governing.pos == "NOUN" and _talks_of(reading, at, above):
            return None if _asked(reading, above, sentence) else Stage.NEGOTIATING
        if governing.lemma in lexicon["extension"] and link in _UP:
            return None if _asked(reading, above, sentence) else Stage.EXTENDED
        if (
            governing.pos == "VERB"
            and link not in {"nsubj", "nsubjpass"}
            and _is_asked_for(reading, at, above, sentence)
        ):
            return Stage.CALLED_FOR
        if (
            governing.dep == "dobj"
            and tokens[at].lemma == "for"
            and _is_asked_for(reading, at, governing.head, sentence)
        ):
            return Stage.CALLED_FOR  # "asked the brigades in Libya for a truce"
        if link in _OBJECTS and _is_promised(reading, above, sentence):
            return Stage.AGREED
        if link in _OBJECTS and governing.pos == "VERB":
            stage = (
                Stage.EXTENDED
                if governing.lemma in lexicon["extend"]
                else Stage.REJECTED
                if governing.lemma in lexicon["reject"]
                else None
            )
            past = any(tokens[i].head == at and tokens[i].lemma in lexicon["past"] for i in range(sentence.first, at))
            return stage if stage and not past and not _asked(reading, above, sentence) else None
        if link not in _UP or (governing.pos == "NOUN" and governing.lemma not in lexicon["about"]):
            break
        at = above
    return _said_extended(reading, candidate)


def _is_promised(reading: Reading, verb: int, sentence: Sentence) -> bool:
    """Return whether somebody says that it will be kept: "said that the army would observe a ceasefire"."""
    tokens, lexicon = reading.words, step_words()
    if tokens[verb].lemma not in lexicon["keep"] or tokens[verb].dep not in {"ccomp", "ROOT"}:
        return False
    below = [tokens[i] for i in range(sentence.first, sentence.last) if tokens[i].head == verb and i != verb]
    will = any(word.dep == "aux" and word.lemma in {"will", "would", "shall"} for word in below)
    return will and not any(word.dep == "neg" or word.lemma in {"if", "unless", "whether"} for word in below)


def _said_extended(reading: Reading, candidate: Candidate) -> Stage | None:
    """Read the headline's short passive: "Truce east of Aleppo extended by 72 hours"."""
    tokens, sentence = reading.words, candidate.sentence
    for i in range(candidate.last, sentence.last):
        word = tokens[i]
        if (
            word.lemma in step_words()["extend"]
            and word.head == candidate.head
            and word.dep in {"acl", "relcl", "amod"}
        ):
            return Stage.EXTENDED if word.tag in {"VBN", "VBD"} else None
        subject = word.lemma in step_words()["extend"] and tokens[candidate.head].head == i
        if subject and tokens[candidate.head].dep in {"nsubj", "nsubjpass"} and word.tag in {"VBN", "VBD"}:
            return None if _asked(reading, i, sentence) else Stage.EXTENDED
    return None


def _is_asked_for(reading: Reading, at: int, verb: int, sentence: Sentence) -> bool:
    """Return whether someone is asked for it: "asked the sides for a truce", "urged them to respect the truce"."""
    tokens, lexicon = reading.words, step_words()
    if any(tokens[i].head == verb and tokens[i].dep == "neg" for i in range(sentence.first, sentence.last)):
        return False
    if tokens[verb].lemma in lexicon["ask"]:
        of_paper = any(
            tokens[i].head == verb and tokens[i].dep == "nsubj" and tokens[i].lemma in lexicon["paper"]
            for i in range(sentence.first, sentence.last)
        )
        if of_paper or tokens[verb].dep in {"acl", "relcl", "advcl", "dobj", "nsubj", "pobj"}:
            return False
        return tokens[at].dep == "prep" and tokens[at].lemma == "for"
    if tokens[verb].lemma not in lexicon["keep"] or tokens[verb].dep not in {"xcomp", "ccomp"}:
        return False
    return tokens[tokens[verb].head].lemma in lexicon["ask"]


def _talks_of(reading: Reading, at: int, above: int) -> bool:
    """Return whether the talks are about the ceasefire: "truce talks", "talks on a truce"."""
    word = reading.words[at]
    return word.dep in {"compound", "nmod", "amod"} or (word.dep == "prep" and word.lemma in step_words()["talk_about"])


def _asked(reading: Reading, verb: int, sentence: Sentence) -> bool:
    """Return whether the step is only asked for, possible or not taken."""
    tokens, lexicon = reading.words, step_words()
    below = [i for i in range(sentence.first, sentence.last) if tokens[i].head == verb and i != verb]
    if any(tokens[i].dep == "neg" or (tokens[i].dep == "det" and tokens[i].lemma == "no") for i in below):
        return True
    if any(tokens[i].dep == "aux" and tokens[i].lemma in lexicon["only_possible"] for i in below):
        return True
    if any(tokens[i].dep == "mark" and tokens[i].lemma in {"if", "unless", "whether"} for i in below):
        return True
    return any(tokens[i].lemma in lexicon["only_asked"] for i in ancestors(reading, verb)[:3])
