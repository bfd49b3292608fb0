"""The words of one text as place names are read in them, and the cue words that go with places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic
from transforms.detect.countries import plain_possessives
from transforms.detect.phrases import PhraseTable, Word, read_words
from transforms.detect.places_data import ARTICLES, SURE_ARTICLES, Filed, Gazetteer, alike, gazetteer, sound
from transforms.detect.slot_data import only_keys, read_lexicon, words

_FILE = "places.toml"
LONG_SOUND = 4  # consonants of a name that may be known by sound without a kind word beside it
_LISTS = {
    "town_before", "town_after", "near_before", "adm1_before", "adm1_after", "adm2_before", "adm2_after",
    "quarter_before", "quarter_after", "countryside_before", "countryside_after", "site_after", "site_before",
    "district_after", "unknown_site_after",
}  # fmt: skip
_SETS = {"directions", "directions_kept", "directions_after", "locative", "listing", "cue_only", "never"}


@dataclass(frozen=True, slots=True)
class Cues:
    """The words that go with places."""

    tables: dict[str, PhraseTable[bool]]
    sets: dict[str, frozenset[str]]


def compile_cues(table: dict[str, Any], name: str) -> Cues:
    """Return the checked cue words."""
    only_keys(table, _LISTS | _SETS, name, "words: ")
    tables: dict[str, PhraseTable[bool]] = {}
    for key in sorted(_LISTS):
        tables[key] = PhraseTable()
        for phrase in table.get(key, []):
            parts = tuple(word.text for word in read_words(phrase))
            # Words before a name are read backwards from it.
            tables[key].add(parts[::-1] if key.endswith("_before") else parts, True)
    sets = {key: frozenset(words(table, key, name)) for key in _SETS}
    return Cues(tables, sets)


@cache
def cues() -> Cues:
    """Return the package's cue words."""
    return compile_cues(read_lexicon(_FILE).get("words", {}), _FILE)


class Unit(NamedTuple):
    """A word that may be part of a name: articles are left out, and lend it their start."""

    word: int
    start: int  # of the article before it, if any


class Found(NamedTuple):
    """A name found: its range of units, and the records of that name."""

    first: int
    end: int
    filed: tuple[Filed, ...]
    strong: bool
    by_sound: bool


class PlaceReader:
    """The names of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.gazetteer: Gazetteer = gazetteer()
        self.cues = cues()
        self.words: tuple[Word, ...] = read_words(text)
        self.word_forms = plain_possessives(self.words)
        self.units = self._units()
        self.forms = [self.word_forms[unit.word] for unit in self.units]
        self.sounds = [self._sounds(unit) for unit in self.units]

    def _units(self) -> list[Unit]:
        out: list[Unit] = []
        article_start = -1
        for at, word in enumerate(self.words):
            if self._is_article(at):
                article_start = word.start  # of several in a row only the last belongs to the name
                continue
            out.append(Unit(at, article_start if article_start >= 0 else word.start))
            article_start = -1
        return out

    def _is_article(self, at: int) -> bool:
        word = self.words[at]
        if word.text not in ARTICLES or at + 1 >= len(self.words):
            return False
        following = self.words[at + 1]
        if not following.text[0].isalnum():
            return False
        if word.text in SURE_ARTICLES:
            return True
        gap = self.text[word.end : following.start]
        return following.capital and ("-" in gap or "–" in gap or word.capital)

    def _sounds(self, unit: Unit) -> tuple[str, ...]:
        word = self.words[unit.word]
        if not word.capital or not word.text.isascii():
            return ()
        sounds = [sound(word.text)]
        if word.text[:2] in {"al", "el"} and len(word.text) > 5:
            sounds.append(sound(word.text[2:]))
        return tuple(dict.fromkeys(one for one in sounds if one))

    def named_at(self, at: int) -> Found | None:
        """Return the name that begins at unit `at`: the longest by words, else the longest by sound."""
        best: Found | None = None
        for end, filed in self.gazetteer.exact.at(self.forms, at):
            if self._may_be_name(at, end):
                best = Found(at, end, filed, any(one.strong for one in filed), False)
        if self.sounds[at]:
            for end, filed in self.gazetteer.sounding.at(self.sounds, at):
                if best is not None and end <= best.end:
                    continue
                if not (self._unbroken(at, end) and self._may_be_name(at, end)):
                    continue
                like = tuple(one for one in filed if self._alike(one, at))
                if like:
                    best = Found(at, end, like, False, True)
        return best

    def _alike(self, filed: Filed, at: int) -> bool:
        spelled = [self.words[self.units[at + k].word].text for k in range(len(filed.parts))]
        return all(alike(one, other) or alike(one[2:], other) for one, other in zip(spelled, filed.parts, strict=True))

    def _unbroken(self, at: int, end: int) -> bool:
        return all(not self.words[self.units[k].word].possessive for k in range(at, end - 1))

    def letters(self, at: int, end: int) -> int:
        """Return how many consonants the sound of a name has."""
        return sum(len(self.sounds[k][0].replace("a", "")) for k in range(at, end))

    def _may_be_name(self, at: int, end: int) -> bool:
        """Return whether the units look like a name: capitals in Latin and Cyrillic, no common word alone."""
        parts = [self.words[self.units[k].word] for k in range(at, end)]
        if end == at + 1 and parts[0].text in self.cues.sets["never"]:
            # Folding makes "Sam" of "Şam": a word with letters of its own is not the English one.
            return not self.text[parts[0].start : parts[0].end].isascii()
        if is_arabic(parts[0].text):
            return True
        return any(part.capital for part in parts)

    # ------------------------------------------------------------ the words around a name

    def before(self, kind: str, word: int) -> int:
        """Return the first word of a cue of `kind` that ends right before word `word`, -1 where none does."""
        forms = [self.words[k].forms for k in range(word - 1, max(word - 6, -1), -1)]
        ends = [end for end, _ in self.cues.tables[kind].at(forms, 0)] if forms else []
        return word - ends[-1] if ends else -1

    def after(self, kind: str, word: int) -> int:
        """Return the word after a cue of `kind` that begins at word `word`, -1 where none does."""
        if word >= len(self.words):
            return -1
        forms = [one.forms for one in self.words[word : word + 4]]
        ends = [end for end, _ in self.cues.tables[kind].at(forms, 0)]
        return word + ends[-1] if ends else -1

    def is_of(self, word: int) -> bool:
        """Return whether "of" and a name stand at word `word`."""
        if word + 1 >= len(self.words) or self.words[word].text not in {"of", "de"}:
            return False
        return self.words[word + 1].capital or self.words[word + 1].text in SURE_ARTICLES

    def is_in(self, key: str, word: int) -> bool:
        """Return whether the word at `word` stands in the set `key`."""
        return 0 <= word < len(self.words) and any(form in self.cues.sets[key] for form in self.word_forms[word])
