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
    "ask", "keep", "paper", "fall", "bound", "arrange", "trying", "sign", "stop",
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
        settled, stage = _settled(reading, candidate, at)
        if settled:
            return stage
        if link not in _UP or (governing.pos == "NOUN" and governing.lemma not in lexicon["about"]):
            break
        at = above
    return Stage.AGREED if _is_to_begin(reading, candidate) else _said_extended(reading, candidate)


def _settled(reading: Reading, candidate: Candidate, at: int) -> tuple[bool, Stage | None]:
    """Return whether the word above `at` settles the step, and which; None where it is only asked for or possible."""
    tokens, lexicon, sentence = reading.words, step_words(), candidate.sentence
    above, link = tokens[at].head, tokens[at].dep
    governing = tokens[above]
    if governing.pos == "NOUN":
        stage = None
        if governing.lemma in lexicon["talk"] and _talks_of(reading, at, above):
            stage = Stage.NEGOTIATING
        elif governing.lemma in lexicon["extension"] and link in _UP:
            stage = Stage.EXTENDED
        if stage:
            return True, None if _asked(reading, above, sentence) else stage
    if _called_for(reading, at, above, sentence):
        return True, Stage.CALLED_FOR
    if link in _OBJECTS and (promised := _is_promised(reading, above, sentence)) | _is_tried(reading, above):
        return True, Stage.AGREED if promised else Stage.NEGOTIATING
    if governing.pos != "VERB":
        return False, None
    if _is_bound_no_longer(reading, above, sentence):
        return True, Stage.ENDED
    if link == "nsubj" and governing.lemma in lexicon["fall"] and governing.tag not in {"VB", "VBG"}:
        unsure = _asked(reading, above, sentence) or tokens[candidate.head].lemma == "talk"
        return True, None if unsure else Stage.ENDED
    if link in _OBJECTS:
        return True, _done_to(reading, at, above, sentence)
    return False, None


def _called_for(reading: Reading, at: int, above: int, sentence: Sentence) -> bool:
    tokens = reading.words
    governing = tokens[above]
    if governing.pos == "VERB" and tokens[at].dep not in {"nsubj", "nsubjpass"}:
        return _is_asked_for(reading, at, above, sentence)
    # "asked the brigades in Libya for a truce"
    of_asked = governing.dep == "dobj" and tokens[at].lemma == "for"
    return of_asked and _is_asked_for(reading, at, governing.head, sentence)


def _done_to(reading: Reading, at: int, verb: int, sentence: Sentence) -> Stage | None:
    """Return the step that a verb is to its object: extended, rejected or agreed."""
    tokens, lexicon = reading.words, step_words()
    lemma = tokens[verb].lemma
    stage = Stage.EXTENDED if lemma in lexicon["extend"] else Stage.REJECTED if lemma in lexicon["reject"] else None
    if lemma in lexicon["sign"] and tokens[verb].dep in {"ROOT", "ccomp", "conj"}:
        stage = Stage.AGREED
    past = any(tokens[i].head == at and tokens[i].lemma in lexicon["past"] for i in range(sentence.first, at))
    return stage if stage and not past and not _asked(reading, verb, sentence) else None


def _is_promised(reading: Reading, verb: int, sentence: Sentence) -> bool:
    """Return whether somebody says that it will be kept: "said that the army would observe a ceasefire"."""
    tokens, lexicon = reading.words, step_words()
    if tokens[verb].lemma not in lexicon["keep"] or tokens[verb].dep not in {"ccomp", "ROOT"}:
        return False
    below = [tokens[i] for i in range(sentence.first, sentence.last) if tokens[i].head == verb and i != verb]
    will = any(word.dep == "aux" and word.lemma in {"will", "would", "shall"} for word in below)
    return will and not any(word.dep == "neg" or word.lemma in {"if", "unless", "whether"} for word in below)


def _is_tried(reading: Reading, verb: int) -> bool:
    """Return whether somebody is at work on it: "is trying to arrange a truce"."""
    tokens, lexicon = reading.words, step_words()
    above = tokens[tokens[verb].head]
    if tokens[verb].lemma not in lexicon["arrange"] or tokens[verb].dep not in {"xcomp", "acl"}:
        return False
    return above.lemma in lexicon["trying"] and above.tag != "NNP"


def _is_bound_no_longer(reading: Reading, verb: int, sentence: Sentence) -> bool:
    """Return whether a side takes leave of it: "is no longer bound by the truce", "would no longer abide by it"."""
    tokens, lexicon = reading.words, step_words()
    if tokens[verb].lemma not in lexicon["bound"]:
        return False
    below = {tokens[i].lemma for i in range(sentence.first, sentence.last) if tokens[i].head == verb}
    longer = "longer" in below or any(
        tokens[i].lemma == "longer" and tokens[i - 1].lemma == "no"
        for i in range(max(sentence.first + 1, verb - 4), verb)
    )
    return longer and tokens[verb].dep in {"ccomp", "ROOT", "conj"}


def _is_to_begin(reading: Reading, candidate: Candidate) -> bool:
    """Return whether it is agreed for later: "fighting is to stop on Monday under a ceasefire deal"."""
    tokens, sentence = reading.words, candidate.sentence
    up = [candidate.head, *ancestors(reading, candidate.head)]
    verbs = [i for i in up if sentence.first <= i < sentence.last and tokens[i].lemma in step_words()["stop"]]
    if not verbs or not any(tokens[i].lemma == "under" for i in up):
        return False
    return tokens[tokens[verbs[0]].head].lemma == "be" and tokens[verbs[0]].dep == "xcomp"


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
