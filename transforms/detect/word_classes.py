"""Parts of speech and lemmas, as spaCy's small model gives them, looked up in place of worked out.

Its attribute ruler and its lemmatizer read of a word its spelling, its tag and its dependency, and sometimes the next
word. What they made of such a word is kept, and they themselves are asked only of what was not met before, and of
texts in which the next word may matter ("let 's").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

import numpy as np

NAME = "trucewatch_words"
_REPLACED = ("attribute_ruler", "lemmatizer")
_KNOWN_WORDS = 100_000  # words remembered: a stream never ends
_READ = ["ORTH", "TAG", "DEP"]
_WRITTEN = ["TAG", "DEP", "POS", "MORPH", "LEMMA"]

Doc = Any  # spaCy's stubs know neither the arrays of a document nor what a component offers
Language = Any
Key = tuple[int, ...]


class _Word(NamedTuple):
    """What is written for a word, and whether a pattern over two words may begin or go on with it."""

    written: Key
    begins: bool
    goes_on: bool


class WordClasses:
    """The component that stands in for the two."""

    def __init__(self, nlp: Language) -> None:
        """Take the components from `nlp`; they stay as they are."""
        from spacy.matcher import Matcher

        self._vocab = nlp.vocab
        self._makers: list[Callable[[Doc], Doc]] = [nlp.get_pipe(name) for name in _REPLACED]
        self._known: dict[Key, _Word] = {}
        self._begins, self._goes_on = Matcher(nlp.vocab), Matcher(nlp.vocab)
        longer = [p for entry in nlp.get_pipe("attribute_ruler").patterns for p in entry["patterns"] if len(p) > 1]
        for number, pattern in enumerate(longer):
            self._begins.add(str(number), [[pattern[0]]])
            self._goes_on.add(str(number), [[pattern[1]]])

    def __call__(self, doc: Doc) -> Doc:
        """Write tags, parts of speech, forms and lemmas into a parsed document."""
        return self._told([doc])[0]

    def pipe(self, docs: Iterable[Doc], batch_size: int) -> Iterator[Doc]:
        """Do so with many: what was not met before is asked for in one go."""
        coming = iter(docs)
        while batch := list(islice(coming, batch_size)):
            yield from self._told(batch)

    def _told(self, docs: Sequence[Doc]) -> list[Doc]:
        keys = [list(map(tuple, doc.to_array(_READ).reshape(len(doc), len(_READ)).tolist())) for doc in docs]
        known = self._known
        wanted = set(chain.from_iterable(keys))
        if missing := [key for key in wanted if key not in known]:
            known = {key: known[key] for key in wanted if key in known} | self._learn(missing)
        return [self._written(doc, [known[key] for key in own]) for doc, own in zip(docs, keys, strict=True)]

    def _written(self, doc: Doc, words: Sequence[_Word]) -> Doc:
        if any(one.begins and other.goes_on for one, other in pairwise(words)):
            return self._made(doc)
        if words:
            doc.from_array(_WRITTEN, np.array([word.written for word in words], dtype=np.uint64))
        return doc

    def _made(self, doc: Doc) -> Doc:
        for maker in self._makers:
            doc = maker(doc)
        return doc

    def _learn(self, keys: Sequence[Key]) -> dict[Key, _Word]:
        """Ask the components of words, in a text in which no two of them belong together, and keep what they say."""
        from spacy.tokens import Doc as NewDoc

        doc: Doc = NewDoc(self._vocab, words=[self._vocab.strings[key[0]] for key in keys])
        doc.from_array(_READ[1:], np.array([key[1:] for key in keys], dtype=np.uint64))
        begins, goes_on = (
            {at for _, at, _ in matcher(doc, allow_missing=True)} for matcher in (self._begins, self._goes_on)
        )
        if any(at + 1 in goes_on for at in begins):
            half = len(keys) // 2
            return self._learn(keys[:half]) | self._learn(keys[half:])
        written = self._made(doc).to_array(_WRITTEN).tolist()
        learnt = {key: _Word(tuple(written[at]), at in begins, at in goes_on) for at, key in enumerate(keys)}
        if len(self._known) + len(learnt) > _KNOWN_WORDS:
            self._known = {}
        self._known.update(learnt)
        return learnt


def look_up_words(nlp: Language) -> None:
    """Put the component in the place of those that it stands in for, where their patterns let it."""
    if not set(_REPLACED) <= set(nlp.pipe_names) or not _is_plain(nlp.get_pipe("attribute_ruler").patterns):
        return
    from spacy.language import Language as Factories

    Factories.factory(NAME, func=_make)
    nlp.add_pipe(NAME, before=_REPLACED[0])
    for name in _REPLACED:
        nlp.remove_pipe(name)


def _make(nlp: Language, name: str) -> WordClasses:
    del name
    return WordClasses(nlp)


def _is_plain(entries: Iterable[dict[str, Any]]) -> bool:
    """Return whether all patterns are of single words and of neighbours, none of which may be missing or repeated."""
    return not any("OP" in word for entry in entries for pattern in entry["patterns"] for word in pattern)
