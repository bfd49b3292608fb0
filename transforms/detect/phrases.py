"""Words of a text and tables of phrases to look up in them: what parties, places and countries are found by.

A table is a trie over words, so that word bounds, hyphens, dots in "U.N." and words that lean on others in Arabic need
no patterns of their own, and a look-up is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from transforms.detect.arabic import is_arabic, stems
from transforms.detect.folding import fold

T = TypeVar("T")

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:'[^\W_]+)*'?|[^\w\s]")
_JOINERS = frozenset("-–—")
_POSSESSIVE = ("'s", "'")
_ELISION = re.compile(r"(?:d|l|qu|jusqu)'(?=\w)")  # French: the word begins after it
_RUSSIAN_ENDING = re.compile(
    r"(?<=\w\w\w)(?:иями|иеи|ием|иям|ия|ию|ями|ами|ого|его|ому|ему|ыми|ими|иях|ах|ях|ои|еи|ою|ею|ом|ем|ам|ям|ов|ев|ыи|ии|ая|яя|ое|ее|ые|ие|ую|юю|ых|их|ым|им|а|я|у|ю|ы|и|е|о|ь)$"
)
_SHORTEST_BARE = 3


def forms_of(token: str) -> tuple[str, ...]:
    """Return the ways to read one folded token; the first is how phrases are filed."""
    if is_arabic(token):
        return stems(token)
    if "\u0400" <= token[0] <= "\u04ff":
        stem = _RUSSIAN_ENDING.sub("", token)
        return (stem, token) if stem != token else (token,)
    if token.strip("'") and "'" in token:
        joined, before = token.replace("'", ""), token.rsplit("'", 1)[0].replace("'", "")
        return (joined, before) if len(before) >= _SHORTEST_BARE else (joined,)
    return (token,)


class Word(NamedTuple):
    """One word: how it is folded, where it stands, how it can be read and whether it is capitalised."""

    text: str
    start: int
    end: int
    forms: tuple[str, ...]
    capital: bool
    possessive: bool

    @property
    def leans(self) -> bool:
        """Return whether "and" may be written onto it, as Arabic does."""
        return is_arabic(self.text) and self.text[0] == "و"


@lru_cache(maxsize=16)  # the finders of places, parties and countries read the same text, one after the other
def read_words(text: str) -> tuple[Word, ...]:
    """Return the words and marks of `text`; hyphens are left out, possessive endings split off."""
    folded = fold(text)
    out: list[Word] = []
    for found in _TOKEN.finditer(folded.text):
        token = found.group()
        if token in _JOINERS:
            continue
        first, last = found.span()
        possessive = False
        if "." in token and len(token) > 1:
            token = token.replace(".", "")
        for ending in _POSSESSIVE:
            if token.endswith(ending) and len(token) > len(ending):
                token, last, possessive = token[: -len(ending)], last - len(ending), True
                break
        elided = _ELISION.match(token)
        if elided:
            token, first = token[elided.end() :], first + elided.end()
        forms = forms_of(token)
        start, end = folded.span(first, last)
        out.append(Word(forms[0], start, end, forms, text[start].isupper(), possessive))
    return tuple(out)


@dataclass(slots=True)
class _Node(Generic[T]):
    next: dict[str, _Node[T]] = field(default_factory=dict)
    values: list[T] = field(default_factory=list)


class PhraseTable(Generic[T]):
    """Phrases with what is filed under them."""

    def __init__(self) -> None:
        """Begin empty; filled by `add` while loading, then only read."""
        self._root: _Node[T] = _Node()

    def add(self, phrase: str | tuple[str, ...], value: T) -> None:
        """File `value` under `phrase` (text, or its words as `read_words` gives them)."""
        parts = tuple(word.text for word in read_words(phrase)) if isinstance(phrase, str) else phrase
        node = self._root
        for part in parts:
            node = node.next.setdefault(part, _Node())
        if node is not self._root and value not in node.values:
            node.values.append(value)

    def begins(self, form: str) -> bool:
        """Return whether any phrase begins with the word `form`."""
        return form in self._root.next

    def get(self, parts: tuple[str, ...]) -> tuple[T, ...]:
        """Return what is filed under exactly these words."""
        node = self._root
        for part in parts:
            following = node.next.get(part)
            if following is None:
                return ()
            node = following
        return tuple(node.values)

    def at(self, forms: Sequence[tuple[str, ...]], index: int) -> Iterable[tuple[int, tuple[T, ...]]]:
        """Return (end, values) for every phrase that begins at word `index`, shortest first."""
        first = self._root.next
        for form in forms[index] if index < len(forms) else ():
            if form in first:
                return self._going_on(forms, index)
        return ()  # nearly always

    def _going_on(self, forms: Sequence[tuple[str, ...]], index: int) -> Iterator[tuple[int, tuple[T, ...]]]:
        nodes = [self._root]
        for at in range(index, len(forms)):
            nodes = [node.next[form] for node in nodes for form in forms[at] if form in node.next]
            if not nodes:
                return
            values = tuple(value for node in nodes for value in node.values)
            if values:
                yield at + 1, values
