"""The lexical screen: whether an article can hold an event at all, at hundreds of megabytes a second.

An article passes when it has a word of Syria or Libya and a word that opens a candidate. It parses nothing, so it may
let pass what the judgement rejects; it must not hold back what holds an event.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import ahocorasick_rs

from transforms.detect.folding import fold_text
from transforms.detect.lexicons import Trigger, load_lexicon
from transforms.detect.places_data import gazetteer
from transforms.detect.settings import DetectSettings
from transforms.detect.slot_data import read_lexicon
from transforms.detect.terms import screen_words
from transforms.model import Article

COVERED = frozenset({"SY", "LY"})
_MAX_CHARS = DetectSettings().max_chars
_SHORTEST_PLACE = 4
_STRIDE = 512  # characters or bytes looked at in one go: the first word found ends the search
_SHORTEST_PREFIX = 4
_KINDS = ("names", "demonyms", "leaders", "parties", "places")
_UNLATIN_RUN = re.compile("[^\x00-\u036f](?:[^a-zA-Z]*[^\x00-\u036f])?")
_CYRILLIC = re.compile("[\u0400-\u04ff]{4,}")
_RUSSIAN_ENDINGS = "аеиоуыьюя"
_ARABIC = re.compile("[\u0600-\u06ff]")
_SHOWN = re.compile(r"[^\W_]")


class _Words:
    """Patterns with their bounds, and whether a text in any script holds one."""

    def __init__(self, words: Iterable[tuple[str, bool]]) -> None:
        """Take `(word, prefix)` pairs; a prefix may go on, another word ends at a bound."""
        spelled: dict[str, bool] = {}
        for word, prefix in words:
            for form in _spellings(word):
                spelled[form] = spelled.get(form, False) or prefix
        self._patterns = sorted(spelled)
        self._longest = max(map(len, self._patterns), default=0)
        self._prefix = [spelled[pattern] for pattern in self._patterns]
        self._automaton = ahocorasick_rs.AhoCorasick(
            self._patterns,
            matchkind=ahocorasick_rs.MatchKind.LeftmostLongest,
            implementation=ahocorasick_rs.Implementation.DFA,
        )

    def found_in(self, text: str) -> bool:
        """Return whether `text` (folded) holds one of the words as a word; looks no further than the first."""
        for begin in range(0, len(text), _STRIDE):
            piece = text[begin : begin + _STRIDE + self._longest]
            for pattern, start, end in self._automaton.find_matches_as_indexes(piece):
                if self._bounded(text, pattern, begin + start, begin + end):
                    return True
        return False

    def _bounded(self, text: str, pattern: int, start: int, end: int) -> bool:
        # Before an Arabic word no bound is asked for: conjunctions, prepositions and the article lean on it.
        if start and text[start].isalnum() and text[start - 1].isalnum() and not "\u0600" <= text[start] <= "\u06ff":
            return False
        return self._prefix[pattern] or end >= len(text) or not text[end].isalnum()


class _LatinWords:
    """The patterns in Latin letters over bytes, in which everything but letters and digits is a space.

    A bound is then one more byte of the pattern, and the automaton looks at bytes alone: some four times as fast.
    """

    def __init__(self, words: Iterable[tuple[str, bool]]) -> None:
        """Take `(word, prefix)` pairs, as `_Words` does; those in other letters are left out."""
        patterns: dict[bytes, None] = {}
        for word, prefix in words:
            for form in _spellings(word):
                if form.isascii() and (spaced := _spaced(form).strip()):
                    patterns[b" " + spaced + (b"" if prefix else b" ")] = None
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            list(patterns), implementation=ahocorasick_rs.Implementation.DFA
        )
        self._longest = max(map(len, patterns), default=0)

    def found_in(self, spaced: bytes) -> bool:
        """Return whether a text made by `_spaced` holds one of the words; looks little further than the first."""
        find, reach = self._automaton.find_matches_as_indexes, _STRIDE + self._longest
        if len(spaced) <= reach:
            return bool(find(spaced))
        return any(find(spaced[begin : begin + reach]) for begin in range(0, len(spaced), _STRIDE))


_SPACED = bytes(ord(chr(i).lower()) if i < 128 and chr(i).isalnum() else 32 for i in range(256))
# The bytes of ASCII, curly quotes, dashes, the ellipsis and the hard space. A text of these alone, as most are, is not
# folded: each byte of a sign becomes a space. A zero-width sign is none of them, for it parts no word.
_PLAIN = bytes(sorted({*range(0x80), *"‘’“”–—…\u00a0".encode()}))
_LATIN = bytes(sorted({*range(0xCD), 0xE2}))  # any letter with an accent, and signs


def _spaced(text: str) -> bytes:
    """Return the Latin letters of a text as lower-case bytes, a space for every other sign, and one at each end."""
    return _letters(text.encode("ascii", _FOLDED))


def _letters(raw: bytes) -> bytes:
    return (b" " + raw + b" ").translate(_SPACED)


def _folded_run(error: UnicodeError) -> tuple[str, int]:
    """Give the codec what a run of letters beyond ASCII becomes: "é" an "e", a curly quote a space."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    folded = fold_text(error.object[error.start : error.end])
    return folded if folded.isascii() else "".join(c if c.isascii() else " " for c in folded), error.end


_FOLDED = "trucewatch.folded"
codecs.register_error(_FOLDED, _folded_run)


def _spellings(word: str) -> Iterator[str]:
    """Yield the lower-case spellings that a word is looked for in: as written, folded, and as Arabic varies it."""
    lower, folded = word.lower(), fold_text(word)
    yield lower
    yield folded
    if _CYRILLIC.fullmatch(folded) and folded[-1] in _RUSSIAN_ENDINGS:
        yield folded[:-1]  # Ливия, Ливии, Ливией
    yield unicodedata.normalize("NFC", lower).replace("’", "'")
    yield folded.replace("'", "’")
    if _ARABIC.search(word):
        endings = {"ه": "هة", "ي": "يى"}
        last = endings.get(folded[-1], folded[-1])
        alefs = "اأإآ" if folded[0] == "ا" else folded[0]
        for first, final in product(alefs, last):
            yield first + folded[1:-1] + final if len(folded) > 1 else first


@cache
def _country_words() -> tuple[tuple[str, bool], ...]:
    words: list[tuple[str, bool]] = []
    for entry in read_lexicon("places.countries.toml").get("country", []):
        if entry["code"] in COVERED:
            for kind in _KINDS:
                # Demonyms and names take endings in most of the languages: "Syrians", "сирийской", "Suriye'de".
                prefix = kind in {"names", "demonyms"}
                words += [(word, prefix or not word.isascii()) for word in entry.get(kind, [])]
    table = gazetteer()
    for number, names in table.names.items():
        record = table.records[number]
        if record.curated or record.kind in {"adm1", "adm2", "area"} or record.population >= 9_000:
            # Three letters make many a town's name: حلب, سرت, Şam. Those end where they end.
            words += [
                (name, not name.isascii() and len(name) >= _SHORTEST_PLACE)
                for name in names
                if len(name) >= _SHORTEST_PLACE - (not name.isascii())
            ]
    return tuple(words)


@cache
def _trigger_words() -> tuple[tuple[str, bool], ...]:
    languages = DetectSettings().languages
    words: list[tuple[str, bool]] = []
    for language in languages:
        for trigger in load_lexicon(language).triggers:
            words += [(word, True) for word in _telling(trigger, language)]
    return tuple(words)


@cache
def _any_script() -> tuple[_Words, _Words]:
    """Return the words of the two countries and those of events, in all scripts."""
    return _Words(_country_words()), _Words(_trigger_words())


@cache
def _latin() -> tuple[_LatinWords, _LatinWords]:
    """Return the words of the two countries and those of events that a text in Latin letters can hold."""
    return _LatinWords(_country_words()), _LatinWords(_trigger_words())


def _telling(trigger: Trigger, language: str) -> Iterator[str]:
    """Yield beginnings of words, one of which stands in every text that a form of the trigger matches."""
    if trigger.needs_context:
        return  # it opens nothing without a plain ceasefire word, which passes by itself
    for form in trigger.forms:
        if language != "en":
            yield from screen_words(form)
            continue
        longest = max(fold_text(form).replace("-", " ").split(), key=len)
        # Lemmas stand for their inflections: "bombard", "bombing", "sieges", "clashed", "die" and "dying".
        stem = re.sub(r"(?:e|y|ie)$", "", longest)
        yield stem if len(stem) >= _SHORTEST_PREFIX else longest
        yield from _IRREGULAR.get(longest, ())


_IRREGULAR = {
    "strike": ("struck",), "fight": ("fought",), "shoot": ("shot",), "die": ("dying", "died"), "hold": ("held",),
    "break": ("broke",), "withdraw": ("withdrew",), "retake": ("retook",), "overrun": ("overran",),
    "besiege": ("besieg",), "behead": ("behead",), "overthrow": ("overthrew",),
}  # fmt: skip


def passes_screen(article: Article) -> bool:
    """Return whether an article has words of an event and of one of the two countries.

    Reads at most as much of it as the detector does.
    """
    parts = (article.title, article.summary, article.text)
    return text_passes("\n".join(part for part in parts if part)[:_MAX_CHARS])


def text_passes(text: str) -> bool:
    """Return whether a text passes the screen; folding is slower than searching, so only what needs it is folded."""
    raw = text.encode("utf-8", "surrogatepass")
    if not (beyond := raw.translate(None, _PLAIN)):
        latin, other = _letters(raw), ""
    else:
        latin = _spaced(text)
        other = fold_text(" ".join(_UNLATIN_RUN.findall(text))) if beyond.translate(None, _LATIN) else ""
    if not other:
        countries, triggers = _latin()
        return countries.found_in(latin) and triggers.found_in(latin)
    pairs = zip(_latin(), _any_script(), strict=True)
    return all(words.found_in(latin) or any_script.found_in(other) for words, any_script in pairs)
