"""Words that speak for a country: its names, demonyms, leaders, parties and towns, as data.

The lexicon is `lexicon/places.countries.toml`; `gazetteer.country_of` weighs what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic
from transforms.detect.phrases import PhraseTable, Word
from transforms.detect.slot_data import only_keys, read_lexicon
from transforms.failures import KnowledgeError

_FILE = "places.countries.toml"
_KEYS = {"code", "weight", "names", "demonyms", "leaders", "parties", "places"}
# How much each kind of word says, of the country's weight: a name says most.
_SHARES = {"name": 1.0, "demonym": 0.8, "leader": 0.7, "party": 0.7, "place": 0.7}
_LISTS = {"names": "name", "demonyms": "demonym", "leaders": "leader", "parties": "party", "places": "place"}
_CASED_UP_TO = 4


class CountryWord(NamedTuple):
    """What a word of the lexicon says."""

    country: str
    weight: float
    kind: str
    cased: str


def compile_countries(table: dict[str, Any], name: str) -> PhraseTable[CountryWord]:
    """Return the table of countries' words, checked."""
    only_keys(table, {"country"}, name)
    words: PhraseTable[CountryWord] = PhraseTable()
    seen: set[str] = set()
    for entry in table.get("country", []):
        code = entry.get("code", "")
        only_keys(entry, _KEYS, name, f"country {code!r}: ")
        if len(code) != 2 or code in seen:
            raise KnowledgeError(
                f"{name}: country {code!r}: " + ("stands twice" if code in seen else "no two-letter code")
            )
        seen.add(code)
        weight = entry.get("weight")
        if not isinstance(weight, int | float):
            raise KnowledgeError(f"{name}: country {code!r}: weight {weight!r} is no number")
        for key, kind in _LISTS.items():
            for spelled in entry.get(key, []):
                bare = spelled.replace(".", "")
                cased = bare if len(bare) <= _CASED_UP_TO and bare.isascii() and bare.isupper() else ""
                words.add(spelled, CountryWord(code, float(weight) * _SHARES[kind], kind, cased))
    return words


@cache
def country_words() -> PhraseTable[CountryWord]:
    """Return the package's table of countries' words."""
    return compile_countries(read_lexicon(_FILE), _FILE)


def longest_at(
    text: str, words: Sequence[Word], forms: list[tuple[str, ...]], at: int
) -> tuple[int, CountryWord] | None:
    """Return (end, word) of the longest country word at `at`."""
    best: tuple[int, CountryWord] | None = None
    for end, values in country_words().at(forms, at):
        for value in values:
            source = text[words[at].start : words[end - 1].end]
            if value.cased and source.replace(".", "") != value.cased:
                continue
            if not value.cased and not words[at].capital and not _uncased(words[at].text, value):
                continue
            best = (end, value)
            break
    return best


def _uncased(word: str, value: CountryWord) -> bool:
    """Return whether the word needs no capital: Arabic has none, French and Russian demonyms are written small."""
    return is_arabic(word) or value.kind == "demonym"


def plain_possessives(words: Sequence[Word]) -> list[tuple[str, ...]]:
    """Return the ways to read each word; "Syrias" too is Syria's, where an outlet loses its apostrophes."""
    return [
        (*word.forms, word.text[:-1]) if word.capital and word.text.endswith("s") and len(word.text) > 5 else word.forms
        for word in words
    ]
