"""Which side an actor is on, so that "terrorists" and "rebels" agree, and "army" and "rebels" do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from transforms.deduplicate.knowledge_files import read_toml, word_list
from transforms.deduplicate.words import words_of
from transforms.failures import KnowledgeError
from transforms.model import Party

_FILE = "sides.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Sides by the words that name them, longest first where one holds another, and the pairs that are opposed."""

    by_words: Mapping[tuple[str, ...], frozenset[str]]
    opposed: frozenset[tuple[str, str]]
    longest: int


def sides_from(tables: Mapping[str, Any], name: str) -> Sides:
    """Return the sides that `tables` describe; `name` is the file that errors speak of."""
    sides = tables.get("sides")
    if not isinstance(sides, dict) or not sides:
        raise KnowledgeError(f"{name}: no table [sides]")
    found: dict[tuple[str, ...], set[str]] = {}
    for side, words in sides.items():
        for one in word_list(words, f"{name}: sides.{side}"):
            found.setdefault(tuple(words_of(one)), set()).add(side)
    pairs = tables.get("opposed", {}).get("pairs", [])
    opposed: set[tuple[str, str]] = set()
    for at, pair in enumerate(pairs, start=1):
        if not isinstance(pair, list) or len(pair) != 2 or not set(pair) <= set(sides) or pair[0] == pair[1]:
            raise KnowledgeError(f"{name}: opposed.pairs, entry {at}: expected two different sides, found {pair!r}")
        opposed |= {(pair[0], pair[1]), (pair[1], pair[0])}
    by_words = {words: frozenset(names) for words, names in found.items()}
    return Sides(by_words=by_words, opposed=frozenset(opposed), longest=max(map(len, by_words)))


@cache
def default_sides() -> Sides:
    """Return the project's own sides."""
    return sides_from(read_toml(_FILE), _FILE)


@lru_cache(maxsize=16384)
def sides_of_name(name: str) -> frozenset[str]:
    """Return the sides that `name` speaks of: longer runs of words win over the words in them."""
    known = default_sides()
    words = words_of(name)
    found: set[str] = set()
    at = 0
    while at < len(words):
        for length in range(min(known.longest, len(words) - at), 0, -1):
            sides = known.by_words.get(tuple(words[at : at + length]))
            if sides:
                found |= sides
                at += length
                break
        else:
            at += 1
    return frozenset(found)


def sides_of(parties: Iterable[Party]) -> frozenset[str]:
    """Return the sides of all `parties`."""
    return frozenset().union(*(sides_of_name(one.name) for one in parties))


@lru_cache(maxsize=16384)
def are_opposed(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether each side of `one` fights each side of `other`."""
    opposed = default_sides().opposed
    return bool(one) and bool(other) and all((a, b) in opposed for a in one for b in other)
