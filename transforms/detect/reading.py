"""An article as the rules read it: one text, its words and sentences, and the way back to the article's fields.

English is parsed by spaCy; other languages are cut into words and sentences only. Both give the same records, so
that triggers, slots and judgement need not know which language they read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from transforms.detect import arabic
from transforms.detect.folding import fold, fold_text
from transforms.model import Article, Evidence

FIELD_BREAK = "\n\n"
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]", re.UNICODE)
_SHORTEST_STEM = 5
_LONGEST_SENTENCE = 120  # words; what runs on without an end is cut there, so that no text costs much
_SENTENCE_END = re.compile(r"(?:[.!?؟…۔]+[\"'»”’)]*(?=\s|$))|\n+")
_LARGEST = 2**64 - 1
_ABBREVIATED = re.compile(r"(?:^|\s)(?:[A-ZА-Я]|[Mm]me|MM|[Dd]r|[Ss]t|г|ул|Gen|Gén)\.$")


class Word(NamedTuple):
    """One word; offsets are code points of the reading's text.

    Attributes:
        start, end: Span in the text.
        text: As spelled.
        keys: What it is matched by: lower-cased spelling, folded spelling, lemma or stems.
        lemma: Lower-cased lemma, or the folded spelling where there is no lemmatiser.
        pos, tag, dep: spaCy's labels; "" where the language is not parsed.
        head: Index of the word it depends on; its own index at the root or where there is no parse.
    """

    start: int
    end: int
    text: str
    keys: tuple[str, ...]
    lemma: str
    pos: str = ""
    tag: str = ""
    dep: str = ""
    head: int = -1


@dataclass(frozen=True, slots=True)
class Sentence:
    """A run of words `words[first:last]` of one field."""

    index: int
    first: int
    last: int
    start: int
    end: int
    field: str


@dataclass(frozen=True, slots=True)
class Laid:
    """The text that is read of an article, and where its fields lie in it."""

    text: str
    fields: tuple[tuple[str, int, int, int], ...]  # field, start in text, end in text, offset in the field

    def field_at(self, position: int) -> str:
        """Return the name of the field that `position` lies in."""
        return self._row(position)[0]

    def _row(self, position: int) -> tuple[str, int, int, int]:
        if not self.fields:
            return ("title", 0, 0, 0)
        at = bisect_right([row[1] for row in self.fields], position) - 1
        return self.fields[max(at, 0)]

    def evidence(self, start: int, end: int) -> Evidence:
        """Return the quote of `text[start:end]`, cut to the field that it begins in."""
        field, first, last, offset = self._row(start)
        start, end = max(start, first), min(end, last)
        return Evidence(quote=self.text[start:end], field=field, start=start - first + offset, end=end - first + offset)


def readable(text: str) -> str:
    """Return `text` with lone surrogates, which no library can encode, replaced one for one.

    Ingest cleans them away before; this keeps any text from raising.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def lay_out(article: Article, max_chars: int) -> Laid:
    """Join title, summary and text into the one text that is read, at most `max_chars` long.

    A summary that the text repeats is read once, in the text.
    """
    summary = "" if article.summary.strip() and article.summary.strip() in article.text[:max_chars] else article.summary
    pieces: list[str] = []
    fields: list[tuple[str, int, int, int]] = []
    at = 0
    for name, value in (("title", article.title), ("summary", summary), ("text", article.text)):
        room = max_chars - at
        if not value.strip() or room <= 0:
            continue
        read = readable(value[:room])
        fields.append((name, at, at + len(read), 0))
        pieces.extend((read, FIELD_BREAK))
        at += len(read) + len(FIELD_BREAK)
    return Laid("".join(pieces), tuple(fields))


@dataclass(frozen=True, slots=True)
class Reading:
    """An article, read."""

    article: Article
    laid: Laid
    lang: str
    words: tuple[Word, ...]
    sentences: tuple[Sentence, ...]
    memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)  # what was asked of it before

    @property
    def text(self) -> str:
        """The whole text that is read."""
        return self.laid.text

    def sentence_of(self, word: int) -> Sentence:
        """Return the sentence that word number `word` stands in."""
        at = bisect_right([s.first for s in self.sentences], word) - 1
        return self.sentences[at]


def reading_of_doc(article: Article, laid: Laid, doc: Any) -> Reading:
    """Return the reading of an English article that spaCy has parsed (`doc` is its `Doc`)."""
    places = doc.to_array(["IDX", "HEAD"]).tolist()
    kinds = map(tuple, doc.to_array(["ORTH", "LEMMA", "POS", "TAG", "DEP"]).tolist())
    words: list[Word] = []
    for index, ((start, head), kind) in enumerate(zip(places, kinds, strict=True)):
        shown = _SHOWN.get(kind) or _shown(kind, doc.vocab.strings)
        # A head is told by its distance; one that stands before, as an unsigned number.
        words.append(Word(start, start + len(shown[0]), *shown, (index + head) & _LARGEST))
    sentences: list[Sentence] = []
    for sent in doc.sents:
        if not sent.text.strip():
            continue
        for first in range(sent.start, sent.end, _LONGEST_SENTENCE):  # a text may hold no end of a sentence
            last = min(first + _LONGEST_SENTENCE, sent.end)
            start, end = words[first].start, words[last - 1].end
            sentences.append(Sentence(len(sentences), first, last, start, end, laid.field_at(start)))
    return Reading(article, laid, "en", tuple(words), tuple(sentences))


Shown = tuple[str, tuple[str, ...], str, str, str, str]  # a word's spelling, keys, lemma and labels
_SHOWN: dict[tuple[int, ...], Shown] = {}  # by spaCy's numbers for them, which stand for the same text everywhere
_MOST_SHOWN = 100_000  # a stream never ends


def _shown(kind: tuple[int, ...], strings: Mapping[int, str]) -> Shown:
    text, lemma, pos, tag, dep = (strings[number] for number in kind)
    lower, lemma = text.lower(), lemma.lower()
    endings = _without_ending(lower) if pos == "PROPN" and lower == lemma else ()
    if len(_SHOWN) >= _MOST_SHOWN:
        _SHOWN.clear()
    shown = _SHOWN[kind] = text, tuple(dict.fromkeys((lower, fold_text(lower), lemma, *endings))), lemma, pos, tag, dep
    return shown


def _without_ending(word: str) -> tuple[str, ...]:
    """Return what a word may be without its ending, where a headline's capitals hid it from the lemmatiser."""
    if len(word) < _SHORTEST_STEM or not word.isalpha():
        return ()
    if word.endswith("s") and word[-2] not in "siu":
        return (word[:-1], word[:-2]) if word.endswith("es") else (word[:-1],)
    for ending in ("ing", "ed"):
        if word.endswith(ending):
            stem = word[: -len(ending)]
            return (stem, stem + "e", stem[:-1]) if stem[-1] == stem[-2] else (stem, stem + "e")
    return ()


def reading_of_text(article: Article, laid: Laid, lang: str) -> Reading:
    """Return the reading of an article in a language that is not parsed."""
    words: list[Word] = []
    sentences: list[Sentence] = []
    for start, end in _sentence_spans(laid):
        first = len(words)
        folded = fold(laid.text[start:end])  # vowel signs would part words
        for match in _WORD.finditer(folded.text):
            begin, stop = folded.span(*match.span())
            word, shown = match.group(), laid.text[start + begin : start + stop]
            pos = "" if word[0].isalnum() else "PUNCT"
            words.append(Word(start + begin, start + stop, shown, keys_of(word, lang), word, pos=pos, head=len(words)))
        for part in range(first, len(words), _LONGEST_SENTENCE):
            stop = min(part + _LONGEST_SENTENCE, len(words))
            begin = start if part == first else words[part].start
            until = end if stop == len(words) else words[stop].start
            sentences.append(Sentence(len(sentences), part, stop, begin, until, laid.field_at(start)))
    return Reading(article, laid, lang, tuple(words), tuple(sentences))


def keys_of(folded: str, lang: str) -> tuple[str, ...]:
    """Return what a folded word of `lang` is matched by: itself, and what is left without what leans on it."""
    if lang == "ar":
        return tuple(dict.fromkeys((folded, *arabic.stems(folded))))
    head, mark, tail = folded.partition("'")
    if mark and lang == "fr":  # l'accord, d'Alep
        return (folded, tail)
    if mark and lang == "tr":  # Halep'te, İdlib'de
        return (folded, head)
    return (folded,)


def _sentence_spans(laid: Laid) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for _, first, last, _ in laid.fields:
        start = first
        for match in _SENTENCE_END.finditer(laid.text, first, last):
            if match.group()[0] == "." and _ABBREVIATED.search(laid.text, start, match.end()):
                continue
            if laid.text[start : match.end()].strip():
                spans.append((start, match.end()))
            start = match.end()
        if laid.text[start:last].strip():
            spans.append((start, last))
    return spans


def ancestors(reading: Reading, index: int) -> list[int]:
    """Return the words that `index` hangs on, nearest first, the root last."""
    chain: list[int] = []
    seen = {index}
    while True:
        head = reading.words[index].head
        if head < 0 or head in seen or len(chain) >= 20:
            return chain
        chain.append(head)
        seen.add(head)
        index = head


def children(reading: Reading, index: int, first: int, last: int) -> list[int]:
    """Return the words of `words[first:last]` that hang on `index`, in the order of the text."""
    below = reading.memo.get("below")
    if below is None:
        below = reading.memo["below"] = {}
        for i, word in enumerate(reading.words):
            if word.head != i:
                below.setdefault(word.head, []).append(i)
    return [i for i in below.get(index, ()) if first <= i < last]
