"""Words and names folded for comparison: spelling, case, accents and endings must not part what means the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from transforms.deduplicate.knowledge_files import read_toml, word_list
from transforms.detect.folding import fold_text

_WORD = re.compile(r"[^\W_]+")
_ARTICLE = re.compile(r"^(?:al|el|ad|an|ar|as|ash|at|az)[- ]+")
_ARABIC = re.compile("[\u0600-\u06ff]")
_ARABIC_PREFIX = re.compile("^(?:وال|بال|كال|فال|لل|ال)(?=.{3})")
_ENDINGS = ("s", "ing", "ed", "e")
_SHORTEST_STEM = 4
_REMEMBERED = 65_536
_NO_STEM = frozenset(("",))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return `word` folded, without the commonest endings (English) or prefixes (Arabic)."""
    word = fold_text(word)
    if _ARABIC.search(word):
        return _ARABIC_PREFIX.sub("", word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
    return word


def words_of(text: str) -> list[str]:
    """Return the folded words of `text` in order."""
    return _WORD.findall(fold_text(text))


@cache
def common_words() -> frozenset[str]:
    """Return the stems of words that stand in every report of this kind."""
    table = read_toml("wording.toml")
    return frozenset(stem(word) for word in word_list(table.get("common"), "wording.toml: common"))


class _TellingStems(dict[str, str]):
    """By word its stem where it tells one event from another, else ""; asked more often than a cache keeps up with."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        stemmed = "" if len(word) < 3 or word.isdigit() else stem(word)
        told = self[word] = "" if stemmed in common_words() else stemmed
        return told


_telling = _TellingStems()


def telling_stems(words: Iterable[str]) -> frozenset[str]:
    """Return the stems of those `words` that tell one event from another."""
    stems = frozenset(map(_telling.__getitem__, words))
    return stems - _NO_STEM if "" in stems else stems


@lru_cache(maxsize=65536)
def name_key(name: str) -> str:
    """Return `name` without article, vowels and doubled letters, so that transliterations of one name agree.

    Hasaka, Hassakeh, al-Hasakah give one key. Names too short for that keep their letters.
    """
    parts = []
    for part in _ARTICLE.sub("", fold_text(name)).split():
        bare = "".join(_WORD.findall(_ARTICLE.sub("", part)))
        if _ARABIC.search(bare):
            parts.append(_ARABIC_PREFIX.sub("", bare))
            continue
        bare = bare.replace("ck", "k").replace("q", "k").replace("ph", "f").replace("ou", "u")
        consonants = re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouy']|h$", "", bare))
        parts.append(consonants if len(consonants) >= 2 else bare)
    return " ".join(part for part in parts if part)
